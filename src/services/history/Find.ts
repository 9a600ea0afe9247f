/**
 * Looks for names in all backups: each state of an archive once, however many backups have it. What is in the index is
 * asked there, the rest is walked through. No content is read; of a split archive nothing but its metadata.
 */
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import * as Stream from "effect/Stream"
import * as Bytes from "../../domain/Bytes.ts"
import type { SnapshotId } from "../../domain/datastore/SnapshotId.ts"
import type { Entry } from "../../domain/pxar/Entry.ts"
import type { ArchiveError } from "../archive/ArchiveError.ts"
import type { HistoryIndex } from "../index/HistoryIndex.ts"
import type { Repository } from "../repository/Repository.ts"
import type { RepositoryError } from "../repository/RepositoryError.ts"
import * as Query from "../tree/Query.ts"
import * as TreeWalk from "../tree/TreeWalk.ts"
import * as WalkStream from "../tree/WalkStream.ts"
import * as Edition from "./Edition.ts"
import * as EntryIdentity from "./EntryIdentity.ts"
import * as IndexedEdition from "./IndexedEdition.ts"

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
  /** What is looked for; it must be one that `Query.compile` takes. */
  readonly query: Query.Query
  /** What it has is not walked through; the answer is the same. */
  readonly index?: HistoryIndex | undefined
  /** Archives that are walked at once; 4 unless given. */
  readonly jobs?: number | undefined
  /** Versions in an archive of a group after which no more are looked for there. */
  readonly limit?: number | undefined
  /** Called where the limit was reached: there may be more. */
  readonly onLimit?: (() => void) | undefined
  /** Called now and then with the number of entries looked at; must be quick. */
  readonly onProgress?: ((entries: number) => void) | undefined
}

/** What is found, group by group, by path. Memory grows with what is found in one group. */
export const find = (repository: Repository, options: Options): Stream.Stream<Hit | Unreadable, RepositoryError> =>
  Stream.suspend(() => {
    const looking = { ...options, test: Result.getOrThrow(Query.compile(options.query)), ...counting(options) }
    return Stream.flatMap(Edition.groups(repository, options), ({ series, unreadable }) =>
      Stream.concat(
        Stream.fromIterable(
          unreadable.map(({ error, id }): Hit | Unreadable => ({ _tag: "Unreadable", snapshots: [id], error })),
        ),
        Stream.flatMap(Stream.fromIterable(series), (each) => Stream.fromIterableEffect(inSeries(each, looking))),
      ),
    )
  })

interface Looking extends Options {
  readonly test: Query.Test
  readonly count: (entries: number) => void
}

const counting = ({ onProgress }: Options): Pick<Looking, "count"> => {
  let entries = 0
  return {
    count: (more) => {
      entries += more
      onProgress?.(entries)
    },
  }
}

const inSeries = Effect.fnUntraced(function* (
  series: Edition.Series,
  looking: Looking,
): Effect.fn.Return<ReadonlyArray<Hit | Unreadable>> {
  const hits = new SeriesHits(series)
  const { indexed, rest } = yield* IndexedEdition.orAll(looking.index, series)
  const left = yield* byIndex(indexed, looking, hits)
  const walked = yield* Effect.forEach([...rest, ...left], (edition) => Effect.result(walk(edition, looking)), {
    concurrency: looking.jobs ?? 4,
  })
  const unreadable: Array<Unreadable> = []
  for (const [at, result] of walked.entries()) {
    const edition = [...rest, ...left][at] as Edition.Edition
    const { snapshots } = edition
    if (result._tag === "Failure") {
      unreadable.push({ _tag: "Unreadable", snapshots, error: result.failure })
      continue
    }
    for (const item of result.success) {
      if (item._tag === "Found") hits.add(item.path, item.entry, [edition])
      else if (item.error.check !== HIDDEN) unreadable.push({ _tag: "Unreadable", snapshots, error: item.error })
    }
  }
  return [...hits.all(), ...unreadable]
})

