import { assert, describe, it } from "@effect/vitest"
import { Arbitrary, Effect } from "effect"
import * as BlockCache from "../../../src/services/archive/BlockCache.ts"
import { fromBytes, type ByteSource } from "../../../src/services/bytes/ByteSource.ts"
import { anyInteger } from "../../domain/pxar/helpers.ts"
import { recorded } from "./helpers.ts"
import { SIZE, bytes, blockSize, make, take, decode, read, stepping } from "./blocks.ts"

describe("BlockCache.decode of an entry without neighbours", () => {
  const large = Buffer.alloc(100_000, "large")
  const makeLarge = () => {
    const source = recorded(large)
    return { source, cache: BlockCache.make(source) }
  }

  it.effect("reads little of it, from its position on", () =>
    Effect.gen(function* () {
      const { cache, source } = makeLarge()
      const value = yield* decode(cache, 20_000, 50_000, take(20_000, 20_100))
      assert.strictEqual(Buffer.compare(value, large.subarray(20_000, 20_100)), 0)
      assert.lengthOf(source.reads, 1)
      assert.strictEqual(source.reads[0]![0], 20_000)
      assert.isAtMost(source.reads[0]![1], 4096)
    }),
  )

  it.effect("drops no block for it", () =>
    Effect.gen(function* () {
      const source = recorded(large)
      const cache = BlockCache.make(source, { blockSize: 1000, capacity: 1000 })
      yield* read(cache, 0, 8)
      yield* decode(cache, 20_000, 50_000, take(20_000, 20_100))
      source.reads.length = 0
      yield* read(cache, 0, 8)
      assert.lengthOf(source.reads, 0)
    }),
  )

  it.effect("reads no further than the source", () =>
    Effect.gen(function* () {
      const { cache, source } = makeLarge()
      yield* decode(cache, 99_900, 50_000, take(99_900, 100_000))
      assert.deepStrictEqual(source.reads, [[99_900, 100]])
    }),
  )

  it.effect("reads more of it in few steps where a decoder wants that", () =>
    Effect.gen(function* () {
      const { cache, source } = makeLarge()
      const value = yield* decode(cache, 100, 90_000, stepping(100, 60_100, 100))
      assert.strictEqual(value.length, 60_000)
      assert.isAtMost(source.reads.length, 8)
    }),
  )
})

describe("BlockCache's capacity", () => {
  it.effect("keeps as many blocks as fit", () =>
    Effect.gen(function* () {
      const { cache, source } = make(4)
      for (const block of [0, 1, 2, 3, 0, 1, 2, 3]) yield* read(cache, block * blockSize, 8)
      assert.lengthOf(source.reads, 4)
    }),
  )

  it.effect("drops the block that was used least recently", () =>
    Effect.gen(function* () {
      const { cache, source } = make(2)
      for (const block of [0, 1, 0, 2]) yield* read(cache, block * blockSize, 8)
      source.reads.length = 0
      yield* read(cache, 0, 8)
      assert.lengthOf(source.reads, 0)
      yield* read(cache, blockSize, 8)
      assert.lengthOf(source.reads, 1)
    }),
  )

  it.effect("keeps one block even if none fits", () =>
    Effect.gen(function* () {
      const source = recorded(bytes)
      const cache = BlockCache.make(source, { blockSize, capacity: 1 })
      yield* read(cache, 0, 8)
      yield* read(cache, 8, 8)
      assert.lengthOf(source.reads, 1)
    }),
  )

  it.effect("is respected when many fibers miss at once", () =>
    Effect.gen(function* () {
      const { cache, source } = make(2)
      const all = Array.from({ length: 15 }, (_, block) => block)
      yield* Effect.forEach(all, (block) => read(cache, block * blockSize, 8), { concurrency: "unbounded" })
      source.reads.length = 0
      for (const block of all) yield* read(cache, block * blockSize, 8)
      assert.isAtLeast(source.reads.length, all.length - 2)
    }),
  )

  const anyAccess = Arbitrary.all([anyInteger(0, SIZE - 1), anyInteger(0, 300)])

  it.effect.prop(
    "never changes what is read, and reads what a model with that many blocks would",
    [Arbitrary.array(anyAccess, { maxLength: 40 }), anyInteger(1, 5)],
    ([accesses, capacity]) =>
      Effect.gen(function* () {
        const { cache, source } = make(capacity)
        let model: ReadonlyArray<number> = []
        let misses = 0
        for (const [start, length] of accesses) {
          const end = Math.min(SIZE, start + length)
          const block = Math.floor(start / blockSize)
          assert.deepStrictEqual(yield* read(cache, start, end - start), bytes.slice(start, end))
          if (!model.includes(block)) misses++
          if (end > (block + 1) * blockSize) misses++
          model = [...model.filter((held) => held !== block), block].slice(-capacity)
        }
        assert.strictEqual(source.reads.length, misses)
      }),
    { arbitrary: { size: 100 } },
  )

  it.effect.prop(
    "never changes what is read, whatever is cached",
    [Arbitrary.array(anyAccess, { maxLength: 40 }), anyInteger(1, 5), anyInteger(1, 7)],
    ([accesses, capacity, period]) =>
      Effect.gen(function* () {
        const inner = fromBytes(bytes)
        const source: ByteSource = {
          ...inner,
          read: (target, offset) =>
            (offset + target.length) % period === 0
              ? Effect.suspend(() => inner.read(target, offset))
              : inner.read(target, offset),
        }
        const cache = BlockCache.make(source, { blockSize, capacity: capacity * blockSize })
        for (const [start, length] of accesses) {
          const end = Math.min(SIZE, start + length)
          assert.deepStrictEqual(yield* read(cache, start, end - start), bytes.slice(start, end))
        }
      }),
    { arbitrary: { size: 100 } },
  )
})
