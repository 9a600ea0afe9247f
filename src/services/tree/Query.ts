/**
 * What somebody looks for: names by a part of them, a pattern, an expression or letters in order; sizes, times, kinds, owners.
 *
 * Names are bytes; one that is not UTF-8 is looked at as a text in which each such byte has a character of its own.
 */
import * as Result from "effect/Result"
import * as Bytes from "../../domain/Bytes.ts"
import * as EntryKind from "../../domain/pxar/EntryKind.ts"
import * as ExcludePattern from "../../domain/pxar/ExcludePattern.ts"
import * as Stat from "../../domain/pxar/Stat.ts"
import type { Entry } from "../../domain/pxar/Entry.ts"

/** How a text is compared, and with what. */
export type Manner = "name" | "path" | "regex" | "fuzzy"

/** What is looked for: all that is given must be so. */
export interface Query {
  /** Any of these; anything if there is none. */
  readonly patterns: ReadonlyArray<string>
  /** `name` and `path` take parts, or patterns with `*`, `?` and `[`; `regex` and `fuzzy` look at the path. */
  readonly manner: Manner
  readonly ignoreCase: boolean
  /** Path of a folder, with a leading slash: only what is below it. */
  readonly below?: Uint8Array | undefined
  /** Bytes. */
  readonly minSize?: number | undefined
  readonly maxSize?: number | undefined
  /** Seconds since the epoch: changed after that. */
  readonly newer?: number | undefined
  readonly older?: number | undefined
  readonly kinds?: ReadonlyArray<EntryKind.EntryKind> | undefined
  readonly uid?: number | undefined
}

/** What is looked at: an entry by its name and path, which may be composed when they are asked for. */
export interface Subject {
  /** Empty for the root. */
  readonly name: Uint8Array
  /** With a leading slash. */
  readonly path: Uint8Array
  readonly entry: Entry
}

/** Whether something is looked for. */
export type Test = (found: Subject) => boolean

/** The test that a query is. Fails with what is wrong with a pattern. */
export const compile = (query: Query): Result.Result<Test, string> => {
  const tests: Array<Test> = []
  const { kinds, maxSize, minSize, newer, older, uid } = query
  if (kinds !== undefined && kinds.length > 0) tests.push(({ entry }) => kinds.includes(EntryKind.of(entry)))
  if (minSize !== undefined) tests.push(({ entry }) => Stat.sizeOf(entry) >= minSize)
  if (maxSize !== undefined) tests.push(({ entry }) => Stat.sizeOf(entry) <= maxSize)
  if (newer !== undefined) tests.push(({ entry }) => entry.mtimeSeconds >= BigInt(Math.floor(newer)))
  if (older !== undefined) tests.push(({ entry }) => entry.mtimeSeconds < BigInt(Math.floor(older)))
  if (uid !== undefined) tests.push(({ entry }) => entry.uid === uid)
  if (query.patterns.length > 0) {
    const any: Array<Test> = []
    for (const pattern of query.patterns) {
      const test = testOf(pattern, query)
      if (Result.isFailure(test)) return Result.fail(`${pattern}: ${test.failure}`)
      any.push(test.success)
    }
    tests.push((found) => any.some((test) => test(found)))
  }
  const { below = Bytes.empty } = query
  if (below.length > 1) tests.push(({ path }) => isBelow(below, path))
  return Result.succeed((found) => tests.every((test) => test(found)))
}

const testOf = (pattern: string, { ignoreCase, manner }: Query): Result.Result<Test, string> => {
  const folded = (text: string): string => (ignoreCase ? text.toLowerCase() : text)
  const subject = (found: Subject): string => folded(Bytes.toText(manner === "name" ? found.name : found.path))
  const wanted = folded(pattern)
  switch (manner) {
    case "regex":
      return Result.try({
        try: () => {
          const expression = new RegExp(pattern, ignoreCase ? "iu" : "u")
          return (found: Subject) => expression.test(Bytes.toText(found.path))
        },
        catch: (error) => `is no regular expression: ${(error as Error).message}`,
      })
    case "fuzzy":
      return Result.succeed((found) => isInOrder(wanted, subject(found)))
    default:
      if (!/[*?[]/.test(pattern)) return Result.succeed((found) => subject(found).includes(wanted))
      return Result.map(
        Result.mapError(ExcludePattern.parse(Bytes.fromText(wanted)), ({ detail }) => detail),
        (parsed) => (found) => {
          const text = Bytes.fromText(subject(found))
          const from = text[0] === SLASH ? 1 : 0
          return ExcludePattern.matches(parsed, text, from, text.length, found.entry.body._tag === "Directory")
        },
      )
  }
}

const SLASH = 0x2f

const isBelow = (folder: Uint8Array, path: Uint8Array): boolean =>
  path[folder.length] === SLASH && Bytes.equals(path.subarray(0, folder.length), folder)

/** The pattern of names that have a text in them, whatever is in that. */
export const containing = (text: string): string =>
  /[*?[]/.test(text) ? `*${text.replaceAll(/[*?[\]\\]/g, "\\$&")}*` : text

/** Whether the letters of a text are in another, in that order. */
const isInOrder = (letters: string, text: string): boolean => {
  let at = 0
  for (const letter of letters) {
    at = text.indexOf(letter, at) + 1
    if (at === 0) return false
  }
  return true
}
