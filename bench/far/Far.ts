/**
 * Reading a datastore from far away: over lines of several round trips and bandwidths, beside a reader that asks for one
 * chunk at a time.
 *
 * The servers are on this machine, each in a process of its own (`Places`), and so is the line in front of them. There are
 * four sets of lines: `aims`, that which the aims are for; `scaled`, the same ten times slower and longer, where as many
 * bytes are under way and the processor hardly matters; `slow`, `tar` of a mount with little memory for chunks, and the same
 * scaled; `matrix`, all others, for the web server.
 * "Line" is the time that the bytes of the workload take at the bandwidth alone. Every workload is fresh: a new process, a
 * new mount, nothing on disk.
 */
import * as fs from "node:fs"
import * as path from "node:path"
import * as Process from "../Process.ts"
import * as Random from "../Random.ts"
import * as Places from "./Places.ts"
import * as Servers from "./Servers.ts"
import * as Store from "./Store.ts"

export const NAME = "far"
/** The set that can be asked for by itself. */
export const SLOW = "slow"

export interface Setting {
  readonly program: ReadonlyArray<string>
  readonly directory: string
  readonly scratch: string
  /** Only the line that the aims are for, with 128 MB; otherwise that with 1 GB, then the others once: the matrix with 128 MB. */
  readonly quick: boolean
  readonly rounds: number
  /** What to measure, all if there is nothing: words that are all in the set, place, archive and workload (`scaled s3 tar`). */
  readonly only: ReadonlyArray<string>
  readonly say: (line: string) => void
}

const MIB = 1024 * 1024

/** Bytes a second of what is called a gigabit. */
const GIGABIT = 125_000_000
const bandwidths = [
  { name: "200 Mbit/s", bytesPerSecond: GIGABIT / 5 },
  { name: "1 Gbit/s", bytesPerSecond: GIGABIT },
  { name: "unlimited", bytesPerSecond: 0 },
]
const roundTrips = [0, 20, 50, 150]

/** A line. */
interface Line {
  readonly set: "aims" | "scaled" | typeof SLOW | "matrix"
  readonly name: string
  /** In milliseconds. */
  readonly roundTrip: number
  /** 0 for an unlimited one. */
  readonly bytesPerSecond: number
  /** For `--chunk-cache` of a mount; unless given, what the program takes by itself. */
  readonly chunkCache?: string
}

const aims: Line = { set: "aims", name: "1 Gbit/s", roundTrip: 50, bytesPerSecond: GIGABIT }
const scaled: Line = { set: "scaled", name: "0.1 Gbit/s", roundTrip: 500, bytesPerSecond: GIGABIT / 10 }
const slow: ReadonlyArray<Line> = [
  { set: SLOW, name: "100 MB/s", roundTrip: 50, bytesPerSecond: 100_000_000, chunkCache: "64M" },
  { set: SLOW, name: "10 MB/s", roundTrip: 500, bytesPerSecond: 10_000_000, chunkCache: "64M" },
]
const matrix: ReadonlyArray<Line> = bandwidths.flatMap(({ bytesPerSecond, name }) =>
  roundTrips.map((roundTrip): Line => ({ set: "matrix", name, roundTrip, bytesPerSecond })),
)

/** The tree that is read: small files, and a big one. */
interface Data {
  readonly store: string
  readonly files: number
  /** Bytes as stored, by backup. */
  readonly bytes: Readonly<Record<"v1" | "split", number>>
  readonly big: number
}

/** One figure of one workload on one line. */
export interface Figure {
  readonly place: string
  readonly roundTrip: number
  readonly bandwidth: string
  readonly workload: string
  readonly archive: "v1" | "split"
  /** Seconds, of each round. */
  readonly seconds: ReadonlyArray<number>
  /** Seconds that the bytes take at the bandwidth; 0 where it is unlimited, or where bytes do not matter. */
  readonly line: number
  readonly serial: number
  /** Most memory of the process, in MiB. */
  readonly peakMiB: number
  /** Seconds of CPU of the process, and of the server with the line. */
  readonly cpu: number
  readonly cpuOfOthers: number
}

