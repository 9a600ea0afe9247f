import { assert, describe, it } from "@effect/vitest"
import { Arbitrary, Effect, Fiber, Schema } from "effect"
import * as AtOnce from "../../../src/services/AtOnce.ts"
import { BlobError, type BlobStore, fromMap } from "../../../src/services/blobs/BlobStore.ts"
import * as BlobStoreWrappers from "../../../src/services/blobs/BlobStoreWrappers.ts"
import * as ChunkCache from "../../../src/services/bytes/ChunkCache.ts"
import * as ChunkedSource from "../../../src/services/chunks/ChunkedSource.ts"
import * as ChunkStore from "../../../src/services/chunks/ChunkStore.ts"
import * as FarLine from "../../support/FarLine.ts"
import * as Processes from "../../support/Processes.ts"
import { make as makeRandom } from "../../support/Random.ts"
import { type Compression, key, put } from "../repository/chunked.ts"

const integer = (minimum: number, maximum: number) =>
  Schema.Int.pipe(Schema.check(Schema.isBetween({ minimum, maximum })))
const COMPRESSIONS: ReadonlyArray<Compression> = ["none", "sized", "streamed", "frames"]

/** A stream in memory, its store and a source over it. */
const open = Effect.fnUntraced(function* (options: {
  readonly lengths: ReadonlyArray<number>
  readonly encrypted?: boolean
  readonly capacity?: number
  readonly requests?: number
  readonly before?: (name: string) => Effect.Effect<void, BlobError>
  readonly wrap?: (store: BlobStore) => BlobStore
}) {
  const { before = () => Effect.void, capacity, encrypted = false, lengths, requests, wrap } = options
  const random = makeRandom(lengths.length)
  // Compressible, and not the same anywhere.
  const bytes = Uint8Array.from({ length: lengths.reduce((sum, length) => sum + length, 0) }, () => random.below(4))
  const blobs = new Map<string, Uint8Array>()
  const { index } = yield* put(blobs, bytes, lengths, {
    encrypted,
    compression: (chunk) => COMPRESSIONS[chunk % 4] as Compression,
  })
  const near = BlobStoreWrappers.intercepted(fromMap(blobs), before)
  const { counts, store } = BlobStoreWrappers.counting(wrap === undefined ? near : wrap(near))
  const cache = yield* ChunkCache.make(capacity, { isFar: wrap !== undefined, requests })
  const chunks = ChunkStore.make({ stores: [store], cache })
  const source = yield* ChunkedSource.make({
    name: "x.didx",
    index,
    store: chunks,
    encrypted,
    key: encrypted ? key : undefined,
  })
  return { bytes, blobs, cache, counts, index, source }
})

const readAll = (source: ChunkedSource.ChunkedSource, offset = 0, length = source.size - offset) => {
  const target = new Uint8Array(length)
  return Effect.as(source.read(target, offset), target)
}

