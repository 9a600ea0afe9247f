/**
 * The versions of a path: in which backups it is, and what of it changed from one to the next.
 *
 * Backups in which all that archives say of it is the same, its size and times among that, have one version. No content is
 * read, unless that is asked for: then contents tell, and nothing is undecided. The answer with an index is the same as
 * without; a backup that is in it needs no chunk, unless two states of one size come one after the other, and only where
 * contents are to tell, or these are two versions.
 */
import * as Effect from "effect/Effect"
import type { SnapshotId } from "../../domain/datastore/SnapshotId.ts"
import type { Entry } from "../../domain/pxar/Entry.ts"
import type { ArchiveError } from "../archive/ArchiveError.ts"
import type { HistoryIndex } from "../index/HistoryIndex.ts"
import type { RepositoryError } from "../repository/RepositoryError.ts"
import * as Edition from "./Edition.ts"
import * as EntryIdentity from "./EntryIdentity.ts"
import * as Moves from "./Moves.ts"
import * as PathStates from "./PathStates.ts"
import * as SameContent from "./SameContent.ts"

/** A state of a path, from one backup to another. */
export interface Version {
  /** With a leading slash. */
  readonly path: Uint8Array
  /** Where its content stands may not be known. */
  readonly entry: Entry
  /** The first one that has it. */
  readonly edition: Edition.Edition
  /** The backups that have it, the oldest first. */
  readonly snapshots: ReadonlyArray<SnapshotId>
  /** The version before it; `first` where there is none, or where it was gone in between. */
  readonly content: "first" | EntryIdentity.Sameness
  /** Whether owner, mode, times or attributes are others than before. */
  readonly isMetadataChanged: boolean
  /** Whether all these backups are known to have the same content; otherwise size and times say so. */
  readonly isProven: boolean
  /** Where its content stood in the backup before its first, and stands in the one after its last; if that is looked for. */
  readonly movedFrom?: Moves.Move | undefined
  readonly movedTo?: Moves.Move | undefined
}

/** How to look. */
export interface Options {
  /** Whether contents are read where chunks do not tell whether they are the same. */
  readonly data?: boolean | undefined
  /** Whether a version is looked for under other paths of the backups before and after it: these are walked. */
  readonly moves?: boolean | undefined
  /** Opens an edition to look the path up in; `Edition.open` unless given. */
  readonly open?: typeof Edition.open | undefined
  /** It is asked for what it has. */
  readonly index?: HistoryIndex | undefined
}

/** While it is put together. */
type Growing = { -readonly [Key in keyof Version]: Version[Key] } & {
  readonly state: PathStates.Present
  snapshots: Array<SnapshotId>
}

/** What there is of a path in a series. */
export interface Versions {
  readonly series: Edition.Series
  /** In the order of their oldest backups. */
  readonly versions: ReadonlyArray<Version>
  /** Archives that could not be looked into, or contents in them that could not be read. */
  readonly unreadable: ReadonlyArray<{
    readonly edition: Edition.Edition
    readonly error: ArchiveError | RepositoryError
  }>
}

/** States that are looked into at once. */
const AT_ONCE = 4