/** Measures everything; `report` is called with each line of the table. */
export const run = async (setting: Setting, report: (line: string) => void): Promise<ReadonlyArray<Figure>> => {
  report(header)
  const once = { ...setting, rounds: 1 }
  const figures: Array<Figure> = []
  const data = await makeData(setting, setting.quick)
  for (const place of [Places.disk, ...Places.places]) figures.push(...(await over(place, aims, data, setting, report)))
  // Cached whole, 128 MB would say little.
  const slowPlace = { ...Places.web, workloads: ["tar"] }
  for (const line of setting.quick ? [] : slow) figures.push(...(await over(slowPlace, line, data, once, report)))
  if (setting.quick) return figures
  for (const place of Places.places) figures.push(...(await over(place, scaled, data, once, report)))
  if (!isWanted(setting, "matrix", Places.web)) return figures
  const small = await makeData(setting, true)
  for (const line of matrix) figures.push(...(await over(Places.web, line, small, once, report)))
  return figures
}

/** Whether something is to be measured: of what is not given yet any may be. */
const isWanted = ({ only }: Setting, set: Line["set"], place: Places.Place, archive?: string, workload?: string) => {
  const archives = archive === undefined ? ["split", "v1"] : [archive]
  const words = new Set([set, place.name, ...archives, ...(workload?.split(" ") ?? place.workloads)])
  return only.length === 0 || only.some((wanted) => wanted.split(" ").every((word) => words.has(word)))
}

const over = async (
  place: Places.Place,
  { bytesPerSecond, chunkCache, name, roundTrip, set }: Line,
  data: Data,
  setting: Setting,
  report: (line: string) => void,
): Promise<ReadonlyArray<Figure>> => {
  const figures: Array<Figure> = []
  const isAsked = (archive: string, workload: string): boolean =>
    place.workloads.includes(workload) && isWanted(setting, set, place, archive, workload)
  const archives = (["split", "v1"] as const).filter((archive) =>
    place.workloads.some((each) => isAsked(archive, each)),
  )
  if (archives.length === 0) return figures
  const root = path.dirname(data.store)
  // The serial reader asks the web server, whatever the place: what it is compared with is the line.
  const web = await Servers.start(["serverMain.ts", root])
  const server = place.server === "serverMain.ts" ? web : await Servers.start([place.server, data.store])
  const lineTo = ({ port }: Servers.Server) =>
    Servers.start(["lineMain.ts", port, String(roundTrip), String(bytesPerSecond)])
  const line = await lineTo(server)
  const plain = server === web ? line : await lineTo(web)
  const others = [...new Set([web, server, line, plain])]
  const cpuOfOthers = (): number => others.reduce((sum, { pid }) => sum + (Process.usage(pid)?.cpuMs ?? 0), 0) / 1000
  const url = `http://127.0.0.1:${plain.port}/${Places.STORE}`
  for (const archive of archives) {
    const samples = new Map<string, Array<Sample & { readonly cpuOfOthers: number }>>()
    for (let round = 0; round < setting.rounds; round++) {
      for (const [workload, measure] of workloads(
        setting,
        data,
        { place, port: line.port, url, chunkCache },
        archive,
      )) {
        const isCompared = workload === SERIAL && place !== Places.disk && set !== SLOW
        if (!isAsked(archive, workload) && !isCompared) continue
        setting.say(`${place.name}, ${name}, ${roundTrip} ms, ${archive}: ${workload}`)
        const before = cpuOfOthers()
        const sample = await measure()
        samples.set(workload, [...(samples.get(workload) ?? []), { ...sample, cpuOfOthers: cpuOfOthers() - before }])
      }
    }
    const serial = median((samples.get(SERIAL) ?? []).map(({ seconds }) => seconds))
    for (const [workload, measured] of samples) {
      const all = data.bytes[archive]
      const bytes = { "cp -r": all - data.big, dd: data.big, ls: 0, "one file": 0 }[workload] ?? all
      const figure: Figure = {
        place: place.name,
        roundTrip,
        bandwidth: name,
        workload,
        archive,
        seconds: measured.map(({ seconds }) => seconds),
        line: bytesPerSecond === 0 || place === Places.disk ? 0 : bytes / bytesPerSecond,
        // A part of the bytes takes a part of the time.
        serial: (serial * bytes) / all,
        peakMiB: Math.max(...measured.map(({ peakMiB }) => peakMiB)),
        cpu: median(measured.map(({ cpu }) => cpu)),
        cpuOfOthers: median(measured.map((sample) => sample.cpuOfOthers)),
      }
      figures.push(figure)
      report(row(figure))
    }
  }
  for (const each of others) await Servers.stop(each)
  return figures
}

