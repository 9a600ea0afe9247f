import { assert, describe, it } from "@effect/vitest"
import { Arbitrary, Effect } from "effect"
import { fromBytes, type ByteSource, SourceError } from "../../../src/services/bytes/ByteSource.ts"
import * as ArchiveReader from "../../../src/services/archive/ArchiveReader.ts"
import type { ArchiveTree } from "../../../src/services/archive/ArchiveTree.ts"
import * as Archive from "../../../src/services/tree/Archive.ts"
import * as Losses from "../../../src/services/tree/Losses.ts"
import * as B from "../../support/ArchiveBuilder.ts"
import { make as makeRandom } from "../../support/Random.ts"
import { anyInteger } from "../../domain/pxar/helpers.ts"
import * as H from "../archive/helpers.ts"

/** Blocks of a source that are lost, or fail. */
interface Bad {
  readonly size: number
  readonly lost: ReadonlySet<number>
  readonly failing?: ReadonlySet<number>
}

/** A source that is stored in blocks, some of which are bad; counts its reads. */
const stored = (bytes: Uint8Array, { failing = new Set(), lost, size }: Bad): ByteSource & { reads: number } => {
  const source = {
    ...fromBytes(bytes, "x.pxar"),
    reads: 0,
    read: (target: Uint8Array, offset: number): Effect.Effect<void, SourceError> => {
      source.reads++
      for (let block = Math.floor(offset / size); block * size < offset + target.length; block++) {
        const isLost = lost.has(block)
        if (isLost || failing.has(block)) {
          const range = { offset: block * size, end: Math.min(bytes.length, (block + 1) * size) }
          return Effect.fail(new SourceError({ source: "x.pxar", detail: `block ${block}`, isLost, ...range }))
        }
      }
      target.set(bytes.subarray(offset, offset + target.length))
      return Effect.void
    },
  }
  return source
}

const toText = ({ end, isLast, path, start }: Losses.Lost) =>
  `${Buffer.from(path).toString()} ${start}-${end}${isLast ? " last" : ""}`

const open = Effect.fnUntraced(function* (built: B.Built, bad: Bad) {
  const told: Array<string> = []
  const losses = Losses.make((lost) => Effect.sync(() => void told.push(toText(lost))))
  const source = stored(built.bytes, bad)
  const reader = yield* ArchiveReader.make(source, H.absent, { blocks: { blockSize: 64, capacity: 64 } })
  return { source, told, tree: losses.tree(reader) }
})

const random = makeRandom(7)
const content = Uint8Array.from({ length: 5000 }, () => 1 + random.below(255))
const built = B.build({
  children: [B.file("before", "whole"), B.folder("folder", [B.file("large", content)]), B.file("after", "whole, too")],
})
const { start } = built.at("folder/large")
/** Where the content of the large file begins. */
const CONTENT = built.bytes.indexOf(Buffer.from(content.subarray(0, 64)), start)
const SIZE = 512
const firstBlock = Math.ceil(CONTENT / SIZE)

const read = (tree: ArchiveTree, path: string) =>
  Effect.gen(function* () {
    const archive = Archive.fromReader(tree)
    return yield* archive.read(yield* archive.find(Buffer.from(path)), 0, 1_000_000)
  })

