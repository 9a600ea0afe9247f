import { assert, describe, it } from "@effect/vitest"
import { Arbitrary } from "effect"
import { LookupTable, type Pending } from "../../../src/domain/pxar/LookupTable.ts"
import type { Node } from "../../../src/domain/pxar/Node.ts"
import { anyInteger } from "./helpers.ts"

/**
 * A node whose every field depends on its id, and on which of several nodes of that id it is. Those of an even variant
 * are as the archive has them, the others are not.
 */
const nodeOf = (id: number, variant = 0): Node => {
  const start = Math.max(0, Math.abs(id) - (id > 0 ? 2000 : 0))
  return variant % 2 === 0
    ? {
        id,
        parent: id + 1 + variant,
        nameStart: start - 20 - variant,
        start,
        bound: id > 0 ? id : start + 100 + variant,
        contentsStart: id > 0 ? start + 56 + variant : 0,
      }
    : {
        id,
        parent: id + 1 + variant,
        nameStart: Math.abs(id) * 2 + variant,
        start: Math.abs(id) * 3 + variant,
        bound: Math.abs(id) * 5 + variant,
        contentsStart: id < 0 ? 0 : id * 7 + variant,
      }
}

interface Counts {
  readonly node: Node
  /** What stands for its pending references. */
  readonly pendingReference: Pending
  pending: number
  delivered: number
}

/** The table beside a `Map`. A command that would break a rule of the table is left out, and gives `undefined`. */
const makeModel = () => {
  const table = new LookupTable()
  const model = new Map<number, Counts>()

  const dropIfFree = (id: number, counts: Counts): boolean =>
    counts.pending + counts.delivered === 0 && model.delete(id)

  const commands = {
    retain: (id: number, variant: number): void => {
      const pendingReference = table.retain(nodeOf(id, variant))
      const counts = model.get(id)
      if (counts === undefined) {
        model.set(id, { node: nodeOf(id, variant), pendingReference, pending: 1, delivered: 0 })
      } else {
        counts.pending++
        assert.strictEqual(pendingReference, counts.pendingReference, `retain ${id}`)
      }
      assert.strictEqual(table.idOf(pendingReference), id)
    },
    deliver: (id: number): void => {
      const counts = model.get(id)
      if (counts === undefined || counts.pending === 0) return
      counts.pending--
      counts.delivered++
      table.deliver(counts.pendingReference)
    },
    release: (id: number): void => {
      const counts = model.get(id)
      if (counts === undefined || counts.pending === 0) return
      counts.pending--
      assert.strictEqual(table.release(counts.pendingReference), dropIfFree(id, counts), `release ${id}`)
    },
    forget: (id: number, amount: number): void => {
      const counts = model.get(id)
      if (counts === undefined) return
      const count = Math.min(amount, counts.delivered)
      counts.delivered -= count
      assert.strictEqual(table.forget(id, count), dropIfFree(id, counts), `forget ${id} ${count}`)
    },
  }

  const check = (id: number): void => {
    const counts = model.get(id)
    assert.deepStrictEqual(table.get(id), counts?.node, `get ${id}`)
    assert.strictEqual(table.count(id), counts?.delivered ?? 0, `count ${id}`)
    assert.strictEqual(table.size, model.size)
  }
  const checkAll = (ids: Iterable<number>): void => {
    for (const id of ids) check(id)
    const keys = [...table.keys()]
    assert.strictEqual(keys.length, model.size, "each key once")
    assert.deepStrictEqual(new Set(keys), new Set(model.keys()))
  }
  return { table, model, check, checkAll, ...commands }
}

type Model = ReturnType<typeof makeModel>

const run = (model: Model, kind: number, id: number, amount: number): void => {
  if (kind < 3) model.retain(id, amount)
  else if (kind < 5) model.deliver(id)
  else if (kind < 7) model.release(id)
  else model.forget(id, amount)
}

/** Multiples of 2^24: their lower bits all stand in one place of a small index. */
const colliding = Array.from({ length: 12 }, (_, index) => (index + 1) * 2 ** 24)

/** Few enough to meet again, of every kind there is: root, folders, others, beyond 2^32, opposite numbers. */
const someIds: ReadonlyArray<number> = [
  1,
  331,
  -0x4e,
  -0xae,
  331 - 2 ** 24,
  2 ** 32,
  -(2 ** 32),
  2 ** 32 + 331,
  2 ** 52 + 1,
  -(2 ** 52) - 1,
  Number.MAX_SAFE_INTEGER,
  -Number.MAX_SAFE_INTEGER,
  ...colliding,
  ...colliding.map((id) => -id),
]

const anyCommand = Arbitrary.all([anyInteger(0, 9), anyInteger(0, someIds.length - 1), anyInteger(0, 3)])

/** xorshift: the same numbers for the same seed. */
const makeRandom = (seed: number) => {
  let state = seed | 1
  return (below: number): number => {
    state ^= state << 13
    state ^= state >>> 17
    state ^= state << 5
    return (state >>> 0) % below
  }
}

