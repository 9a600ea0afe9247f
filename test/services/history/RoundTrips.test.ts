/** How many round trips questions about many backups wait for, far away: requests made only after another was answered. */
import { assert, describe, it } from "@effect/vitest"
import { Effect, Stream } from "effect"
import * as Bytes from "../../../src/domain/Bytes.ts"
import * as BlobStore from "../../../src/services/blobs/BlobStore.ts"
import * as ChunkCache from "../../../src/services/bytes/ChunkCache.ts"
import * as ChunkStore from "../../../src/services/chunks/ChunkStore.ts"
import * as ComparedArchive from "../../../src/services/compare/ComparedArchive.ts"
import * as TreeDiff from "../../../src/services/compare/TreeDiff.ts"
import * as Drill from "../../../src/services/history/Drill.ts"
import * as Edition from "../../../src/services/history/Edition.ts"
import * as SharedChunks from "../../../src/services/history/SharedChunks.ts"
import * as Stats from "../../../src/services/history/Stats.ts"
import * as Versions from "../../../src/services/history/Versions.ts"
import * as KeyRing from "../../../src/services/keys/KeyRing.ts"
import * as DatastoreRepository from "../../../src/services/repository/DatastoreRepository.ts"
import * as FarLine from "../../support/FarLine.ts"
import * as backups from "./backups.ts"

/** So many days of backups, over a line, and the rounds of a question that is asked of them. */
const far = Effect.fnUntraced(function* (days: number) {
  const { blobs } = yield* backups.make(2, { days, split: true })
  const line = FarLine.make({ roundTrip: "50 millis" })
  const store = FarLine.store(line, BlobStore.fromMap(blobs))
  const chunks = ChunkStore.make({ stores: [store], cache: yield* ChunkCache.make(undefined, { isFar: true }) })
  const repository = yield* DatastoreRepository.open(store, { keys: KeyRing.empty, chunks })
  const rounds = <A, E, R>(question: Effect.Effect<A, E, R>) =>
    Effect.suspend(() => {
      const before = line.rounds
      return Effect.map(question, () => line.rounds - before)
    })
  const series = Effect.map(Stream.runCollect(Edition.groups(repository)), ([group]) => group!.series[0]!)
  return { repository, rounds, series }
})

describe("the round trips that one waits for", () => {
  it.live("are bounded for each question", () =>
    Effect.gen(function* () {
      for (const days of [2, 4, 8]) {
        const { repository, rounds, series } = yield* far(days)
        const all = yield* series
        const editions = all.editions.length
        const listing = yield* rounds(series)
        const versions = yield* rounds(Versions.of(all, Bytes.fromText("d/alpha")))
        const stats = yield* rounds(Stats.collect(repository, {}))
        const [left, right] = [all.editions[0]!, all.editions.at(-1)!]
        const diff = yield* rounds(
          Effect.scoped(
            Effect.gen(function* () {
              const [ours, theirs] = [yield* Edition.open(left), yield* Edition.open(right)]
              const stored = (edition: Edition.Edition) => [
                { name: undefined, snapshot: edition.snapshot, file: edition.file },
              ]
              const sameUntil = yield* SharedChunks.between(stored(left), stored(right))
              const [a, b] = [yield* ComparedArchive.make(ours.reader), yield* ComparedArchive.make(theirs.reader)]
              return yield* Stream.runDrain(TreeDiff.compare(a, b, { sameUntil, unknown: "tell" }))
            }),
          ),
        )
        const drill = yield* rounds(Drill.run(right, { sample: 3 }))
        // Manifests are read eight at once, archives and indexes four at once; nothing else grows with the backups.
        const found = { listing, versions, stats, diff, drill }
        const most = {
          listing: 5 + 2 * Math.ceil(days / 8),
          versions: 4 * Math.ceil(editions / 4),
          stats: 5 + 8 * Math.ceil(days / 4),
          diff: 10,
          drill: 4,
        }
        for (const [question, bound] of Object.entries(most)) {
          assert.isAtMost(found[question as keyof typeof found], bound, `${question} of ${days} days`)
        }
      }
    }),
  )
})
