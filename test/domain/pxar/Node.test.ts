import { assert, describe, it } from "@effect/vitest"
import * as Node from "../../../src/domain/pxar/Node.ts"
import { entryOf } from "./helpers.ts"

describe("Node", () => {
  it("of a directory is numbered by its bound and remembers where its children begin", () => {
    const node = Node.fromEntry(entryOf({ body: { _tag: "Directory", contentsStart: 156 } }), 1, 80, 400)
    assert.deepStrictEqual(node, { id: 400, parent: 1, nameStart: 80, start: 100, bound: 400, contentsStart: 156 })
  })

  it("of anything else is numbered by its entry start", () => {
    const node = Node.fromEntry(entryOf({ body: { _tag: "Fifo" } }), 400, 80, 156)
    assert.deepStrictEqual(node, { id: -100, parent: 400, nameStart: 80, start: 100, bound: 156, contentsStart: 0 })
  })
})
