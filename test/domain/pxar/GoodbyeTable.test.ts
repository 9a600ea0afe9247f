import { assert, describe, it } from "@effect/vitest"
import * as Arbitrary from "effect/Arbitrary"
import * as GoodbyeTable from "../../../src/domain/pxar/GoodbyeTable.ts"
import * as Limits from "../../../src/domain/pxar/Limits.ts"
import * as TableItems from "../../../src/domain/pxar/TableItems.ts"
import * as Work from "../../../src/domain/Work.ts"
import * as B from "../../support/ArchiveBuilder.ts"
import { anyInteger, assertFails, assertNeeds, windowOf } from "./helpers.ts"

/** The GOODBYE header stands here, the directory's ENTRY at `E`, its contents at `F`. */
const [E, F, G] = [1000, 1056, 9000] as const

const slotOf = (hash: bigint, start: number, size = 60): B.TableItem => ({ hash, offset: G - start, size })

interface Damage {
  readonly floor?: number
  readonly contentsStart?: number
  readonly limits?: Partial<Limits.Limits>
}

const tailOf = (bytes: Uint8Array, damage: Damage = {}) =>
  GoodbyeTable.readTail(windowOf(bytes, G), G + bytes.length, damage.floor ?? E, {
    ...Limits.defaults,
    ...damage.limits,
  })

const load = (bytes: Uint8Array, damage: Damage = {}) =>
  GoodbyeTable.readTable(windowOf(bytes, G), tailOf(bytes, damage), damage.contentsStart ?? F)

/** A table of slots in the order given. */
const table = (...slots: ReadonlyArray<B.TableItem>) => load(B.goodbye(slots, G - E))

/** A table of children with these hashes, one after the other from F on, in heap order. */
const tableOf = (hashes: ReadonlyArray<bigint>) =>
  table(...B.arrange(hashes.map((hash, index) => slotOf(hash, F + 60 * index))))

const halves = (hash: bigint) => ({ low: Number(hash & 0xffff_ffffn), high: Number(hash >> 32n) })

describe("GoodbyeTable.readTail", () => {
  const one = B.goodbye([slotOf(5n, F)], G - E)
  const tailAt = one.length - 24

  it("finds the table, the directory's start and the number of children", () => {
    assert.deepStrictEqual(tailOf(one), { start: G, end: G + 64, directoryStart: E, count: 1 })
  })

  it("reads that of an empty directory", () => {
    assert.deepStrictEqual(tailOf(B.goodbye([], G - E)), { start: G, end: G + 40, directoryStart: E, count: 0 })
  })

  it("accepts a table that fills the directory to its very start", () => {
    assert.strictEqual(tailOf(B.goodbye([], 0), { floor: G }).directoryStart, G)
  })

  it("needs no more than the 24 bytes before the end", () => {
    const window = windowOf(one.subarray(tailAt), G + tailAt)
    assert.strictEqual(GoodbyeTable.readTail(window, G + 64, E, Limits.defaults).count, 1)
  })

  it("asks for the bytes up to the end", () => {
    assertNeeds(() => GoodbyeTable.readTail(windowOf(one.subarray(0, -1), G), G + 64, E, Limits.defaults), G + 64)
  })

  it("refuses another value in place of the marker (D1)", () => {
    assertFails(() => tailOf(B.poke(one, tailAt, B.Type.GOODBYE_TAIL_MARKER ^ 1n)), "Malformed", "D1")
    assertFails(() => tailOf(B.poke(one, tailAt, B.Type.GOODBYE_TAIL_MARKER ^ (1n << 63n))), "Malformed", "D1")
  })

  it("refuses an end that leaves no room for a tail (D1)", () => {
    assertFails(() => tailOf(one, { floor: G + 64 - 23 }), "Malformed", "D1")
  })

  it.each([0, 16, 39, 2n ** 64n - 1n])("refuses the size %i (D1)", (size) => {
    assertFails(() => tailOf(B.poke(one, tailAt + 16, size)), "Malformed", "D1")
  })

  it("refuses a table that begins before the directory (D1)", () => {
    assertFails(() => tailOf(one, { floor: G + 1 }), "Malformed", "D1")
  })

  it.each([41, 63, 65])("refuses the size %i, no whole number of items (D2)", (size) => {
    assertFails(() => tailOf(B.poke(one, tailAt + 16, size)), "Malformed", "D2")
  })

  it.each([G - E + 1, 2n ** 64n - 1n])("refuses a directory start %i bytes back, before the floor (D1)", (back) => {
    assertFails(() => tailOf(B.poke(one, tailAt + 8, back)), "Malformed", "D1")
  })

  it("refuses more children than the limit as a limit, nothing else (D10)", () => {
    const two = B.goodbye([slotOf(5n, F), slotOf(4n, F + 60)], G - E)
    assert.strictEqual(tailOf(two, { limits: { directoryEntries: 2 } }).count, 2)
    assertFails(() => tailOf(two, { limits: { directoryEntries: 1 } }), "Limit", "D10")
  })
})