interface Sample {
  readonly seconds: number
  readonly peakMiB: number
  /** Seconds. */
  readonly cpu: number
}

const SERIAL = "serial reader"
/** The serial reader reads no more chunks: it takes as long for each. */
const SERIAL_CHUNKS = 32

/** The datastore behind a line. */
interface Behind {
  readonly place: Places.Place
  readonly port: string
  /** Of the same on a web server, for the serial reader. */
  readonly url: string
  /** See {@link Line}. */
  readonly chunkCache: string | undefined
}

const workloads = (
  { program: command, scratch }: Setting,
  { bytes, store }: Data,
  { chunkCache, place, port, url }: Behind,
  archive: "v1" | "split",
): ReadonlyArray<readonly [string, () => Promise<Sample>]> => {
  const variables = Object.entries(place.env(port)).map(([name, value]) => `${name}=${value}`)
  const program = ["env", ...variables, ...command]
  const address = `${place.address(port, store)}::host/${archive}/latest/tree.pxar`
  const indexes = fs.readdirSync(path.join(store, "host", archive)).flatMap((time) =>
    fs
      .readdirSync(path.join(store, "host", archive, time))
      .filter((name) => name.endsWith(".didx"))
      .map((name) => `host/${archive}/${time}/${name}`),
  )
  /** What a script takes on a fresh mount. */
  const mounted = (script: string) => async (): Promise<Sample> => {
    const mountPoint = fs.mkdtempSync(path.join(scratch, "mount-"))
    const target = fs.mkdtempSync(path.join(scratch, "target-"))
    const pidFile = `${mountPoint}.pid`
    const cache = chunkCache === undefined ? [] : ["--chunk-cache", chunkCache]
    const mount = [...program, "mount", "--no-cache", ...cache, "--pid-file", pidFile, address, mountPoint]
    const server = await Process.startInBackground(mount, pidFile)
    try {
      const milliseconds = await Process.timeShell(script, [mountPoint, target])
      const { cpuMs, peakKiB } = Process.usage(server.pid) ?? { cpuMs: 0, peakKiB: 0 }
      return { seconds: milliseconds / 1000, peakMiB: peakKiB / 1024, cpu: cpuMs / 1000 }
    } finally {
      await Process.unmount(mountPoint)
      await Process.untilGone(server.pid)
      fs.rmSync(target, { recursive: true, force: true })
      fs.rmdirSync(mountPoint)
    }
  }
  const timed = async (command: ReadonlyArray<string>): Promise<Sample> => {
    const begin = performance.now()
    const started = Process.start(command)
    let usage: Process.Usage = { cpuMs: 0, peakKiB: 0 }
    const watch = setInterval(() => {
      const now = Process.usage(started.pid)
      if (now !== undefined) usage = { ...now, peakKiB: Math.max(now.peakKiB, usage.peakKiB) }
    }, 50)
    const { status, stderr } = await started.exited
    clearInterval(watch)
    if (status !== 0) throw new Error(`${command.join(" ")}: ${status}: ${stderr.trim().split("\n").at(-1)}`)
    return {
      seconds: (performance.now() - begin) / 1000,
      peakMiB: usage.peakKiB / 1024,
      cpu: usage.cpuMs / 1000,
    }
  }
  const extract = async (): Promise<Sample> => {
    const target = fs.mkdtempSync(path.join(scratch, "target-"))
    try {
      return await timed([...program, "extract", "--quiet", "--no-cache", address, target])
    } finally {
      fs.rmSync(target, { recursive: true, force: true })
    }
  }
  const serial = async (): Promise<Sample> => {
    const program = path.join(import.meta.dirname, "serialMain.ts")
    const sample = await timed([process.execPath, program, url, String(SERIAL_CHUNKS), ...indexes])
    return { ...sample, seconds: sample.seconds * Math.max(1, bytes[archive] / (SERIAL_CHUNKS * Store.CHUNK)) }
  }
  return [
    [SERIAL, serial],
    ["extract", extract],
    ["tar", mounted('tar -C "$1" -cf - . | cat')],
    ["cp -r", mounted('cp -r "$1"/files "$2"')],
    ["dd", mounted('dd if="$1"/big of=/dev/null bs=1M status=none')],
    ["ls", mounted('ls -l "$1" > /dev/null')],
    ["one file", mounted('cat "$1"/files/7/7 > /dev/null')],
  ]
}

