/** Verification of the fixture datastores finds what `expected.json` says, and nothing else. */
import { assert, describe, it } from "@effect/vitest"
import { Effect, Stream } from "effect"
import { toKey } from "../../../src/domain/Bytes.ts"
import * as BlobStore from "../../../src/services/blobs/BlobStore.ts"
import * as BlobStoreWrappers from "../../../src/services/blobs/BlobStoreWrappers.ts"
import * as FolderBlobStore from "../../../src/services/blobs/FolderBlobStore.ts"
import * as KeyRing from "../../../src/services/keys/KeyRing.ts"
import * as DatastoreVerifier from "../../../src/services/verify/DatastoreVerifier.ts"
import * as Datastores from "../../support/Datastores.ts"
import * as FarLine from "../../support/FarLine.ts"
import * as backups from "../history/backups.ts"
import * as stores from "../repository/stores.ts"

const verify = Effect.fnUntraced(function* (
  name: Datastores.StoreName,
  options: DatastoreVerifier.Options = {},
  keys?: KeyRing.KeyRing,
) {
  const { counts, store } = BlobStoreWrappers.counting(FolderBlobStore.make(Datastores.store(name)))
  const ring = keys ?? (yield* stores.keys(["key1", "key2"]))
  const repository = yield* stores.over(store, { keys: ring })
  const events = yield* Stream.runCollect(DatastoreVerifier.verify(repository, options))
  const problems = events.filter((event) => event._tag === "Problem")
  const verdict = events.at(-1)
  assert.strictEqual(verdict?._tag, "Verdict")
  const read = counts.blobs.filter((blob) => blob.startsWith(".chunks/"))
  return { problems, verdict: verdict as DatastoreVerifier.Verdict, read }
})

const pathOf = ({ ns, snapshot }: Datastores.ExpectedSnapshot) =>
  ns === ""
    ? snapshot
    : `${ns
        .split("/")
        .map((part) => `ns/${part}`)
        .join("/")}/${snapshot}`

