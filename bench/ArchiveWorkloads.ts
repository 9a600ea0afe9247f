/**
 * `create` and `extract` against `tar` with the same attributes, on a tree of many small files and some big ones.
 *
 * Each contender extracts what it has just created, into a new folder; the archive and the folder are deleted after.
 */
import * as fs from "node:fs"
import * as path from "node:path"
import { setTimeout as sleep } from "node:timers/promises"
import * as CpuTime from "./CpuTime.ts"
import type { Row, Sample } from "./Measure.ts"
import * as Process from "./Process.ts"
import type { Tree } from "./Trees.ts"

/** The contender whose times the others' are divided by. */
export const PEER = "tar"

export const names = ["create", "extract"] as const

interface Contender {
  readonly name: string
  readonly create: (folder: string, base: string) => ReadonlyArray<string>
  readonly extract: (base: string, folder: string) => ReadonlyArray<string>
}

const contenders = (program: ReadonlyArray<string>): ReadonlyArray<Contender> => {
  const ours = (name: string, suffix: string): Contender => ({
    name,
    create: (folder, base) => [...program, "create", base + suffix, folder],
    extract: (base, folder) => [...program, "extract", base + suffix, folder],
  })
  const attributes = ["--xattrs", "--xattrs-include=*", "--acls"]
  return [
    ours("v1", ".pxar"),
    {
      name: PEER,
      create: (folder, base) => ["tar", ...attributes, "-C", folder, "-cf", `${base}.tar`, "."],
      extract: (base, folder) => ["tar", ...attributes, "-C", folder, "-xf", `${base}.tar`],
    },
    ours("v2", ".mpxar"),
  ]
}

export interface Setting {
  readonly program: ReadonlyArray<string>
  readonly against: ReadonlyArray<string> | undefined
  readonly tree: Tree
  readonly rounds: number
  readonly core: Process.Core
  readonly scratch: string
}

export const run = async (setting: Setting): Promise<ReadonlyArray<Row>> => {
  const all = [
    ...(setting.against === undefined ? [] : [{ ...contenders(setting.against)[0], name: "base" } as Contender]),
    ...contenders(setting.program),
  ]
  const created = new Map(all.map(({ name }) => [name, [] as Array<Sample>]))
  const extracted = new Map(all.map(({ name }) => [name, [] as Array<Sample>]))
  for (let round = 0; round < setting.rounds; round++) {
    for (const contender of round % 2 === 0 ? all : all.toReversed()) {
      const scratch = fs.mkdtempSync(path.join(setting.scratch, "archive-"))
      const base = path.join(scratch, "archive")
      const target = path.join(scratch, "target")
      fs.mkdirSync(target)
      try {
        await Process.run(["sh", "-c", 'tar cf - "$1" 2>&1 | cat > /dev/null', "bench", setting.tree.folder])
        created.get(contender.name)?.push(await measure(contender.create(setting.tree.folder, base), setting.core))
        extracted.get(contender.name)?.push(await measure(contender.extract(base, target), setting.core))
      } finally {
        await Process.run(["rm", "-rf", scratch])
      }
    }
  }
  const { bytes } = setting.tree
  const common = { unit: "MiB", units: bytes / (1024 * 1024), requests: {} }
  return [
    { name: "create", ...common, samples: Object.fromEntries(created) },
    { name: "extract", ...common, samples: Object.fromEntries(extracted) },
  ]
}

/** Runs a command to its end, with nothing of an earlier one waiting to be written to the disk. */
export const measure = async (command: ReadonlyArray<string>, core: Process.Core): Promise<Sample> => {
  await Process.run(["sync"])
  const [begin, cpuBefore] = [performance.now(), CpuTime.ofEndedChildren()]
  const started = Process.start(command, core)
  const exited = started.exited.then((finished) => ({ ...finished, wallMs: performance.now() - begin }))
  let peakKiB = 0
  let finished: Awaited<typeof exited> | undefined
  while (finished === undefined) {
    // Nobody tells a process's peak once it has ended.
    peakKiB = Math.max(peakKiB, Process.usage(started.pid)?.peakKiB ?? 0)
    finished = await Promise.race([exited, sleep(10, undefined)])
  }
  if (finished.status !== 0) {
    throw new Error(`${command.join(" ")}: ${finished.status}: ${finished.stderr.trim().split("\n").at(-1)}`)
  }
  return { wallMs: finished.wallMs, cpuMs: CpuTime.ofEndedChildren() - cpuBefore, peakKiB }
}