describe("LookupTable", () => {
  it("is empty at first", () => {
    const table = new LookupTable()
    assert.strictEqual(table.size, 0)
    assert.isUndefined(table.get(1))
    assert.strictEqual(table.count(1), 0)
    assert.deepStrictEqual([...table.keys()], [])
  })

  it("gives a node back with every field", () => {
    const table = new LookupTable()
    const node: Node = { id: -0x4e, parent: 1, nameStart: 56, start: 78, bound: 153, contentsStart: 0 }
    table.retain(node)
    assert.deepStrictEqual(table.get(-0x4e), node)
  })

  it("tells an id from its opposite", () => {
    const table = new LookupTable()
    const folder = table.retain(nodeOf(331))
    assert.isUndefined(table.get(-331))
    table.retain(nodeOf(-331))
    assert.isTrue(table.release(folder))
    assert.deepStrictEqual(table.get(-331), nodeOf(-331))
  })

  it("keeps the node that came first: a hard link is reached through several folders", () => {
    const table = new LookupTable()
    table.retain(nodeOf(-78, 0))
    table.retain(nodeOf(-78, 5))
    assert.deepStrictEqual(table.get(-78), nodeOf(-78, 0))
  })

  it("does not count what has not been delivered", () => {
    const table = new LookupTable()
    table.retain(nodeOf(5))
    const second = table.retain(nodeOf(5))
    assert.strictEqual(table.count(5), 0)
    table.deliver(second)
    assert.strictEqual(table.count(5), 1)
  })

  it("keeps a node as long as one reference of either kind is left", () => {
    const table = new LookupTable()
    const first = table.retain(nodeOf(5))
    const second = table.retain(nodeOf(5))
    table.deliver(first)
    assert.isFalse(table.forget(5, 1))
    assert.isDefined(table.get(5))
    assert.isTrue(table.release(second))
    assert.isUndefined(table.get(5))
    assert.strictEqual(table.size, 0)
  })

  it("takes a node anew after it was dropped, with its counts at zero", () => {
    const table = new LookupTable()
    table.deliver(table.retain(nodeOf(5, 1)))
    assert.isTrue(table.forget(5, 1))
    table.retain(nodeOf(5, 2))
    assert.strictEqual(table.count(5), 0)
    assert.deepStrictEqual(table.get(5), nodeOf(5, 2))
  })

  it.prop(
    "agrees with a map after any sequence of commands",
    [Arbitrary.array(anyCommand, { maxLength: 120 })],
    ([commands]) => {
      const model = makeModel()
      for (const [kind, index, amount] of commands) {
        const id = someIds[index] as number
        run(model, kind, id, amount)
        model.check(id)
      }
      model.checkAll(someIds)
    },
    { arbitrary: { runs: 200, size: 100 } },
  )

  it.prop(
    "agrees with a map while thousands of nodes come and go",
    [anyInteger(1, 0x7fff_ffff)],
    ([seed]) => {
      const random = makeRandom(seed)
      const ids = Array.from({ length: 2000 }, (_, index) => (random(2) === 0 ? 1 : -1) * (index * 61 + 1) * 64)
      const model = makeModel()
      for (let step = 0; step < 20_000; step++) {
        // First more come than go, then the other way round.
        const growing = step < 10_000
        const kind = growing ? random(10) : random(7) + 3
        const id = ids[random(ids.length)] as number
        run(model, kind, id, random(4))
        model.check(id)
        if (step % 5000 === 0) model.checkAll(ids)
      }
      model.checkAll(ids)
    },
    { arbitrary: { runs: 3, size: 100 } },
  )

  it.prop(
    "finds the others when one of many colliding ids is dropped, in any order",
    [Arbitrary.array(anyInteger(0, 0xffff), { minLength: 100, maxLength: 100 })],
    ([picks]) => {
      const ids = Array.from({ length: 100 }, (_, index) => (index % 2 === 0 ? 1 : -1) * (index + 1) * 2 ** 24)
      const model = makeModel()
      for (const id of ids) model.retain(id, 0)
      for (const pick of picks) {
        const [id] = ids.splice(pick % ids.length, 1)
        model.release(id as number)
        model.check(id as number)
        for (const other of ids) assert.isDefined(model.table.get(other), `${other} after ${id}`)
      }
      assert.strictEqual(model.table.size, 0)
    },
    { arbitrary: { runs: 20, size: 100 } },
  )

  it("keeps fifty thousand nodes and their counts while it grows", () => {
    const table = new LookupTable()
    const ids = Array.from({ length: 50_000 }, (_, index) => (index % 3 === 0 ? 1 : -1) * (2 ** 33 + index * 173))
    for (const [index, id] of ids.entries()) {
      const reference = table.retain(nodeOf(id))
      if (index % 2 === 0) table.deliver(reference)
    }
    assert.strictEqual(table.size, ids.length)
    for (const [index, id] of ids.entries()) {
      assert.deepStrictEqual(table.get(id), nodeOf(id))
      assert.strictEqual(table.count(id), index % 2 === 0 ? 1 : 0)
    }
    assert.strictEqual(new Set(table.keys()).size, ids.length)
  })
})
