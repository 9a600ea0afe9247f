/**
 * `npm run bench`: how fast the mount is, and `create` and `extract`, beside others on the same machine in the same
 * run. See docs/performance.md.
 *
 * Nothing is asserted: it measures and prints.
 */
import * as fs from "node:fs"
import * as path from "node:path"
import * as ArchiveWorkloads from "./ArchiveWorkloads.ts"
import * as Contenders from "./Contenders.ts"
import * as Datastore from "./datastore/Datastore.ts"
import * as Far from "./far/Far.ts"
import * as Shards from "./far/Shards.ts"
import * as History from "./history/History.ts"
import * as Machine from "./Machine.ts"
import * as Measure from "./Measure.ts"
import * as MountWorkloads from "./MountWorkloads.ts"
import * as Options from "./Options.ts"
import * as Process from "./Process.ts"
import * as Report from "./Report.ts"
import * as SmallFiles from "./SmallFiles.ts"
import * as StartUp from "./StartUp.ts"
import * as Trees from "./Trees.ts"
import * as Web from "./Web.ts"

const say = (line: string): void => void process.stderr.write(`bench: ${line}\n`)

const commandOf = (file: string): ReadonlyArray<string> => [process.execPath, file]

const main = async (options: Options.Options, scratch: string): Promise<void> => {
  const program = commandOf(path.resolve(import.meta.dirname, "../dist/cli/main.js"))
  const against = options.against === undefined ? undefined : commandOf(options.against)
  const machine = await Machine.describe()
  process.stdout.write(`${Machine.toText(machine)}${Report.legend}\n`)
  const isWanted = (name: string) => options.only.length === 0 || options.only.some((part) => name.includes(part))
  const contenders = await Contenders.available(program, against, say)
  const trees = { directory: options.directory, quick: options.quick, program, say }
  const { rounds } = options
  const sections: Array<Report.Section> = []
  const finish = (section: Report.Section): void => {
    sections.push(section)
    process.stdout.write(`${Report.tables(section)}\n`)
    if (options.json === undefined) return
    fs.writeFileSync(options.json, `${JSON.stringify({ machine, options, sections }, undefined, 2)}\n`)
  }
  if (options.only.includes(Datastore.NAME)) {
    const setting = { program, directory: options.directory, scratch, quick: options.quick, rounds, say }
    return await Datastore.run(setting, finish)
  }
  if (options.only.some((part) => part === Far.NAME || part === Far.SLOW)) {
    const only = options.only.filter((part) => part !== Far.NAME)
    const setting = { program, directory: options.directory, scratch, quick: options.quick, rounds, only, say }
    const figures = await Far.run(setting, (line) => void process.stdout.write(`${line}\n`))
    if (options.json !== undefined) {
      fs.writeFileSync(options.json, `${JSON.stringify({ machine, options, figures }, undefined, 2)}\n`)
    }
    return
  }
  if (options.only.includes(Shards.NAME)) {
    return void process.stdout.write(await Shards.run({ program, directory: options.directory, rounds, say }))
  }
  if (options.only.includes(History.NAME)) {
    const setting = { program, directory: options.directory, scratch, quick: options.quick, rounds, say }
    const figures = await History.run(setting, (line) => void process.stdout.write(`${line}\n`))
    if (options.json !== undefined) {
      fs.writeFileSync(options.json, `${JSON.stringify({ machine, options, figures }, undefined, 2)}\n`)
    }
    return
  }
  if (options.only.includes(SmallFiles.NAME)) {
    const only = options.only.filter((part) => part !== SmallFiles.NAME)
    const setting = { program, directory: options.directory, scratch, quick: options.quick, rounds, only, say }
    const figures = await SmallFiles.run(setting, (line) => void process.stdout.write(`${line}\n`))
    if (options.json !== undefined) {
      fs.writeFileSync(options.json, `${JSON.stringify({ machine, options, figures }, undefined, 2)}\n`)
    }
    return
  }
  if (options.only.includes(StartUp.NAME)) {
    const figures = await StartUp.run(
      { program, against, scratch, rounds },
      (line) => void process.stdout.write(`${line}\n`),
    )
    if (options.json !== undefined) {
      fs.writeFileSync(options.json, `${JSON.stringify({ machine, options, figures }, undefined, 2)}\n`)
    }
    return
  }
  if (options.only.includes(Web.NAME)) {
    const setting = { program, directory: options.directory, scratch, quick: options.quick, rounds, say }
    const figures = await Web.run(setting, (line) => void process.stdout.write(`${line}\n`))
    if (options.json !== undefined) {
      fs.writeFileSync(options.json, `${JSON.stringify({ machine, options, figures }, undefined, 2)}\n`)
    }
    return
  }
  for (const core of options.pinnedOnly ? [0] : [0, undefined]) {
    const title = core === undefined ? "all cores" : "one core"
    const rows: Array<Measure.Row> = []
    for (const workload of MountWorkloads.workloads.filter(({ name }) => isWanted(name))) {
      const { needs } = workload
      if (needs !== undefined && !(await Process.isThere(needs.program))) {
        say(`without ${workload.name}: ${needs.program} is missing (Debian: ${needs.debian})`)
        continue
      }
      const tree = await Trees.get(workload.tree, trees)
      say(`${title}: ${workload.name}`)
      const present = contenders.filter((contender) => contender.isFor(tree))
      rows.push(...(await Measure.workload(workload, { contenders: present, tree, rounds, core, scratch })))
    }
    if (rows.length > 0) {
      finish({ title, contenders: contenders.map(({ name }) => name), peer: Contenders.PEER, rounds, rows })
    }
    if (ArchiveWorkloads.names.some(isWanted)) {
      const tree = await Trees.get("mixed", trees)
      say(`${title}: ${ArchiveWorkloads.names.join(", ")}`)
      finish({
        title,
        contenders: ["base", "v1", ArchiveWorkloads.PEER, "v2"],
        peer: ArchiveWorkloads.PEER,
        rounds,
        rows: await ArchiveWorkloads.run({ program, against, tree, rounds, core, scratch }),
      })
    }
  }
}

const options = Options.parse(process.argv.slice(2))
if (options === "help") {
  process.stdout.write(Options.usage)
} else if ("mistake" in options) {
  process.stderr.write(`${options.mistake}\n\n${Options.usage}`)
  process.exitCode = 2
} else {
  fs.mkdirSync(path.join(options.directory, options.quick ? "quick" : "full"), { recursive: true })
  const scratch = fs.mkdtempSync(path.join(options.directory, "scratch-"))
  const end = async (): Promise<void> => {
    await Process.endAll()
    fs.rmSync(scratch, { recursive: true, force: true })
  }
  let interrupted = false
  for (const [signal, code] of [
    ["SIGINT", 130],
    ["SIGTERM", 143],
    ["SIGHUP", 129],
  ] as const) {
    process.once(signal, () => {
      interrupted = true
      say("interrupted")
      void end().finally(() => process.exit(code))
    })
  }
  try {
    await main(options, scratch)
  } catch (error) {
    // What was being measured when a signal came fails, and is not worth a word.
    if (!interrupted) say((error as Error).message)
    process.exitCode = 1
  }
  if (!interrupted) await end()
}
