import { assert, describe, it } from "@effect/vitest"
import { Cause, Effect, Exit } from "effect"
import * as AtOnce from "../../src/services/AtOnce.ts"

const ended = <A, E>(self: Effect.Effect<A, E>): Exit.Exit<A, E> => {
  assert.isTrue(AtOnce.hasEnded(self), "has not ended")
  return self as Exit.Exit<A, E>
}

const later = <A>(value: A) => Effect.as(Effect.yieldNow, value)

describe("an effect that has ended", () => {
  it("is gone on with at once", () => {
    const doubled = AtOnce.map(Effect.succeed(2), (value) => value * 2)
    assert.deepStrictEqual(ended(AtOnce.flatMap(doubled, (value) => Effect.succeed(value + 1))), Exit.succeed(5))
  })

  it("keeps its failure, and what follows is not called", () => {
    const never = () => assert.fail("called")
    assert.deepStrictEqual(ended(AtOnce.map(Effect.fail("no"), never)), Exit.fail("no"))
    assert.deepStrictEqual(ended(AtOnce.flatMap(Effect.fail("no"), never)), Exit.fail("no"))
  })

  it("is what a call that throws becomes, a defect", () => {
    const exit = ended(
      AtOnce.call(() => {
        throw new RangeError("bug")
      }),
    )
    assert.isTrue(Exit.isFailure(exit) && Cause.hasDies(exit.cause))
  })
})

describe("an effect that has not ended", () => {
  it.effect("is gone on with when it has", () =>
    Effect.gen(function* () {
      const mapped = AtOnce.map(later(2), (value) => value * 2)
      assert.isFalse(AtOnce.hasEnded(mapped))
      assert.strictEqual(yield* AtOnce.flatMap(mapped, later), 4)
    }),
  )

  it("is not run before that", () => {
    let runs = 0
    const mapped = AtOnce.map(
      Effect.sync(() => runs++),
      () => 0,
    )
    assert.isFalse(AtOnce.hasEnded(mapped))
    assert.strictEqual(runs, 0)
  })
})