/** Looks a path up in each state of an archive. */
export const of = Effect.fnUntraced(function* (
  series: Edition.Series,
  path: Uint8Array,
  { data = false, index, moves = false, open = Edition.open }: Options = {},
): Effect.fn.Return<Versions> {
  const unreadable: Array<Versions["unreadable"][number]> = []
  const attempt = <A>(edition: Edition.Edition, effect: Effect.Effect<A, PathStates.Failure>) =>
    Effect.catch(effect, (error) =>
      Effect.as(
        Effect.sync(() => unreadable.push({ edition, error })),
        undefined,
      ),
    )
  const looked = yield* PathStates.lookUp(series, path, { open, index })
  for (const [edition, state] of looked) if (isUnreadable(state)) unreadable.push({ edition, error: state.error })
  const states = bySnapshot(series, looked)
  const normal = PathStates.normal(path)

  const contentsOf = Effect.fnUntraced(function* (last: PathStates.Present, own: PathStates.Present) {
    const bySizes = EntryIdentity.sizes(last.entry, own.entry)
    if (bySizes !== "undecided") return bySizes
    const before = yield* attempt(last.edition, last.located)
    const now = yield* attempt(own.edition, own.located)
    if (before === undefined || now === undefined) return "undecided"
    const byChunks = EntryIdentity.contents(before, now)
    if (byChunks !== "undecided" || !data) return byChunks
    return (yield* attempt(own.edition, SameContent.compareIn(before, now, open))) ?? byChunks
  })

  // One after the other they would wait for each other's round trips. What fails is told below.
  yield* Effect.forEach(compared(states, data), ({ located }) => Effect.ignore(located), {
    concurrency: AT_ONCE,
    discard: true,
  })
  const versions: Array<Growing> = []
  let last: Growing | undefined
  for (const [at, state] of states.entries()) {
    // Nothing is known of a backup that cannot be read: what comes after is compared with what was before.
    if (isUnreadable(state)) continue
    if (state === "absent" || state === undefined) {
      last = undefined
      continue
    }
    const id = series.snapshots[at] as SnapshotId
    const isMetadataChanged =
      last !== undefined && EntryIdentity.metadata(last.entry) !== EntryIdentity.metadata(state.entry)
    const isAlike = last !== undefined && !isMetadataChanged
    if (last !== undefined && isAlike && (last.edition === state.edition || !data)) {
      last.snapshots.push(id)
      const isKnown = last.edition === state.edition || EntryIdentity.sizes(last.entry, state.entry) === "same"
      if (!isKnown) last.isProven = false
      continue
    }
    const content = last === undefined ? "first" : yield* contentsOf(last.state, state)
    if (last !== undefined && isAlike && content !== "changed") {
      last.snapshots.push(id)
      if (content === "undecided") last.isProven = false
      continue
    }
    const { edition, entry } = state
    last = { path: normal, entry, edition, state, snapshots: [id], content, isMetadataChanged, isProven: true }
    versions.push(last)
  }
  if (!moves) return { series, versions, unreadable }

  const otherPath = Effect.fnUntraced(function* (at: number, step: 1 | -1) {
    const [own, other] = [states[at], states[at + step]]
    const edition = editionAt(series, at + step)
    if (!isPresent(own) || edition === undefined) return undefined
    // What took its place is another file, as a log that is written anew.
    const isOther =
      other === "absent" || (isPresent(other) && EntryIdentity.sizes(own.entry, other.entry) === "changed")
    const located = isOther ? yield* attempt(own.edition, own.located) : undefined
    return located && (yield* attempt(edition, Moves.find(located, edition, { data })))
  })
  const places = new Map(series.snapshots.map((id, at) => [id, at] as const))
  for (const version of versions) {
    const first = places.get(version.snapshots[0] as SnapshotId) as number
    const end = places.get(version.snapshots.at(-1) as SnapshotId) as number
    version.movedFrom = yield* otherPath(first, -1)
    version.movedTo = yield* otherPath(end, 1)
  }
  return { series, versions, unreadable }
})

/** What is known of a path in a backup; `undefined` where that lacks the archive. */
type State = PathStates.State | undefined

const isUnreadable = (state: State): state is PathStates.Unreadable => typeof state === "object" && "error" in state

const isPresent = (state: State): state is PathStates.Present => typeof state === "object" && "entry" in state

/** States whose contents are held against others': where these stand has to be known. */
const compared = (states: ReadonlyArray<State>, data: boolean): ReadonlySet<PathStates.Present> => {
  const found = new Set<PathStates.Present>()
  let last: PathStates.Present | undefined
  for (const state of states) {
    if (isUnreadable(state) || state === last) continue
    const own = isPresent(state) ? state : undefined
    if (last !== undefined && own !== undefined && EntryIdentity.sizes(last.entry, own.entry) === "undecided") {
      const isAlike = EntryIdentity.metadata(last.entry) === EntryIdentity.metadata(own.entry)
      // Then the version goes on, whatever is in it.
      if (isAlike && !data) continue
      found.add(last).add(own)
    }
    last = own
  }
  return found
}

/** The state that an archive has in a backup, by its number. */
const editionAt = ({ editions, snapshots }: Edition.Series, at: number): Edition.Edition | undefined => {
  const id = snapshots[at]
  return id === undefined ? undefined : editions.find((edition) => edition.snapshots.includes(id))
}

/** What is at a path in each backup, by what is in each edition. */
const bySnapshot = (
  series: Edition.Series,
  looked: ReadonlyMap<Edition.Edition, PathStates.State>,
): ReadonlyArray<State> => {
  const states = new Map<SnapshotId, State>()
  for (const [edition, state] of looked) for (const id of edition.snapshots) states.set(id, state)
  return series.snapshots.map((id) => states.get(id))
}
