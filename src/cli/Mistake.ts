/**
 * What is wrong with a command line, in words: one sentence a mistake, and in one of its own what was probably meant.
 */
import type * as CliError from "effect/cli/CliError"

/** What other programs call it. */
const elsewhere: Readonly<Record<string, string>> = {
  check: "verify",
  compare: "diff",
  fsck: "verify",
  pack: "create",
  print: "cat",
  restore: "extract",
  show: "cat",
  test: "verify",
  tree: "list --tree",
  unpack: "extract",
  untar: "extract",
}

/** tar's letters for what it is to do. */
const tarLetters: Readonly<Record<string, string>> = { x: "extract", t: "list", c: "create", d: "diff" }

/** A first word that is no command. */
export const unknownCommand = (word: string, commands: ReadonlyArray<string>): string => {
  const tar = /^-?[vpz]*([xtcd])[a-zA-Z]*$/.exec(word)
  const letters = tar === null || !(word.startsWith("-") || word.endsWith("f")) ? undefined : tarLetters[tar[1] ?? ""]
  const meant = letters ?? elsewhere[word] ?? likely(word, commands)[0]
  const what = word.startsWith("-") ? `the command comes first, and ${word} is none` : `unknown command "${word}"`
  return what + question(meant)
}

/** A letter that is no short flag of a command. */
export const unknownLetter = (letter: string, word: string, command: string): string => {
  const where = word === `-${letter}` ? "" : ` (in ${word})`
  const help = letter === "h" ? `; the help is \`pxar-fuse ${command} --help\`` : ` (see pxar-fuse ${command} --help)`
  return `unknown flag -${letter}${where} of ${command}${help}`
}

/** A sentence that asks whether this was meant; nothing without it. */
export const question = (meant: string | undefined): string => (meant === undefined ? "" : `. Did you mean "${meant}"?`)

/** What the parser has found. */
export const describe = (error: CliError.CliError): string => {
  switch (error._tag) {
    case "UnrecognizedOption":
      return `unknown flag ${error.option}${question(likely(error.option, error.suggestions.filter(isLong))[0])}`
    case "UnknownSubcommand":
      return unknownCommand(error.subcommand, error.suggestions)
    case "MissingArgument":
      return `<${error.argument}> is missing`
    case "UnexpectedArgument":
      return `too many arguments: ${error.arguments.map((value) => JSON.stringify(value)).join(", ")}`
    case "InvalidValue": {
      const what = error.kind === "flag" ? `--${error.option}` : `<${error.option}>`
      return error.value === ""
        ? `${what} needs a value. ${expectation(error.expected)}`
        : `${what} cannot be "${error.value}". ${expectation(error.expected)}`
    }
    default:
      return error.message.replace(/\s*\n\s*/g, " ")
  }
}

const isLong = (option: string): boolean => option.startsWith("--")

const expectation = (expected: string): string => {
  if (/finite number|representing an? (?:integer|number)/.test(expected)) return "Expected: a number"
  const what = expected.replace(/^Expected:?\s*/, "")
  return `Expected: ${what.startsWith("string") ? "a text" : what}`
}

/**
 * The candidates that somebody who wrote `word` may have meant, the likeliest first: those with an error in every third
 * letter at most. One with the same first letter is likelier.
 */
export const likely = (word: string, candidates: ReadonlyArray<string>): ReadonlyArray<string> =>
  candidates
    .map((candidate) => ({ candidate, distance: distance(word, candidate) + (sameStart(word, candidate) ? 0 : 1) }))
    .filter(({ candidate, distance }) => distance <= Math.max(1, Math.floor(candidate.length / 2.5)))
    .toSorted((left, right) => left.distance - right.distance)
    .map(({ candidate }) => candidate)

const sameStart = (left: string, right: string): boolean => left.replace(/^-*/, "")[0] === right.replace(/^-*/, "")[0]

/** Letters that are missing, too many, wrong, or changed over with the next (the optimal string alignment distance). */
const distance = (left: string, right: string): number => {
  let beforeLast: ReadonlyArray<number> = []
  let last: ReadonlyArray<number> = Array.from({ length: right.length + 1 }, (_, column) => column)
  for (let row = 1; row <= left.length; row++) {
    const current = [row]
    for (let column = 1; column <= right.length; column++) {
      const same = left[row - 1] === right[column - 1]
      const swapped =
        row > 1 && column > 1 && left[row - 1] === right[column - 2] && left[row - 2] === right[column - 1]
      current.push(
        Math.min(
          (last[column] ?? 0) + 1,
          (current[column - 1] ?? 0) + 1,
          (last[column - 1] ?? 0) + (same ? 0 : 1),
          swapped ? (beforeLast[column - 2] ?? 0) + 1 : Number.POSITIVE_INFINITY,
        ),
      )
    }
    beforeLast = last
    last = current
  }
  return last[right.length] ?? 0
}
