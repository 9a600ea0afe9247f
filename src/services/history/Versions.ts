/**
 * The versions of a path: in which backups it is, and what of it changed from one to the next. No content is read.
 */
import * as Effect from "effect/Effect"
import type { SnapshotId } from "../../domain/datastore/SnapshotId.ts"
import type { ArchiveError } from "../archive/ArchiveError.ts"
import type { RepositoryError } from "../repository/RepositoryError.ts"
import * as Archive from "../tree/Archive.ts"
import type * as TreeWalk from "../tree/TreeWalk.ts"
import * as Edition from "./Edition.ts"
import * as EntryIdentity from "./EntryIdentity.ts"

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
}

/** While it is put together. */
type Growing = { -readonly [Key in keyof Version]: Version[Key] } & { snapshots: Array<SnapshotId> }

/** What there is of a path in a series. */
export interface Versions {
  readonly series: Edition.Series
  /** In the order of their oldest backups. */
  readonly versions: ReadonlyArray<Version>
  /** Archives that could not be looked into. */
  readonly unreadable: ReadonlyArray<{
    readonly edition: Edition.Edition
    readonly error: ArchiveError | RepositoryError
  }>
}

/** Editions that are looked into at once. */
const AT_ONCE = 4

/** Looks a path up in each state of an archive. */
export const of = Effect.fnUntraced(function* (series: Edition.Series, path: Uint8Array): Effect.fn.Return<Versions> {
  const looked = yield* Effect.forEach(series.editions, (edition) => Effect.result(lookup(edition, path)), {
    concurrency: AT_ONCE,
  })
  const byCheck = new Map(series.editions.map((edition, at) => [edition.checksum, looked[at]] as const))
  const editionOf = new Map(series.editions.flatMap((edition) => edition.snapshots.map((id) => [id, edition] as const)))
  const versions: Array<Growing> = []
  let last: Growing | undefined
  for (const id of series.snapshots) {
    const edition = editionOf.get(id)
    const result = edition === undefined ? undefined : byCheck.get(edition.checksum)
    if (edition === undefined || result === undefined) {
      last = undefined
      continue
    }
    // Nothing is known of a backup that cannot be read: what comes after is compared with what was before.
    if (result._tag === "Failure") continue
    const located = result.success
    if (located === undefined) {
      last = undefined
      continue
    }
    const content = last === undefined ? "first" : EntryIdentity.contents(last, located)
    const isMetadataChanged =
      last !== undefined && EntryIdentity.metadata(last.entry) !== EntryIdentity.metadata(located.entry)
    if (last !== undefined && content !== "changed" && !isMetadataChanged) {
      last.snapshots.push(id)
      if (content === "undecided") last.isProven = false
      continue
    }
    last = { ...located, edition, snapshots: [id], content, isMetadataChanged, isProven: true }
    versions.push(last)
  }
  const unreadable = series.editions.flatMap((edition) => {
    const result = byCheck.get(edition.checksum)
    return result?._tag === "Failure" ? [{ edition, error: result.failure }] : []
  })
  return { series, versions, unreadable }
})

/** What is at a path of an edition; `undefined` if nothing is. */
const lookup = (edition: Edition.Edition, path: Uint8Array) =>
  Effect.scoped(
    Effect.flatMap(Edition.open(edition), ({ reader, streams }) =>
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
