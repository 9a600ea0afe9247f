import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import * as Bisect from "../../../src/services/history/Bisect.ts"
import type { Version } from "../../../src/services/history/Versions.ts"

/** So many versions, of which nothing but their number counts. */
const versions = (count: number): ReadonlyArray<Version> => Array.from({ length: count }, () => ({}) as Version)

const run = (verdicts: ReadonlyArray<Bisect.Verdict>) => {
  const asked: Array<number> = []
  return Effect.map(
    Bisect.run(versions(verdicts.length), (_, at) =>
      Effect.sync(() => {
        asked.push(at)
        return verdicts[at] as Bisect.Verdict
      }),
    ),
    (result) => ({ result, asked }),
  )
}

describe("Bisect", () => {
  it.effect("finds the first bad version with few questions, each asked once", () =>
    Effect.gen(function* () {
      for (let count = 2; count <= 40; count++) {
        for (let first = 1; first < count; first++) {
          const { asked, result } = yield* run(Array.from({ length: count }, (_, at) => (at < first ? "good" : "bad")))
          assert.deepStrictEqual(result, { _tag: "Found", bad: first, between: [] })
          assert.strictEqual(new Set(asked).size, asked.length)
          assert.isAtMost(asked.length, 2 + Math.ceil(Math.log2(count)))
        }
      }
    }),
  )

  it.effect("names the versions that cannot be told", () =>
    Effect.gen(function* () {
      const { result } = yield* run(["good", "skip", "skip", "bad"])
      assert.deepStrictEqual(result, { _tag: "Found", bad: 3, between: [1, 2] })
    }),
  )

  it.effect.each([
    ["AllBad", ["bad", "bad"]],
    ["AllGood", ["good", "good"]],
    ["AllGood", []],
  ] as const)("says %s", ([expected, verdicts]) =>
    Effect.gen(function* () {
      assert.strictEqual((yield* run(verdicts)).result._tag, expected)
    }),
  )
})
