/**
 * What comes over HTTP: a folder as tar and zip beside `cat` of the same files on a mount, and how soon a folder of 5,000
 * entries is there, as an answer and as a page in Chromium.
 *
 * Rates are compared within a round. The mount of each round is fresh, so that the kernel has nothing of it; the server is
 * the same in all.
 */
import * as fs from "node:fs"
import * as path from "node:path"
import { chromium } from "playwright-core"
import * as Process from "./Process.ts"
import * as Random from "./Random.ts"
import * as Statistics from "./Statistics.ts"

/** What `--only` calls it: it is left out otherwise. */
export const NAME = "web"

export interface Setting {
  /** The words that start the command. */
  readonly program: ReadonlyArray<string>
  readonly directory: string
  readonly scratch: string
  readonly rounds: number
  readonly quick: boolean
  readonly say: (line: string) => void
}

/** Milliseconds of one thing, by rounds; of what moves bytes also of the server's CPU. */
export interface Figure {
  readonly name: string
  readonly wallMs: ReadonlyArray<number>
  readonly cpuMs: ReadonlyArray<number>
}

const MIB = 1024 * 1024

/** Where Debian has it. */
const CHROMIUM = "/usr/bin/chromium"

/** A folder of large files, one of small ones, one of many names; all bytes random. */
const makeTree = (folder: string, quick: boolean): void => {
  const random = Random.make(1)
  const bytes = (length: number): Uint8Array => {
    const words = new Uint32Array(length / 4)
    for (let at = 0; at < words.length; at++) words[at] = random.next() * 0x1_0000_0000
    return new Uint8Array(words.buffer)
  }
  const fill = (name: string, count: number, length: number): void => {
    fs.mkdirSync(path.join(folder, name), { recursive: true })
    for (let at = 0; at < count; at++) {
      fs.writeFileSync(path.join(folder, name, `file-${String(at).padStart(5, "0")}`), bytes(length))
    }
  }
  fill("large", quick ? 2 : 6, 64 * MIB)
  fill("small", quick ? 1500 : 10_000, 20_000)
  fill("names", 5000, 0)
}

