/** What is asked of many backups, each question as an effect. */
import { Effect, Stream } from "effect"
import * as Bytes from "../../../src/domain/Bytes.ts"
import * as ComparedArchive from "../../../src/services/compare/ComparedArchive.ts"
import * as TreeDiff from "../../../src/services/compare/TreeDiff.ts"
import * as Drill from "../../../src/services/history/Drill.ts"
import * as Edition from "../../../src/services/history/Edition.ts"
import * as EntryIdentity from "../../../src/services/history/EntryIdentity.ts"
import * as Find from "../../../src/services/history/Find.ts"
import * as SharedChunks from "../../../src/services/history/SharedChunks.ts"
import * as Stats from "../../../src/services/history/Stats.ts"
import * as Versions from "../../../src/services/history/Versions.ts"
import type { Repository } from "../../../src/services/repository/Repository.ts"

/** The first series of a repository. */
export const seriesOf = (repository: Repository) =>
  Effect.map(Stream.runCollect(Edition.groups(repository)), ([group]) => group!.series[0]!)

/** How two states of an archive differ, by chunks. */
const diff = (left: Edition.Edition, right: Edition.Edition) =>
  Effect.scoped(
    Effect.gen(function* () {
      const [ours, theirs] = yield* Effect.all([Edition.open(left), Edition.open(right)], { concurrency: 2 })
      const stored = (edition: Edition.Edition) => [{ name: undefined, snapshot: edition.snapshot, file: edition.file }]
      const sameUntil = yield* SharedChunks.between(stored(left), stored(right))
      const [a, b] = [yield* ComparedArchive.make(ours.reader), yield* ComparedArchive.make(theirs.reader)]
      const found = yield* Stream.runCollect(TreeDiff.compare(a, b, { sameUntil, unknown: "tell" }))
      return found.map((each) => [each._tag, Bytes.toText(each.path)])
    }),
  )

/** All of them, with answers that can be compared. */
export const of = (repository: Repository, series: Edition.Series) => ({
  listing: Effect.map(seriesOf(repository), ({ editions }) => editions.map(({ checksum }) => checksum)),
  find: Effect.map(
    Stream.runCollect(
      Find.find(repository, { query: { patterns: ["alpha"], manner: "name", ignoreCase: false }, jobs: 4 }),
    ),
    (all) => all.map((each) => [each._tag, each.snapshots.length]),
  ),
  versions: Effect.map(Versions.of(series, Bytes.fromText("d/alpha")), ({ versions }) =>
    versions.map(({ content, entry, snapshots }) => [content, EntryIdentity.metadata(entry), snapshots.length]),
  ),
  stats: Effect.map(Stats.collect(repository, {}), ({ chunks, distinct, size }) => [chunks, distinct, size]),
  diff: diff(series.editions[0]!, series.editions.at(-1)!),
  drill: Drill.run(series.editions.at(-1)!, { sample: 3 }),
})

/** Most round trips of each that one waits for: manifests are read 32 at once, archives and indexes four at once. */
export const mostRounds = (days: number, editions: number) => ({
  listing: 5 + 2 * Math.ceil(days / 32),
  find: 5 + 2 * Math.ceil(days / 32) + 4 * Math.ceil(editions / 4),
  versions: 4 * Math.ceil(editions / 4),
  stats: 5 + 8 * Math.ceil(days / 4),
  diff: 10,
  drill: 5,
})
