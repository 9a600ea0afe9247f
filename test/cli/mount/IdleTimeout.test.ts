import { assert, describe, it } from "@effect/vitest"
import { Effect, Fiber } from "effect"
import { TestClock } from "effect/testing"
import * as IdleTimeout from "../../../src/cli/mount/IdleTimeout.ts"

/** A mount that a test plays, and how often it was to be unmounted. */
const makeMount = () => {
  const state = { requests: 0, inFlight: 0, busy: false, attempts: 0 }
  const mounted = {
    counters: Effect.sync(() => ({ requests: { READ: state.requests }, delivered: 0, abandoned: 0, errors: 0 })),
    inFlight: Effect.sync(() => state.inFlight),
    unmountIfFree: Effect.sync(() => {
      state.attempts++
      return !state.busy
    }),
  }
  return { state, mounted }
}

describe("the idle timeout", () => {
  it.effect("comes its time after the last request", () =>
    Effect.gen(function* () {
      const { mounted, state } = makeMount()
      const fiber = yield* Effect.forkChild(IdleTimeout.unmountWhenIdle(mounted, 60_000))
      for (let minute = 0; minute < 5; minute++) {
        yield* TestClock.adjust("50 seconds")
        state.requests++
      }
      yield* TestClock.adjust("59 seconds")
      assert.strictEqual(state.attempts, 0)
      yield* TestClock.adjust("13 seconds")
      assert.strictEqual(state.attempts, 1)
      yield* Fiber.join(fiber)
    }),
  )

  it.effect("waits for a request that is under way", () =>
    Effect.gen(function* () {
      const { mounted, state } = makeMount()
      state.inFlight = 1
      const fiber = yield* Effect.forkChild(IdleTimeout.unmountWhenIdle(mounted, 60_000))
      yield* TestClock.adjust("1 hour")
      assert.strictEqual(state.attempts, 0)
      state.inFlight = 0
      yield* TestClock.adjust("72 seconds")
      assert.strictEqual(state.attempts, 1)
      yield* Fiber.join(fiber)
    }),
  )

  it.effect("is tried again, after its time, while the mount is in use", () =>
    Effect.gen(function* () {
      const { mounted, state } = makeMount()
      state.busy = true
      const fiber = yield* Effect.forkChild(IdleTimeout.unmountWhenIdle(mounted, 60_000))
      yield* TestClock.adjust("10 minutes")
      assert.isAtLeast(state.attempts, 8)
      assert.isAtMost(state.attempts, 10)
      state.busy = false
      yield* TestClock.adjust("72 seconds")
      yield* Fiber.join(fiber)
    }),
  )
})
