import { assert, describe, it } from "@effect/vitest"
import { Effect, type Scope } from "effect"
import * as Export from "../../../src/fuse/bridge/Export.ts"
import type * as Node from "../../../src/domain/pxar/Node.ts"
import * as NodeId from "../../../src/domain/pxar/NodeId.ts"
import * as ArchiveFiles from "../../../src/services/archive/ArchiveFiles.ts"
import type { ArchiveError } from "../../../src/services/archive/ArchiveError.ts"
import type { ArchiveTree } from "../../../src/services/archive/ArchiveTree.ts"
import type { OpenError } from "../../../src/services/bytes/FileSource.ts"
import { fromBytes } from "../../../src/services/bytes/ByteSource.ts"
import * as Golden from "../../support/Golden.ts"
import { bridgeOver, HELLO_ID, helloBytes } from "../harness.ts"

/** Every node by the way that a path takes, each name of a file one of its own. */
const nodes = Effect.fnUntraced(function* (
  tree: ArchiveTree,
): Effect.fn.Return<ReadonlyArray<Node.Node>, ArchiveError> {
  const found: Array<Node.Node> = []
  const folders = [tree.root]
  for (let folder = folders.pop(); folder !== undefined; folder = folders.pop()) {
    found.push(folder)
    yield* tree.list(folder, 0, (child) => {
      if (child._tag !== "Found") return true
      if (child.link !== undefined) found.push({ ...child.node, id: NodeId.ofEntry(child.nameStart) })
      else if (NodeId.isDirectory(child.node.id)) folders.push(child.node)
      else found.push(child.node)
      return true
    })
  }
  return found
})

const open = (golden: Golden.Golden): Effect.Effect<ArchiveTree, OpenError | ArchiveError, Scope.Scope> =>
  ArchiveFiles.open(golden.archive, { payload: golden.payload })

describe("Export.find", () => {
  it.effect.each([Golden.treeV1, Golden.treeV2, Golden.hardlinkV1, Golden.helloV1])(
    "finds every node of an archive by its number, and nothing by any other",
    (golden) =>
      Effect.gen(function* () {
        const tree = yield* open(golden)
        const all = new Map((yield* nodes(tree)).map((node) => [node.id, node]))
        assert.isAbove(all.size, 2)
        for (const node of all.values()) assert.deepStrictEqual(yield* Export.find(tree, node.id), node)
        const step = Math.max(1, Math.floor(tree.size / 3000))
        for (let position = 0; position <= tree.size + 10; position += step) {
          for (const id of [position, -position]) {
            if (id === 0 || all.has(id)) continue
            assert.isUndefined(yield* Export.find(tree, id), `node ${id}`)
          }
        }
        for (const id of [2 ** 52, -(2 ** 52), Number.MAX_SAFE_INTEGER]) {
          assert.isUndefined(yield* Export.find(tree, id))
        }
      }),
  )
})

describe("an exported bridge", () => {
  it.effect("gives a node itself as `.` and its parent as `..`, though the kernel holds neither", () =>
    Effect.gen(function* () {
      const { bridge, reader, registry } = yield* bridgeOver({ source: fromBytes(helloBytes()) })
      const exported = Export.make(bridge, reader, registry)
      const lease = exported.leaseUnsafe()
      const name = (text: string) => new TextEncoder().encode(text)
      assert.isUndefined(registry.find(HELLO_ID))
      const self = yield* exported.lookup(HELLO_ID, name("."), lease)
      assert.strictEqual(self?.mode, 0o100644)
      const parent = yield* exported.lookup(HELLO_ID, name(".."), lease)
      assert.strictEqual(parent?.mode, 0o40755)
      assert.isUndefined(yield* exported.lookup(HELLO_ID - 1, name("."), lease))
      assert.isUndefined(yield* exported.lookup(HELLO_ID - 1, name(".."), lease))
      assert.strictEqual((yield* exported.lookup(NodeId.ROOT, name("hello"), lease))?.size, 3)
      assert.isUndefined(yield* exported.lookup(NodeId.ROOT, name(".x"), lease))
      yield* lease.takeBack
      assert.deepStrictEqual(yield* registry.held, [NodeId.ROOT])
    }),
  )
})