/** Asks the index. Gives the editions that have to be walked through because it fails. */
const byIndex = Effect.fnUntraced(function* (
  indexed: ReadonlyArray<IndexedEdition.Indexed>,
  { count, index, limit = Infinity, onLimit, query }: Looking,
  hits: SeriesHits,
): Effect.fn.Return<ReadonlyArray<Edition.Edition>> {
  const left: Array<Edition.Edition> = []
  if (index === undefined) return left
  for (const [chain, states] of Map.groupBy(indexed, ({ place }) => place.chain)) {
    const ascending = states.toSorted((a, b) => a.place.number - b.place.number)
    const numbers = ascending.map(({ place }) => place.number)
    const answer = yield* Effect.result(index.find(query, chain, numbers, limit))
    if (answer._tag === "Failure") {
      yield* Effect.logWarning(`${answer.failure.message}; what is in the index is walked through`)
      left.push(...states.map(({ edition }) => edition))
      continue
    }
    if (answer.success.length >= limit) onLimit?.()
    for (const { entry, gone = Infinity, path, since } of answer.success) {
      hits.add(
        path,
        entry,
        ascending.flatMap(({ edition, place }) => (place.number >= since && place.number < gone ? [edition] : [])),
      )
    }
    count(ascending.reduce((sum, { place }) => sum + place.entries, 0))
  }
  return left
})

const walk = (edition: Edition.Edition, { count, limit = Infinity, onLimit, test }: Looking) =>
  Effect.gen(function* () {
    const { reader } = yield* Edition.open(edition)
    const start = yield* TreeWalk.root(reader)
    const found: Array<TreeWalk.Item> = []
    yield* WalkStream.walk(reader, start, Infinity, WalkStream.whole).pipe(
      Stream.takeWhile(() => found.length < limit),
      Stream.runForEachArray((items) =>
        Effect.sync(() => {
          count(items.length)
          for (const item of items) if (item._tag === "Unreadable" || test(item)) found.push(item)
        }),
      ),
    )
    if (found.length >= limit) onLimit?.()
    return found
  }).pipe(Effect.scoped)

/** A second entry of a name is hidden, and nothing else is wrong with it. */
const HIDDEN = "D9"

/** What is found in a series: each version once, with all that have it. */
class SeriesHits {
  private readonly series: Edition.Series
  /** Numbers of the backups of each edition, among all of the series. */
  private readonly ranks: ReadonlyMap<Edition.Edition, ReadonlyArray<number>>
  private readonly versions = new Map<string, { path: Uint8Array; entry: Entry; ranks: Array<number> }>()

  constructor(series: Edition.Series) {
    const rankOf = new Map(series.snapshots.map((id, rank) => [id, rank]))
    this.series = series
    this.ranks = new Map(
      series.editions.map((edition) => [edition, edition.snapshots.map((id) => rankOf.get(id) as number)]),
    )
  }

  add(path: Uint8Array, entry: Entry, editions: ReadonlyArray<Edition.Edition>): void {
    const key = keyOf(path, entry)
    let version = this.versions.get(key)
    if (version === undefined) this.versions.set(key, (version = { path, entry, ranks: [] }))
    for (const edition of editions) version.ranks.push(...(this.ranks.get(edition) as ReadonlyArray<number>))
  }

  all(): ReadonlyArray<Hit> {
    const { series } = this
    const newest = Math.max(-1, ...[...this.ranks.values()].map((ranks) => ranks.at(-1) as number))
    const found = [...this.versions.values()]
    for (const { ranks } of found) if (!isAscending(ranks)) ranks.sort((a, b) => a - b)
    return found
      .toSorted((a, b) => Bytes.compare(a.path, b.path) || (a.ranks[0] as number) - (b.ranks[0] as number))
      .map(({ entry, path, ranks }): Hit => {
        const snapshots = ranks.map((rank) => series.snapshots[rank] as SnapshotId)
        return { _tag: "Hit", series, path, entry, snapshots, isGone: ranks.at(-1) !== newest }
      })
  }
}

const isAscending = (ranks: ReadonlyArray<number>): boolean => {
  for (let at = 1; at < ranks.length; at++) if ((ranks[at - 1] as number) > (ranks[at] as number)) return false
  return true
}

/** The same for all entries that are one version. With the same size and times contents are taken for the same. */
const keyOf = (path: Uint8Array, entry: Entry): string =>
  `${Buffer.from(path).toString("latin1")}\0${EntryIdentity.metadata(entry)}`
