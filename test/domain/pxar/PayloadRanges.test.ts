import { assert, describe, it } from "@effect/vitest"
import { Arbitrary } from "effect"
import { PayloadRanges } from "../../../src/domain/pxar/PayloadRanges.ts"
import { anyInteger } from "./helpers.ts"

const addAll = (ranges: PayloadRanges, list: ReadonlyArray<readonly [start: number, end: number]>) =>
  list.map(([start, end]) => ranges.add(start, end))

describe("PayloadRanges", () => {
  it("takes ranges in any order that share no byte", () => {
    const ranges = new PayloadRanges()
    const list = [[100, 200] as const, [16, 50] as const, [200, 201] as const, [50, 100] as const]
    assert.deepStrictEqual(addAll(ranges, list), ["new", "new", "new", "new"])
    assert.strictEqual(ranges.covered, 185)
  })

  it("knows a range that was there before", () => {
    const ranges = new PayloadRanges()
    addAll(ranges, [
      [16, 50],
      [50, 100],
      [10_000, 10_016],
    ])
    assert.strictEqual(ranges.add(50, 100), "known")
    assert.strictEqual(ranges.covered, 34 + 50 + 16)
  })

  it.each([
    ["that begins in another one", [30, 60]],
    ["that ends in another one", [0, 30]],
    ["within another one", [20, 30]],
    ["around another one", [0, 100]],
    ["that begins where another one does", [16, 20]],
  ] as const)("finds a range %s", (_, [start, end]) => {
    const ranges = new PayloadRanges()
    addAll(ranges, [
      [1000, 2000],
      [16, 50],
    ])
    assert.strictEqual(ranges.add(start, end), "overlaps")
    assert.strictEqual(ranges.covered, 1034)
  })

  it("remembers no more than its capacity", () => {
    const ranges = new PayloadRanges(2)
    assert.deepStrictEqual(
      addAll(ranges, [
        [0, 1],
        [1, 2],
        [2, 3],
        [0, 1],
        [0, 2],
      ]),
      ["new", "new", "unchecked", "known", "overlaps"],
    )
  })

  it.prop(
    "finds the same overlaps in any order as a comparison of all with all",
    [Arbitrary.array(Arbitrary.all([anyInteger(0, 3000), anyInteger(1, 20)] as const), { maxLength: 400 })],
    ([list]) => {
      const ranges = new PayloadRanges()
      const seen: Array<readonly [number, number]> = []
      let touched = false
      for (const [start, length] of list) {
        const end = start + length
        const added = ranges.add(start, end)
        const known = seen.some(([s, e]) => s === start && e === end)
        const overlaps = seen.some(([s, e]) => s < end && start < e)
        // Of ranges that overlap each other not every pair is found, but every one that is the first to do so.
        if (!touched && added !== (known ? "known" : overlaps ? "overlaps" : "new")) return false
        touched ||= overlaps && !known
        seen.push([start, end])
      }
      return true
    },
    { arbitrary: { size: 100 } },
  )
})
