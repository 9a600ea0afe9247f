import { assert, describe, it } from "@effect/vitest"
import { Effect, Exit, Fiber } from "effect"
import { TestClock } from "effect/testing"
import * as Patience from "../../../src/cli/control/Patience.ts"

/** Waits for an effect, and what was said meanwhile. */
const waiting = <A, E>(effect: Effect.Effect<A, E>) => {
  const said: Array<string> = []
  const result = Patience.wait(effect, {
    silence: "2 seconds",
    say: Effect.sync(() => said.push("waiting")),
    deadline: "30 seconds",
    giveUp: Effect.fail("given up" as const),
  })
  return { said, result }
}

describe("Patience.wait", () => {
  it.effect("says nothing about what ends soon, and ends as that does", () =>
    Effect.gen(function* () {
      const soon = waiting(Effect.as(Effect.sleep("1 second"), 7))
      const fiber = yield* Effect.forkChild(soon.result)
      yield* TestClock.adjust("1 second")
      assert.strictEqual(yield* Fiber.join(fiber), 7)
      assert.deepStrictEqual(soon.said, [])
      assert.deepStrictEqual(yield* Effect.exit(waiting(Effect.fail("no")).result), Exit.fail("no"))
    }),
  )

  it.effect("says after a moment what it waits for", () =>
    Effect.gen(function* () {
      const slow = waiting(Effect.as(Effect.sleep("20 seconds"), 7))
      const fiber = yield* Effect.forkChild(slow.result)
      yield* TestClock.adjust("3 seconds")
      assert.deepStrictEqual(slow.said, ["waiting"])
      yield* TestClock.adjust("17 seconds")
      assert.strictEqual(yield* Fiber.join(fiber), 7)
    }),
  )

  it.effect("gives up what never ends, also where that cannot be interrupted", () =>
    Effect.gen(function* () {
      for (const never of [Effect.never, Effect.uninterruptible(Effect.never)]) {
        const fiber = yield* Effect.forkChild(Effect.exit(waiting(never).result))
        yield* TestClock.adjust("30 seconds")
        assert.deepStrictEqual(yield* Fiber.join(fiber), Exit.fail("given up"))
      }
    }),
  )

  it.effect("ends at once when it is interrupted", () =>
    Effect.gen(function* () {
      const fiber = yield* Effect.forkChild(waiting(Effect.uninterruptible(Effect.never)).result)
      yield* Effect.yieldNow
      yield* Fiber.interrupt(fiber)
      assert.isTrue(Exit.hasInterrupts(yield* Fiber.await(fiber)))
    }),
  )
})
