/** The cursor itself; what it finds is tested where it is used. */
import { assert, describe, it } from "@effect/vitest"
import { Effect, Stream } from "effect"
import * as Place from "../../../src/services/tree/Place.ts"
import * as TreeWalk from "../../../src/services/tree/TreeWalk.ts"
import * as WalkStream from "../../../src/services/tree/WalkStream.ts"
import * as B from "../../support/ArchiveBuilder.ts"
import * as H from "../archive/helpers.ts"

const tree = B.build({
  children: [
    B.file("a"),
    B.folder("d", [B.file("x"), B.folder("e", [B.file("deep")]), B.file("y")]),
    B.folder("f", [B.file("z")]),
    B.file("last"),
  ],
})

/** Names in the order in which a cursor gives them; it enters the folders for which that is said. */
const names = (bytes: Uint8Array, enters: (name: string) => boolean, stopsAt?: string) =>
  Effect.gen(function* () {
    const reader = yield* H.open(bytes)
    const walk = yield* TreeWalk.make(reader, { place: Place.ROOT, node: reader.root }, 10)
    const seen: Array<string> = []
    while (walk.depth() > 0) {
      const item = yield* walk.next()
      if (item === undefined) {
        walk.leave()
        continue
      }
      const name = Buffer.from(item.path).toString()
      seen.push(name)
      if (name === stopsAt) walk.leave()
      else if (item._tag === "Found" && item.entry.body._tag === "Directory" && enters(name)) yield* walk.enter()
    }
    return seen
  })

describe("a cursor", () => {
  it.effect("gives what is in the folders that are entered, and skips the others", () =>
    Effect.gen(function* () {
      const all = ["/a", "/d", "/d/x", "/d/e", "/d/e/deep", "/d/y", "/f", "/f/z", "/last"]
      assert.deepStrictEqual(yield* names(tree.bytes, () => true), all)
      assert.deepStrictEqual(yield* names(tree.bytes, () => false), ["/a", "/d", "/f", "/last"])
      assert.deepStrictEqual(yield* names(tree.bytes, (name) => name === "/d"), [
        "/a",
        "/d",
        "/d/x",
        "/d/e",
        "/d/y",
        "/f",
        "/last",
      ])
    }),
  )

  it.effect("skips what is left in a folder that it leaves", () =>
    Effect.gen(function* () {
      assert.deepStrictEqual(yield* names(tree.bytes, () => true, "/d/x"), ["/a", "/d", "/d/x", "/f", "/f/z", "/last"])
    }),
  )

  it.effect("stays where it is in front of a folder that is too deep (D11)", () =>
    Effect.gen(function* () {
      const reader = yield* H.open(tree.bytes)
      const walk = yield* TreeWalk.make(reader, { place: Place.ROOT, node: reader.root }, 0)
      yield* walk.next()
      yield* walk.next()
      yield* H.failing(walk.enter(), "Limit", "D11")
      assert.strictEqual(Buffer.from((yield* walk.next())!.name).toString(), "f")
    }),
  )

  it.effect("reads a folder of many children in pieces, each child once", () =>
    Effect.gen(function* () {
      const children = Array.from({ length: 500 }, (_, index) =>
        index % 50 === 0 ? B.folder(`${index}`, [B.file("in")]) : B.file(`${index}`),
      )
      const seen = yield* names(B.build({ children }).bytes, () => true)
      assert.lengthOf(seen, 510)
      assert.strictEqual(new Set(seen).size, 510)
    }),
  )
})

describe("a deep tree", () => {
  it.effect("is kept as names: what is above is shared by all that is below", () =>
    Effect.gen(function* () {
      const DEPTH = 200
      const name = "n".repeat(4000)
      let folder = B.folder(name, [])
      for (let depth = 1; depth < DEPTH; depth++) folder = B.folder(name, [folder])
      const reader = yield* H.open(B.build({ children: [folder] }).bytes)
      const root = yield* TreeWalk.root(reader)
      const items = yield* Stream.runCollect(WalkStream.walk(reader, root, 1000, WalkStream.whole))
      assert.strictEqual(items.length, DEPTH + 1)
      const buffers = new Set<ArrayBufferLike>()
      for (const item of items) {
        for (let at: Place.Place | undefined = item.place; at !== undefined; at = at.parent) buffers.add(at.name.buffer)
      }
      const bytes = [...buffers].reduce((sum, buffer) => sum + buffer.byteLength, 0)
      assert.isBelow(bytes, 2 * DEPTH * name.length)
      assert.strictEqual(items.at(-1)!.path.length, DEPTH * (name.length + 1))
    }),
  )
})
