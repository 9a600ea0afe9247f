import { assert, describe, it } from "@effect/vitest"
import { Effect, Fiber, Stream } from "effect"
import { TestClock } from "effect/testing"
import * as Bytes from "../../../src/domain/Bytes.ts"
import type * as Inode from "../../../src/domain/pxar/Inode.ts"
import { unavailable } from "../../../src/services/archive/ArchiveError.ts"
import * as LookupRegistry from "../../../src/services/LookupRegistry.ts"
import * as Archive from "../../../src/services/tree/Archive.ts"
import type { ArchiveTree } from "../../../src/services/archive/ArchiveTree.ts"
import type * as VirtualItem from "../../../src/services/virtual/VirtualItem.ts"
import * as VirtualTree from "../../../src/services/virtual/VirtualTree.ts"
import * as Node from "../../../src/domain/pxar/Node.ts"
import * as B from "../../support/ArchiveBuilder.ts"
import * as AtOnce from "../../../src/services/AtOnce.ts"
import * as H from "../archive/helpers.ts"

const first = B.build({
  root: B.entry({ mode: 0o40750, uid: 1 }),
  children: [B.file("file", "one"), B.folder("folder", [B.file("deep", "two")]), B.linkTo("link", "file")],
})
const second = B.build({ version: 2, children: [B.file("file", "three"), B.linkTo("link", "file")] })

/** An archive by reference, which counts how often it is opened. */
const reference = (name: string, built: Pick<B.Built, "bytes">, payload?: Uint8Array, onOpen = (): void => undefined) =>
  ({
    _tag: "Archive",
    name,
    archive: {
      archive: name,
      size: built.bytes.length,
      open: Effect.tap(H.open(built.bytes, payload), () => Effect.sync(onOpen)),
    },
  }) satisfies VirtualItem.Item

const treeOf = (children: ReadonlyArray<VirtualItem.Item>, size = 0) =>
  VirtualTree.make({
    name: "several",
    root: { items: Effect.succeed(children), isFixed: true, mtimeSeconds: 5 },
    size,
    idle: "10 seconds",
    uid: 3,
    gid: 4,
  })

const open = treeOf(
  [reference("b.pxar", first), reference("a.mpxar", second, second.payload)],
  first.bytes.length + second.bytes.length + second.payload.length,
)

const walk = (reader: ArchiveTree) =>
  Effect.gen(function* () {
    const archive = Archive.fromReader(reader)
    const items = yield* Stream.runCollect(archive.walk(yield* archive.root))
    return items.map((item) => (item._tag === "Found" ? item : assert.fail(item.error.message)))
  })

