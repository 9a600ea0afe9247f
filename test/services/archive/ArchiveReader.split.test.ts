/** Split archives (v2): with their payload archive, without it, and with the wrong one. */
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import * as XattrList from "../../../src/domain/pxar/XattrList.ts"
import * as ArchiveReader from "../../../src/services/archive/ArchiveReader.ts"
import { fromBytes } from "../../../src/services/bytes/ByteSource.ts"
import * as B from "../../support/ArchiveBuilder.ts"
import * as Golden from "../../support/Golden.ts"
import { children, contentOf, failing, find, open, readText } from "./helpers.ts"

const built = B.build({
  version: 2,
  children: [
    B.file("a", "content of a"),
    B.file("inline", "content of inline", { inline: true }),
    B.file("empty", ""),
    B.folder("d", [B.file("b", "content of b")]),
    B.linkTo("link", "a"),
  ],
})

const withoutPayload = (bytes: Uint8Array, expected?: string) =>
  ArchiveReader.make(fromBytes(bytes, "test.mpxar"), { _tag: "Absent", expected })

describe("a split archive", () => {
  it.effect("takes content from the payload archive", () =>
    Effect.gen(function* () {
      const reader = yield* open(built.bytes, built.payload)
      assert.strictEqual(yield* readText(reader, "a"), "content of a")
      assert.strictEqual(yield* readText(reader, "d/b"), "content of b")
      assert.strictEqual(yield* readText(reader, "link"), "content of a")
      assert.strictEqual(yield* readText(reader, "empty"), "")
    }),
  )

  it.effect("takes inline content from the metadata archive, with a payload archive or without", () =>
    Effect.gen(function* () {
      assert.strictEqual(yield* readText(yield* open(built.bytes, built.payload), "inline"), "content of inline")
      assert.strictEqual(yield* readText(yield* withoutPayload(built.bytes), "inline"), "content of inline")
    }),
  )

  it.effect.each([true, false])("accepts goodbye sizes that count the payload: %s (§3.3)", (countPayload) =>
    Effect.gen(function* () {
      const { bytes, payload } = B.build({
        version: 2,
        countPayload,
        children: [B.file("a", "content of a"), B.folder("d", [B.file("b", "content of b")])],
      })
      const reader = yield* open(bytes, payload)
      assert.strictEqual(yield* readText(reader, "a"), "content of a")
      assert.strictEqual(yield* readText(reader, "d/b"), "content of b")
    }),
  )

  it.effect("accepts both forms of goodbye sizes side by side", () =>
    Effect.gen(function* () {
      const size = built.at("").slot("a") + 16
      const exact = Number(built.bytes.readBigUInt64LE(size)) - "content of a".length
      const reader = yield* open(B.poke(built.bytes, size, exact), built.payload)
      assert.strictEqual(yield* readText(reader, "a"), "content of a")
      assert.strictEqual(yield* readText(reader, "d/b"), "content of b")
    }),
  )

  it.effect("accepts a file whose counted size lies beyond the end of the archive", () =>
    Effect.gen(function* () {
      const large = "x".repeat(100_000)
      const { bytes, payload } = B.build({ version: 2, children: [B.file("large", large), B.file("small", "s")] })
      const reader = yield* open(bytes, payload)
      assert.strictEqual(yield* readText(reader, "large"), large)
      assert.strictEqual(yield* readText(reader, "small"), "s")
    }),
  )

  it.effect("accepts references to one payload, and backward ones (§1.7)", () =>
    Effect.gen(function* () {
      const parts = [
        B.item(B.Type.PAYLOAD_START_MARKER),
        B.payload("first"),
        B.payload("second"),
        Buffer.from("padding"),
      ]
      const reference = (name: string, offset: number, size: number) =>
        B.raw(name, B.entry(), B.payloadRef(offset, size))
      const { bytes } = B.build({
        version: 2,
        children: [reference("a", 37, 6), reference("b", 16, 5), reference("c", 37, 6)],
      })
      const reader = yield* open(bytes, Buffer.concat([...parts, B.item(B.Type.PAYLOAD_TAIL_MARKER)]))
      assert.strictEqual(yield* readText(reader, "a"), "second")
      assert.strictEqual(yield* readText(reader, "b"), "first")
      assert.strictEqual(yield* readText(reader, "c"), "second")
    }),
  )

  it.effect("counts both files in its size", () =>
    Effect.gen(function* () {
      const reader = yield* open(built.bytes, built.payload)
      assert.strictEqual(reader.size, built.bytes.length + built.payload.length)
      assert.strictEqual((yield* withoutPayload(built.bytes)).size, built.bytes.length)
    }),
  )

  it.effect("of version 1 with a payload archive is not supported", () =>
    Effect.gen(function* () {
      const v1 = B.build({ children: [B.file("a", "abc")] })
      const error = yield* Effect.flip(open(v1.bytes, built.payload))
      assert.strictEqual(error.kind, "Unsupported")
      assert.include(error.message, "test.ppxar")
    }),
  )
})

