/**
 * The command line of a program that is given a path. Node gives programs text only: where a path has bytes that are not
 * UTF-8 (see `DiskPath`) a shell puts them in.
 */
import * as Bytes from "../../domain/Bytes.ts"

/** What to start so that `program` runs with these words and the path behind them. */
export const commandLine = (
  program: string,
  words: ReadonlyArray<string>,
  path: string,
): [program: string, words: ReadonlyArray<string>] =>
  path.isWellFormed() ? [program, [...words, path]] : ["sh", ["-c", SCRIPT, program, octal(path), ...words]]

/** What a shell reads from a program loses newlines at its end: there is an x behind them. */
const SCRIPT = 'path=$(printf "$1x"); shift; exec "$0" "$@" "${path%x}"'

const octal = (path: string): string =>
  Array.from(Bytes.fromText(path), (byte) => `\\${byte.toString(8).padStart(3, "0")}`).join("")
