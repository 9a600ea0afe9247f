import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import * as SubfolderTree from "../../../src/services/tree/SubfolderTree.ts"
import * as B from "../../support/ArchiveBuilder.ts"
import * as AtOnce from "../../../src/services/AtOnce.ts"
import * as H from "../archive/helpers.ts"

const built = B.build({
  children: [
    B.file("outside", "content"),
    B.folder("a", [
      B.folder("b", [B.file("file", "inside"), B.folder("c", [B.file("deep", "")]), B.linkTo("link", "outside")]),
    ]),
  ],
})

const open = Effect.gen(function* () {
  const reader = yield* H.open(built.bytes)
  const folder = yield* H.find(reader, "a/b")
  return { reader, folder, view: SubfolderTree.make(reader, folder.node) }
})

describe("a folder as the root", () => {
  it.effect("is node 1, its own parent, without a name, with the folder's entry", () =>
    Effect.gen(function* () {
      const { folder, view } = yield* open
      assert.deepInclude(view.root, { id: 1, parent: 1, start: folder.node.start })
      assert.deepStrictEqual(yield* view.entry(view.root), folder.entry)
      assert.strictEqual((yield* view.name(view.root)).length, 0)
    }),
  )

  it.effect("has the folder's children, whose parent it is", () =>
    Effect.gen(function* () {
      const { view } = yield* open
      const children = yield* H.children(view, view.root)
      assert.sameMembers(
        children.map(({ name }) => Buffer.from(name).toString()),
        ["file", "c", "link"],
      )
      assert.deepStrictEqual(
        children.map(({ node }) => node.parent),
        [1, 1, 1],
      )
      assert.isUndefined(yield* view.lookup(view.root, Buffer.from("outside")))
      assert.strictEqual(Buffer.from(children[0]!.name).toString(), "file")
    }),
  )

  it.effect("tells at once what it tells", () =>
    Effect.gen(function* () {
      const { view } = yield* open
      const { root } = view
      for (const effect of [
        view.entry(root),
        view.count(root),
        view.list(root, 0, () => true),
        view.lookup(root, Buffer.from("c")),
        view.lookup(root, Buffer.from("outside")),
      ]) {
        assert.isTrue(AtOnce.hasEnded<unknown, unknown, never>(effect))
      }
    }),
  )

  it.effect("leads on to what is below, under its own numbers", () =>
    Effect.gen(function* () {
      const { view } = yield* open
      const deep = yield* H.find(view, "c/deep")
      assert.strictEqual(deep.node.id, -built.at("a/b/c/deep").start)
      assert.strictEqual(deep.node.parent, built.at("a/b/c").end)
    }),
  )

  it.effect("follows hard links out of it", () =>
    Effect.gen(function* () {
      const { view } = yield* open
      const content = yield* H.contentOf(view, yield* H.find(view, "link"))
      assert.strictEqual(content.toString(), "content")
    }),
  )
})