/** Measures, and tells the table as it will be printed. */
export const run = async (setting: Setting, print: (line: string) => void): Promise<ReadonlyArray<Figure>> => {
  const { directory, program, quick, rounds, say, scratch } = setting
  const archive = path.join(directory, quick ? "quick" : "full", "web.pxar")
  if (!fs.existsSync(archive)) {
    say("making its archive")
    const folder = path.join(scratch, "web")
    makeTree(folder, quick)
    await Process.run([...program, "create", archive, folder])
    fs.rmSync(folder, { recursive: true })
  }
  const server = Process.start([...program, "serve", "--listen", "127.0.0.1:0", archive])
  const link = (await server.firstLine).trim()
  const [url = "", token = ""] = link.split("#token=")
  const api = `${url}api/v1/repositories/web.pxar/`

  const found = new Map<string, { wallMs: Array<number>; cpuMs: Array<number> }>()
  const note = (name: string, wallMs: number, cpuMs?: number): void => {
    const figure = found.get(name) ?? { wallMs: [], cpuMs: [] }
    found.set(name, figure)
    figure.wallMs.push(wallMs)
    if (cpuMs !== undefined) figure.cpuMs.push(cpuMs)
  }

  const cat = async (folder: string, pid: number, mountPoint: string): Promise<void> => {
    const before = Process.usage(pid)?.cpuMs ?? Number.NaN
    const wallMs = await Process.timeShell('find "$1" -type f -print0 | xargs -0 cat', [path.join(mountPoint, folder)])
    note(`${folder}: cat`, wallMs, (Process.usage(pid)?.cpuMs ?? Number.NaN) - before)
  }
  const download = async (folder: string, format: string): Promise<void> => {
    const before = Process.usage(server.pid)?.cpuMs ?? Number.NaN
    const wallMs = await Process.timeShell('curl -sSf -u "me:$2" "$1"', [`${api}${format}?path=/${folder}`, token])
    note(`${folder}: ${format}`, wallMs, (Process.usage(server.pid)?.cpuMs ?? Number.NaN) - before)
  }
  const firstByte = async (): Promise<void> => {
    const args = ["-o", "/dev/null", "-u", `me:${token}`, "-w", "%{time_starttransfer}"]
    const asked = `${api}folder?path=/names&sort=name&limit=200`
    note("folder of 5,000: first byte", 1000 * Number((await Process.run(["curl", "-sSf", ...args, asked])).stdout))
  }

  for (let round = 0; round < rounds; round++) {
    say(`round ${round + 1} of ${rounds}`)
    await Process.run(["sh", "-c", 'cat "$1" > /dev/null', "bench", archive])
    for (const folder of ["large", "small"]) {
      const contenders = [
        () => onMount(setting, archive, (pid, mountPoint) => cat(folder, pid, mountPoint)),
        () => download(folder, "tar"),
        () => download(folder, "zip"),
      ]
      for (const contender of round % 2 === 0 ? contenders : contenders.toReversed()) await contender()
    }
    await firstByte()
    if (fs.existsSync(CHROMIUM)) note("folder of 5,000: page usable", await usable(link, url, scratch))
    else if (round === 0) say(`without the page: ${CHROMIUM} is missing`)
  }
  const figures = Array.from(found, ([name, { cpuMs, wallMs }]) => ({ name, wallMs, cpuMs }))
  print("| | ms: least | median | most | rate of cat: least | median | most | server's CPU, ms |")
  print("| --- | --- | --- | --- | --- | --- | --- | --- |")
  for (const { cpuMs, name, wallMs } of figures) {
    const peer = found.get(`${name.split(":")[0]}: cat`)?.wallMs ?? []
    const cells = [...cellsOf(wallMs, 0), ...cellsOf(Statistics.ratios(peer, wallMs), 2), cellsOf(cpuMs, 0)[1]]
    print(`| ${[name, ...cells].join(" | ")} |`)
  }
  return figures
}

const cellsOf = (values: ReadonlyArray<number>, digits: number): ReadonlyArray<string> => {
  const { least, median, most } = Statistics.spread(values)
  return [least, median, most].map((value) => value?.toFixed(digits) ?? "–")
}

const onMount = async (
  { program, scratch }: Setting,
  archive: string,
  use: (pid: number, mountPoint: string) => Promise<void>,
): Promise<void> => {
  const mountPoint = fs.mkdtempSync(path.join(scratch, "web-"))
  const pidFile = `${mountPoint}.pid`
  const command = [...program, "mount", archive, mountPoint, "--quiet", "--pid-file", pidFile]
  const { pid } = await Process.startInBackground(command, pidFile)
  try {
    await use(pid, mountPoint)
  } finally {
    await Process.unmount(mountPoint)
    await Process.untilGone(pid)
  }
}

/** Until a browser that has never been there shows rows that can be moved through. */
const usable = async (link: string, url: string, scratch: string): Promise<number> => {
  const browser = await chromium.launch({
    executablePath: CHROMIUM,
    args: ["--no-sandbox", "--disable-gpu"],
    env: { ...process.env, HOME: scratch },
  })
  try {
    const page = await browser.newPage({ viewport: { width: 1280, height: 800 } })
    // What its first page costs a browser is not ours.
    await page.goto("about:blank")
    await page.goto(link)
    await page.locator("[role=grid] .rows [role=row]").first().waitFor()
    await page.goto("about:blank")
    const begin = performance.now()
    await page.goto(`${url}#/web.pxar/names`)
    await page.locator("[role=grid] .rows [role=row]").first().waitFor()
    return performance.now() - begin
  } finally {
    await browser.close()
  }
}
