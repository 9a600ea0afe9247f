import { assert, describe, it } from "@effect/vitest"
import { Effect, Stream } from "effect"
import * as Archive from "../../../src/services/tree/Archive.ts"
import type { ArchiveTree } from "../../../src/services/archive/ArchiveTree.ts"
import * as RepositoryTree from "../../../src/services/repository/RepositoryTree.ts"
import * as B from "../../support/ArchiveBuilder.ts"
import * as AtOnce from "../../../src/services/AtOnce.ts"
import * as H from "../archive/helpers.ts"

const first = B.build({
  root: B.entry({ mode: 0o40750, uid: 1 }),
  children: [B.file("file", "one"), B.folder("folder", [B.file("deep", "two")]), B.linkTo("link", "file")],
})
const second = B.build({ version: 2, children: [B.file("file", "three"), B.linkTo("link", "file")] })

const open = Effect.gen(function* () {
  return RepositoryTree.make({
    name: "several",
    uid: 3,
    gid: 4,
    mtimeSeconds: 5n,
    members: [
      { name: Buffer.from("b.pxar"), archiveSize: first.bytes.length, reader: yield* H.open(first.bytes) },
      {
        name: Buffer.from("a.mpxar"),
        archiveSize: second.bytes.length,
        reader: yield* H.open(second.bytes, second.payload),
      },
    ],
  })
})

const walk = (reader: ArchiveTree) =>
  Effect.gen(function* () {
    const archive = Archive.fromReader(reader)
    const items = yield* Stream.runCollect(archive.walk(yield* archive.root))
    return items.map((item) => (item._tag === "Found" ? item : assert.fail(item.error.message)))
  })

/** The second archive begins behind the first, which begins at 1. */
const SECOND = 1 + first.bytes.length

describe("a collection", () => {
  it.effect("is a folder of archives, in the order given", () =>
    Effect.gen(function* () {
      const found = yield* walk(yield* open)
      assert.deepStrictEqual(
        found.map((item) => Buffer.from(item.path).toString()),
        [
          "/",
          "/b.pxar",
          "/b.pxar/file",
          "/b.pxar/folder",
          "/b.pxar/folder/deep",
          "/b.pxar/link",
          "/a.mpxar",
          "/a.mpxar/file",
          "/a.mpxar/link",
        ],
      )
    }),
  )

  it.effect("has an owner and a time of its own; its archives show what their roots say", () =>
    Effect.gen(function* () {
      const reader = yield* open
      const { gid, mode, mtimeSeconds, uid } = yield* reader.entry(reader.root)
      assert.deepStrictEqual({ gid, mode, mtimeSeconds, uid }, { gid: 4, mode: 0o40755, mtimeSeconds: 5n, uid: 3 })
      const archive = yield* H.find(reader, "b.pxar")
      assert.deepInclude(archive.entry, { mode: 0o40750, uid: 1 })
      assert.deepStrictEqual(yield* reader.entry(archive.node), archive.entry)
      assert.strictEqual(Buffer.from(yield* reader.name(archive.node)).toString(), "b.pxar")
      assert.isUndefined(yield* reader.lookup(reader.root, Buffer.from("c.pxar")))
      assert.strictEqual(reader.size, first.bytes.length + second.bytes.length + second.payload.length)
    }),
  )

  it.effect("gives each entry a number of its own: that of its archive, moved by the size of those before", () =>
    Effect.gen(function* () {
      const reader = yield* open
      const ids = new Map((yield* walk(reader)).map(({ node, path }) => [Buffer.from(path).toString(), node.id]))
      assert.strictEqual(ids.get("/"), 1)
      assert.strictEqual(ids.get("/b.pxar"), 2)
      assert.strictEqual(ids.get("/b.pxar/folder"), 1 + first.at("folder").end)
      assert.strictEqual(ids.get("/b.pxar/file"), -(1 + first.at("file").start))
      assert.strictEqual(ids.get("/b.pxar/link"), ids.get("/b.pxar/file"))
      assert.strictEqual(ids.get("/a.mpxar"), SECOND + 1)
      assert.strictEqual(ids.get("/a.mpxar/file"), -(SECOND + second.at("file").start))
      assert.deepStrictEqual(
        (yield* H.listed(reader, reader.root)).map((child) => [
          Buffer.from(child.name!).toString(),
          child._tag === "Unopened" ? child.node.id : undefined,
        ]),
        [
          ["b.pxar", 2],
          ["a.mpxar", SECOND + 1],
        ],
      )
    }),
  )

  it.effect("leads every node to its parent and to its entry", () =>
    Effect.gen(function* () {
      const reader = yield* open
      const found = yield* walk(reader)
      const nodes = new Map(found.map(({ node, path }) => [Buffer.from(path).toString(), node]))
      for (const { entry, node, path } of found.slice(1)) {
        const text = Buffer.from(path).toString()
        assert.strictEqual(node.parent, nodes.get(text.slice(0, text.lastIndexOf("/")) || "/")!.id, text)
        assert.deepStrictEqual(yield* reader.entry(node), entry)
        assert.strictEqual(Buffer.from(yield* reader.name(node)).toString(), text.split("/").at(-1))
      }
    }),
  )

  it.effect("reads contents from the archive that has them", () =>
    Effect.gen(function* () {
      const reader = yield* open
      assert.strictEqual(yield* H.readText(reader, "b.pxar/file"), "one")
      assert.strictEqual(yield* H.readText(reader, "b.pxar/folder/deep"), "two")
      assert.strictEqual(yield* H.readText(reader, "a.mpxar/file"), "three")
      assert.strictEqual(yield* H.readText(reader, "a.mpxar/link"), "three")
    }),
  )

  it.effect("tells at once what its archives tell at once", () =>
    Effect.gen(function* () {
      const reader = yield* open
      const { node } = yield* H.find(reader, "b.pxar")
      const file = yield* H.find(reader, "b.pxar/file")
      for (const effect of [
        reader.entry(node),
        reader.list(node, 0, () => true),
        reader.list(reader.root, 0, () => true),
        reader.lookup(node, Buffer.from("file")),
        reader.content(file.node, 0, new Uint8Array(3)),
      ]) {
        assert.isTrue(AtOnce.hasEnded<unknown, unknown, never>(effect))
      }
    }),
  )

  it.effect("lists its root and the roots of its archives by slot", () =>
    Effect.gen(function* () {
      const reader = yield* open
      assert.strictEqual(yield* reader.count(reader.root), 2)
      const { node } = yield* H.find(reader, "a.mpxar")
      assert.sameMembers(
        (yield* H.children(reader, node)).map(({ name }) => Buffer.from(name).toString()),
        ["file", "link"],
      )
    }),
  )
})
