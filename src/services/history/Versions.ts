/**
 * The versions of a path: in which backups it is, and what of it changed from one to the next. No content is read, unless that
 * is asked for where chunks do not tell.
 */
import * as Effect from "effect/Effect"
import type { SnapshotId } from "../../domain/datastore/SnapshotId.ts"
import type { ArchiveError } from "../archive/ArchiveError.ts"
import type { RepositoryError } from "../repository/RepositoryError.ts"
import * as Archive from "../tree/Archive.ts"
import type * as TreeWalk from "../tree/TreeWalk.ts"
import * as Edition from "./Edition.ts"
import * as EntryIdentity from "./EntryIdentity.ts"
import * as Moves from "./Moves.ts"
import * as SameContent from "./SameContent.ts"

/** A state of a path, from one backup to another. */
export interface Version extends EntryIdentity.Located {
  readonly found: TreeWalk.Found
  readonly edition: Edition.Edition
  /** The backups that have it, the oldest first. */
  readonly snapshots: ReadonlyArray<SnapshotId>
  /** The version before it; `first` where there is none, or where it was gone in between. */
  readonly content: "first" | EntryIdentity.Sameness
  /** Whether owner, mode, times or attributes are others than before. */
  readonly isMetadataChanged: boolean
  /** Whether all these backups are known to have the same content; otherwise size and times say so, and chunks do not. */
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
}

/** While it is put together. */
type Growing = { -readonly [Key in keyof Version]: Version[Key] } & { snapshots: Array<SnapshotId> }

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

/** Editions that are looked into at once. */
const AT_ONCE = 4

/** Looks a path up in each state of an archive. */
export const of = Effect.fnUntraced(function* (
  series: Edition.Series,
  path: Uint8Array,
  { data = false, moves = false, open = Edition.open }: Options = {},
): Effect.fn.Return<Versions> {
  const unreadable: Array<Versions["unreadable"][number]> = []
  const states = yield* lookUpAll(series, path, open, unreadable)
  const attempt = <A>(edition: Edition.Edition, effect: Effect.Effect<A, ArchiveError | RepositoryError>) =>
    Effect.catch(effect, (error) =>
      Effect.as(
        Effect.sync(() => unreadable.push({ edition, error })),
        undefined,
      ),
    )

  const contentsOf = Effect.fnUntraced(function* (last: SameContent.InEdition & EntryIdentity.Located, own: Present) {
    const known = EntryIdentity.contents(last, own)
    if (known !== "undecided" || !data) return known
    return (yield* attempt(own.edition, SameContent.compareIn(last, own, open))) ?? known
  })

  const versions: Array<Growing> = []
  let last: Growing | undefined
  for (const [at, state] of states.entries()) {
    // Nothing is known of a backup that cannot be read: what comes after is compared with what was before.
    if (state === "unreadable") continue
    if (state === "absent" || state === undefined) {
      last = undefined
      continue
    }
    const id = series.snapshots[at] as SnapshotId
    const content = last === undefined ? "first" : yield* contentsOf(last, state)
    const isMetadataChanged =
      last !== undefined && EntryIdentity.metadata(last.entry) !== EntryIdentity.metadata(state.entry)
    if (last !== undefined && content !== "changed" && !isMetadataChanged) {
      last.snapshots.push(id)
      if (content === "undecided") last.isProven = false
      continue
    }
    last = { ...state, snapshots: [id], content, isMetadataChanged, isProven: true }
    versions.push(last)
  }
  if (!moves) return { series, versions, unreadable }

  const otherPath = (at: number, step: 1 | -1) => {
    const [own, other] = [states[at], states[at + step]]
    const edition = editionAt(series, at + step)
    if (typeof own !== "object" || edition === undefined) return Effect.undefined
    // What took its place is another file, as a log that is written anew.
    const isOther =
      other === "absent" || (typeof other === "object" && EntryIdentity.contents(own, other) === "changed")
    if (!isOther) return Effect.undefined
    return attempt(edition, Moves.find({ edition: own.edition, found: own.found }, edition, { data }))
  }
  const places = new Map(series.snapshots.map((id, at) => [id, at] as const))
  for (const version of versions) {
    const first = places.get(version.snapshots[0] as SnapshotId) as number
    const end = places.get(version.snapshots.at(-1) as SnapshotId) as number
    version.movedFrom = yield* otherPath(first, -1)
    version.movedTo = yield* otherPath(end, 1)
  }
  return { series, versions, unreadable }
})

/** A path that is there. */
type Present = SameContent.InEdition & EntryIdentity.Located

/** What is known of a path in a backup; `undefined` where that lacks the archive. */
type State = Present | "absent" | "unreadable" | undefined

/** The state that an archive has in a backup, by its number. */
const editionAt = ({ editions, snapshots }: Edition.Series, at: number): Edition.Edition | undefined => {
  const id = snapshots[at]
  return id === undefined ? undefined : editions.find((edition) => edition.snapshots.includes(id))
}

/** What is at a path in each backup. */
const lookUpAll = Effect.fnUntraced(function* (
  series: Edition.Series,
  path: Uint8Array,
  open: typeof Edition.open,
  unreadable: Array<Versions["unreadable"][number]>,
): Effect.fn.Return<ReadonlyArray<State>> {
  const looked = yield* Effect.forEach(series.editions, (edition) => Effect.result(lookup(edition, path, open)), {
    concurrency: AT_ONCE,
  })
  const states = new Map<SnapshotId, State>()
  for (const [at, result] of looked.entries()) {
    const edition = series.editions[at] as Edition.Edition
    const found = result._tag === "Success" ? result.success : undefined
    const state: State =
      result._tag === "Failure" ? "unreadable" : found === undefined ? "absent" : { ...found, edition }
    if (result._tag === "Failure") unreadable.push({ edition, error: result.failure })
    for (const id of edition.snapshots) states.set(id, state)
  }
  return series.snapshots.map((id) => states.get(id))
})

/** What is at a path of an edition; `undefined` if nothing is. */
const lookup = (edition: Edition.Edition, path: Uint8Array, open: typeof Edition.open) =>
  Effect.scoped(
    Effect.flatMap(open(edition), ({ reader, streams }) =>
      Archive.fromReader(reader)
        .find(path)
        .pipe(
          Effect.map((found): (EntryIdentity.Located & { readonly found: TreeWalk.Found }) | undefined => ({
            found,
            entry: found.entry,
            streams,
          })),
          Effect.catchTag("PathError", () => Effect.undefined),
        ),
    ),
  )
