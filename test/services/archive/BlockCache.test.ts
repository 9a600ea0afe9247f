import { assert, describe, it } from "@effect/vitest"
import { Effect, Exit } from "effect"
import { malformed } from "../../../src/domain/pxar/FormatError.ts"
import * as AtOnce from "../../../src/services/AtOnce.ts"
import * as BlockCache from "../../../src/services/archive/BlockCache.ts"
import { fromBytes, type ByteSource } from "../../../src/services/bytes/ByteSource.ts"
import { failing } from "./helpers.ts"
import { SIZE, bytes, blockSize, make, take, decode, read, stepping } from "./blocks.ts"

describe("BlockCache.decode", () => {
  it.effect("reads the block that a position is in", () =>
    Effect.gen(function* () {
      const { cache, source } = make()
      assert.deepStrictEqual(yield* read(cache, 70, 10), bytes.slice(70, 80))
      assert.deepStrictEqual(source.reads, [[64, 64]])
    }),
  )

  it.effect("reads nothing for a neighbour in the same block", () =>
    Effect.gen(function* () {
      const { cache, source } = make()
      yield* read(cache, 70, 10)
      assert.deepStrictEqual(yield* read(cache, 64, 64), bytes.slice(64, 128))
      assert.lengthOf(source.reads, 1)
    }),
  )

  it.effect("reads no further than the source at its last block", () =>
    Effect.gen(function* () {
      const { cache, source } = make()
      assert.deepStrictEqual(yield* read(cache, 999, 1), bytes.slice(999))
      assert.deepStrictEqual(source.reads, [[960, 40]])
    }),
  )

  it.effect("runs a decoder that needs more again, over a longer window from its position", () =>
    Effect.gen(function* () {
      const { cache, source } = make()
      const seen: Array<readonly [base: number, length: number]> = []
      const value = yield* decode(cache, 120, 180, (window) => {
        seen.push([window.base, window.bytes.length])
        return take(120, 300)(window)
      })
      assert.deepStrictEqual(value, bytes.slice(120, 300))
      assert.deepStrictEqual(seen, [
        [64, 64],
        [120, 180],
      ])
      assert.deepStrictEqual(source.reads, [
        [64, 64],
        [120, 180],
      ])
    }),
  )

  it.effect("at least doubles the window each time, so that many small wants cost few reads", () =>
    Effect.gen(function* () {
      const { cache, source } = make()
      const decoder = stepping(0, 1000, 10)
      assert.deepStrictEqual(yield* decode(cache, 0, 1000, decoder), bytes)
      // 64, 128, 256, 512, 1000.
      assert.isAtMost(source.reads.length, 5)
      assert.strictEqual(decoder.runs, source.reads.length)
    }),
  )

  it.effect("grows also from the last byte of a block in few reads", () =>
    Effect.gen(function* () {
      const { cache, source } = make()
      assert.deepStrictEqual(yield* decode(cache, 63, 937, stepping(63, 1000, 1)), bytes.slice(63))
      assert.isAtMost(source.reads.length, 12)
    }),
  )

  it.effect("never asks for bytes beyond the end, however much it doubles", () =>
    Effect.gen(function* () {
      const { cache, source } = make()
      yield* decode(cache, 500, 500, stepping(500, 1000, 10))
      for (const [offset, length] of source.reads) assert.isAtMost(offset + length, SIZE)
    }),
  )

  it.effect("does not keep longer windows", () =>
    Effect.gen(function* () {
      const { cache, source } = make()
      yield* read(cache, 0, 500)
      source.reads.length = 0
      yield* read(cache, 0, 500)
      assert.deepStrictEqual(source.reads, [[0, 500]])
    }),
  )

  it.effect("fails with what the decoder found, under the source's name", () =>
    Effect.gen(function* () {
      const { cache } = make()
      const error = yield* failing(
        decode(cache, 10, 10, () => {
          throw malformed("E3", 17, "second thing")
        }),
        "Malformed",
        "E3",
      )
      assert.strictEqual(error.archive, "recorded")
      assert.strictEqual(error.offset, 17)
    }),
  )

  it.effect("takes anything else that a decoder throws for a bug", () =>
    Effect.gen(function* () {
      const bug = new RangeError("bug")
      const exit = yield* Effect.exit(
        decode(make().cache, 10, 10, () => {
          throw bug
        }),
      )
      assert.isTrue(Exit.hasDies(exit))
    }),
  )

  it.effect("takes a decoder that wants bytes beyond the source for a bug", () =>
    Effect.gen(function* () {
      assert.isTrue(Exit.hasDies(yield* Effect.exit(read(make().cache, 990, 11))))
    }),
  )

  it.effect("fails with IO where the source does, and asks it again the next time", () =>
    Effect.gen(function* () {
      const { cache, source } = make()
      source.failOn = () => true
      yield* failing(read(cache, 0, 8), "IO", "H6")
      source.failOn = (_, length) => length > 64
      yield* failing(read(cache, 0, 100), "IO", "H6")
      source.failOn = () => false
      assert.deepStrictEqual(yield* read(cache, 0, 100), bytes.slice(0, 100))
    }),
  )
})

