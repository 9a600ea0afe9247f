/**
 * Exclude patterns of `create`: their language, `.pxarexclude` files, and how they are recorded in an archive.
 *
 * Patterns and names are bytes. A pattern is compared by a matcher of our own that needs time in the order of
 * (path length)² × (pattern length) at worst: `.pxarexclude` files are written by whoever owns a folder, and a regular
 * expression made of their stars could hold up a backup for years.
 *
 * Which entries are left out is decided by `deciding`; that an excluded folder is not entered is the walker's doing.
 */
import * as Data from "effect/Data"
import * as Result from "effect/Result"
import type { ErrorId } from "../ErrorId.ts"
import * as Bytes from "../Bytes.ts"
import * as PathText from "../PathText.ts"

/** A parsed pattern. */
export interface Pattern {
  /** Without `!`: the entry is left out. With it: it is kept. */
  readonly excludes: boolean
  /** Ends in `/`: matches folders only. */
  readonly foldersOnly: boolean
  readonly tokens: ReadonlyArray<Token>
}

/** One byte's literal value, one of the wildcards, or a class: a 256-entry table of the bytes it matches. */
type Token = number | Uint8Array

/** `?`: any byte but `/`. */
const ONE = 256
/** `*`: any run of bytes but `/`. */
const RUN = 257
/** `**`: any run of bytes. */
const ANY = 258
/** `**` + `/` at the start of a name: nothing, or whole folders with the slash after them. */
const FOLDERS = 259

/** A pattern that cannot be read. */
export class PatternError extends Data.TaggedError("PatternError")<{
  readonly pattern: Uint8Array
  readonly detail: string
}> {
  static readonly ids = { Any: "PXF-PATTERN" } as const satisfies Record<string, ErrorId>
  /** See docs/errors.md. */
  get id(): ErrorId {
    return PatternError.ids.Any
  }
  override get message(): string {
    return `pattern ${PathText.print(this.pattern)}: ${this.detail}`
  }
}

const BANG = 0x21
const HASH = 0x23
const STAR = 0x2a
const DASH = 0x2d
const DOT = 0x2e
const SLASH = 0x2f
const QUESTION = 0x3f
const OPEN = 0x5b
const BACKSLASH = 0x5c
const CLOSE = 0x5d
const NEWLINE = 0x0a

/** Reads one pattern. */
export const parse = (pattern: Uint8Array): Result.Result<Pattern, PatternError> => {
  const bad = (detail: string) => Result.fail(new PatternError({ pattern, detail }))
  const excludes = pattern[0] !== BANG
  let at = excludes ? 0 : 1
  let end = pattern.length
  // A slash after a backslash ends the pattern all the same: no name contains one.
  const foldersOnly = pattern[end - 1] === SLASH && end > at
  if (foldersOnly) end--
  const anchored = pattern[at] === SLASH && at < pattern.length
  if (anchored && at < end) at++
  if (at >= end) return bad("names nothing")

  const tokens: Array<Token> = anchored ? [] : [FOLDERS]
  while (at < end) {
    const byte = pattern[at] as number
    if (byte === STAR) {
      let stars = 1
      while (at + stars < end && pattern[at + stars] === STAR) stars++
      const startsName = tokens.length === 0 || tokens.at(-1) === SLASH || tokens.at(-1) === FOLDERS
      at += stars
      if (stars === 1) tokens.push(RUN)
      else if (startsName && at < end && pattern[at] === SLASH) {
        tokens.push(FOLDERS)
        at++
      } else tokens.push(ANY)
    } else if (byte === QUESTION) {
      tokens.push(ONE)
      at++
    } else if (byte === OPEN) {
      const parsed = parseClass(pattern, at + 1, end)
      if (typeof parsed === "string") return bad(parsed)
      tokens.push(parsed.members)
      at = parsed.end
    } else if (byte === BACKSLASH) {
      if (at + 1 >= end) return bad("ends in a backslash")
      tokens.push(pattern[at + 1] as number)
      at += 2
    } else {
      tokens.push(byte)
      at++
    }
  }
  return Result.succeed({ excludes, foldersOnly, tokens })
}

/** Reads a class from after its `[`, or says what is wrong with it. `]` as the first member stands for itself. */
const parseClass = (
  pattern: Uint8Array,
  start: number,
  end: number,
): { readonly members: Uint8Array; readonly end: number } | string => {
  const unclosed = "`[` without `]`"
  let at = start
  const negated = at < end && pattern[at] === BANG
  if (negated) at++
  const first = at
  const members = new Uint8Array(256)
  const member = (): number | undefined => {
    if (at < end && pattern[at] === BACKSLASH) at++
    return at < end ? pattern[at++] : undefined
  }
  while (at < end && (pattern[at] !== CLOSE || at === first)) {
    const low = member()
    let high = low
    if (at + 1 < end && pattern[at] === DASH && pattern[at + 1] !== CLOSE) {
      at++
      high = member()
    }
    if (low === undefined || high === undefined) return unclosed
    if (high < low) return "a range that ends before it begins"
    members.fill(1, low, high + 1)
  }
  if (at >= end) return unclosed
  if (negated) for (let byte = 0; byte < 256; byte++) members[byte] = members[byte] === 0 ? 1 : 0
  // No wildcard but `**` crosses a slash.
  members[SLASH] = 0
  return { members, end: at + 1 }
}

/**
 * Whether `pattern` matches the path in `path[from…to)`, which is relative to the folder of the pattern's source and
 * has no slash at either end.
 *
 * On a mismatch the innermost wildcard takes one byte more; where a `*` would have to take a slash, the last `**` does.
 * Going back further is never of use: a wildcard that ends earlier leaves more to those after it.
 */
