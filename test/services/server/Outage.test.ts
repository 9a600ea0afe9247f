import { assert, describe, it } from "@effect/vitest"
import { Clock, Effect, Fiber } from "effect"
import { TestClock } from "effect/testing"
import * as Outage from "../../../src/services/server/Outage.ts"
import { ServerError } from "../../../src/services/server/ServerError.ts"

const gone = new ServerError({ server: "far", reason: "Unreachable", detail: "does not answer" })

describe("An outage", () => {
  it.effect("is waited for, ever less often, for as long as was said", () =>
    Effect.gen(function* () {
      const tries: Array<number> = []
      const request = Effect.flatMap(Clock.currentTimeMillis, (now) => {
        tries.push(now)
        return Effect.fail(gone)
      })
      const waiting = yield* Effect.forkChild(Effect.flip(Outage.make(20_000).endure(request)))
      yield* TestClock.adjust(60_000)
      assert.strictEqual(yield* Fiber.join(waiting), gone)
      assert.deepStrictEqual(tries, [0, 200, 600, 1400, 3000, 6200, 11_200, 16_200])
    }),
  )

  it.effect("is over when a request succeeds", () =>
    Effect.gen(function* () {
      let isBack = false
      const request = Effect.suspend(() => (isBack ? Effect.succeed("answer") : Effect.fail(gone)))
      const waiting = yield* Effect.forkChild(Outage.make(20_000).endure(request))
      yield* TestClock.adjust(1000)
      isBack = true
      yield* TestClock.adjust(400)
      assert.strictEqual(yield* Fiber.join(waiting), "answer")
    }),
  )
})