const BLOCK = 2 ** 32

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

  it.effect("shows each entry under a number of its own: that of its archive, above the archive's base", () =>
    Effect.gen(function* () {
      const reader = yield* open
      const found = yield* walk(reader)
      const inodes = new Map(found.map(({ node, path }) => [Buffer.from(path).toString(), reader.inode(node)]))
      assert.deepStrictEqual(
        [...inodes],
        [
          ["/", 1],
          ["/b.pxar", 4],
          ["/b.pxar/file", BLOCK + 2 * first.at("file").start + 1],
          ["/b.pxar/folder", BLOCK + 2 * first.at("folder").end],
          ["/b.pxar/folder/deep", BLOCK + 2 * first.at("folder/deep").start + 1],
          ["/b.pxar/link", BLOCK + 2 * first.at("file").start + 1],
          ["/a.mpxar", 6],
          ["/a.mpxar/file", 2 * BLOCK + 2 * second.at("file").start + 1],
          ["/a.mpxar/link", 2 * BLOCK + 2 * second.at("file").start + 1],
        ],
      )
      assert.deepStrictEqual(
        (yield* H.listed(reader, reader.root)).map((child) => [
          Buffer.from(child.name!).toString(),
          child._tag === "Unopened" ? reader.inode(child.node) : undefined,
        ]),
        [
          ["b.pxar", 4],
          ["a.mpxar", 6],
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
        const { archive, id } = nodes.get(text.slice(0, text.lastIndexOf("/")) || "/")!
        assert.deepStrictEqual(Node.parentOf(node), archive === undefined ? { id } : { archive, id }, text)
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

describe("a tree of folders and archives", () => {
  const folder = (name: string, items: VirtualItem.Folder["items"], isFixed = true): VirtualItem.Item => ({
    _tag: "Folder",
    name,
    folder: { items, isFixed, mtimeSeconds: 0 },
  })

  it.effect("lists each folder once, when somebody looks, and opens nothing for that", () =>
    Effect.gen(function* () {
      const story: Array<string> = []
      const snapshot = (name: string) =>
        folder(
          name,
          Effect.sync(() => {
            story.push(`list ${name}`)
            return [reference("root.pxar", first, undefined, () => void story.push(`open ${name}`))]
          }),
        )
      const tree = yield* treeOf([folder("vm", Effect.succeed(["1", "2", "3"].map(snapshot)))])
      assert.deepStrictEqual(story, [])
      const vm = yield* H.find(tree, "vm")
      assert.strictEqual(yield* tree.count(vm.node), 3)
      assert.deepStrictEqual(story, [])
      const inside = yield* H.find(tree, "vm/2")
      for (const _ of [1, 2]) yield* H.listed(tree, inside.node)
      assert.deepStrictEqual(story, ["list 2"])
      assert.strictEqual(yield* H.readText(tree, "vm/2/root.pxar/folder/deep"), "two")
      assert.deepStrictEqual(story, ["list 2", "open 2"])
      assert.isUndefined(yield* tree.lookup(inside.node, Buffer.from("nothing")))
    }),
  )

  it.effect("asks again for a folder that could not be listed, and shows its siblings", () =>
    Effect.gen(function* () {
      let broken = true
      const children = Effect.suspend(() =>
        broken ? Effect.fail(unavailable("store", "is away")) : Effect.succeed([reference("a.pxar", first)]),
      )
      const tree = yield* treeOf([folder("bad", children), reference("b.pxar", first)])
      const { node } = yield* H.find(tree, "bad")
      yield* H.failing(H.listed(tree, node), "IO", "unavailable")
      assert.strictEqual(yield* H.readText(tree, "b.pxar/file"), "one")
      broken = false
      assert.strictEqual(yield* H.readText(tree, "bad/a.pxar/file"), "one")
    }),
  )

  it.effect(
    "asks once for all who look at a folder at the same time, and not again before a while after the answer",
    () =>
      Effect.gen(function* () {
        let asked = 0
        const slow = Effect.suspend(() => {
          asked++
          return Effect.as(Effect.sleep("10 seconds"), [reference("a.pxar", first)])
        })
        const tree = yield* treeOf([folder("slow", slow, false)])
        const { node } = yield* H.find(tree, "slow")
        const looking = yield* Effect.forkChild(
          Effect.all(
            [1, 2, 3].map(() => tree.lookup(node, Buffer.from("a.pxar"))),
            { concurrency: "unbounded" },
          ),
        )
        yield* TestClock.adjust("10 seconds")
        assert.lengthOf(
          (yield* Fiber.join(looking)).filter((found) => found !== undefined),
          3,
        )
        assert.strictEqual(asked, 1)
        yield* TestClock.adjust("1 second")
        const again = yield* Effect.forkChild(tree.count(node))
        yield* TestClock.adjust("10 seconds")
        assert.deepStrictEqual([yield* Fiber.join(again), asked], [1, 2])
      }),
  )

  it.effect("keeps the place of a name in listings, and what goes is found no more", () =>
    Effect.gen(function* () {
      let names = ["a", "b", "c"]
      const items = Effect.sync(() => names.map((name) => reference(name, first)))
      const tree = yield* treeOf([folder("live", items, false)])
      const { node } = yield* H.find(tree, "live")
      const listFrom = Effect.fnUntraced(function* (from: number) {
        const told: Array<string> = []
        yield* tree.list(node, from, (child, next) => told.push(`${Buffer.from(child.name!).toString()} ${next}`) > 0)
        return told
      })
      // Nobody has listed it from the start.
      assert.deepStrictEqual(yield* listFrom(2), ["c 3"])
      assert.deepStrictEqual(yield* listFrom(0), ["a 1", "b 2", "c 3"])
      const before = yield* H.find(tree, "live/c")
      names = ["c", "d", "a"]
      yield* TestClock.adjust("2 seconds")
      assert.deepStrictEqual(yield* listFrom(0), ["a 1", "c 3", "d 4"])
      assert.deepStrictEqual(yield* listFrom(1), ["c 3", "d 4"])
      assert.isUndefined(yield* tree.lookup(node, Buffer.from("b")))
      assert.strictEqual((yield* H.find(tree, "live/c")).node, before.node)
    }),
  )

  it.effect("finds names that are not UTF-8 by their bytes", () =>
    Effect.gen(function* () {
      const name = Uint8Array.of(0x61, 0xff, 0x62)
      const tree = yield* treeOf([folder(Bytes.toText(name), Effect.succeed([]))])
      const found = yield* tree.lookup(tree.root, name)
      assert.deepStrictEqual(found?.name, name)
      assert.isUndefined(yield* tree.lookup(tree.root, Buffer.from("a\ufffdb")))
    }),
  )

  it.effect("shows the same numbers after an archive was closed, whatever was opened meanwhile", () =>
    Effect.gen(function* () {
      let opened = 0
      const count = () => void opened++
      const tree = yield* treeOf([
        reference("a", first, undefined, count),
        reference("b", first, undefined, count),
        reference("c", first, undefined, count),
      ])
      const before = yield* H.find(tree, "b/file")
      const number = tree.inode(before.node)
      assert.strictEqual(number, BLOCK + 2 * first.at("file").start + 1)
      yield* TestClock.adjust("1 minute")
      yield* H.find(tree, "c/file")
      yield* H.find(tree, "a/file")
      const after = yield* H.find(tree, "b/file")
      assert.deepStrictEqual([after.node, tree.inode(after.node), opened], [before.node, number, 4])
    }),
  )

  it.effect("is exact for 5000 archives of 2 TB: no two files share a number, and lookups lead back", () =>
    Effect.gen(function* () {
      const SIZE = 2e12
      const huge = Effect.map(H.open(first.bytes), (reader): ArchiveTree => ({
        ...reader,
        root: { ...reader.root, bound: SIZE },
      }))
      const tree = yield* treeOf(
        Array.from({ length: 5000 }, (_, index) => {
          const { archive, ...item } = reference(`${index}`, first)
          return { ...item, archive: { ...archive, open: huge } }
        }),
      )
      const registry = yield* LookupRegistry.make(tree.root, tree.ids)
      const lease = yield* registry.lease
      const seen = new Set<Inode.Inode>()
      let largest = 0n
      for (let index = 0; index < 5000; index++) {
        const { node } = yield* H.find(tree, `${index}`)
        const archive = index + 2
        yield* tree.entry(node)
        for (const id of [-(SIZE - 1), SIZE - 2, -1]) {
          const ino = tree.inode({ archive, id })
          const base = BigInt(tree.inode({ archive, id: 2 })) - 4n
          assert.strictEqual(BigInt(ino), base + 2n * BigInt(Math.abs(id)) + (id < 0 ? 1n : 0n))
          assert.isFalse(seen.has(ino))
          seen.add(ino)
          if (BigInt(ino) > largest) largest = BigInt(ino)
          const held = { id, archive, parent: 1, nameStart: 0, start: Math.abs(id), bound: id, contentsStart: 0 }
          if (id < 0) assert.deepInclude(registry.find(lease.add(held)), { id, archive })
        }
      }
      assert.isTrue(largest > 2n ** 53n && largest < 2n ** 63n)
    }),
  )

  it.effect("costs nothing for 10,000 archives that nobody opens", () =>
    Effect.gen(function* () {
      const tree = yield* treeOf(
        Array.from({ length: 10_000 }, (_, index) => {
          const { archive, ...item } = reference(`${index}`, first)
          return { ...item, archive: { ...archive, open: Effect.die(new Error("opened")) } }
        }),
      )
      assert.strictEqual(yield* tree.count(tree.root), 10_000)
      assert.lengthOf(yield* H.listed(tree, tree.root), 10_000)
      assert.deepStrictEqual(yield* tree.memory, { blocks: 0, tables: 0 })
    }),
  )
})