describe("GoodbyeTable.readTable", () => {
  const bytes = B.goodbye([slotOf(5n, F), slotOf(4n, F + 60)], G - E)

  it("keeps hash, start and size of each slot", () => {
    const loaded = table(slotOf(0xfedc_ba98_7654_3210n, F + 60, 77), slotOf(4n, F, 2 ** 50))
    assert.deepStrictEqual(GoodbyeTable.hashAt(loaded, 0), { low: 0x7654_3210, high: 0xfedc_ba98 })
    assert.strictEqual(GoodbyeTable.startAt(loaded, 0), F + 60)
    assert.strictEqual(GoodbyeTable.sizeAt(loaded, 0), 77)
    assert.strictEqual(GoodbyeTable.startAt(loaded, 1), F)
    assert.strictEqual(GoodbyeTable.sizeAt(loaded, 1), 2 ** 50)
  })

  it("is independent of the window's memory", () => {
    const mine = Uint8Array.from(bytes)
    const loaded = load(mine)
    mine.fill(0)
    assert.deepStrictEqual(GoodbyeTable.hashAt(loaded, 0), { low: 5, high: 0 })
  })

  it("loads the table of an empty directory", () => {
    assert.strictEqual(table().count, 0)
  })

  it("asks for the whole table", () => {
    const tail = tailOf(bytes)
    assertNeeds(() => GoodbyeTable.readTable(windowOf(bytes.subarray(0, 40), G), tail, F), G + bytes.length)
  })

  it.each([
    ["another item", B.poke(bytes, 0, B.Type.PAYLOAD)],
    ["a GOODBYE of another size", B.poke(bytes, 8, bytes.length - 24)],
  ])("refuses %s where the tail points (D2)", (_, damaged) => {
    assertFails(() => load(damaged), "Malformed", "D2")
  })

  it.each([0, G - F + 1, 2n ** 63n, 2n ** 64n - 1n])("keeps the others beside a child %i bytes back (D4)", (offset) => {
    const loaded = load(B.poke(bytes, 16 + 24 + 8, offset))
    assert.isFalse(GoodbyeTable.isSound(loaded))
    assert.deepInclude(GoodbyeTable.problemOf(loaded, 1), { check: "D4", offset: G + 16 + 24 + 8 })
    assert.isUndefined(GoodbyeTable.problemOf(loaded, 0))
    assert.deepStrictEqual([...loaded.starts], [F])
    assert.deepStrictEqual([...Work.finish(GoodbyeTable.slotsInArchiveOrder(loaded))], [0])
  })

  it("accepts a child at the first byte of the contents", () => {
    assert.strictEqual(GoodbyeTable.startAt(load(B.poke(bytes, 16 + 24 + 8, 1)), 1), G - 1)
    assert.strictEqual(GoodbyeTable.startAt(load(bytes), 0), F)
    assert.isTrue(GoodbyeTable.isSound(load(bytes)))
  })

  it("is not sound if the first child is not at the first byte of the contents", () => {
    assert.isFalse(GoodbyeTable.isSound(load(bytes, { contentsStart: F - 60 })))
    assert.isTrue(GoodbyeTable.isSound(load(B.goodbye([], G - E), { contentsStart: G })))
    assert.isFalse(GoodbyeTable.isSound(load(B.goodbye([], G - E))))
  })

  it.each([
    ["the one that has the size of a child", 0, 60, 1],
    ["the one that has the size of a child", 42, 43, 1],
    ["the first of those that have", 43, 60, 0],
    ["the first if none has", 0, 0, 0],
  ])("of two children at one place takes %s (%i and %i bytes)", (_, one, other, expected) => {
    const loaded = table(slotOf(5n, F, one), slotOf(4n, F, other))
    assert.isFalse(GoodbyeTable.isSound(loaded))
    assert.deepStrictEqual([...loaded.starts], [F])
    assert.deepStrictEqual([...Work.finish(GoodbyeTable.slotsInArchiveOrder(loaded))], [expected])
  })

  it("keeps two children at one place once, the first of them, also among others (D5)", () => {
    const loaded = table(slotOf(5n, F + 60), slotOf(4n, F), slotOf(6n, F + 60))
    assert.isFalse(GoodbyeTable.isSound(loaded))
    assert.deepStrictEqual([...loaded.starts], [F, F + 60])
    assert.deepStrictEqual([...Work.finish(GoodbyeTable.slotsInArchiveOrder(loaded))], [1, 0])
  })

  it.each([
    ["a left child that is larger", [5n, 6n]],
    ["a right child that is smaller", [5n, 4n, 4n]],
    ["a grandchild on the wrong side of the root", [5n, 3n, 7n, 2n, 6n]],
    ["hashes that are in order as signed numbers only", [5n, 2n ** 63n]],
    ["hashes that differ in the upper half only", [1n << 32n, 2n << 32n]],
    ["ascending order in place of heap order", [1n, 2n, 3n]],
  ])("says that it is out of order because of %s, and keeps all (D8)", (_, hashes) => {
    const loaded = table(...hashes.map((hash, index) => slotOf(hash, F + index)))
    assert.isFalse(loaded.ordered)
    assert.isFalse(GoodbyeTable.isSound(loaded))
    assert.lengthOf(loaded.starts, hashes.length)
  })

  it.prop(
    "accepts any set of hashes in heap order",
    [Arbitrary.array(anyInteger(0, 30), { maxLength: 40 })],
    ([hashes]) => {
      const loaded = tableOf(hashes.map((hash) => BigInt(hash) << 31n))
      assert.strictEqual(loaded.count, hashes.length)
      assert.isTrue(loaded.ordered)
    },
    { arbitrary: { size: 100 } },
  )

  it.prop(
    "says that a table is out of order in which two different hashes have changed places",
    [Arbitrary.array(anyInteger(0, 1000), { minLength: 2, maxLength: 20 }), anyInteger(0, 99), anyInteger(0, 99)],
    ([hashes, one, other]) => {
      const slots = B.arrange(hashes.map((hash, index) => slotOf(BigInt(hash), F + index)))
      const [i, j] = [one % slots.length, other % slots.length]
      const [a, b] = [slots[i]!, slots[j]!]
      if (a.hash === b.hash) return
      assert.isFalse(table(...slots.with(i, b).with(j, a)).ordered)
    },
    { arbitrary: { size: 100 } },
  )

  it("notices equal hashes", () => {
    assert.isFalse(tableOf([1n, 2n, 3n]).hasEqualHashes)
    assert.isTrue(tableOf([1n, 2n, 2n]).hasEqualHashes)
    assert.isFalse(tableOf([1n << 32n, 2n << 32n]).hasEqualHashes)
  })
})

