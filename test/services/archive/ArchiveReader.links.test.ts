/** Hard links (§4.6, L-checks). */
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import * as NodeId from "../../../src/domain/pxar/NodeId.ts"
import * as B from "../../support/ArchiveBuilder.ts"
import { contentOf, failing, failureOf, find, listed, open, readText } from "./helpers.ts"

const ELOOP = 40
const EIO = 5

/** An archive with a hard link `link` beside `target` and a good file, each in the root. */
const linkTo = (...targets: ReadonlyArray<B.Node>) =>
  B.build({ children: [...targets, B.linkTo("link", String(targets.at(-1)!.name)), B.file("good", "good")] })

describe("a hard link", () => {
  it.effect("has the entry, inode and content of its target, and its own name", () =>
    Effect.gen(function* () {
      const head = Buffer.concat([B.entry({ mode: 0o100640, uid: 7 }), B.xattr("user.a", "1")])
      const reader = yield* open(linkTo(B.file("target", "content", { head })).bytes)
      const [link, target] = [yield* find(reader, "link"), yield* find(reader, "target")]
      assert.strictEqual(Buffer.from(link.name).toString(), "link")
      assert.deepStrictEqual(link.entry, target.entry)
      assert.strictEqual(link.node.id, target.node.id)
      assert.strictEqual(String(yield* contentOf(reader, link)), "content")
    }),
  )

  it.effect("is known as a link, its target is not", () =>
    Effect.gen(function* () {
      const built = linkTo(B.file("target", "content"))
      const reader = yield* open(built.bytes)
      const { link, nameStart } = yield* find(reader, "link")
      assert.strictEqual(link?.target, built.at("target").nameStart)
      assert.strictEqual(nameStart, built.at("link").nameStart)
      assert.isUndefined((yield* find(reader, "target")).link)
    }),
  )

  it.effect("can lead into another folder, and out of one", () =>
    Effect.gen(function* () {
      const built = B.build({
        children: [
          B.folder("a", [B.file("x", "xyz")]),
          B.folder("b", [B.folder("c", [B.linkTo("y", "a/x")])]),
          B.linkTo("z", "a/x"),
        ],
      })
      const reader = yield* open(built.bytes)
      assert.strictEqual(yield* readText(reader, "b/c/y"), "xyz")
      assert.strictEqual(yield* readText(reader, "z"), "xyz")
    }),
  )

  it.effect("may have any path: the offset counts", () =>
    Effect.gen(function* () {
      const built = B.build({
        children: [B.file("target", "content"), B.file("other", "other"), B.raw("link", B.hardlink(0, "other"))],
      })
      const { nameStart, start } = built.at("link")
      const reader = yield* open(B.poke(built.bytes, start + 16, nameStart - built.at("target").nameStart))
      assert.strictEqual(yield* readText(reader, "link"), "content")
    }),
  )

  it.effect("to an empty file works", () =>
    Effect.gen(function* () {
      assert.strictEqual(yield* readText(yield* open(linkTo(B.file("target", "")).bytes), "link"), "")
    }),
  )

  it.effect("to a split file of less than 16 bytes can be decoded again from its node", () =>
    Effect.gen(function* () {
      const built = B.build({ version: 2, children: [B.file("target", "abc"), B.linkTo("link", "target")] })
      const reader = yield* open(built.bytes, built.payload)
      const { entry, node } = yield* find(reader, "link")
      assert.strictEqual(node.bound, built.at("target").end)
      assert.deepStrictEqual(yield* reader.entry(node), entry)
      assert.strictEqual(yield* readText(reader, "link"), "abc")
    }),
  )

  it.effect("to a legacy entry works", () =>
    Effect.gen(function* () {
      const target = B.file("target", "old", { head: B.entryV1({ mode: 0o100644 }) })
      assert.strictEqual(yield* readText(yield* open(linkTo(target).bytes), "link"), "old")
    }),
  )

  it.effect("is reached through the folder that it is in", () =>
    Effect.gen(function* () {
      const built = B.build({ children: [B.file("a", "abc"), B.folder("d", [B.linkTo("b", "a")])] })
      const reader = yield* open(built.bytes)
      assert.strictEqual((yield* find(reader, "d/b")).node.parent, NodeId.ofDirectory(built.at("d").end))
    }),
  )
})

describe("a hard link that leads nowhere good", () => {
  it.effect("to a hard link is a loop (L3)", () =>
    Effect.gen(function* () {
      const built = B.build({ children: [B.file("a", "abc"), B.linkTo("b", "a"), B.linkTo("c", "b")] })
      const reader = yield* open(built.bytes)
      const error = yield* failing(find(reader, "c"), "Malformed", "L3")
      assert.strictEqual(error.errno, ELOOP)
      assert.strictEqual(yield* readText(reader, "b"), "abc")
    }),
  )

  it.effect.each([
    ["a folder", B.folder("target", [B.file("x", "xyz")])],
    ["an empty folder", B.folder("target", [])],
    ["a symlink", B.raw("target", B.entry({ mode: 0o120777 }), B.symlink("x"))],
    ["a device", B.raw("target", B.entry({ mode: 0o20600 }), B.device(1, 3))],
  ] as const)("to %s is malformed (L3)", ([, target]) =>
    Effect.gen(function* () {
      const reader = yield* open(linkTo(target).bytes)
      const error = yield* failing(find(reader, "link"), "Malformed", "L3")
      assert.strictEqual(error.errno, EIO)
      assert.strictEqual(yield* readText(reader, "good"), "good")
    }),
  )

  it.effect("to the folder that it is in is malformed (L3)", () =>
    Effect.gen(function* () {
      const built = B.build({ children: [B.folder("d", [B.file("a"), B.raw("link", B.hardlink(0, "d"))])] })
      const link = built.at("d/link")
      const reader = yield* open(B.poke(built.bytes, link.start + 16, link.nameStart - built.at("d").nameStart))
      yield* failing(find(reader, "d/link"), "Malformed", "L3")
    }),
  )

  it.effect("to a bad file fails as that file does", () =>
    Effect.gen(function* () {
      const reader = yield* open(linkTo(B.file("target", "", { head: B.entry({ mode: 0o40755 }) })).bytes)
      yield* failing(find(reader, "link"), "Malformed", "E1")
    }),
  )

  it.effect("to a file that would reach beyond the link fails (H2)", () =>
    Effect.gen(function* () {
      const inner = Buffer.concat([B.filename("x"), B.entry(), B.item(B.Type.PAYLOAD, undefined, 16 + 5)])
      const built = B.build({ children: [B.file("holder", inner), B.raw("link", B.hardlink(inner.length, "x"))] })
      yield* failing(find(yield* open(built.bytes), "link"), "Malformed", "H2")
    }),
  )

  it.effect("is still a child that can be listed by its name", () =>
    Effect.gen(function* () {
      const built = linkTo(B.folder("target", []))
      const reader = yield* open(built.bytes)
      const index = (yield* listed(reader, reader.root)).findIndex(
        ({ name }) => Buffer.from(name!).toString() === "link",
      )
      assert.deepInclude(failureOf(yield* listed(reader, reader.root), index), { kind: "Malformed", check: "L3" })
    }),
  )
})
