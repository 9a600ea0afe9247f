import { assert, describe, it } from "@effect/vitest"
import { Effect, Stream } from "effect"
import * as PathText from "../../../src/domain/PathText.ts"
import type { ArchiveReader } from "../../../src/services/archive/ArchiveReader.ts"
import * as StreamReader from "../../../src/services/archive/StreamReader.ts"
import type { ByteStream } from "../../../src/services/bytes/ByteStream.ts"
import * as Archive from "../../../src/services/tree/Archive.ts"
import type * as TreeWalk from "../../../src/services/tree/TreeWalk.ts"
import * as B from "../../support/ArchiveBuilder.ts"
import * as Golden from "../../support/Golden.ts"
import { absent, failing, open, present } from "./helpers.ts"

/** A stream that gives at most `step` bytes at a time. */
const streamOf = (bytes: Uint8Array, step = 1000): ByteStream => {
  let at = 0
  return {
    name: "a stream",
    read: (target) =>
      Effect.sync(() => {
        const part = bytes.subarray(at, at + Math.min(step, target.length))
        target.set(part)
        at += part.length
        return part.length
      }),
  }
}

const openStream = (bytes: Uint8Array, payload?: Uint8Array, step?: number) =>
  StreamReader.make(streamOf(bytes, step), payload === undefined ? absent : present(payload))

/** All that a walk says of an item, and a file's content where it is its turn. */
const seen = (archive: Archive.Archive, item: TreeWalk.Item) =>
  Effect.gen(function* () {
    const path = PathText.print(item.path)
    if (item._tag === "Unreadable") return [path, item.error.check]
    const { entry, link } = item
    const { attributes, body, mode, mtimeSeconds, uid } = entry
    const read = body._tag === "File" && link === undefined && body.content.length < 100_000
    const content = read ? Buffer.from(yield* archive.read(item, 0, 100_000)).toString("hex") : undefined
    return [path, mode, uid, mtimeSeconds, body._tag, attributes, link?.target, content]
  })

/** Paths, with the check that failed where something did. */
const pathsOf = (reader: ArchiveReader) =>
  Effect.gen(function* () {
    const archive = Archive.fromReader(reader)
    const items = yield* Stream.runCollect(archive.walk(yield* archive.root))
    return items.map((item) => PathText.print(item.path) + (item._tag === "Unreadable" ? ` ${item.error.check}` : ""))
  })

describe("a stream", () => {
  for (const golden of Golden.all) {
    it.effect(`of ${golden.name} shows what the archive does, in its order`, () =>
      Effect.gen(function* () {
        const { bytes, payload } = Golden.load(golden)
        const archive = Archive.fromReader(yield* open(bytes, payload))
        const items = yield* Stream.runCollect(archive.walk(yield* archive.root))
        const expected = items.map((item) => PathText.print(item.path))
        assert.deepStrictEqual(yield* pathsOf(yield* openStream(bytes, payload)), expected)
      }),
    )
  }

  const built = B.build({
    children: [
      B.file("a", "content"),
      B.folder("d", [B.file("b", "x".repeat(5000)), B.linkTo("hard", "a"), B.folder("e", [B.file("c", "deep")])]),
      B.raw("fifo", B.entry({ mode: 0o10644 })),
      B.file("z", "last"),
    ],
  })

  it.effect.each([1, 7, 4096])(
    "that comes in parts of %i bytes gives entries and contents as the archive does",
    (step) =>
      Effect.gen(function* () {
        const one = yield* walkInOrder(yield* openStream(built.bytes, undefined, step))
        const other = yield* walkInOrder(yield* open(built.bytes))
        assert.deepStrictEqual(one, other)
      }),
  )

  it.effect("that ends anywhere shows what came before, says so once, and where it ends", () =>
    Effect.gen(function* () {
      const all = yield* pathsOf(yield* openStream(built.bytes))
      for (let length = 120; length < built.bytes.length; length += 13) {
        const reader = yield* openStream(built.bytes.subarray(0, length))
        const paths = yield* pathsOf(reader)
        const failed = paths.filter((path) => path.endsWith(" A4"))
        assert.lengthOf(failed, 1, `${length} bytes`)
        const rest = paths.filter((path) => !path.endsWith(" A4"))
        assert.deepStrictEqual(rest, all.slice(0, rest.length))
        assert.strictEqual(reader.cut?.error.check, "A4")
        assert.strictEqual(reader.cut?.error.offset, length)
      }
    }),
  )

  it.effect("goes on behind an entry that is bad in itself", () =>
    Effect.gen(function* () {
      const bad = B.raw("bad", B.entry({ mode: 0o100644 }), B.symlink("x"))
      const { bytes } = B.build({ children: [B.file("a"), bad, B.file("z")] })
      assert.deepStrictEqual(yield* pathsOf(yield* openStream(bytes)), ["/", "/a", "/bad E1", "/z"])
    }),
  )

  it.effect("does not go back", () =>
    Effect.gen(function* () {
      const reader = yield* openStream(built.bytes)
      yield* reader.list(reader.root, 0, () => false)
      const again = yield* Effect.flip(reader.list(reader.root, 0, () => true))
      assert.include(again.message, "comes only once")
    }),
  )

  it.effect.each([0, 20, 60])("of %i bytes is no archive", (length) =>
    Effect.gen(function* () {
      const error = yield* Effect.flip(openStream(built.bytes.subarray(0, length)))
      assert.strictEqual(error.kind, "Malformed")
    }),
  )

  it.effect("of anything else is no archive, as an archive file is none", () =>
    failing(openStream(Buffer.alloc(1000, "text")), "Malformed", "H4"),
  )
})

/** Lists a tree child by child: a file is read before the next one is asked for. */
const walkInOrder = (reader: ArchiveReader) =>
  Effect.gen(function* () {
    const archive = Archive.fromReader(reader)
    const items: Array<unknown> = []
    const root = yield* archive.root
    const visit = (folder: TreeWalk.Found): Effect.Effect<void, unknown> =>
      Effect.gen(function* () {
        let next: number | undefined = 0
        while (next !== undefined) {
          const from: number = next
          next = undefined
          const children: Array<TreeWalk.Item> = []
          yield* reader.list(folder.node, from, (child, after) => {
            next = after
            if (child._tag === "Found") {
              children.push({ ...folder, ...child, path: Buffer.from(child.name) } as unknown as TreeWalk.Item)
            }
            return false
          })
          for (const child of children) {
            items.push(yield* seen(archive, child))
            if (child._tag === "Found" && child.entry.body._tag === "Directory") yield* visit(child)
          }
        }
      })
    yield* visit(root)
    return items
  })
