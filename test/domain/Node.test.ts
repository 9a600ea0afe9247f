import { assert, describe, it } from "@effect/vitest"
import type { Body, Entry } from "../../src/domain/Entry.ts"
import { noAttributes } from "../../src/domain/Entry.ts"
import * as Node from "../../src/domain/Node.ts"

const entry = (body: Body): Entry => ({
  _tag: "Entry",
  start: 100,
  end: 160,
  mode: 0,
  flags: 0n,
  uid: 0,
  gid: 0,
  mtimeSeconds: 0n,
  mtimeNanos: 0,
  attributes: noAttributes,
  body,
  findings: [],
})

describe("Node", () => {
  it("of a directory is numbered by its bound and remembers where its children begin", () => {
    const node = Node.fromEntry(entry({ _tag: "Directory", contentsStart: 156 }), 1, 80, 400)
    assert.deepStrictEqual(node, { id: 400, parent: 1, nameStart: 80, start: 100, bound: 400, contentsStart: 156 })
  })

  it("of anything else is numbered by its entry start", () => {
    const node = Node.fromEntry(entry({ _tag: "Fifo" }), 400, 80, 156)
    assert.deepStrictEqual(node, { id: -100, parent: 400, nameStart: 80, start: 100, bound: 156, contentsStart: 0 })
  })
})
