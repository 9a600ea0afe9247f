import { assert, describe, it } from "@effect/vitest"
import { Deferred, Effect, Exit, Fiber, Layer } from "effect"
import * as Mount from "../../src/fuse/Mount.ts"
import { DeviceLost } from "../../src/fuse/session/FuseDevice.ts"

/** A mount that ends when it is told to; tells whether it has been released. */
const scripted = (ended: Deferred.Deferred<void, DeviceLost>) => {
  const state = { released: false }
  const layer = Layer.effect(
    Mount.Mount,
    Effect.acquireRelease(Effect.succeed({ ended: Deferred.await(ended) } as Mount.Mounted), () =>
      Effect.sync(() => {
        state.released = true
      }),
    ),
  )
  return { layer, state }
}

describe("Mount.launch", () => {
  it.effect("ends when the file system was unmounted, and what the layer holds is released then", () =>
    Effect.gen(function* () {
      const ended = yield* Deferred.make<void, DeviceLost>()
      const { layer, state } = scripted(ended)
      const program = yield* Effect.forkChild(Mount.launch(layer), { startImmediately: true })
      assert.isUndefined(program.pollUnsafe())
      assert.isFalse(state.released)
      yield* Deferred.succeed(ended, undefined)
      yield* Fiber.join(program)
      assert.isTrue(state.released)
    }),
  )

  it.effect("fails when the session broke", () =>
    Effect.gen(function* () {
      const ended = yield* Deferred.make<void, DeviceLost>()
      const { layer, state } = scripted(ended)
      const lost = new DeviceLost({ operation: "read", errno: 5, detail: "gone" })
      yield* Deferred.fail(ended, lost)
      assert.deepStrictEqual(yield* Effect.exit(Mount.launch(layer)), Exit.fail(lost))
      assert.isTrue(state.released)
    }),
  )
})
