import { assert, describe, it } from "@effect/vitest"
import * as Arbitrary from "effect/Arbitrary"
import type * as GoodbyeTable from "../../../src/domain/pxar/GoodbyeTable.ts"
import * as TableCache from "../../../src/services/archive/TableCache.ts"
import { anyInteger } from "../../domain/pxar/helpers.ts"

const table = (count: number): GoodbyeTable.Table => ({
  start: 0,
  end: 0,
  directoryStart: 0,
  count,
  items: new DataView(new ArrayBuffer(0)),
  starts: new Float64Array(0),
  hasEqualHashes: false,
  ordered: true,
  isExact: false,
  contentsStart: 0,
})

const sizeOf = TableCache.memorySize

describe("TableCache", () => {
  it("gives what was set, and nothing else", () => {
    const cache = TableCache.make(1 << 20)
    const [one, other] = [table(1), table(2)]
    cache.set(100, one)
    cache.set(200, other)
    assert.strictEqual(cache.get(100), one)
    assert.strictEqual(cache.get(200), other)
    assert.isUndefined(cache.get(300))
  })

  it("gives the last of two set for one directory", () => {
    const cache = TableCache.make(1 << 20)
    const later = table(2)
    cache.set(100, table(1))
    cache.set(100, later)
    assert.strictEqual(cache.get(100), later)
  })

  it("keeps as many tables as fit", () => {
    const cache = TableCache.make(3 * sizeOf(10))
    for (const end of [1, 2, 3]) cache.set(end, table(10))
    assert.isTrue([1, 2, 3].every((end) => cache.get(end) !== undefined))
  })

  it("drops the table that was used least recently", () => {
    const cache = TableCache.make(2 * sizeOf(10))
    cache.set(1, table(10))
    cache.set(2, table(10))
    cache.get(1)
    cache.set(3, table(10))
    assert.isUndefined(cache.get(2))
    assert.isDefined(cache.get(1))
    assert.isDefined(cache.get(3))
  })

  it("drops several small tables for a large one", () => {
    const cache = TableCache.make(sizeOf(100))
    for (const end of [1, 2, 3]) cache.set(end, table(10))
    cache.set(4, table(100))
    assert.deepStrictEqual(
      [1, 2, 3, 4].map((end) => cache.get(end)?.count),
      [undefined, undefined, undefined, 100],
    )
  })

  it("keeps one table that is larger than its capacity, until the next", () => {
    const cache = TableCache.make(10)
    cache.set(1, table(1000))
    assert.isDefined(cache.get(1))
    cache.set(2, table(1))
    assert.isUndefined(cache.get(1))
    assert.isDefined(cache.get(2))
  })

  it("does not count a replaced table", () => {
    const cache = TableCache.make(2 * sizeOf(10))
    cache.set(1, table(10))
    for (let i = 0; i < 10; i++) cache.set(2, table(10))
    assert.isDefined(cache.get(1))
  })

  it("gives back the room of a dropped table", () => {
    const cache = TableCache.make(2 * sizeOf(10))
    cache.set(1, table(10))
    cache.set(2, table(10))
    cache.drop(2)
    assert.isUndefined(cache.get(2))
    cache.set(3, table(10))
    assert.isDefined(cache.get(1))
    assert.isDefined(cache.get(3))
  })

  it("drops what it does not have without harm", () => {
    const cache = TableCache.make(sizeOf(10))
    cache.set(1, table(10))
    cache.drop(2)
    cache.drop(2)
    assert.isDefined(cache.get(1))
  })

  it.prop(
    "never holds more than its capacity, or one table",
    [Arbitrary.array(Arbitrary.all([anyInteger(1, 12), anyInteger(0, 60)]), { maxLength: 60 }), anyInteger(1, 8)],
    ([sets, tables]) => {
      const capacity = tables * sizeOf(20)
      const cache = TableCache.make(capacity)
      for (const [end, count] of sets) {
        cache.set(end, table(count))
        assert.strictEqual(cache.get(end)?.count, count)
      }
      const held = Array.from({ length: 12 }, (_, index) => cache.get(index + 1)).filter((kept) => kept !== undefined)
      const bytes = held.reduce((sum, kept) => sum + sizeOf(kept.count), 0)
      assert.isTrue(bytes <= capacity || held.length === 1)
    },
    { arbitrary: { size: 100 } },
  )
})