describe("GoodbyeTable.boundOf", () => {
  const loaded = table(slotOf(5n, F + 200), slotOf(4n, F), slotOf(6n, F + 50))

  it("is the start of the next child in the archive, whatever the slots", () => {
    assert.strictEqual(GoodbyeTable.boundOf(loaded, F), F + 50)
    assert.strictEqual(GoodbyeTable.boundOf(loaded, F + 50), F + 200)
  })

  it("is the table for the last child", () => {
    assert.strictEqual(GoodbyeTable.boundOf(loaded, F + 200), G)
  })

  it.prop(
    "agrees with a linear search",
    [Arbitrary.array(anyInteger(1, G - F), { minLength: 1, maxLength: 30 })],
    ([offsets]) => {
      const starts = [...new Set(offsets)].map((offset) => G - offset)
      const loaded = table(...B.arrange(starts.map((start, index) => slotOf(BigInt(index), start))))
      for (const start of starts) {
        const next = starts.filter((other) => other > start)
        assert.strictEqual(GoodbyeTable.boundOf(loaded, start), Math.min(G, ...next))
      }
    },
    { arbitrary: { size: 100 } },
  )
})

describe("GoodbyeTable.candidates", () => {
  const found = (loaded: GoodbyeTable.Table, hash: bigint) => [...GoodbyeTable.candidates(loaded, halves(hash))]

  it("finds nothing in an empty table", () => {
    assert.deepStrictEqual(found(table(), 5n), [])
  })

  it("finds the only slot of a hash", () => {
    const loaded = tableOf([10n, 20n, 30n, 40n, 50n])
    // §3.5: n = 5 has the rank order 3 1 4 0 2.
    assert.deepStrictEqual(
      [10n, 20n, 30n, 40n, 50n].map((hash) => found(loaded, hash)),
      [[3], [1], [4], [0], [2]],
    )
  })

  it("finds nothing between, before and after the hashes", () => {
    const loaded = tableOf([10n, 20n, 30n, 40n, 50n])
    assert.deepStrictEqual(
      [0n, 15n, 45n, 2n ** 64n - 1n].flatMap((hash) => found(loaded, hash)),
      [],
    )
  })

  it("finds equal hashes on both sides of a node", () => {
    assert.sameMembers(found(tableOf([7n, 7n, 7n]), 7n), [0, 1, 2])
  })

  it("gives them in the order of §3.6: the node, its left subtree, its right one", () => {
    assert.deepStrictEqual(found(tableOf([7n, 7n, 7n, 7n, 7n, 7n]), 7n), [0, 1, 3, 4, 2, 5])
  })

  it("finds the fourth and fifth of one hash beyond smaller and larger ones", () => {
    const hashes = [1n, 2n, 7n, 7n, 7n, 7n, 7n, 8n, 9n]
    assert.lengthOf(found(tableOf(hashes), 7n), 5)
  })

  it("compares hashes without sign", () => {
    const loaded = tableOf([1n, 2n ** 63n, 2n ** 63n + 1n])
    assert.deepStrictEqual(found(loaded, 2n ** 63n), [0])
    assert.deepStrictEqual(found(loaded, 2n ** 63n + 1n), [2])
  })

  it.prop(
    "finds exactly the slots with the hash, and `slotOf` the first of them",
    [Arbitrary.array(anyInteger(0, 6), { maxLength: 40 }), anyInteger(0, 6)],
    ([hashes, wanted]) => {
      const loaded = tableOf(hashes.map((hash) => BigInt(hash) << 32n))
      const slots = B.arrange(hashes.map((hash) => ({ hash: BigInt(hash) })))
      assert.sameMembers(
        found(loaded, BigInt(wanted) << 32n),
        slots.flatMap(({ hash }, slot) => (hash === BigInt(wanted) ? [slot] : [])),
      )
      assert.strictEqual(
        GoodbyeTable.slotOf(loaded, halves(BigInt(wanted) << 32n)),
        found(loaded, BigInt(wanted) << 32n)[0],
      )
    },
    { arbitrary: { size: 100 } },
  )

  it.prop(
    "tells which slots share their hash",
    [Arbitrary.array(anyInteger(0, 9), { maxLength: 12 })],
    ([hashes]) => {
      const loaded = tableOf(hashes.map(BigInt))
      const slots = B.arrange(hashes.map((hash) => ({ hash: BigInt(hash) })))
      for (const [slot, { hash }] of slots.entries()) {
        assert.strictEqual(
          GoodbyeTable.sharesHash(loaded, slot),
          slots.filter((other) => other.hash === hash).length > 1,
        )
      }
    },
    { arbitrary: { size: 100 } },
  )
})

