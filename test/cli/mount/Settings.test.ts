import { assert, describe, it } from "@effect/vitest"
import { Arbitrary, Effect } from "effect"
import * as Settings from "../../../src/cli/mount/Settings.ts"

const settings = Arbitrary.schema(Settings.Settings)

describe("the settings of a mount", () => {
  it.effect.prop("arrive as they were sent", [settings], ([settings]) =>
    Effect.gen(function* () {
      assert.deepEqual(yield* Settings.decode(JSON.stringify(settings)), settings)
    }),
  )

  for (const [name, text] of [
    ["nothing", ""],
    ["half of them", '{"archives":["a.pxar"],"mountPoi'],
    ["those of another version", '{"archive":"a.pxar"}'],
  ] as const) {
    it.effect(`that arrive as ${name} are an error which says so`, () =>
      Effect.gen(function* () {
        const error = yield* Effect.flip(Settings.decode(text))
        assert.match(error.message, /^cannot go on in the background: the settings of the mount did not arrive: ./)
      }),
    )
  }
})
