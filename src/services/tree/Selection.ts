/**
 * Which entries of an archive paths and patterns mean, as they are given on a command line.
 *
 * An argument that is a path in the archive means that entry with all below it. Anything else is a pattern in the
 * language of `ExcludePattern`: entries that match are selected, with all below them; after `!` they are not; of several
 * arguments the last one that says something about an entry decides, and what is said about a folder holds for its
 * contents unless something is said about those. If the first argument begins with `!`, everything else is selected.
 *
 * A selection is asked about the paths of a walk, and says of each folder which children are worth looking at: what is
 * given as a path, or begins like one, is looked up and costs no sibling a read.
 */
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import * as Bytes from "../../domain/Bytes.ts"
import type { ErrorId } from "../../domain/ErrorId.ts"
import * as ExcludePattern from "../../domain/pxar/ExcludePattern.ts"
import * as PathText from "../../domain/PathText.ts"
import type { ArchiveError } from "../archive/ArchiveError.ts"
import type * as Archive from "./Archive.ts"
import * as TreeWalk from "./TreeWalk.ts"
import type * as WalkStream from "./WalkStream.ts"

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
  | { readonly _tag: "Path"; readonly path: Uint8Array; readonly found: TreeWalk.Found }
  | { readonly _tag: "Pattern"; readonly text: Uint8Array; readonly pattern: ExcludePattern.Pattern }

/**
 * The entries that are meant, and what became of the arguments. Paths are the first `length` bytes of a buffer, relative
 * to the root, without a slash at either end.
 */
export interface Selection {
  /** The root of the archive. */
  readonly root: TreeWalk.Found
  /** Whether there are no arguments, and everything is selected. */
  readonly isWhole: boolean
  /** Whether everything that no argument says something about is selected. */
  readonly otherwise: boolean
  /** The entries in the order of the arguments, if these are paths in the archive, all of them. */
  readonly named: ReadonlyArray<TreeWalk.Found> | undefined
  /** Whether an entry is selected, if its folder is (`inherited`); the root inherits `otherwise`. */
  readonly selects: (path: Uint8Array, length: number, isFolder: boolean, inherited: boolean) => boolean
  /** The children of a folder that is not selected which can be selected, or have something below them that is. */
  readonly children: (path: Uint8Array, length: number) => TreeWalk.Children
  /** Patterns that have selected nothing so far. */
  readonly unmatched: () => ReadonlyArray<Uint8Array>
}