describe("DatastoreVerifier", () => {
  it.live("finds nothing wrong with a sound datastore, and reads every chunk once", () =>
    Effect.gen(function* () {
      const { problems, read, verdict } = yield* verify("datastore-plain")
      assert.deepStrictEqual(
        problems.map(({ check }) => check),
        ["SnapshotUnfinished"],
      )
      assert.strictEqual(verdict.result, "notes")
      assert.strictEqual(read.length, new Set(read).size)
      assert.strictEqual(verdict.chunks, Datastores.expected.stores["datastore-plain"].chunk_files)
    }),
  )

  it.live("finds every fault of the damaged snapshots, with what is lost, and nothing else", () =>
    Effect.gen(function* () {
      const { problems, verdict } = yield* verify("datastore-damaged")
      assert.strictEqual(verdict.result, "damaged")
      for (const row of Datastores.expected.stores["datastore-damaged"].snapshots) {
        const found = problems.filter(({ snapshot }) => snapshot === pathOf(row))
        const faulty = row.files.filter(({ error }) => error !== undefined)
        const wanted = [
          row.error,
          row.warning,
          row.contents_error,
          ...row.files.map(({ warning }) => warning),
          ...faulty.flatMap(({ also = [], error }) => [error, ...also]),
        ]
        for (const { check, detail } of found) assert.include(wanted, check, `${row.snapshot}: ${detail}`)
        if (wanted.some((check) => check !== undefined && check !== null)) assert.isNotEmpty(found, row.snapshot)
        const lost = found.flatMap(({ range }) => (range === undefined ? [] : [[range.start, range.end]]))
        const ranges = faulty.flatMap(({ damaged_ranges = [] }) => damaged_ranges.map(([start, end]) => [start, end]))
        assert.deepStrictEqual(lost, ranges, row.snapshot)
      }
    }),
  )

  it.live.each([
    { isFar: false, jobs: undefined, most: 4 },
    { isFar: true, jobs: undefined, most: 16 },
    { isFar: true, jobs: 3, most: 3 },
  ])("checks as many chunks at once as the way is long, or as it is told: $most", ({ isFar, jobs, most }) =>
    Effect.gen(function* () {
      const line = FarLine.make({ roundTrip: "10 millis" })
      const store = FolderBlobStore.make(Datastores.store("datastore-plain"))
      const far = FarLine.store(line, store)
      // What is read ahead of backups comes besides.
      const read = (blob: string, limit: number) => (blob.startsWith(".chunks/") ? far : store).read(blob, limit)
      const repository = yield* stores.over({ ...store, read }, { isFar })
      yield* Stream.runDrain(DatastoreVerifier.verify(repository, { jobs }))
      assert.strictEqual(line.mostInFlight, most)
    }),
  )

  it.live.each([undefined, { index: 2, count: 4 }])("waits for no backup of many before the next: shard %o", (shard) =>
    Effect.gen(function* () {
      const days = 8
      const { blobs } = yield* backups.make(2, { days, split: true })
      const line = FarLine.make({ roundTrip: "10 millis" })
      const repository = yield* stores.over(FarLine.store(line, BlobStore.fromMap(blobs)), { isFar: true })
      const before = line.rounds
      const jobs = 64
      const events = yield* Stream.runCollect(DatastoreVerifier.verify(repository, { jobs, shard }))
      assert.strictEqual((events.at(-1) as DatastoreVerifier.Verdict).result, "sound")
      // Each has its manifest, its indexes, its blobs and its chunks: one after the other these would be six a backup.
      assert.isAtMost(line.rounds - before, 2 * days)
    }),
  )

  it.live("tells of a damaged chunk for each backup that has it, also while it is being looked at", () =>
    Effect.gen(function* () {
      const { blobs } = yield* backups.make(2, { days: 4, split: true })
      const digests = [...blobs.keys()].filter((name) => name.startsWith(".chunks/"))
      const line = FarLine.make({ roundTrip: "10 millis" })
      const counts: Array<number> = []
      for (const jobs of [1, 64]) {
        const damaged = new Map(blobs)
        for (const digest of digests) damaged.set(digest, new Uint8Array(20))
        const repository = yield* stores.over(FarLine.store(line, BlobStore.fromMap(damaged)), { isFar: true })
        const events = yield* Stream.runCollect(DatastoreVerifier.verify(repository, { jobs }))
        counts.push(events.length)
      }
      assert.isAbove(counts[0] as number, digests.length)
      assert.strictEqual(counts[1], counts[0])
    }),
  )

  it.live("says what could only be checked in part without the keys", () =>
    Effect.gen(function* () {
      const filters = [{ names: ["host", "alpha"] }]
      const { problems, verdict } = yield* verify("datastore-encrypted", { filters }, KeyRing.empty)
      assert.isTrue(problems.every(({ severity }) => severity === "note"))
      assert.isAbove(verdict.partly, 20)
      assert.strictEqual(verdict.partly, verdict.chunks)
    }),
  )

  it.live("can be done in parts, which together are the whole", () =>
    Effect.gen(function* () {
      const whole = yield* verify("datastore-damaged")
      const parts = yield* Effect.forEach([1, 2, 3, 4, 5], (index) =>
        verify("datastore-damaged", { shard: { index, count: 5 } }),
      )
      assert.strictEqual(
        parts.reduce((sum, { verdict }) => sum + verdict.chunks, 0),
        whole.verdict.chunks,
      )
      const texts = (problems: ReadonlyArray<DatastoreVerifier.Problem>) =>
        problems.map((problem) => JSON.stringify(problem)).toSorted()
      assert.deepStrictEqual(texts(parts.flatMap(({ problems }) => problems)), texts(whole.problems))
    }),
  )

  it.live("goes on where it was: only what was not good is checked again", () =>
    Effect.gen(function* () {
      const good = new Set<string>()
      const state = {
        isDone: (digest: Uint8Array) => good.has(toKey(digest)),
        onGood: (digest: Uint8Array) => void good.add(toKey(digest)),
      }
      const first = yield* verify("datastore-damaged", state)
      const second = yield* verify("datastore-damaged", state)
      assert.strictEqual(second.verdict.skipped, good.size)
      assert.strictEqual(second.verdict.chunks, first.verdict.chunks - good.size)
      assert.strictEqual(second.problems.length, first.problems.length)
    }),
  )
})