describe("GoodbyeTable.slotNear", () => {
  const hashes = [10n, 20n, 30n, 40n, 50n].map((hash) => hash * 0x0101_0202_0303_0405n)

  it.prop(
    "finds the slot whose hash has one byte wrong, whatever stays in order",
    [anyInteger(0, 4), anyInteger(0, 7), anyInteger(1, 255)],
    ([index, byte, change]) => {
      const right = hashes[index]!
      const wrong = right ^ (BigInt(change) << BigInt(8 * byte))
      // The slots are those of the right hashes.
      const slots = B.arrange(hashes.map((hash, i) => ({ ...slotOf(hash, F + 60 * i), index: i })))
      const loaded = table(...slots.map((slot) => (slot.index === index ? { ...slot, hash: wrong } : slot)))
      assert.isUndefined(GoodbyeTable.slotOf(loaded, halves(right)))
      assert.strictEqual(
        GoodbyeTable.slotNear(loaded, halves(right)),
        slots.findIndex((slot) => slot.index === index),
      )
    },
    { arbitrary: { runs: 300 } },
  )

  it("finds nothing for a name that is not there", () => {
    assert.isUndefined(GoodbyeTable.slotNear(tableOf(hashes), halves(0x0123_4567_89ab_cdefn)))
    assert.isUndefined(GoodbyeTable.slotNear(tableOf(hashes), halves(hashes[0]! ^ 0x0101n)))
    assert.isUndefined(GoodbyeTable.slotNear(table(), halves(5n)))
  })
})

