/**
 * What the fast path reads command lines by: made by the build from the definitions of the commands (`scripts/fastPath.ts`),
 * beside the bundled command. The source has none, and goes the general path.
 */
import * as fs from "node:fs"
import * as path from "node:path"

export interface Flag {
  /** The member of the input that it sets. */
  readonly key: string
  /** To `true`, to its value, to one of `choices`, or to all values that are given. */
  readonly kind: "true" | "text" | "choice" | "texts"
  readonly choices?: ReadonlyArray<string>
}

export interface Operand {
  /** The member of the input that it is. */
  readonly key: string
  /** One, or all that are left: at least `least` of them. */
  readonly kind: "one" | "many"
  readonly least: 0 | 1
}

export interface Command {
  readonly name: string
  /** What its handler gets without operands and flags. */
  readonly input: Readonly<Record<string, unknown>>
  readonly operands: ReadonlyArray<Operand>
  /** By their spellings: `--long`, `-l`. */
  readonly flags: Readonly<Record<string, Flag>>
}

export interface Table {
  /** What `--version` prints. */
  readonly version: string
  /** By name and by alias. */
  readonly commands: Readonly<Record<string, Command>>
  /** The files that have the help of a command, in colours; `""` is the whole program's. */
  readonly help: Readonly<Record<string, string>>
}

const folder = path.join(import.meta.dirname, "fast")

/** The table; `undefined` where the command was not built. */
export const read = (): Table | undefined => {
  const file = path.join(folder, "table.json")
  return fs.existsSync(file) ? JSON.parse(fs.readFileSync(file, "utf8")) : undefined
}

/** The help in a file of the table. */
export const help = (file: string): string => fs.readFileSync(path.join(folder, file), "utf8")
