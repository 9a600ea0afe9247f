/**
 * What starting costs: CPU of whole processes beside a Node that does nothing, in interleaved rounds.
 *
 * A mount is measured until the first `ls`, with both of its processes, above two such Nodes.
 */
import * as fs from "node:fs"
import * as path from "node:path"
import * as CpuTime from "./CpuTime.ts"
import * as Process from "./Process.ts"
import { median } from "./Statistics.ts"

/** What `--only` calls it. */
export const NAME = "start"

export interface Setting {
  /** The words that start the command. */
  readonly program: ReadonlyArray<string>
  /** Those of another build, if it is measured too. */
  readonly against: ReadonlyArray<string> | undefined
  /** Folder for mount points. */
  readonly scratch: string
  readonly rounds: number
}

/** Milliseconds of CPU, least, middle and most. */
export interface Figure {
  readonly name: string
  readonly milliseconds: ReadonlyArray<number>
  /** The same less what a Node (for a mount two) took in the same round. */
  readonly above: ReadonlyArray<number>
}

/** Few rounds say little: there is no work in them that could be repeated. */
const LEAST_ROUNDS = 15

/** One core: what several threads do at once is counted all the same, and the clock of one core is steadier. */
const CORE = 0

const archive = path.join(import.meta.dirname, "../fixtures/golden/tiny/hello-v1.pxar")

interface Row {
  readonly name: string
  /** How many Nodes it has to start. */
  readonly processes: 1 | 2
  readonly run: () => Promise<number>
}

/** CPU of a command that ends. */
const ofCommand = async (command: ReadonlyArray<string>): Promise<number> => {
  const before = CpuTime.ofEndedChildren()
  await Process.run(command, CORE)
  return CpuTime.ofEndedChildren() - before
}

const ofMount = async (program: ReadonlyArray<string>, scratch: string): Promise<number> => {
  const mountPoint = fs.mkdtempSync(path.join(scratch, "start-"))
  const pidFile = path.join(scratch, "start.pid")
  const command = [...program, "mount", archive, mountPoint, "--quiet", "--pid-file", pidFile]
  const { pid, startCpuMs } = await Process.startInBackground(command, pidFile, CORE)
  try {
    // Not from this process: it would wait for the mount with all that it has to do itself.
    await Process.run(["ls", mountPoint])
    return startCpuMs + (Process.usage(pid)?.cpuMs ?? Number.NaN)
  } finally {
    await Process.unmount(mountPoint)
    await Process.untilGone(pid)
  }
}

const rowsOf = ({ against, program, scratch }: Setting, nothing: string): ReadonlyArray<Row> => {
  const rows = (program: ReadonlyArray<string>, suffix: string): ReadonlyArray<Row> => [
    { name: `--version${suffix}`, processes: 1, run: () => ofCommand([...program, "--version"]) },
    { name: `--help${suffix}`, processes: 1, run: () => ofCommand([...program, "--help"]) },
    { name: `list of three files${suffix}`, processes: 1, run: () => ofCommand([...program, "list", archive]) },
    {
      name: `the same, general path${suffix}`,
      processes: 1,
      run: () => ofCommand([...program, "list", "--", archive]),
    },
    { name: `mount until first ls${suffix}`, processes: 2, run: () => ofMount(program, scratch) },
  ]
  return [
    { name: "Node alone", processes: 1, run: () => ofCommand([process.execPath, nothing]) },
    ...rows(program, ""),
    ...(against === undefined ? [] : rows(against, ", base")),
  ]
}

/** Measures, and tells the table as it will be printed. */
export const run = async (setting: Setting, print: (line: string) => void): Promise<ReadonlyArray<Figure>> => {
  const nothing = path.join(setting.scratch, "nothing.cjs")
  fs.writeFileSync(nothing, "")
  const rows = rowsOf(setting, nothing)
  const figures = new Map(
    rows.map(({ name }) => [name, { milliseconds: [] as Array<number>, above: [] as Array<number> }]),
  )
  // The first of each brings its files into memory.
  for (const { run } of rows) await run()
  for (let round = 0; round < Math.max(LEAST_ROUNDS, setting.rounds); round++) {
    const [node, ...others] = rows
    const bare = (await node?.run()) ?? Number.NaN
    figures.get(node?.name ?? "")?.milliseconds.push(bare)
    for (const { name, processes, run } of round % 2 === 0 ? others : others.toReversed()) {
      const spent = await run()
      figures.get(name)?.milliseconds.push(spent)
      figures.get(name)?.above.push(spent - processes * bare)
    }
  }
  const found = Array.from(figures, ([name, { above, milliseconds }]) => ({ name, milliseconds, above }))
  print("| CPU, ms | least | median | most | above Node alone: least | median | most |")
  print("| --- | --- | --- | --- | --- | --- | --- |")
  for (const { above, milliseconds, name } of found)
    print(`| ${[name, ...spread(milliseconds), ...spread(above)].join(" | ")} |`)
  return found
}

const spread = (values: ReadonlyArray<number>): ReadonlyArray<string> =>
  values.length === 0
    ? ["–", "–", "–"]
    : [Math.min(...values), median(values) ?? Number.NaN, Math.max(...values)].map((value) => value.toFixed(1))
