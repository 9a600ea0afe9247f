import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import type * as Node from "../../../src/domain/pxar/Node.ts"
import * as Bridge from "../../../src/fuse/bridge/Bridge.ts"
import * as B from "../../support/ArchiveBuilder.ts"
import * as H from "../harness.ts"
import { ROOT, bridgeOver, list, enter, many } from "./listings.ts"

describe("a folder's table", () => {
  it.effect("is kept while the folder is held, and dropped with its last reference", () =>
    Effect.gen(function* () {
      const built = B.build({ children: [B.folder("a", [B.file("b")])] })
      const { reader, registry } = yield* bridgeOver(built)
      const released: Array<number> = []
      const release = (node: Node.Node) => Effect.sync(() => released.push(node.id))
      const bridge = Bridge.make({ ...reader, release: (node) => Effect.asVoid(release(node)) }, registry)
      const a = yield* enter(bridge, ROOT, "a")
      yield* list(bridge, a)
      yield* list(bridge, a)
      assert.deepStrictEqual(released, [])
      yield* bridge.forget(a, 1)
      assert.deepStrictEqual(released, [a])
    }),
  )
})

describe("forget", () => {
  it.effect("of a node that is not held is said once, and ignored", () =>
    H.logged((log) =>
      Effect.gen(function* () {
        const { bridge } = yield* bridgeOver(many)
        yield* bridge.forget(-78, 1)
        yield* bridge.forget(-78, 1)
        assert.deepStrictEqual(log, [
          "Warn the kernel returned a reference to inode 9223372036854775886, which is not held",
        ])
      }),
    ),
  )

  it.effect("of more than is held fails, and changes nothing", () =>
    Effect.gen(function* () {
      const { bridge, registry } = yield* bridgeOver(many)
      const id = yield* enter(bridge, ROOT, "name-7")
      const error = yield* Effect.flip(bridge.forget(id, 2))
      assert.deepInclude(error, { _tag: "Overforget", held: 1, forgotten: 2 })
      assert.strictEqual(yield* registry.count(id), 1)
    }),
  )
})