/** For each slot its rank in ascending order. */
const ranksOf = (count: number): ReadonlyArray<number> => {
  const ranks = Array.from({ length: count }, () => -1)
  let slot = TableItems.firstInOrder(count)
  for (let rank = 0; rank < count; rank++) {
    ranks[slot] = rank
    slot = TableItems.nextInOrder(slot, count)
  }
  return ranks
}

describe("the order of slots", () => {
  it.each([
    [0, []],
    [1, [0]],
    [2, [1, 0]],
    [3, [1, 0, 2]],
    [4, [2, 1, 3, 0]],
    [5, [3, 1, 4, 0, 2]],
    [6, [3, 1, 5, 0, 2, 4]],
    [7, [3, 1, 5, 0, 2, 4, 6]],
    [8, [4, 2, 6, 1, 3, 5, 7, 0]],
    [9, [5, 3, 7, 1, 4, 6, 8, 0, 2]],
    [10, [6, 3, 8, 1, 5, 7, 9, 0, 2, 4]],
  ])("of %i children is that of §3.5", (count, ranks) => {
    assert.deepStrictEqual(ranksOf(count), ranks)
  })

  it.prop("agrees with the formulation by the root's rank", [anyInteger(0, 3000)], ([count]) => {
    assert.deepStrictEqual(ranksOf(count), B.rankOrder(count))
  })
})

describe("GoodbyeTable.memorySize", () => {
  it("charges 32 bytes a child", () => {
    assert.strictEqual(GoodbyeTable.memorySize(1001) - GoodbyeTable.memorySize(1), 32_000)
  })
})
