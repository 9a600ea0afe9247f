/**
 * A datastore on a local disk: restoring and tar-ing, reading in a row and at random places, and the first look at 10,000
 * backups. Beside it, in the same run, a reader that takes one chunk at a time, the bare archive, and zstd and SHA-256 alone.
 */
import * as fs from "node:fs"
import * as path from "node:path"
import * as NameSyscalls from "../../src/services/posix/NameSyscalls.ts"
import * as ArchiveWorkloads from "../ArchiveWorkloads.ts"
import * as Contenders from "../Contenders.ts"
import type { Row, Sample } from "../Measure.ts"
import * as Process from "../Process.ts"
import type * as Report from "../Report.ts"
import * as Backup from "./Backup.ts"

/** What `--only` names it by: it is left out otherwise. */
export const NAME = "datastore"

/** The contender whose times the others' are divided by: how the reference client reads. */
const PEER = "serial"

/** How it is measured. */
export interface Setting extends Backup.Settings {
  readonly rounds: number
  readonly scratch: string
}

/** Measures, section by section. */
export const run = async (setting: Setting, finish: (section: Report.Section) => void): Promise<void> => {
  const made = await Backup.get(setting)
  const { rounds } = setting
  for (const isCold of [false, true]) {
    const title = `datastore, ${isCold ? "cold" : "warm"}`
    setting.say(title)
    const rows = await commands(made, setting, isCold)
    finish({ title, contenders: ["ours", PEER, "bare", "limit"], peer: PEER, rounds, rows })
  }
  setting.say("datastore, mounted")
  const rows = [...(await mounts(made, setting)), await firstLook(made, setting)]
  finish({ title: "datastore, mounted", contenders: ["ours", "bare"], peer: "bare", rounds, rows })
}

interface Workload {
  readonly name: string
  /** By contender; `target` is a folder that is not there yet. */
  readonly commands: Readonly<Record<string, (target: string) => ReadonlyArray<string>>>
}

const workloads = ({ archive, store }: Backup.Made, program: ReadonlyArray<string>): ReadonlyArray<Workload> => {
  const address = `${store}::${Backup.SNAPSHOT}/${Backup.ARCHIVE}`
  const reader = (...args: ReadonlyArray<string>) => [
    process.execPath,
    path.join(import.meta.dirname, "Reader.ts"),
    ...args,
  ]
  const discarded = (...command: ReadonlyArray<string>) => ["sh", "-c", 'exec "$@" > /dev/null', "bench", ...command]
  return [
    {
      name: "restore",
      commands: {
        ours: (target) => [...program, "extract", address, target],
        [PEER]: (target) => reader("serial-extract", store, target),
        bare: (target) => [...program, "extract", archive, target],
      },
    },
    {
      name: "tar",
      commands: {
        ours: () => discarded(...program, "cat", "--tar", address, "/"),
        [PEER]: () => reader("serial-tar", store),
        bare: () => discarded(...program, "cat", "--tar", archive, "/"),
      },
    },
    {
      name: "read in a row",
      commands: {
        ours: () => reader("read", store),
        [PEER]: () => reader("serial-read", store),
        limit: () => reader("limit", store),
      },
    },
  ]
}

/** Commands that read all of the backup. */
const commands = async (
  made: Backup.Made,
  { program, rounds, scratch }: Setting,
  isCold: boolean,
): Promise<ReadonlyArray<Row>> => {
  const rows: Array<Row> = []
  for (const workload of workloads(made, program)) {
    const names = Object.keys(workload.commands)
    const samples: Record<string, Array<Sample>> = Object.fromEntries(names.map((name) => [name, []]))
    for (let round = 0; round < rounds; round++) {
      for (const name of round % 2 === 0 ? names : names.toReversed()) {
        const folder = fs.mkdtempSync(path.join(scratch, "restore-"))
        try {
          await (isCold ? drop(made) : warm(made))
          const command = workload.commands[name]?.(path.join(folder, "target")) ?? []
          samples[name]?.push(await ArchiveWorkloads.measure(command, undefined))
        } finally {
          await Process.run(["rm", "-rf", folder])
        }
      }
    }
    rows.push({ name: workload.name, unit: "MiB", units: made.bytes / (1024 * 1024), samples, requests: {} })
  }
  return rows
}

/** Every file of the backup, and the archive. */
const filesOf = ({ archive, store }: Backup.Made): ReadonlyArray<string> => {
  const chunks = path.join(store, ".chunks")
  const folders = fs.readdirSync(chunks).map((name) => path.join(chunks, name))
  return [archive, ...folders.flatMap((folder) => fs.readdirSync(folder).map((name) => path.join(folder, name)))]
}

