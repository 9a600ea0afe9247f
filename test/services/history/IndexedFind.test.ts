/** What is found with an index is what is found by walking, and what is there. */
import * as path from "node:path"
import { assert, describe, it } from "@effect/vitest"
import { Effect, Result, Stream } from "effect"
import * as DynamicIndex from "../../../src/domain/datastore/DynamicIndex.ts"
import * as SnapshotId from "../../../src/domain/datastore/SnapshotId.ts"
import * as PathText from "../../../src/domain/PathText.ts"
import { chunkPath } from "../../../src/services/chunks/ChunkStore.ts"
import * as BuildIndex from "../../../src/services/history/BuildIndex.ts"
import * as EntryIdentity from "../../../src/services/history/EntryIdentity.ts"
import * as Find from "../../../src/services/history/Find.ts"
import * as HistoryIndex from "../../../src/services/index/HistoryIndex.ts"
import type * as Query from "../../../src/services/tree/Query.ts"
import * as BlobStore from "../../../src/services/blobs/BlobStore.ts"
import * as FarLine from "../../support/FarLine.ts"
import * as Processes from "../../support/Processes.ts"
import * as stores from "../repository/stores.ts"
import * as backups from "./backups.ts"

const anything: Query.Query = { patterns: [], manner: "name", ignoreCase: false }

const answer = (
  repository: Parameters<typeof Find.find>[0],
  query: Partial<Query.Query>,
  index?: HistoryIndex.HistoryIndex,
) =>
  Effect.map(Stream.runCollect(Find.find(repository, { query: { ...anything, ...query }, index })), (all) =>
    all.map((each) =>
      each._tag === "Hit"
        ? [
            PathText.print(each.path),
            EntryIdentity.metadata(each.entry),
            each.snapshots.map(SnapshotId.format),
            each.isGone,
          ]
        : [each.error.message, each.snapshots.map(SnapshotId.format)],
    ),
  )

const indexFile = Effect.map(Processes.temporaryFolder, (folder) => path.join(folder, "index", "test.sqlite"))

const queries: ReadonlyArray<Partial<Query.Query>> = [
  {},
  { patterns: ["alpha"] },
  { patterns: ["ALPHA", "eta"], ignoreCase: true },
  { patterns: ["a"] },
  { patterns: ["*.txt"] },
  { patterns: ["d/e"], manner: "path" },
  { patterns: ["^/d"], manner: "regex" },
  { patterns: ["dlt"], manner: "fuzzy" },
  { minSize: 1000 },
  { kinds: ["directory"] },
]

