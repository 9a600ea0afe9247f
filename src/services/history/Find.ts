/**
 * Looks for names in all backups: each state of an archive is walked once, however many backups have it. No content is read;
 * of a split archive nothing but its metadata.
 */
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import type { SnapshotId } from "../../domain/datastore/SnapshotId.ts"
import type { Entry } from "../../domain/pxar/Entry.ts"
import type { ArchiveError } from "../archive/ArchiveError.ts"
import type { Repository } from "../repository/Repository.ts"
import type { RepositoryError } from "../repository/RepositoryError.ts"
import * as TreeWalk from "../tree/TreeWalk.ts"
import * as WalkStream from "../tree/WalkStream.ts"
import * as Edition from "./Edition.ts"
import * as EntryIdentity from "./EntryIdentity.ts"

/** A version of something that was looked for. */
export interface Hit {
  readonly _tag: "Hit"
  readonly series: Edition.Series
  /** Path in the archive, with a leading slash. */
  readonly path: Uint8Array
  readonly entry: Entry
  /** The backups that have it, the oldest first. */
  readonly snapshots: ReadonlyArray<SnapshotId>
  /** Whether it is not in the newest backup of its group that has the archive: it was deleted, or replaced. */
  readonly isGone: boolean
}

/** What could not be looked into. */
export interface Unreadable {
  readonly _tag: "Unreadable"
  /** The backups that are concerned. */
  readonly snapshots: ReadonlyArray<SnapshotId>
  readonly error: ArchiveError | RepositoryError
}

/** How to look. */
export interface Options extends Edition.Options {
  /** Whether this is looked for. Asked of every entry, so it must be quick. */
  readonly matches: (found: TreeWalk.Found) => boolean
  /** Archives that are walked at once; 4 unless given. */
  readonly jobs?: number | undefined
  /** Called now and then with the number of entries looked at; must be quick. */
  readonly onProgress?: ((entries: number) => void) | undefined
}

/** What is found, group by group. Memory grows with what is found in one group. */
export const find = (repository: Repository, options: Options): Stream.Stream<Hit | Unreadable, RepositoryError> =>
  Stream.suspend(() => {
    let entries = 0
    const count = (more: number): void => {
      entries += more
      options.onProgress?.(entries)
    }
    return Stream.flatMap(Edition.groups(repository, options), ({ series, unreadable }) =>
      Stream.concat(
        Stream.fromIterable(
          unreadable.map(({ error, id }): Hit | Unreadable => ({ _tag: "Unreadable", snapshots: [id], error })),
        ),
        Stream.flatMap(Stream.fromIterable(series), (each) =>
          Stream.fromIterableEffect(inSeries(each, options, count)),
        ),
      ),
    )
  })

const inSeries = Effect.fnUntraced(function* (
  series: Edition.Series,
  { jobs = 4, matches }: Options,
  count: (entries: number) => void,
): Effect.fn.Return<ReadonlyArray<Hit | Unreadable>> {
  const unreadable: Array<Unreadable> = []
  const versions = new Map<string, { path: Uint8Array; entry: Entry; snapshots: Array<SnapshotId> }>()
  const walk = (edition: Edition.Edition) =>
    Effect.gen(function* () {
      const { reader } = yield* Edition.open(edition)
      const start = yield* TreeWalk.root(reader)
      const found: Array<TreeWalk.Item> = []
      yield* Stream.runForEachArray(WalkStream.walk(reader, start, Infinity, WalkStream.whole), (items) =>
        Effect.sync(() => {
          count(items.length)
          for (const item of items) if (item._tag === "Unreadable" || matches(item)) found.push(item)
        }),
      )
      return found
    }).pipe(Effect.scoped, Effect.result)
  const walked = yield* Effect.forEach(series.editions, walk, { concurrency: jobs })
  for (const [at, result] of walked.entries()) {
    const { snapshots } = series.editions[at] as Edition.Edition
    if (result._tag === "Failure") {
      unreadable.push({ _tag: "Unreadable", snapshots, error: result.failure })
      continue
    }
    for (const item of result.success) {
      if (item._tag === "Unreadable") {
        if (item.error.check !== HIDDEN) unreadable.push({ _tag: "Unreadable", snapshots, error: item.error })
        continue
      }
      const key = keyOf(item)
      const known = versions.get(key)
      if (known === undefined) {
        versions.set(key, { path: item.path, entry: item.entry, snapshots: [...snapshots] })
      } else known.snapshots.push(...snapshots)
    }
  }
  const newest = series.editions.flatMap(({ snapshots }) => snapshots).reduce(later, undefined)
  const hits = [...versions.values()].map(({ entry, path, snapshots: unordered }): Hit => {
    const snapshots = unordered.toSorted((a, b) => (a.time < b.time ? -1 : 1))
    return { _tag: "Hit", series, path, entry, snapshots, isGone: snapshots.at(-1) !== newest }
  })
  return [...hits, ...unreadable]
})

/** A second entry of a name is hidden, and nothing else is wrong with it. */
const HIDDEN = "D9"

const later = (a: SnapshotId | undefined, b: SnapshotId): SnapshotId => (a === undefined || b.time > a.time ? b : a)

/** The same for all entries that are one version. With the same size and times contents are taken for the same. */
const keyOf = ({ entry, path }: TreeWalk.Found): string =>
  `${Buffer.from(path).toString("latin1")}\0${EntryIdentity.metadata(entry)}`