describe("what is lost of files", () => {
  it.effect("reads as zeros and is told once, with the file and the range in it", () =>
    Effect.gen(function* () {
      const { source, told, tree } = yield* open(built, { size: SIZE, lost: new Set([firstBlock + 1, firstBlock + 3]) })
      const from = (firstBlock + 1) * SIZE - CONTENT
      const wanted = content.slice()
      wanted.fill(0, from, from + SIZE)
      wanted.fill(0, from + 2 * SIZE, from + 3 * SIZE)
      assert.deepStrictEqual(yield* read(tree, "folder/large"), wanted)
      const once = [`/folder/large ${from}-${from + SIZE}`, `/folder/large ${from + 2 * SIZE}-${from + 3 * SIZE}`]
      assert.deepStrictEqual(told, once)
      assert.deepStrictEqual(yield* read(tree, "folder/large"), wanted)
      assert.deepStrictEqual(told, once)
      const { node } = yield* H.find(tree, "folder/large")
      const { reads } = source
      yield* tree.content(node, from + 10, new Uint8Array(100))
      assert.strictEqual(source.reads, reads)
      assert.strictEqual(yield* H.readText(tree, "after"), "whole, too")
    }),
  )

  it.effect("is told of the first losses of a file with many, the last of which says so", () =>
    Effect.gen(function* () {
      const lost = new Set(Array.from({ length: 40 }, (_, at) => Math.ceil(CONTENT / 100) + 2 * at).slice(0, 24))
      const { told, tree } = yield* open(built, { size: 100, lost })
      yield* read(tree, "folder/large")
      assert.lengthOf(told, 16)
      assert.deepStrictEqual(
        told.map((text) => text.endsWith(" last")),
        [...Array.from({ length: 15 }, () => false), true],
      )
    }),
  )

  it.effect("is no failure of the source: that fails the read, and nothing is told", () =>
    Effect.gen(function* () {
      const failing = new Set([firstBlock + 1])
      const { told, tree } = yield* open(built, { size: SIZE, lost: new Set(), failing })
      const { node } = yield* H.find(tree, "folder/large")
      yield* H.failing(tree.content(node, 0, new Uint8Array(content.length)), "IO", "H6")
      assert.deepStrictEqual(told, [])
    }),
  )

  it.effect.prop(
    "is the same bytes, whatever is lost and however it is read",
    [Arbitrary.array(anyInteger(0, 60), { maxLength: 30 }), Arbitrary.array(anyInteger(0, 4999), { maxLength: 20 })],
    ([lost, offsets]) =>
      Effect.gen(function* () {
        const size = 97
        const first = Math.ceil(CONTENT / size)
        const last = Math.floor((CONTENT + content.length) / size) - 1
        const blocks = new Set(lost.map((at) => first + at).filter((block) => block <= last))
        const { told, tree } = yield* open(built, { size, lost: blocks })
        const wanted = content.slice()
        for (const block of blocks) wanted.fill(0, block * size - CONTENT, (block + 1) * size - CONTENT)
        const { node } = yield* H.find(tree, "folder/large")
        for (const offset of [...offsets, 0]) {
          const target = new Uint8Array(offset === 0 ? content.length : Math.min(offset % 700, content.length - offset))
          yield* tree.content(node, offset, target)
          assert.deepStrictEqual(target, wanted.subarray(offset, offset + target.length))
        }
        assert.strictEqual(new Set(told).size, told.length)
        assert.strictEqual(told.length, Math.min(16, blocks.size))
      }),
  )
})

describe("what is lost of the archive itself", () => {
  it.effect("costs the entries in it: a folder whose index is lost is read instead", () =>
    Effect.gen(function* () {
      const names = Array.from({ length: 40 }, (_, at) => `file-${at}`)
      const many = B.build({
        children: [
          B.folder(
            "many",
            names.map((name) => B.file(name, name)),
          ),
          B.file("after", "whole, too"),
        ],
      })
      const { end } = many.at("many")
      const { tree } = yield* open(many, { size: 1, lost: new Set([end - 1]) })
      const { node } = yield* H.find(tree, "many")
      const listed = yield* H.listed(tree, node)
      // The last stands for whatever else may be lost.
      assert.deepStrictEqual(
        listed.map(({ name }) => name && Buffer.from(name).toString()),
        [...names, undefined],
      )
      assert.strictEqual(yield* H.readText(tree, "many/file-7"), "file-7")
      assert.strictEqual(yield* H.readText(tree, "after"), "whole, too")
    }),
  )

  it.effect("is listed as what cannot be read, beside what can", () =>
    Effect.gen(function* () {
      const many = B.build({ children: ["a", "b", "c"].map((name) => B.file(name, Buffer.alloc(200, name))) })
      const { tree } = yield* open(many, { size: 16, lost: new Set([Math.ceil(many.at("b").start / 16)]) })
      const listed = yield* H.listed(tree, tree.root)
      assert.deepStrictEqual(
        listed.map((child) => [Buffer.from(child.name!).toString(), child._tag]),
        [
          ["a", "Found"],
          ["b", "Unreadable"],
          ["c", "Found"],
        ],
      )
      yield* H.failing(tree.lookup(tree.root, Buffer.from("b")), "Malformed", "lost")
    }),
  )
})