describe("ChunkedSource", () => {
  it.live.prop(
    "gives the plain bytes, however they are cut, stored, cached, read and interrupted",
    [
      Arbitrary.array(Arbitrary.schema(integer(1, 700)), { minLength: 1, maxLength: 12 }),
      Schema.Boolean,
      integer(0, 12),
      Arbitrary.array(Arbitrary.schema(Schema.Tuple([integer(0, 9999), integer(0, 9999), integer(0, 3)])), {
        minLength: 1,
        maxLength: 12,
      }),
    ],
    ([lengths, encrypted, chunksHeld, reads]) =>
      Effect.gen(function* () {
        // From none at all, over two of the largest, to all.
        const { bytes, source } = yield* open({ lengths, encrypted, capacity: chunksHeld * Math.max(...lengths) })
        yield* Effect.forEach(
          reads,
          ([from, to, interruption]) =>
            Effect.gen(function* () {
              const [start, end] = [from % (bytes.length + 1), to % (bytes.length + 1)].toSorted((a, b) => a - b) as [
                number,
                number,
              ]
              const target = new Uint8Array(end - start)
              if (interruption === 0) {
                const doomed = yield* Effect.forkChild(source.read(new Uint8Array(end - start), start), {
                  startImmediately: true,
                })
                yield* Fiber.interrupt(doomed)
              }
              yield* source.read(target, start)
              assert.deepStrictEqual(target, bytes.slice(start, end))
            }),
          { concurrency: 4, discard: true },
        )
        return true
      }).pipe(Effect.scoped),
  )

  it.live("has ended when it returns, where the chunks are at hand", () =>
    Effect.gen(function* () {
      const { bytes, source } = yield* open({ lengths: [10, 20, 30] })
      assert.isFalse(AtOnce.hasEnded(source.read(new Uint8Array(60), 0)))
      yield* readAll(source)
      const target = new Uint8Array(25)
      assert.isTrue(AtOnce.hasEnded(source.read(target, 5)))
      assert.deepStrictEqual(target, bytes.slice(5, 30))
    }),
  )

  it.effect.each([
    [-1, 1],
    [0, 61],
    [60, 1],
  ] as const)("does not read beyond its end: %i, %i bytes", ([offset, length]) =>
    Effect.gen(function* () {
      const { source } = yield* open({ lengths: [60] })
      assert.include((yield* Effect.flip(source.read(new Uint8Array(length), offset))).message, "past the end")
    }),
  )

  it.live("reads ahead for those who go forward, by the index, and for nobody else", () =>
    Effect.gen(function* () {
      const forward = yield* open({ lengths: Array.from({ length: 40 }, () => 50), capacity: 400 })
      for (let offset = 0; offset < 500; offset += 50) yield* readAll(forward.source, offset, 50)
      yield* Effect.repeat(Effect.sleep(1), { until: () => forward.cache.memory().loading === 0 })
      const want = (chunk: number) => ChunkStore.chunkPath(forward.index.digest(chunk))
      assert.includeMembers(forward.counts.blobs, [want(10), want(11)])
      assert.notInclude(forward.counts.blobs, want(12))

      const jumping = yield* open({ lengths: Array.from({ length: 40 }, () => 50) })
      for (const chunk of [0, 30, 5, 20, 12]) yield* readAll(jumping.source, chunk * 50, 50)
      assert.strictEqual(jumping.counts.reads, 5)
    }),
  )

  it.live("reads a stream far away in a few round trips, with a quarter of the cache under way at most", () =>
    Effect.gen(function* () {
      const waiting: Array<() => void> = []
      const { bytes, counts, source } = yield* open({
        lengths: Array.from({ length: 64 }, () => 1000),
        capacity: 32_000,
        wrap: (near) => ({
          ...near,
          read: (blob, limit) => Effect.callback((resume) => void waiting.push(() => resume(near.read(blob, limit)))),
        }),
      })
      const reader = yield* Effect.forkChild(
        Effect.gen(function* () {
          for (let offset = 0; offset < bytes.length; offset += 250) {
            assert.deepStrictEqual(yield* readAll(source, offset, 250), bytes.slice(offset, offset + 250))
          }
        }),
      )
      // Each round is answered when all has been asked for that can be: one chunk first, then as many as there is room for.
      for (let left = 64, room = 1; left > 0; left -= room, room = Math.min(8, left)) {
        yield* Processes.eventually(
          `${room} requests, of ${left} chunks left`,
          Effect.sync(() => waiting.length),
          (asked) => asked >= room,
        )
        assert.strictEqual(waiting.length, room)
        for (const answer of waiting.splice(0)) answer()
      }
      yield* Fiber.join(reader)
      assert.strictEqual(counts.reads, 64)
    }),
  )

  it.live("asks at once for all chunks of a read, and for those that it is told of", () =>
    Effect.gen(function* () {
      const line = FarLine.make({ roundTrip: "20 millis" })
      const { source } = yield* open({
        lengths: Array.from({ length: 40 }, () => 1000),
        capacity: 80_000,
        wrap: (near) => FarLine.store(line, near),
      })
      yield* readAll(source, 500, 5000)
      assert.strictEqual(line.rounds, 1)
      source.expect?.([
        { start: 20_000, end: 20_001 },
        { start: 30_000, end: 31_001 },
      ])
      for (const offset of [20_000, 30_000, 31_000]) yield* readAll(source, offset, 1)
      assert.strictEqual(line.rounds, 2)
    }),
  )

  it.live("gives up what was to be read ahead for a reader that is interrupted, and has not begun", () =>
    Effect.gen(function* () {
      const line = FarLine.make()
      const { source } = yield* open({
        lengths: Array.from({ length: 64 }, () => 1000),
        capacity: 400_000,
        requests: 2,
        wrap: (near) => FarLine.store(line, near),
      })
      for (let offset = 0; offset < 750; offset += 250) yield* readAll(source, offset, 250)
      line.isStalled = true
      const reader = yield* Effect.forkChild(readAll(source, 30_000, 250), { startImmediately: true })
      yield* Fiber.interrupt(reader)
      const asked = line.asked.length
      line.isStalled = false
      yield* readAll(source, 0, 1)
      assert.lengthOf(line.asked, asked)
    }),
  )

  it.live("loses the range of a damaged chunk and nothing else", () =>
    Effect.gen(function* () {
      const { blobs, bytes, index, source } = yield* open({ lengths: [100, 100, 100] })
      blobs.delete(ChunkStore.chunkPath(index.digest(1)))
      const error = yield* Effect.flip(readAll(source, 150, 10))
      assert.deepInclude(error, { offset: 100, end: 200, isLost: true, retryable: false })
      assert.match(
        error.message,
        /^x\.didx: bytes 100 to 200 are in the chunk memory\/\.chunks\/....\/[0-9a-f]{64}, which is missing \(ChunkMissing\)/,
      )
      assert.deepStrictEqual(yield* readAll(source, 0, 100), bytes.slice(0, 100))
      assert.deepStrictEqual(yield* readAll(source, 200, 100), bytes.slice(200))
    }),
  )

  it.live("does not take a store that fails for damage: nothing is lost, and the next read tries again", () =>
    Effect.gen(function* () {
      let isBroken = true
      const error = new BlobError({
        store: "memory",
        blob: "x",
        reason: "Failed",
        detail: "input/output error",
        isTransient: true,
      })
      const { bytes, source } = yield* open({
        lengths: [100],
        before: () => Effect.suspend(() => (isBroken ? Effect.fail(error) : Effect.void)),
      })
      const failure = yield* Effect.flip(readAll(source))
      assert.include(failure.message, "input/output error (IO)")
      assert.deepInclude(failure, { isLost: false, retryable: true })
      isBroken = false
      assert.deepStrictEqual(yield* readAll(source), bytes)
    }),
  )
})