const warm = ({ archive, store }: Backup.Made): Promise<unknown> =>
  Process.run(["sh", "-c", 'tar cf - "$@" 2>&1 | cat > /dev/null', "bench", archive, store])

/** Takes them out of the page cache. */
const drop = async (made: Backup.Made): Promise<void> => {
  await Process.run(["sync"])
  for (const file of filesOf(made)) {
    const fd = fs.openSync(file, "r")
    NameSyscalls.dropCached(fd)
    fs.closeSync(fd)
  }
}

const NO_TREE = { name: "big", folder: "", files: 0, entries: 0, bytes: 0, images: undefined } as const
const NO_LISTS = { all: "", stat: "", read: "" }

/** A mount of `source`. */
const contender = (name: string, program: ReadonlyArray<string>, source: string): Contenders.Contender => ({
  name,
  counts: true,
  background: true,
  isFor: () => true,
  reads: () => [],
  server: (_, mountPoint) => [...program, "mount", source, mountPoint, "--verbose"],
})

interface Pass {
  readonly name: string
  readonly unit: string
  readonly units: number
  readonly run: (root: string) => Promise<number>
}

const client = async (...args: ReadonlyArray<string>): Promise<number> =>
  Number((await Process.run([process.execPath, path.join(import.meta.dirname, "../Client.ts"), ...args])).stdout)

/** What is read of a mount, each on a fresh one. The peak of its memory stands in the table. */
const mounts = async (made: Backup.Made, { program, rounds, scratch }: Setting): Promise<ReadonlyArray<Row>> => {
  const address = `${made.store}::${Backup.SNAPSHOT}/${Backup.ARCHIVE}`
  const both = [contender("ours", program, address), contender("bare", program, made.archive)]
  const mib = made.bytes / (1024 * 1024)
  const shell = (script: string) => (root: string) => Process.timeShell(`cd "$1" && ${script}`, [root])
  const passes: ReadonlyArray<Pass> = [
    { name: "tar of the mount", unit: "MiB", units: mib, run: shell("tar cf - . | wc -c") },
    {
      name: "dd bs=1M",
      unit: "MiB",
      units: made.bigMiB,
      run: shell(`dd if=${Backup.BIG} bs=1M of=/dev/null status=none`),
    },
    {
      name: "2000 random preads of 4 KiB",
      unit: "pread",
      units: 2000,
      run: (root) => client("pread", path.join(root, Backup.BIG), "4096", "2000"),
    },
  ]
  const rows: Array<Row> = []
  for (const { name, run, unit, units } of passes) {
    const samples: Record<string, Array<Sample>> = { ours: [], bare: [] }
    for (let round = 0; round < rounds; round++) {
      for (const one of round % 2 === 0 ? both : both.toReversed()) {
        await warm(made)
        const mount = await Contenders.mount(one, { ...NO_TREE, lists: NO_LISTS }, scratch, undefined)
        try {
          const before = mount.usage()
          const wallMs = await run(mount.root)
          const after = mount.usage()
          const cpuMs = before === undefined || after === undefined ? undefined : after.cpuMs - before.cpuMs
          samples[one.name]?.push({ wallMs, cpuMs, peakKiB: after?.peakKiB })
        } finally {
          await mount.end()
        }
      }
    }
    rows.push({ name, unit, units, samples, requests: {} })
  }
  return rows
}

/** From the command until the first `ls -l` of a group among 10,000 backups. */
const firstLook = async ({ many }: Backup.Made, { program, rounds, scratch }: Setting): Promise<Row> => {
  const samples: Array<Sample> = []
  for (let round = 0; round < rounds; round++) {
    const begin = performance.now()
    const one = contender("ours", program, many)
    const mount = await Contenders.mount(one, { ...NO_TREE, lists: NO_LISTS }, scratch, undefined)
    try {
      await Process.run(["ls", "-l", `${mount.root}/host`, `${mount.root}/host/machine-50`])
      const wallMs = performance.now() - begin
      const usage = mount.usage()
      const cpuMs = usage === undefined ? undefined : usage.cpuMs + mount.startCpuMs
      samples.push({ wallMs, cpuMs, peakKiB: usage?.peakKiB })
    } finally {
      await mount.end()
    }
  }
  return { name: "first ls of 10,000 backups", unit: "mount", units: 1, samples: { ours: samples }, requests: {} }
}
