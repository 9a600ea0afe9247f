import { assert, describe, it } from "@effect/vitest"
import { Effect, Fiber } from "effect"
import { TestClock } from "effect/testing"
import { ByteSource } from "pxar-fuse"
import { UnreliableSource } from "pxar-fuse/Testing"

const bytes = Uint8Array.from({ length: 100 }, (_, index) => index)

describe("an unreliable source", () => {
  it.effect("has the bytes of the other one, later", () =>
    Effect.gen(function* () {
      const source = UnreliableSource.make(ByteSource.fromBytes(bytes, "memory"), { latency: "3 seconds" })
      assert.deepStrictEqual([source.name, source.size], ["memory", 100])
      const target = new Uint8Array(2)
      const reading = yield* Effect.forkChild(source.read(target, 40), { startImmediately: true })
      yield* TestClock.adjust("2 seconds")
      assert.isUndefined(reading.pollUnsafe())
      yield* TestClock.adjust("1 second")
      yield* Fiber.join(reading)
      assert.deepStrictEqual([...target], [40, 41])
      assert.deepStrictEqual(source.reads, [{ index: 0, offset: 40, length: 2 }])
    }),
  )

  it.effect("fails the reads that it is told to, and no other", () =>
    Effect.gen(function* () {
      const source = UnreliableSource.make(ByteSource.fromBytes(bytes), {
        fault: ({ index, offset }) => (index === 1 || offset >= 50 ? "is down" : undefined),
      })
      const target = new Uint8Array(1)
      const outcome = (offset: number) =>
        Effect.match(source.read(target, offset), { onFailure: ({ message }) => message, onSuccess: () => "read" })
      assert.strictEqual(yield* outcome(0), "read")
      assert.include(yield* outcome(0), "is down")
      assert.strictEqual(yield* outcome(0), "read")
      assert.include(yield* outcome(50), "is down (reading at byte 50)")
    }),
  )
})
