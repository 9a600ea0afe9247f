/**
 * Which entries of an archive an extraction is asked for, by paths and patterns as `Selection` reads them.
 *
 * It differs from that in what it is asked: it knows the paths of the walk, not its items, and says which folders need
 * not be entered.
 */
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import * as ExcludePattern from "../../domain/pxar/ExcludePattern.ts"
import * as PathText from "../../domain/PathText.ts"
import type * as Archive from "../tree/Archive.ts"
import type { ArchiveError } from "../archive/ArchiveError.ts"
import { SelectionError } from "../tree/Selection.ts"

/** What an argument means. */
interface Term {
  readonly text: Uint8Array
  /** Without a slash at either end; empty for the root. Only if the argument is a path in the archive. */
  readonly path: Uint8Array | undefined
  readonly pattern: ExcludePattern.Pattern | undefined
  /** Whether what is meant is selected, or left out. */
  readonly selects: boolean
  matched: boolean
}

/** Tokens of a pattern below this are bytes that stand for themselves. */
const WILDCARDS = 256
const SLASH = 0x2f

export class ExtractSelection {
  private readonly terms: ReadonlyArray<Term>

  private constructor(terms: ReadonlyArray<Term>) {
    this.terms = terms
  }

  /** Reads arguments; none select everything. */
  static readonly make = Effect.fnUntraced(function* (
    archive: Pick<Archive.Archive, "find" | "reader">,
    args: ReadonlyArray<Uint8Array>,
  ): Effect.fn.Return<ExtractSelection, ArchiveError | SelectionError> {
    const terms: Array<Term> = []
    for (const text of args) {
      const found = yield* Effect.result(archive.find(text))
      if (Result.isSuccess(found)) {
        const path = found.success.path.subarray(1)
        terms.push({ text, path, pattern: undefined, selects: true, matched: false })
        continue
      }
      if (found.failure._tag !== "PathError") return yield* found.failure
      const pattern = ExcludePattern.parse(text)
      if (Result.isFailure(pattern)) {
        const { detail } = pattern.failure
        return yield* new SelectionError({ archive: archive.reader.archive, argument: PathText.print(text), detail })
      }
      const { excludes } = pattern.success
      terms.push({ text, path: undefined, pattern: pattern.success, selects: excludes, matched: false })
    }
    return new ExtractSelection(terms)
  })

  /** Whether the root is selected. */
  root(): boolean {
    return this.selects(new Uint8Array(0), 0, true, this.terms[0]?.selects !== true)
  }

  /** Whether the entry at `path[0…length)`, without a slash before it, is selected, if its folder is (`inherited`). */
  selects(path: Uint8Array, length: number, isFolder: boolean, inherited: boolean): boolean {
    let selected = inherited
    for (const term of this.terms) {
      if (!matches(term, path, length, isFolder)) continue
      term.matched = true
      selected = term.selects
    }
    return selected
  }

  /** Whether something below the folder at `path[0…length)`, which is not selected, can be. */
  mayMatchBelow(path: Uint8Array, length: number): boolean {
    return this.terms.some(
      (term) => term.selects && mayMatchBelow(term.path ?? term.pattern?.tokens ?? [], path, length),
    )
  }

  /** The arguments that have selected nothing. */
  unmatched(): ReadonlyArray<Uint8Array> {
    return this.terms.flatMap(({ matched, selects, text }) => (matched || !selects ? [] : [text]))
  }
}

const matches = ({ path: wanted, pattern }: Term, path: Uint8Array, length: number, isFolder: boolean): boolean => {
  if (pattern !== undefined) return length > 0 && ExcludePattern.matches(pattern, path, 0, length, isFolder)
  if (wanted?.length !== length) return false
  for (let at = 0; at < length; at++) if (wanted[at] !== path[at]) return false
  return true
}

const mayMatchBelow = (tokens: ArrayLike<number | Uint8Array>, path: Uint8Array, length: number): boolean => {
  for (let at = 0; at <= length; at++) {
    const token = tokens[at]
    if (token === undefined) return false
    if (typeof token !== "number" || token >= WILDCARDS) return true
    if (token !== (at === length ? SLASH : path[at])) return false
  }
  return true
}