/** The datastore, made now if it is not there yet. */
const makeData = async ({ directory, program, quick, say }: Setting, isSmall: boolean): Promise<Data> => {
  const base = path.join(directory, quick ? "quick" : "full", isSmall ? "far" : "far-large")
  const marker = `${base}.json`
  if (fs.existsSync(marker)) return JSON.parse(fs.readFileSync(marker, "utf8")) as Data
  say(`making the datastore ${base}`)
  fs.rmSync(base, { recursive: true, force: true })
  const tree = path.join(base, "tree")
  const [files, big, total] = isSmall ? [640, 64 * MIB, 128 * MIB] : [5000, 256 * MIB, 1024 * MIB]
  const random = Random.make(files)
  fs.mkdirSync(tree, { recursive: true })
  await Process.run(["sh", "-c", `head -c ${big} /dev/urandom > "$0"`, path.join(tree, "big")])
  const noise = path.join(base, "noise")
  await Process.run(["sh", "-c", `head -c ${total - big} /dev/urandom > "$0"`, noise])
  const source = fs.openSync(noise, "r")
  const mean = (total - big) / files
  for (let index = 0; index < files; index++) {
    const folder = path.join(tree, "files", String(index % 100))
    fs.mkdirSync(folder, { recursive: true })
    const content = Buffer.alloc(Math.floor(mean * (0.5 + random.next())))
    const length = fs.readSync(source, content, 0, content.length, Math.floor(index * mean))
    fs.writeFileSync(path.join(folder, String(index)), content.subarray(0, length))
  }
  fs.closeSync(source)
  fs.rmSync(noise)
  const archives = { v1: path.join(base, "tree.pxar"), split: path.join(base, "tree.mpxar") }
  for (const archive of [archives.v1, archives.split]) await Process.run([...program, "create", archive, tree])
  const store = path.join(base, "store")
  const bytes = {
    v1: Store.add(store, "v1", { "tree.pxar": archives.v1 }),
    split: Store.add(store, "split", { "tree.mpxar": archives.split, "tree.ppxar": path.join(base, "tree.ppxar") }),
  }
  fs.rmSync(tree, { recursive: true })
  for (const name of ["tree.pxar", "tree.mpxar", "tree.ppxar"]) fs.rmSync(path.join(base, name))
  const data: Data = { store, files, bytes, big }
  fs.writeFileSync(marker, JSON.stringify(data))
  return data
}

const median = (values: ReadonlyArray<number>): number => values.toSorted((a, b) => a - b)[values.length >> 1] ?? 0

const columns = [6, 12, 10, 7, 14, 8, 9, 12, 8, 6, 6]
const aligned = (cells: ReadonlyArray<string>): string =>
  cells.map((cell, column) => cell.padEnd(columns[column] ?? 0)).join(" ")

const header = aligned([
  "place",
  "bandwidth",
  "round trip",
  "archive",
  "workload",
  "seconds",
  "% of line",
  "× serial",
  "peak MiB",
  "CPU",
  "others",
])

/** How much faster than the serial reader it was, and how much faster one can be that has all of the line. */
const timesSerial = ({ line, serial }: Figure, time: number): string => {
  if (serial === 0) return "–"
  const times = (serial / time).toFixed(1)
  return line === 0 ? times : `${times} of ${(serial / line).toFixed(1)}`
}

const row = (figure: Figure): string => {
  const { archive, bandwidth, line, peakMiB, place, roundTrip, workload } = figure
  const time = median(figure.seconds)
  return aligned([
    place,
    bandwidth,
    `${roundTrip} ms`,
    archive,
    workload,
    time.toFixed(2),
    line === 0 ? "–" : `${Math.round((100 * line) / time)} %`,
    timesSerial(figure, time),
    peakMiB.toFixed(0),
    figure.cpu.toFixed(1),
    figure.cpuOfOthers.toFixed(1),
  ])
}
