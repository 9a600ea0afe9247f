import { assert, describe, it } from "@effect/vitest"
import { Deferred, Effect, Fiber } from "effect"
import * as ChunkCache from "../../../src/services/bytes/ChunkCache.ts"
import * as OwnMemory from "../../../src/services/bytes/OwnMemory.ts"
import { ChunkFault } from "../../../src/services/chunks/ChunkFault.ts"

const same = (chunk: Uint8Array): Uint8Array => chunk

/** Chunks of 10 bytes that arrive when they are told to, and the order in which they were asked for. */
const makeChunks = () => {
  const started: Array<string> = []
  const gates = new Map<string, Deferred.Deferred<Uint8Array, ChunkFault>>()
  const gate = (key: string) => {
    const known = gates.get(key) ?? Deferred.makeUnsafe<Uint8Array, ChunkFault>()
    gates.set(key, known)
    return known
  }
  return {
    started,
    load: (key: string): ChunkCache.Load<ChunkFault> =>
      Effect.suspend(() => {
        started.push(key)
        return Deferred.await(gate(key))
      }),
    arrive: (key: string) => Deferred.succeed(gate(key), new Uint8Array(10)),
    fail: (key: string) => {
      const fault = new ChunkFault({ check: "CrcMismatch", file: key, detail: "is damaged", isTransient: false })
      return Effect.andThen(
        Deferred.fail(gate(key), fault),
        Effect.sync(() => gates.delete(key)),
      )
    },
  }
}

