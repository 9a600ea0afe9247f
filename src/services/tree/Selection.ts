/**
 * Which entries of an archive paths and patterns mean, as they are given on a command line.
 *
 * An argument that is a path in the archive means that entry with all below it. Anything else is a pattern in the
 * language of `ExcludePattern`: entries that match are selected, with all below them; after `!` they are not; of several
 * arguments the last one that says something about an entry decides, and what is said about a folder holds for its
 * contents unless something is said about those. If the first argument begins with `!`, everything else is selected.
 */
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import type { ErrorId } from "../../domain/ErrorId.ts"
import * as Bytes from "../../domain/Bytes.ts"
import * as ExcludePattern from "../../domain/pxar/ExcludePattern.ts"
import * as PathText from "../../domain/PathText.ts"
import type * as Archive from "./Archive.ts"
import type { ArchiveError } from "../archive/ArchiveError.ts"
import type * as TreeWalk from "./TreeWalk.ts"

/** An argument that is neither a path in the archive nor a pattern. */
export class SelectionError extends Schema.TaggedError<SelectionError>()("SelectionError", {
  archive: Schema.String,
  /** The argument as text (see `PathText`). */
  argument: Schema.String,
  detail: Schema.String,
}) {
  static readonly ids = { Any: "PXF-SELECTION-NO-PATTERN" } as const satisfies Record<string, ErrorId>
  /** See docs/errors.md. */
  get id(): ErrorId {
    return SelectionError.ids.Any
  }
  override get message(): string {
    return `${this.argument}: no such path in the archive, and no pattern either: ${this.detail}`
  }
}

/** What an argument means. */
type Term =
  | { readonly _tag: "Path"; readonly path: Uint8Array }
  | { readonly _tag: "Pattern"; readonly text: Uint8Array; readonly pattern: ExcludePattern.Pattern }

/** The entries that are meant, and what became of the arguments. */
export interface Selection {
  /** Where to walk from, in this order. */
  readonly starts: ReadonlyArray<TreeWalk.Found>
  /**
   * Number of folders from the topmost selected one down to this item, 0 for that one itself; -1 if it is not selected.
   * Every item of the walks must be asked about, in their order.
   */
  readonly level: (item: TreeWalk.Item) => number
  /** Patterns that have selected nothing so far, as text. */
  readonly unmatched: () => ReadonlyArray<string>
}

/** The entries that the arguments mean; all of them if there are none. */
export const make = Effect.fnUntraced(function* (
  archive: Archive.Archive,
  args: ReadonlyArray<Uint8Array>,
): Effect.fn.Return<Selection, ArchiveError | SelectionError> {
  if (args.length === 0) return whole([yield* archive.root])
  const found: Array<TreeWalk.Found> = []
  const terms: Array<Term> = []
  for (const argument of args) {
    const path = yield* Effect.result(archive.find(argument))
    if (Result.isSuccess(path)) {
      found.push(path.success)
      terms.push({ _tag: "Path", path: path.success.path })
      continue
    }
    if (path.failure._tag !== "PathError") return yield* path.failure
    const pattern = ExcludePattern.parse(argument)
    if (Result.isFailure(pattern)) {
      return yield* new SelectionError({
        archive: archive.reader.archive,
        argument: PathText.print(argument),
        detail: pattern.failure.detail,
      })
    }
    terms.push({ _tag: "Pattern", text: argument, pattern: pattern.success })
  }
  return found.length === terms.length ? whole(found) : filtered(yield* archive.root, terms)
})

/** Everything below the starts. */
const whole = (starts: ReadonlyArray<TreeWalk.Found>): Selection => ({
  starts,
  level: (item) => item.depth,
  unmatched: () => [],
})

const filtered = (root: TreeWalk.Found, terms: ReadonlyArray<Term>): Selection => {
  const unmatched = new Set(terms.filter((term) => selects(term)))
  const otherwise = !selects(terms[0] as Term)
  /** Levels of the folders that the walk is in, by depth. */
  const levels: Array<number> = []

  /** What the arguments say about an item. */
  const decide = (item: TreeWalk.Item): boolean | undefined => {
    let decision: boolean | undefined
    const { path } = item
    for (let i = terms.length - 1; i >= 0; i--) {
      const term = terms[i] as Term
      if ((decision !== undefined && !unmatched.has(term)) || !matches(term, path, item)) continue
      unmatched.delete(term)
      decision ??= selects(term)
    }
    return decision
  }

  return {
    starts: [root],
    level: (item) => {
      // The rest of a folder that cannot be read comes right behind the folder and belongs to it.
      if (item._tag === "Unreadable" && item.isRest) return levels[item.depth] ?? -1
      const parent = item.depth === 0 ? -1 : (levels[item.depth - 1] ?? -1)
      const selected = decide(item) ?? (item.depth === 0 ? otherwise : parent >= 0)
      return (levels[item.depth] = selected ? parent + 1 : -1)
    },
    unmatched: () => [...unmatched].flatMap((term) => (term._tag === "Pattern" ? [PathText.print(term.text)] : [])),
  }
}

const selects = (term: Term): boolean => term._tag === "Path" || term.pattern.excludes

const matches = (term: Term, path: Uint8Array, item: TreeWalk.Item): boolean =>
  term._tag === "Path"
    ? Bytes.equals(term.path, path)
    : path.length > 1 &&
      ExcludePattern.matches(
        term.pattern,
        path,
        1,
        path.length,
        item._tag === "Found" && item.entry.body._tag === "Directory",
      )
