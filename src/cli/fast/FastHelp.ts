/**
 * `--help` and `--version` in the words that were written by the build.
 *
 * Colours are there where the library of command lines has them: on a terminal that is not `dumb`, unless `NO_COLOR` is
 * set, or where `FORCE_COLOR` is.
 */
import * as fs from "node:fs"
import { stripVTControlCharacters } from "node:util"
import * as FastTable from "./FastTable.ts"

/** What a command line asks to be told; `undefined` if it asks for something else. */
export const answer = (
  words: ReadonlyArray<string>,
  table: FastTable.Table,
  environment: Environment,
): string | undefined => {
  const subject = subjectOf(words)
  if (subject === VERSION) return decorated(table.version, environment)
  const file = subject === undefined || !Object.hasOwn(table.help, subject) ? undefined : table.help[subject]
  return file === undefined ? undefined : decorated(FastTable.help(file), environment)
}

export interface Environment {
  readonly variables: Readonly<Record<string, string | undefined>>
  readonly isTerminal: () => boolean
}

const VERSION = "--version"

const isHelp = (word: string | undefined): boolean => word === "--help" || word === "-h"

/** What is asked about: the name of a command, nothing for the whole program, or `VERSION`. */
export const subjectOf = ([first, second, ...more]: ReadonlyArray<string>): string | undefined => {
  if (first === undefined || more.length > 0) return undefined
  if (second === undefined && (first === VERSION || first === "-V")) return VERSION
  if (isHelp(second)) return isHelp(first) ? undefined : first
  return isHelp(first) || first === "help" ? (second ?? "") : undefined
}

const decorated = (text: string, { isTerminal, variables }: Environment): string =>
  hasColours(variables, isTerminal) ? text : plain(text)

const hasColours = ({ FORCE_COLOR, NO_COLOR, TERM }: Environment["variables"], isTerminal: () => boolean): boolean => {
  if (TERM === "dumb" || (NO_COLOR ?? "") !== "") return false
  return isForcing(FORCE_COLOR) || isTerminal()
}

const isForcing = (value = ""): boolean => value !== "" && value !== "0" && value.toLowerCase() !== "false"

/** A text without its colours. */
export const plain: (text: string) => string = stripVTControlCharacters

/** This process. A file or a pipe is no terminal; only for what may be one Node's streams are loaded. */
export const environment: Environment = {
  variables: process.env,
  isTerminal: () => {
    try {
      return fs.fstatSync(1).isCharacterDevice() && process.stdout.isTTY
    } catch {
      return false
    }
  },
}

/** Writes to stdout. As with `console.log`, nobody need listen. */
export const print = (text: string): void => {
  const bytes = Buffer.from(text)
  let written = 0
  try {
    while (written < bytes.length) written += fs.writeSync(1, bytes, written)
  } catch (error) {
    // Somebody has set the terminal not to wait: Node's stream does.
    if ((error as NodeJS.ErrnoException).code === "EAGAIN") process.stdout.write(bytes.subarray(written))
  }
}
