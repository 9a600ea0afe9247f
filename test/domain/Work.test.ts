import { assert, describe, it } from "@effect/vitest"
import * as Work from "../../src/domain/Work.ts"
import { anyInteger } from "./pxar/helpers.ts"

describe("Work.sort", () => {
  it("sorts what is longer than a piece, as the built-in does, and is stable", () => {
    const { length } = { length: 3 * Work.PIECE + 17 }
    const keys = Float64Array.from({ length }, (_, i) => (i * 7919) % 1009)
    assert.deepStrictEqual(Work.finish(Work.sort(keys.slice())), keys.slice().sort())
    const numbers = Uint32Array.from({ length }, (_, i) => i)
    const compare = (a: number, b: number): number => keys[a]! - keys[b]!
    assert.deepStrictEqual(Work.finish(Work.sort(numbers.slice(), compare)), numbers.slice().sort(compare))
  })

  it("compares no more than some thousand pairs between two turns of others", () => {
    let compared = 0
    let most = 0
    const work = Work.sort(
      Uint32Array.from({ length: 20 * Work.PIECE + 1 }, (_, i) => (i * 7919) % 100_003),
      (a, b) => {
        compared++
        return a - b
      },
    )
    while (work.next().done !== true) {
      most = Math.max(most, compared)
      compared = 0
    }
    assert.isAtMost(most, Work.PIECE * Math.ceil(Math.log2(Work.PIECE)))
  })
})

describe("Work.pieces", () => {
  it.prop("goes over all numbers once", [anyInteger(0, 1000)], ([count]) => {
    const seen: Array<number> = []
    Work.finish(
      Work.pieces(count * 100, (from, to) => {
        for (let i = from; i < to; i++) seen.push(i)
      }),
    )
    assert.deepStrictEqual(
      seen,
      Array.from({ length: count * 100 }, (_, i) => i),
    )
  })
})