describe("ChunkCache", () => {
  it.effect("loads once what many want at once", () =>
    Effect.gen(function* () {
      const cache = yield* ChunkCache.make(100)
      const chunks = makeChunks()
      const readers = yield* Effect.forEach([1, 2, 3], () =>
        Effect.forkChild(cache.get("a", 10, chunks.load("a"), same)),
      )
      yield* Effect.yieldNow
      yield* chunks.arrive("a")
      const read = yield* Effect.forEach(readers, Fiber.join)
      assert.deepStrictEqual(chunks.started, ["a"])
      assert.strictEqual(read[0], read[2])
      assert.strictEqual(cache.held("a"), read[0])
    }),
  )

  it.effect("drops what was used longest ago, and never keeps more than its capacity", () =>
    Effect.gen(function* () {
      const cache = yield* ChunkCache.make(35)
      const load = Effect.succeed(new Uint8Array(10))
      for (const key of ["a", "b", "c"]) yield* cache.get(key, 10, load, same)
      assert.isDefined(cache.held("a"))
      yield* cache.get("d", 10, load, same)
      assert.deepStrictEqual(
        ["a", "b", "c", "d"].map((key) => cache.held(key) !== undefined),
        [true, false, true, true],
      )
      assert.deepStrictEqual(cache.memory(), { chunks: 3, bytes: 30, loading: 0 })
    }),
  )

  it.effect("has no more than its capacity, with what is under way", () =>
    Effect.gen(function* () {
      const cache = yield* ChunkCache.make(35)
      const chunks = makeChunks()
      for (const key of ["a", "b", "c"]) yield* cache.get(key, 10, Effect.succeed(new Uint8Array(10)), same)
      yield* Effect.forkChild(cache.get("d", 10, chunks.load("d"), same), { startImmediately: true })
      assert.deepStrictEqual(cache.memory(), { chunks: 2, bytes: 20, loading: 10 })
      assert.isUndefined(cache.held("a"))
    }),
  )

  it.effect("has room for what was stored of a chunk under way, too", () =>
    Effect.gen(function* () {
      const cache = yield* ChunkCache.make(80)
      const chunks = makeChunks()
      for (const key of "abcdefgh") yield* cache.get(key, 10, Effect.succeed(new Uint8Array(10)), same)
      yield* Effect.forkChild(cache.get("i", 10, chunks.load("i"), same), { startImmediately: true })
      assert.deepStrictEqual(cache.memory(), { chunks: 6, bytes: 60, loading: 10 })
    }),
  )

  it.effect("gives back the memory of what it drops", () =>
    Effect.gen(function* () {
      const cache = yield* ChunkCache.make(15)
      const memory = OwnMemory.allocate(10)
      yield* cache.get("a", 10, Effect.succeed(memory), () => undefined)
      assert.lengthOf(memory, 10)
      yield* cache.get("b", 10, Effect.succeed(new Uint8Array(10)), () => undefined)
      assert.lengthOf(memory, 0)
    }),
  )

  it.effect("keeps the memory of what it drops for those who have waited for it and have not seen it yet", () =>
    Effect.gen(function* () {
      const cache = yield* ChunkCache.make(15)
      const gate = yield* Deferred.make<Uint8Array>()
      const dropped: Array<boolean> = []
      // The first to see it has another take its place before the second does.
      const use = (chunk: Uint8Array): number => {
        Effect.runFork(cache.get("b", 10, Effect.succeed(new Uint8Array(10)), () => undefined))
        dropped.push(cache.held("a") === undefined)
        return chunk.length
      }
      const readers = yield* Effect.forEach([1, 2], () =>
        Effect.forkChild(cache.get("a", 10, Deferred.await(gate), use), { startImmediately: true }),
      )
      yield* Deferred.succeed(gate, OwnMemory.allocate(10))
      assert.deepStrictEqual(yield* Effect.forEach(readers, Fiber.join), [10, 10])
      assert.deepStrictEqual(dropped, [true, true])
    }),
  )

  it.effect("hands on a chunk larger than it is, without keeping it", () =>
    Effect.gen(function* () {
      const cache = yield* ChunkCache.make(5)
      assert.strictEqual((yield* cache.get("a", 10, Effect.succeed(new Uint8Array(10)), same)).length, 10)
      assert.strictEqual(cache.memory().bytes, 0)
    }),
  )

  it.effect("does not keep failures", () =>
    Effect.gen(function* () {
      const cache = yield* ChunkCache.make(100)
      const chunks = makeChunks()
      const reader = yield* Effect.forkChild(Effect.flip(cache.get("a", 10, chunks.load("a"), same)))
      yield* Effect.yieldNow
      yield* chunks.fail("a")
      assert.strictEqual((yield* Fiber.join(reader)).check, "CrcMismatch")
      yield* chunks.arrive("a")
      assert.strictEqual((yield* cache.get("a", 10, chunks.load("a"), same)).length, 10)
    }),
  )

  it.effect("leaves a load to the others when a reader is interrupted", () =>
    Effect.gen(function* () {
      const cache = yield* ChunkCache.make(100)
      const chunks = makeChunks()
      const [first, second] = [
        yield* Effect.forkChild(cache.get("a", 10, chunks.load("a"), same)),
        yield* Effect.forkChild(cache.get("a", 10, chunks.load("a"), same)),
      ]
      yield* Effect.yieldNow
      yield* Fiber.interrupt(first)
      yield* chunks.arrive("a")
      assert.strictEqual((yield* Fiber.join(second)).length, 10)
    }),
  )

  it.effect("has at most a quarter of its capacity under way, and drops what nobody waits for any more", () =>
    Effect.gen(function* () {
      const cache = yield* ChunkCache.make(80)
      const chunks = makeChunks()
      const readers = yield* Effect.forEach(["a", "b", "c", "d"], (key) =>
        Effect.forkChild(cache.get(key, 10, chunks.load(key), same)),
      )
      yield* Effect.yieldNow
      assert.deepStrictEqual(chunks.started, ["a", "b"])
      assert.strictEqual(cache.memory().loading, 20)
      yield* Fiber.interrupt(readers[2] as Fiber.Fiber<unknown, unknown>)
      yield* chunks.arrive("a")
      yield* Fiber.join(readers[0] as Fiber.Fiber<unknown, unknown>)
      assert.deepStrictEqual(chunks.started, ["a", "b", "d"])
    }),
  )

  it.effect.each([
    { what: "sixteen chunks", length: 10, isFar: true, count: 16 },
    { what: "sixty-four small ones that are far away", length: 2, isFar: true, count: 64 },
    { what: "sixteen that are near", length: 2, isFar: false, count: 16 },
  ])("has at most so many under way: $what", ({ count, isFar, length }) =>
    Effect.gen(function* () {
      const cache = yield* ChunkCache.make(2048, { isFar })
      const chunks = makeChunks()
      for (let chunk = 0; chunk < 100; chunk++) cache.prefetch(String(chunk), length, chunks.load(String(chunk)))
      yield* Effect.promise(() => Promise.resolve())
      assert.lengthOf(chunks.started, count)
    }),
  )

  it.effect("loads what somebody waits for before what is read ahead", () =>
    Effect.gen(function* () {
      const cache = yield* ChunkCache.make(40)
      const chunks = makeChunks()
      for (const key of ["ahead 1", "ahead 2"]) cache.prefetch(key, 10, chunks.load(key))
      const reader = yield* Effect.forkChild(cache.get("wanted", 10, chunks.load("wanted"), same), {
        startImmediately: true,
      })
      yield* chunks.arrive("wanted")
      yield* Fiber.join(reader)
      yield* chunks.arrive("ahead 1")
      const ahead = yield* Effect.forkChild(cache.get("ahead 2", 10, chunks.load("ahead 2"), same), {
        startImmediately: true,
      })
      yield* chunks.arrive("ahead 2")
      yield* Fiber.join(ahead)
      assert.deepStrictEqual(chunks.started, ["wanted", "ahead 1", "ahead 2"])
    }),
  )

  it.effect("keeps what is to be read ahead and is there already as long as what was just read", () =>
    Effect.gen(function* () {
      const cache = yield* ChunkCache.make(40)
      const load = Effect.succeed(new Uint8Array(10))
      for (const key of ["a", "b", "c", "d"]) yield* cache.get(key, 10, load, same)
      cache.prefetch("a", 10, load)
      yield* cache.get("e", 10, load, same)
      assert.deepStrictEqual(
        ["a", "b"].map((key) => cache.held(key) !== undefined),
        [true, false],
      )
    }),
  )

  it.effect("reads nothing ahead that would take more than a quarter of it", () =>
    Effect.gen(function* () {
      const cache = yield* ChunkCache.make(39)
      const chunks = makeChunks()
      cache.prefetch("a", 10, chunks.load("a"))
      yield* Effect.promise(() => Promise.resolve())
      assert.deepStrictEqual(chunks.started, [])
    }),
  )
})
