import { assert, describe, it } from "@effect/vitest"
import * as Counters from "../../../src/fuse/session/Counters.ts"
import { Op } from "../../support/Wire.ts"

describe("Counters", () => {
  it("are zero at first, with no names", () => {
    assert.deepStrictEqual(new Counters.CounterSet().snapshot(), {
      requests: {},
      delivered: 0,
      abandoned: 0,
      errors: 0,
    })
  })

  it.each(Object.entries(Op))("name %s by its opcode", (name, opcode) => {
    const counters = new Counters.CounterSet()
    counters.request(opcode)
    counters.request(opcode)
    assert.deepStrictEqual(counters.snapshot().requests, { [name]: 2 })
  })

  it("add up all opcodes that are not known", () => {
    const counters = new Counters.CounterSet()
    for (const opcode of [0, 54, 4096, 54]) counters.request(opcode)
    assert.deepStrictEqual(counters.snapshot().requests, { UNKNOWN: 4 })
  })

  it("of a snapshot stay as they are", () => {
    const counters = new Counters.CounterSet()
    counters.request(Op.READ)
    counters.delivered = 1
    const before = counters.snapshot()
    counters.request(Op.READ)
    counters.delivered++
    counters.abandoned++
    counters.errors++
    assert.deepStrictEqual(before, { requests: { READ: 1 }, delivered: 1, abandoned: 0, errors: 0 })
    assert.deepStrictEqual(counters.snapshot(), { requests: { READ: 2 }, delivered: 2, abandoned: 1, errors: 1 })
  })
})