describe("a split archive without its payload archive", () => {
  it.effect("shows everything but content", () =>
    Effect.gen(function* () {
      const golden = Golden.load(Golden.synthV2)
      const [with_, without] = [yield* open(golden.bytes, golden.payload), yield* withoutPayload(golden.bytes)]
      for (const path of ["links", "meta", "special", "files"]) {
        const folder = (yield* find(without, path)).node
        const seen = yield* children(without, folder)
        assert.deepStrictEqual(seen, yield* children(with_, folder))
        assert.isAbove(seen.length, 0)
      }
      const { entry } = yield* find(without, "meta/everything")
      assert.lengthOf(XattrList.fromEntry(entry).xattrs, 3)
    }),
  )

  it.effect("fails to read content and names the missing file (P5)", () =>
    Effect.gen(function* () {
      const reader = yield* withoutPayload(built.bytes, "/backup/test.ppxar")
      const error = yield* failing(readText(reader, "a"), "Unsupported", "P5")
      assert.include(error.message, "/backup/test.ppxar")
    }),
  )

  it.effect("says what was not given when it does not know the file (P5)", () =>
    Effect.gen(function* () {
      const error = yield* failing(readText(yield* withoutPayload(built.bytes), "link"), "Unsupported", "P5")
      assert.include(error.message, ".ppxar")
    }),
  )

  it.effect("never reads content from the metadata archive instead", () =>
    Effect.gen(function* () {
      // The reference points into the metadata archive, where there is a PAYLOAD of this very size.
      const inner = B.build({
        version: 2,
        children: [B.file("inline", "secret", { inline: true }), B.raw("x", B.entry(), B.payloadRef(16, 6))],
      })
      const header = inner.at("inline").end - 6 - 16
      const bytes = B.poke(inner.bytes, inner.at("x").end - 16, header)
      yield* failing(readText(yield* withoutPayload(bytes), "x"), "Unsupported", "P5")
    }),
  )
})

describe("a reference into the payload archive", () => {
  /** Reads a file that refers to `offset` and `size` of the payload archive with `a` and `b` in it. */
  const readReference = (offset: number, size: number, payload: Uint8Array = built.payload) =>
    Effect.gen(function* () {
      const { bytes } = B.build({
        version: 2,
        children: [B.raw("x", B.entry(), B.payloadRef(offset, size)), B.file("ok", "", { inline: true })],
      })
      const reader = yield* open(bytes, payload)
      assert.strictEqual((yield* find(reader, "x")).entry.body._tag, "File")
      assert.strictEqual(yield* readText(reader, "ok"), "")
      return yield* readText(reader, "x")
    })

  it.effect("is read where it points", () =>
    Effect.gen(function* () {
      assert.strictEqual(yield* readReference(16, 12), "content of a")
    }),
  )

  it.effect.each([11, 13])("is refused for a size of %i where there are 12 bytes (P3)", (size) =>
    failing(readReference(16, size), "Malformed", "P3"),
  )

  it.effect("is refused where there is another item of that size (P3)", () => {
    const content = B.filename("abc")
    const payload = [B.item(B.Type.PAYLOAD_START_MARKER), B.payload(content), B.item(B.Type.PAYLOAD_TAIL_MARKER)]
    return failing(readReference(32, content.length - 16, Buffer.concat(payload)), "Malformed", "P3")
  })

  it.effect("is refused when it crosses the end of the payload archive by a byte (P4)", () =>
    failing(readReference(16, built.payload.length - 31), "Malformed", "P4"),
  )

  it.effect("is refused far beyond the end of the payload archive (P4)", () =>
    failing(readReference(2 ** 40, 3), "Malformed", "P4"),
  )

  it.effect("fails alone: other files stay readable", () =>
    Effect.gen(function* () {
      const reader = yield* open(built.bytes, B.poke(built.payload, 16 + 8, 28 + 1))
      yield* failing(readText(reader, "a"), "Malformed", "P3")
      yield* failing(readText(reader, "link"), "Malformed", "P3")
      assert.strictEqual(yield* readText(reader, "d/b"), "content of b")
    }),
  )
})

describe("reading in pieces", () => {
  it.effect.each([1, 5, 12, 100])("%i bytes at a time gives the whole", (step) =>
    Effect.gen(function* () {
      const reader = yield* open(built.bytes, built.payload)
      assert.strictEqual(String(yield* contentOf(reader, yield* find(reader, "a"), step)), "content of a")
      assert.strictEqual(String(yield* contentOf(reader, yield* find(reader, "inline"), step)), "content of inline")
    }),
  )
})
