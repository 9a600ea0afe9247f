/**
 * Measures a mount workload: rounds of all contenders, one after the other, so that what disturbs the machine disturbs
 * all of them. Figures are compared within a round, never across.
 */
import * as Contenders from "./Contenders.ts"
import type { Workload } from "./MountWorkloads.ts"
import type { Core } from "./Process.ts"
import type { Tree } from "./Trees.ts"

/** One pass of one contender in one round. */
export interface Sample {
  readonly wallMs: number
  /** Time of the server; of the command itself for one that mounts nothing. */
  readonly cpuMs: number | undefined
  readonly peakKiB: number | undefined
}

/** One pass, as all contenders did it. */
export interface Row {
  readonly name: string
  readonly unit: string
  readonly units: number
  /** By contender, in the order of the rounds. */
  readonly samples: Readonly<Record<string, ReadonlyArray<Sample>>>
  /** What the mounts that count were asked in this pass, by contender. */
  readonly requests: Readonly<Record<string, Contenders.Requests>>
}

export interface Setting {
  readonly contenders: ReadonlyArray<Contenders.Contender>
  readonly tree: Tree
  readonly rounds: number
  readonly core: Core
  /** Folder for mount points. */
  readonly scratch: string
}

export const workload = async (workload: Workload, setting: Setting): Promise<ReadonlyArray<Row>> => {
  const { contenders, rounds, tree } = setting
  const samples = workload.passes.map(() => new Map(contenders.map(({ name }) => [name, [] as Array<Sample>])))
  const requests = workload.passes.map((): Record<string, Contenders.Requests> => ({}))
  for (let round = 0; round < rounds; round++) {
    for (const contender of round % 2 === 0 ? contenders : contenders.toReversed()) {
      const run = await passes(workload, contender, setting, workload.passes.length)
      for (const [index, sample] of run.samples.entries()) samples[index]?.get(contender.name)?.push(sample)
      const last = requests.at(-1)
      if (run.requests !== undefined && last !== undefined) last[contender.name] = run.requests
    }
  }
  // A mount tells its requests at its end only: those of a later pass are what a mount without it was not asked.
  for (const contender of contenders.filter(({ counts }) => counts)) {
    for (let count = workload.passes.length - 1; count > 0; count--) {
      const before = (await passes(workload, contender, setting, count)).requests ?? {}
      const [earlier, later] = [requests[count - 1], requests[count]]
      if (earlier === undefined || later === undefined) continue
      earlier[contender.name] = before
      later[contender.name] = difference(later[contender.name] ?? {}, before)
    }
  }
  return workload.passes.map((pass, index) => ({
    name: pass.name,
    unit: pass.unit,
    units: pass.units(tree),
    samples: Object.fromEntries(samples[index] ?? []),
    requests: requests[index] ?? {},
  }))
}

/** Runs the first `count` passes on a fresh mount. */
const passes = async (workload: Workload, contender: Contenders.Contender, setting: Setting, count: number) => {
  const { core, scratch, tree } = setting
  await Contenders.warm(contender, tree)
  const begin = performance.now()
  const mount = await Contenders.mount(contender, tree, scratch, core)
  const samples: Array<Sample> = []
  let requests: Contenders.Requests | undefined
  try {
    for (const pass of workload.passes.slice(0, count)) {
      const before = workload.startup === true ? { cpuMs: -mount.startCpuMs } : mount.usage()
      const wallMs = await pass.run(mount.root, tree, core)
      const after = mount.usage()
      samples.push({
        wallMs: workload.startup === true ? performance.now() - begin : wallMs,
        cpuMs: before === undefined || after === undefined ? undefined : after.cpuMs - before.cpuMs,
        peakKiB: after?.peakKiB,
      })
    }
  } finally {
    requests = await mount.end()
  }
  return { samples, requests }
}

const difference = (all: Contenders.Requests, before: Contenders.Requests): Contenders.Requests =>
  Object.fromEntries(
    Object.entries(all)
      .map(([name, count]) => [name, count - (before[name] ?? 0)] as const)
      .filter(([, count]) => count > 0),
  )