describe("find with an index", () => {
  it.effect("answers as walking does, and needs no chunk for it", () =>
    Effect.gen(function* () {
      for (let seed = 1; seed <= 8; seed++) {
        const made = yield* backups.make(seed)
        const index = yield* HistoryIndex.openForWriting(yield* indexFile)
        const built = yield* Stream.runCollect(BuildIndex.build(made.repository, index, { encrypted: false }))
        assert.isTrue(
          built.every(({ _tag }) => _tag === "Added"),
          JSON.stringify(built),
        )
        const expected = yield* Effect.forEach(queries, (query) => answer(made.repository, query))
        for (const name of made.blobs.keys()) if (name.startsWith(".chunks")) made.blobs.delete(name)
        const without = yield* stores.over(BlobStore.fromMap(made.blobs))
        const answers = yield* Effect.forEach(queries, (query) => answer(without, query, index))
        for (const [at, query] of queries.entries()) {
          assert.deepStrictEqual(answers[at], expected[at], `seed ${seed}: ${JSON.stringify(query)}`)
        }
      }
    }).pipe(Effect.scoped),
  )

  it.effect("answers the same after a backup was pruned, and of archives that came later", () =>
    Effect.gen(function* () {
      const made = yield* backups.make(4)
      const index = yield* HistoryIndex.openForWriting(yield* indexFile)
      const group = { namespace: [], type: "host", id: "elsa" } as const
      for (const day of [2, 5]) {
        const within = { ...group, time: `2024-01-0${day}` }
        yield* Stream.runDrain(BuildIndex.build(made.repository, index, { encrypted: false, within }))
      }
      const isRight = Effect.gen(function* () {
        const repository = yield* stores.over(BlobStore.fromMap(made.blobs))
        for (const query of queries) {
          assert.deepStrictEqual(yield* answer(repository, query, index), yield* answer(repository, query))
        }
      })
      yield* isRight
      for (const name of made.blobs.keys()) if (name.startsWith("host/elsa/2024-01-02")) made.blobs.delete(name)
      yield* isRight
    }).pipe(Effect.scoped),
  )

  it.effect("ends where enough is found, and says so", () =>
    Effect.gen(function* () {
      const made = yield* backups.make(4)
      const index = yield* HistoryIndex.openForWriting(yield* indexFile)
      yield* Stream.runDrain(BuildIndex.build(made.repository, index, { encrypted: false }))
      const all = (yield* answer(made.repository, {})).length
      assert.isAbove(all, 4)
      for (const known of [index, undefined]) {
        for (const limit of [2, 1000]) {
          let isLimited = false
          const options = { query: anything, index: known, limit, onLimit: () => void (isLimited = true) }
          const found = yield* Stream.runCollect(Find.find(made.repository, options))
          assert.strictEqual(isLimited, limit === 2)
          // Whoever walks is through with what is small before that is noticed.
          if (known !== undefined) assert.strictEqual(found.length < all, isLimited)
          else assert.isAtMost(found.length, all)
        }
      }
    }).pipe(Effect.scoped),
  )

  it.effect("leaves an archive out whose metadata is damaged, says what walking says, and takes a healed one", () =>
    Effect.gen(function* () {
      const made = yield* backups.make(2, { split: true })
      const index = yield* HistoryIndex.openForWriting(yield* indexFile)
      // The last chunk has the table of the root.
      const metadata = made.blobs.get("host/elsa/2024-01-06T00:00:00Z/root.mpxar.didx")!
      const parsed = Result.getOrThrow(DynamicIndex.parse(metadata))
      const chunk = chunkPath(parsed.digest(parsed.count - 1))
      const sound = made.blobs.get(chunk)!
      made.blobs.set(
        chunk,
        sound.map((byte, at) => (at === sound.length - 1 ? byte ^ 1 : byte)),
      )
      const repository = yield* stores.over(BlobStore.fromMap(made.blobs))
      const build = (from: typeof repository) =>
        Effect.map(Stream.runCollect(BuildIndex.build(from, index, { encrypted: false })), (built) =>
          built.filter(({ _tag }) => _tag !== "Known").map(({ _tag }) => _tag),
        )
      assert.include(yield* build(repository), "Irregular")
      const damaged = yield* answer(repository, {})
      assert.isTrue(
        damaged.some((each) => String(each[0]).includes("checksum")),
        "walking tells of the chunk",
      )
      assert.deepStrictEqual(yield* answer(repository, {}, index), damaged)
      made.blobs.set(chunk, sound)
      const healed = yield* stores.over(BlobStore.fromMap(made.blobs))
      assert.deepStrictEqual(new Set(yield* build(healed)), new Set(["Added"]))
      assert.deepStrictEqual(yield* answer(healed, {}, index), yield* answer(healed, {}))
    }).pipe(Effect.scoped),
  )

  it.live("is built over a line of 50 ms with several archives under way, and asks for nothing twice", () =>
    Effect.gen(function* () {
      const made = yield* backups.make(2, { days: 9, split: true })
      const far = (line: FarLine.FarLine) => {
        const blobs = BlobStore.fromMap(made.blobs)
        return stores.over({
          name: blobs.name,
          list: (folder) => line.carry(`${folder}/`, blobs.list(folder), () => 0),
          read: (blob, limit) => line.carry(blob, blobs.read(blob, limit), ({ length }) => length),
        })
      }
      const looking = FarLine.make({ roundTrip: "50 millis" })
      yield* BuildIndex.coverage(yield* far(looking), undefined, {})
      const line = FarLine.make({ roundTrip: "50 millis" })
      const repository = yield* far(line)
      const index = yield* HistoryIndex.openForWriting(yield* indexFile)
      const built = yield* Stream.runCollect(BuildIndex.build(repository, index, { encrypted: false, jobs: 8 }))
      const chunks = line.asked.filter((name) => name.startsWith(".chunks"))
      assert.isAbove(chunks.length, 4)
      assert.strictEqual(new Set(chunks).size, chunks.length)
      // Whoever has seen all manifests reads all indexes at once, and then chunks of several archives at once.
      const rounds = line.rounds - looking.rounds
      assert.isAtMost(rounds, 1 + built.length / 2, `${rounds} round trips for ${built.length} archives`)
      const asked = line.asked.length
      const hits = yield* answer(repository, { patterns: ["alpha"] }, index)
      assert.isAbove(hits.length, 0)
      assert.deepStrictEqual(
        line.asked.slice(asked).filter((name) => name.startsWith(".chunks") || name.endsWith(".didx")),
        [],
      )
    }).pipe(Effect.scoped),
  )
})