export const matches = (pattern: Pattern, path: Uint8Array, from: number, to: number, isFolder: boolean): boolean => {
  if (pattern.foldersOnly && !isFolder) return false
  const { tokens } = pattern
  let at = from
  let token = 0
  // Where to go on after a mismatch: the token behind the wildcard, and how far that has reached.
  let runToken = -1
  let runAt = 0
  let anyToken = -1
  let anyAt = 0
  let anyIsFolders = false
  for (;;) {
    const wanted = tokens[token]
    if (wanted === RUN) {
      runToken = ++token
      runAt = at
      continue
    }
    if (wanted === ANY || wanted === FOLDERS) {
      anyToken = ++token
      anyAt = at
      anyIsFolders = wanted === FOLDERS
      runToken = -1
      continue
    }
    if (wanted === undefined) {
      if (at === to) return true
    } else if (at < to && matchesByte(wanted, path[at] as number)) {
      token++
      at++
      continue
    }
    if (runToken >= 0 && runAt < to && path[runAt] !== SLASH) {
      token = runToken
      at = ++runAt
      continue
    }
    if (anyToken < 0) return false
    if (anyIsFolders) while (anyAt < to && path[anyAt] !== SLASH) anyAt++
    if (anyAt >= to) return false
    token = anyToken
    at = ++anyAt
    runToken = -1
  }
}

const matchesByte = (token: Token, byte: number): boolean =>
  typeof token === "number" ? token === byte || (token === ONE && byte !== SLASH) : token[byte] === 1

/** The patterns in force in a folder: those of its source, then those of its parents'. */
export interface Patterns {
  readonly patterns: ReadonlyArray<Pattern>
  /** Length of the source's folder's path with the slash after it; 0 for the root. */
  readonly base: number
  readonly outer: Patterns | undefined
}

/**
 * The pattern that decides about the entry at `path[0…length)`, relative to the root without a slash before it: the last
 * one that matches, and those of deeper folders come later. `undefined` if none matches.
 */
export const deciding = (
  innermost: Patterns | undefined,
  path: Uint8Array,
  length: number,
  isFolder: boolean,
): Pattern | undefined => {
  for (let source = innermost; source !== undefined; source = source.outer) {
    const { patterns, base } = source
    for (let i = patterns.length - 1; i >= 0; i--) {
      const pattern = patterns[i] as Pattern
      if (matches(pattern, path, base, length, isFolder)) return pattern
    }
  }
  return undefined
}

/** Name of the files that hold patterns. */
export const FILE_NAME: Uint8Array = Bytes.fromText(".pxarexclude")

/** Reads a `.pxarexclude` file. Lines that are no patterns are returned with their number, counted from 1. */
export const parseFile = (
  content: Uint8Array,
): {
  readonly patterns: ReadonlyArray<Pattern>
  readonly errors: ReadonlyArray<{ readonly line: number; readonly error: PatternError }>
  /** Numbers of lines with patterns that match nothing, whatever there is. */
  readonly hopeless: ReadonlyArray<number>
} => {
  const patterns: Array<Pattern> = []
  const errors: Array<{ readonly line: number; readonly error: PatternError }> = []
  const hopeless: Array<number> = []
  let line = 0
  for (let start = 0; start < content.length;) {
    line++
    const newline = content.indexOf(NEWLINE, start)
    const end = newline < 0 ? content.length : newline
    const text = trim(content.subarray(start, end))
    start = end + 1
    if (text.length === 0 || text[0] === HASH) continue
    const parsed = parse(text)
    if (Result.isSuccess(parsed)) {
      patterns.push(parsed.success)
      if (hasDots(text)) hopeless.push(line)
    } else errors.push({ line, error: parsed.failure })
  }
  return { patterns, errors, hopeless }
}

/** Whether a name in a pattern is `.` or `..`. */
const hasDots = (text: Uint8Array): boolean => {
  const start = text[0] === BANG ? 1 : 0
  for (let at = start; at < text.length; at++) {
    if (text[at] !== DOT || (at > start && text[at - 1] !== SLASH)) continue
    const after = text[at + 1] === DOT ? at + 2 : at + 1
    if (after === text.length || text[after] === SLASH) return true
  }
  return false
}

const isBlank = (byte: number | undefined): boolean => byte === 0x20 || byte === 0x09 || byte === 0x0d

const trim = (line: Uint8Array): Uint8Array => {
  let start = 0
  let end = line.length
  while (start < end && isBlank(line[start])) start++
  while (end > start && isBlank(line[end - 1])) end--
  return line.subarray(start, end)
}

/** Name of the file in the root of a v1 archive that records the patterns given to its writer. */
export const RECORD_NAME: Uint8Array = Bytes.fromText(".pxarexclude-cli")

/** Content of that file: a pattern a line, with a final newline. */
export const record = (patterns: ReadonlyArray<Uint8Array>): Uint8Array =>
  Bytes.concat(patterns.flatMap((pattern) => [pattern, Uint8Array.of(NEWLINE)]))

/** The same as the prelude of a v2 archive (§2.1). JSON is text, so the patterns must be UTF-8. */
export const recordAsPrelude = (patterns: ReadonlyArray<Uint8Array>): Result.Result<Uint8Array, PatternError> => {
  const lines: Array<string> = []
  for (const pattern of patterns) {
    const text = decodeText(pattern)
    if (text === undefined) {
      return Result.fail(
        new PatternError({ pattern, detail: "is not UTF-8, so that a split archive cannot record it" }),
      )
    }
    lines.push(`${text}\n`)
  }
  return Result.succeed(Bytes.fromText(JSON.stringify({ "exclude-patterns": lines.join("") })))
}

const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true })

const decodeText = (bytes: Uint8Array): string | undefined => {
  try {
    return decoder.decode(bytes)
  } catch {
    return undefined
  }
}
