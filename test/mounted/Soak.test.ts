/** The short form of `test/soak/main.ts`. */
import { assert, beforeEach, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { need } from "../support/Requirements.ts"
import * as Soak from "../soak/soak.ts"

beforeEach(need({ mount: true, root: true, tools: ["find"] }))

const seed = Number(process.env["SOAK_SEED"] ?? Math.floor(Math.random() * 2 ** 31))

describe("a mount under everything at once", () => {
  it.live(`leaves nothing behind (seed ${seed})`, () =>
    Effect.gen(function* () {
      const report = yield* Soak.run({ seconds: 6, seed })
      assert.deepStrictEqual(Soak.judge(report), [])
      const { after, killed, turns } = report
      assert.isAbove(killed, 0)
      assert.isAbove(after.requests, 100)
      for (const way of ["walk", "read", "xattr", "drop"]) assert.isAbove(turns[way] ?? 0, 0, way)
    }),
  )
})

describe("the slope of memory", () => {
  it("is that of the line through the samples, a minute", () => {
    assert.strictEqual(Soak.slopeOf([0, 1, 2, 3].map((second) => [second, 1000 + 10 * second] as const)), 600)
    assert.strictEqual(Soak.slopeOf([[5, 100]]), 0)
  })
})
