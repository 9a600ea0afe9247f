import { describe, it } from "@effect/vitest"
import { Effect, Fiber } from "effect"
import { TestClock } from "effect/testing"
import { BlobStore } from "pxar-fuse"
import { expect } from "vitest"
import * as FarLine from "./FarLine.ts"

const near = BlobStore.fromRecord({ a: new Uint8Array(1000), b: new Uint8Array(1000), c: new Uint8Array(1000) })

describe("FarLine", () => {
  it.effect("answers after a round trip, one after the other by its bandwidth, and counts what waited for what", () =>
    Effect.gen(function* () {
      const line = FarLine.make({ roundTrip: "1 second", bytesPerSecond: 1000 })
      const store = FarLine.store(line, near)
      const two = yield* Effect.forkChild(
        Effect.all([store.read("a", 1000), store.read("b", 1000)], { concurrency: 2 }),
        { startImmediately: true },
      )
      yield* TestClock.adjust("2900 millis")
      expect([line.bytes, line.mostInFlight, line.rounds]).toEqual([1000, 2, 1])
      yield* TestClock.adjust("100 millis")
      yield* Fiber.join(two)
      const third = yield* Effect.forkChild(store.read("c", 1000), { startImmediately: true })
      yield* TestClock.adjust("2 seconds")
      yield* Fiber.join(third)
      expect([line.asked, line.rounds, line.inFlight]).toEqual([["a", "b", "c"], 2, 0])
    }),
  )
})
