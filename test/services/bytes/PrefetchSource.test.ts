import { assert, describe, it } from "@effect/vitest"
import { Arbitrary, Effect, Fiber, Schema } from "effect"
import * as AtOnce from "../../../src/services/AtOnce.ts"
import * as ByteSource from "../../../src/services/bytes/ByteSource.ts"
import * as ChunkCache from "../../../src/services/bytes/ChunkCache.ts"
import * as PrefetchSource from "../../../src/services/bytes/PrefetchSource.ts"
import * as FarLine from "../../support/FarLine.ts"

const integer = (minimum: number, maximum: number) =>
  Schema.Int.pipe(Schema.check(Schema.isBetween({ minimum, maximum })))

/** Bytes at the end of a line, in pieces of 1000 and blocks of 100. */
const open = Effect.fnUntraced(function* (
  size: number,
  options: { capacity?: number; whole?: number; roundTrip?: number } = {},
) {
  const bytes = Uint8Array.from({ length: size }, (_, i) => (i * 31) % 251)
  const line = FarLine.make({ roundTrip: options.roundTrip ?? 0 })
  const cache = yield* ChunkCache.make(options.capacity ?? 40_000, { isFar: true })
  const far = FarLine.source(line, ByteSource.fromBytes(bytes, "far"))
  const source = PrefetchSource.make(far, cache, { piece: 1000, block: 100, whole: options.whole ?? 0 })
  const read = Effect.fnUntraced(function* (offset: number, length: number) {
    const target = new Uint8Array(length)
    yield* source.read(target, offset)
    assert.deepStrictEqual(target, bytes.slice(offset, offset + length))
  })
  return { bytes, cache, line, read, source }
})

describe("PrefetchSource", () => {
  it.live.prop(
    "gives the bytes of its source, however they are read, cached and interrupted",
    [
      integer(1, 9000),
      integer(0, 20_000),
      Arbitrary.array(Arbitrary.schema(Schema.Tuple([integer(0, 9999), integer(0, 9999), integer(0, 3)])), {
        minLength: 1,
        maxLength: 12,
      }),
    ],
    ([size, capacity, reads]) =>
      Effect.gen(function* () {
        const { read, source } = yield* open(size, { capacity })
        yield* Effect.forEach(
          reads,
          ([from, to, interruption]) =>
            Effect.gen(function* () {
              const [start = 0, end = 0] = [from % (size + 1), to % (size + 1)].toSorted((a, b) => a - b)
              if (interruption === 0) {
                const doomed = yield* Effect.forkChild(source.read(new Uint8Array(end - start), start), {
                  startImmediately: true,
                })
                yield* Fiber.interrupt(doomed)
              }
              yield* read(start, end - start)
            }),
          { concurrency: 4, discard: true },
        )
        return true
      }).pipe(Effect.scoped),
  )

  it.live("reads one block for one who jumps, and has what is near at hand", () =>
    Effect.gen(function* () {
      const { line, read, source } = yield* open(50_000)
      yield* read(30_030, 10)
      assert.deepStrictEqual(line.asked, ["far 30000+100"])
      assert.isTrue(AtOnce.hasEnded(source.read(new Uint8Array(20), 30_080)))
    }),
  )

  it.live("reads ahead for one who goes forward, in large pieces and few round trips", () =>
    Effect.gen(function* () {
      const { line, read } = yield* open(50_000, { roundTrip: 5 })
      for (let offset = 0; offset < 50_000; offset += 250) yield* read(offset, 250)
      assert.isBelow(line.rounds, 12)
      assert.isAtMost(line.asked.length, 50 + 10)
      assert.isAtMost(line.bytes, 50_000 + 1000)
    }),
  )

  it.live("reads a small source whole", () =>
    Effect.gen(function* () {
      const { line, read } = yield* open(5000, { whole: 5000 })
      yield* read(4000, 10)
      yield* read(10, 10)
      assert.deepStrictEqual(line.asked, ["far 0+5000"])
    }),
  )

  it.live("asks at once for what it is told of, and merges what is close together", () =>
    Effect.gen(function* () {
      const { line, read, source } = yield* open(50_000, { roundTrip: 10 })
      source.expect?.([
        ...[1000, 1200, 1500, 1900].map((start) => ({ start, end: start + 50 })),
        { start: 20_000, end: 20_010 },
        { start: 49_990, end: 50_000 },
      ])
      for (const start of [1000, 1900, 20_000, 49_990]) yield* read(start, 10)
      assert.deepStrictEqual(line.asked.toSorted(), ["far 1000+1000", "far 20000+100", "far 49900+100"])
      assert.strictEqual(line.rounds, 1)
    }),
  )

  it.live("asks for all pieces of a large read at once", () =>
    Effect.gen(function* () {
      const { line, read } = yield* open(50_000, { roundTrip: 10 })
      yield* read(500, 8000)
      assert.strictEqual(line.rounds, 1)
    }),
  )

  it.effect("does not read beyond its end", () =>
    Effect.gen(function* () {
      const { source } = yield* open(100)
      assert.include((yield* Effect.flip(source.read(new Uint8Array(2), 99))).message, "past the end")
    }),
  )
})