/** The entries that the arguments mean; all of them if there are none. */
export const make = Effect.fnUntraced(function* (
  archive: Pick<Archive.Archive, "find" | "reader">,
  args: ReadonlyArray<Uint8Array>,
): Effect.fn.Return<Selection, ArchiveError | SelectionError> {
  const root = yield* TreeWalk.root(archive.reader)
  const terms: Array<Term> = []
  for (const argument of args) {
    const found = yield* Effect.result(archive.find(argument))
    if (Result.isSuccess(found)) {
      terms.push({ _tag: "Path", path: found.success.path.subarray(1), found: found.success })
      continue
    }
    if (found.failure._tag !== "PathError") return yield* found.failure
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
  return fromTerms(root, terms)
})

const fromTerms = (root: TreeWalk.Found, terms: ReadonlyArray<Term>): Selection => {
  const unmatched = new Set(terms.filter((term) => term._tag === "Pattern" && selects(term)))
  const named = terms.flatMap((term) => (term._tag === "Path" ? [term.found] : []))
  const hasPatterns = named.length < terms.length
  return {
    root,
    isWhole: terms.length === 0,
    otherwise: terms[0] === undefined || !selects(terms[0]),
    named: hasPatterns || terms.length === 0 ? undefined : named,
    selects: (path, length, isFolder, inherited) => {
      if (inherited && !hasPatterns) return true
      let selected = inherited
      for (const term of terms) {
        if (!matches(term, path, length, isFolder)) continue
        unmatched.delete(term)
        selected = selects(term)
      }
      return selected
    },
    children: (path, length) => {
      const names = new Map<string, Uint8Array>()
      for (const term of terms) {
        if (!selects(term)) continue
        const name = childOnTheWay(term._tag === "Path" ? term.path : term.pattern.tokens, path, length)
        if (name === "any") return undefined
        if (name !== undefined) names.set(Bytes.toKey(name), name)
      }
      return [...names.values()]
    },
    unmatched: () => [...unmatched].flatMap((term) => (term._tag === "Pattern" ? [term.text] : [])),
  }
}

const selects = (term: Term): boolean => term._tag === "Path" || term.pattern.excludes

const matches = (term: Term, path: Uint8Array, length: number, isFolder: boolean): boolean => {
  if (term._tag === "Pattern") {
    return length > 0 && ExcludePattern.matches(term.pattern, path, 0, length, isFolder)
  }
  if (term.path.length !== length) return false
  for (let at = 0; at < length; at++) if (term.path[at] !== path[at]) return false
  return true
}

const SLASH = 0x2f

/** Tokens of a pattern below this are bytes that stand for themselves. */
const WILDCARDS = 256

type Tokens = ExcludePattern.Pattern["tokens"] | Uint8Array

/** The child of a folder through which alone, or in which, a path or pattern matches; `undefined` if there is none. */
const childOnTheWay = (tokens: Tokens, path: Uint8Array, length: number): Uint8Array | "any" | undefined => {
  const start = length === 0 ? 0 : length + 1
  for (let at = 0; at < start; at++) {
    const token = tokens[at]
    if (isWildcard(token)) return "any"
    if (token !== (at === length ? SLASH : path[at])) return undefined
  }
  const name: Array<number> = []
  for (let at = start; at < tokens.length; at++) {
    const token = tokens[at]
    if (isWildcard(token)) return "any"
    if (token === undefined || token === SLASH) break
    name.push(token)
  }
  return name.length === 0 ? undefined : Uint8Array.from(name)
}

const isWildcard = (token: Tokens[number] | undefined): token is Uint8Array | number =>
  token !== undefined && (typeof token !== "number" || token >= WILDCARDS)

/** An item that a walk meets. */
export interface Met {
  readonly item: TreeWalk.Item
  /** Number of folders from the topmost selected one down to it, 0 for that one itself; -1 if it is not selected. */
  readonly level: number
}

/**
 * Walks to all that is selected: in the order of the archive and each once, or with `given`, where all arguments are
 * paths, in the order of these. Others that it meets on the way are among what it gives.
 */
export const walk = (
  archive: Pick<Archive.Archive, "walkGuided">,
  selection: Selection,
  order: "archive" | "given" = "archive",
): Stream.Stream<Met> => {
  const { named, root } = selection
  return order === "given" && named !== undefined
    ? Stream.flatMap(Stream.fromIterable(named), (start) => archive.walkGuided(start, below))
    : archive.walkGuided(root, guide(selection))
}

/** Everything, and so its depth is its level. */
const below: WalkStream.Guide<Met> = { give: (item) => ({ item, level: item.depth }), children: () => undefined }

const guide = (selection: Selection): WalkStream.Guide<Met> => {
  /** Levels of the folders that the walk is in, by depth. */
  const levels: Array<number> = []
  const levelOf = (item: TreeWalk.Item): number => {
    // The rest of a folder that cannot be read comes right behind the folder and belongs to it.
    if (item._tag === "Unreadable" && item.isRest) return levels[item.depth] ?? -1
    const parent = levels[item.depth - 1] ?? (selection.otherwise ? 0 : -1)
    const path = item.path.subarray(1)
    const isFolder = item._tag === "Found" && item.entry.body._tag === "Directory"
    const selected = selection.selects(path, path.length, isFolder, parent >= 0)
    return (levels[item.depth] = !selected ? -1 : item.depth === 0 ? 0 : parent + 1)
  }
  return {
    give: (item) => ({ item, level: levelOf(item) }),
    children: ({ path }, { level }) => (level >= 0 ? undefined : selection.children(path.subarray(1), path.length - 1)),
  }
}
