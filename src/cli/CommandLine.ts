/**
 * A command line as people and programs write it, brought into the one form that the parser knows. Pure.
 *
 * - A first word that is no command but looks like a path means `mount`: `mount -t fuse.pxar-fuse ARCHIVE DIR -o A,B=C`
 *   makes mount.fuse3 run `pxar-fuse ARCHIVE DIR -o A,B=C`.
 * - Short flags may be written together, the value of the last one too (`-lh`, `-C/tmp`), as getopt(3) has it.
 * - A flag without a value takes none: the word after it is never its own, also if it is `no` or `1`. Nor does one that
 *   can do without.
 * - Every long flag of `mount` can be a word of `-o` (see `MountWords`).
 *
 * What nobody can have meant is refused here. Words after `--` stay as they are.
 */
import * as Result from "effect/Result"
import type { MountError } from "../fuse/mount/MountError.ts"
import { type Command, type Grammar, looksLikeArchive } from "./Grammar.ts"
import * as Mistake from "./Mistake.ts"
import * as MountWords from "./MountWords.ts"
import * as ExitCode from "./ExitCode.ts"

type Words = ReadonlyArray<string>
type Refusal = MountError | ExitCode.Usage

/** The words for the parser; or what is wrong with them. */
export const normalize = (words: Words, grammar: Grammar): Result.Result<Words, Refusal> => {
  const [first, ...rest] = words
  // The parser shows what there is.
  if (first === undefined) return Result.succeed([])
  const command = grammar.find(({ names }) => names.includes(first))
  if (command !== undefined) return ofCommand(command, first, rest, [])
  const mount = grammar.find(({ names }) => names.includes("mount"))
  if (mount !== undefined && looksLikeArchive(first)) return ofCommand(mount, "mount", words, MountWords.DEFAULTS)
  return withoutCommand(first, rest, grammar)
}

/** The command that the words are of, if they begin with one, or mean `mount`. */
export const commandOf = ([first]: Words): string | undefined =>
  first !== undefined && looksLikeArchive(first) ? "mount" : first

const usage = (detail: string): Result.Result<never, ExitCode.Usage> => Result.fail(new ExitCode.Usage({ detail }))

const withoutCommand = (first: string, rest: Words, grammar: Grammar): Result.Result<Words, Refusal> => {
  if (first === "-V" || first === "--version") {
    return rest.length === 0 ? Result.succeed(["--version"]) : usage(`${first} goes with nothing else`)
  }
  if (first === "-h" || first === "--help") {
    return rest.length === 0 || grammar.some(({ names }) => names.includes(rest[0] ?? ""))
      ? Result.succeed([...rest.slice(0, 1), "--help"])
      : unknown(rest[0] ?? "", grammar)
  }
  if (first === "-v") return usage("-v goes after a command, which it makes verbose; -V shows the version")
  return unknown(first, grammar)
}

const unknown = (word: string, grammar: Grammar): Result.Result<never, ExitCode.Usage> => {
  const names = grammar.flatMap(({ names }) => names)
  return usage(`${Mistake.unknownCommand(word, names)} (see pxar-fuse --help)`)
}

const ofCommand = (command: Command, name: string, words: Words, dropped: Words): Result.Result<Words, Refusal> => {
  if (words.length === 1 && words[0] === "-h") return Result.succeed([name, "--help"])
  const end = words.indexOf("--")
  const [before, after] = end < 0 ? [words, []] : [words.slice(0, end), words.slice(end)]
  const spelled: Array<string> = []
  for (const word of before) {
    const flags = spell(word, command, name)
    if (Result.isFailure(flags)) return Result.fail(flags.failure)
    spelled.push(...flags.success)
  }
  const expanded = command.names.includes("mount")
    ? MountWords.expand(spelled, command.flags, dropped)
    : Result.succeed(spelled)
  return Result.map(expanded, (expanded) => [name, ...expanded, ...after])
}

/** A word with each flag in it by its long name; what is no flag stays as it is. */
const spell = (word: string, { flags }: Command, command: string): Result.Result<Words, ExitCode.Usage> => {
  if (/^--(?:version(?:=|$)|help=)/.test(word)) return usage(`${word} goes with nothing else: no command runs with it`)
  if (word.startsWith("--")) {
    const flag = flags.find(({ aliases, name }) => [name, ...aliases].includes(word.slice(2)))
    if (flag?.bare !== undefined) return Result.succeed([`${word}=${flag.bare}`])
    return Result.succeed([flag === undefined || flag.takesValue ? word : `${word}=true`])
  }
  // A lone dash is a name, and so is a negative number.
  const isKnownDigit = /^-\d$/.test(word) && flags.some(({ aliases }) => aliases.includes(word.slice(1)))
  if (!isKnownDigit && !/^-[^\d.]/.test(word)) return Result.succeed([word])
  const spelled: Array<string> = []
  for (let at = 1; at < word.length; at++) {
    const letter = word.charAt(at)
    const flag = flags.find(({ aliases }) => aliases.includes(letter))
    if (flag === undefined) return usage(Mistake.unknownLetter(letter, word, command))
    const value = word.slice(at + 1).replace(/^=/, "")
    if (flag.takesValue) {
      spelled.push(value === "" ? `--${flag.name}` : `--${flag.name}=${value}`)
      break
    }
    spelled.push(`--${flag.name}=true`)
  }
  return Result.succeed(spelled)
}
