/**
 * Questions over many backups: how fast their names get into an index, how large that is, and how soon it answers; in the
 * process and as a command. What is read of the datastore is counted: payloads are not even there.
 */
import * as fs from "node:fs"
import * as path from "node:path"
import * as IndexFile from "../../src/services/index/IndexFile.ts"
import * as Process from "../Process.ts"
import * as Store from "./Store.ts"

/** What `--only` names it by: it is left out otherwise. */
export const NAME = "history"

/** How it is measured. */
export interface Setting {
  readonly directory: string
  readonly scratch: string
  readonly quick: boolean
  readonly rounds: number
  /** Runs the command `pxar-fuse`. */
  readonly program: ReadonlyArray<string>
  readonly say: (line: string) => void
}

/** A figure with its name and unit. */
export type Figures = Readonly<Record<string, number>>

/** Measures, and gives a line for each figure out. */
export const run = async (setting: Setting, line: (text: string) => void): Promise<Figures> => {
  const { directory, program, quick, rounds, say, scratch } = setting
  const made = Store.get(directory, quick ? Store.QUICK : Store.FULL, say)
  const caches = path.join(scratch, "caches")
  const index = path.join(caches, "index")
  fs.mkdirSync(index, { recursive: true, mode: 0o700 })
  const figures: Record<string, number> = {}
  const tell = (name: string, value: number, unit = ""): void => {
    figures[unit === "" ? name : `${name}, ${unit}`] = value
    line(`${name.padEnd(60)} ${value.toLocaleString("en-US", { maximumFractionDigits: 1 }).padStart(14)} ${unit}`)
  }
  tell("backups", made.snapshots)
  tell("files of each", made.files)
  tell("different paths", made.paths)
  tell("different names", made.names)

  say("index build")
  // Where the commands look for it.
  const file = IndexFile.inFolder(caches, fs.realpathSync(made.store))
  for (const [name, value] of await measured(["build", made.store, file])) tell(name, value)
  tell("size on disk", fs.statSync(file).size / 1e6, "MB")

  say("questions to the index")
  for (const part of ["find", "versions", "diff"]) {
    for (const [name, value] of await measured([part, made.store, file])) tell(name, value)
  }

  say("commands")
  const last = (back: number): string => {
    const times = fs.readdirSync(path.join(made.store, Store.GROUP)).toSorted()
    return `${made.store}::${Store.GROUP}/${times.at(-back)}/root.pxar`
  }
  const commands: Readonly<Record<string, ReadonlyArray<string>>> = {
    "find by a part of a name": ["find", "--cache-dir", caches, made.store, "invoice_1f"],
    "versions of a folder": ["versions", "--cache-dir", caches, made.store, "part-0/folder-1"],
    "diff of two backups": ["diff", "--json", last(2), last(1)],
  }
  for (const [name, args] of Object.entries(commands)) {
    const taken: Array<number> = []
    let status: number | string = 0
    for (let round = 0; round < rounds; round++) {
      const start = performance.now()
      ;({ status } = await Process.start([...program, ...args]).exited)
      taken.push(performance.now() - start)
    }
    tell(`command ${name} (ends with ${status}): median`, taken.toSorted((a, b) => a - b)[taken.length >> 1] ?? 0, "ms")
  }
  return figures
}

const measured = async (args: ReadonlyArray<string>): Promise<ReadonlyArray<readonly [string, number]>> => {
  const program = [process.execPath, path.join(import.meta.dirname, "measuredMain.ts")]
  const { stdout } = await Process.run([...program, ...args])
  return Object.entries(JSON.parse(stdout) as Record<string, number>)
}