describe("BlockCache.decode of what is at hand", () => {
  const cached = (isCached: (offset: number, length: number) => boolean) => {
    const reads: Array<readonly [offset: number, length: number]> = []
    const inner = fromBytes(bytes)
    const source: ByteSource = {
      ...inner,
      read: (target, offset) => {
        reads.push([offset, target.length])
        const read = Effect.suspend(() => inner.read(target, offset))
        return isCached(offset, target.length) ? inner.read(target, offset) : Effect.andThen(Effect.yieldNow, read)
      },
    }
    return { reads, cache: BlockCache.make(source, { blockSize, capacity: 2 * blockSize }) }
  }
  const part = (start: number, length: number) => ({
    position: start,
    extent: length,
    decode: take(start, start + length),
  })

  /** What has been decoded; `undefined` if it has to be waited for. */
  const now = <A, E>(effect: Effect.Effect<A, E>): Exit.Exit<A, E> | undefined =>
    AtOnce.hasEnded(effect) ? effect : undefined

  it("has ended, also across blocks", () => {
    const { cache } = cached(() => true)
    assert.deepStrictEqual(now(cache.decode(part(60, 300))), Exit.succeed(bytes.slice(60, 360)))
  })

  it("reads a block once", () => {
    const { cache, reads } = cached(() => true)
    for (const at of [0, 10, 20]) assert.isDefined(now(cache.decode(part(at, 8))))
    assert.deepStrictEqual(reads, [[0, blockSize]])
  })

  it.effect("asks the source once where it has to wait, and not again when that has come", () =>
    Effect.gen(function* () {
      const { cache, reads } = cached(() => false)
      const decoded = cache.decode(part(0, 8))
      assert.isUndefined(now(decoded))
      assert.deepStrictEqual(yield* decoded, bytes.slice(0, 8))
      assert.isDefined(now(cache.decode(part(8, 8))))
      assert.deepStrictEqual(reads, [[0, blockSize]])
    }),
  )

  it.effect("asks again for what nobody waited for", () =>
    Effect.gen(function* () {
      let isCached = false
      const { cache } = cached(() => isCached)
      const abandoned = cache.decode(part(0, 8))
      isCached = true
      assert.deepStrictEqual(now(cache.decode(part(0, 8))), Exit.succeed(bytes.slice(0, 8)))
      assert.deepStrictEqual(yield* abandoned, bytes.slice(0, 8))
    }),
  )

  it.effect("waits where the longer window is not at hand", () =>
    Effect.gen(function* () {
      const { cache } = cached((_, length) => length <= blockSize)
      const decoded = cache.decode(part(0, 300))
      assert.isUndefined(now(decoded))
      assert.deepStrictEqual(yield* decoded, bytes.slice(0, 300))
    }),
  )

  it("says at once what is damaged", () => {
    const { cache } = cached(() => true)
    const decode = (): Uint8Array => {
      throw malformed("E3", 17, "second thing")
    }
    const ended = now(cache.decode({ position: 10, extent: 10, decode }))
    assert.isTrue(ended !== undefined && Exit.isFailure(ended))
  })

  it.effect("leaves what was decoded alone when a block's memory is used again", () =>
    Effect.gen(function* () {
      for (const isCached of [true, false]) {
        const { cache } = cached(() => isCached)
        const first = yield* cache.decode(part(0, 64))
        for (const block of [1, 2, 3, 4]) yield* cache.decode(part(block * blockSize, 64))
        assert.deepStrictEqual(first, bytes.slice(0, 64))
      }
    }),
  )

  it.effect("gives the memory of a read that waits to nobody else, whatever is decoded meanwhile", () =>
    Effect.gen(function* () {
      const { cache } = cached((offset) => offset % 128 === 0)
      const waiting = [1, 3, 5, 7].map((block) => cache.decode(part(block * blockSize, 64)))
      for (const block of [0, 2, 4, 6, 8, 10]) {
        assert.deepStrictEqual(
          now(cache.decode(part(block * blockSize, 64))),
          Exit.succeed(bytes.slice(block * blockSize, block * blockSize + 64)),
        )
      }
      const decoded = yield* Effect.all(waiting, { concurrency: "unbounded" })
      assert.deepStrictEqual(
        decoded,
        [1, 3, 5, 7].map((block) => bytes.slice(block * blockSize, block * blockSize + 64)),
      )
    }),
  )

  it.effect("gives the same when it is run again, although its memory has been used since", () =>
    Effect.gen(function* () {
      const { cache } = cached(() => false)
      const decoded = cache.decode(part(0, 64))
      for (const _ of [1, 2, 3]) {
        assert.deepStrictEqual(yield* decoded, bytes.slice(0, 64))
        for (const block of [5, 6, 7]) yield* cache.decode(part(block * blockSize, 64))
        assert.deepStrictEqual(yield* cache.decode(part(7 * blockSize, 64)), bytes.slice(448, 512))
      }
    }),
  )
})

describe("BlockCache.copy", () => {
  it.effect("gives what is in the block used last, and nothing else", () =>
    Effect.gen(function* () {
      const { cache, source } = make()
      const target = new Uint8Array(10)
      assert.isFalse(cache.copy(target, 70))
      yield* read(cache, 70, 10)
      assert.isTrue(cache.copy(target, 118))
      assert.deepStrictEqual(target, bytes.slice(118, 128))
      assert.isFalse(cache.copy(target, 119))
      assert.isFalse(cache.copy(target, 63))
      yield* read(cache, 200, 10)
      assert.isFalse(cache.copy(target, 70))
      assert.lengthOf(source.reads, 2)
    }),
  )
})
