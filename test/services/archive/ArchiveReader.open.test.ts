/** What opening an archive accepts and refuses (§4.1, A-checks). */
import { assert, describe, it } from "@effect/vitest"
import { Effect, Result } from "effect"
import * as B from "../../support/ArchiveBuilder.ts"
import * as Golden from "../../support/Golden.ts"
import { failing, open, readText } from "./helpers.ts"

const simple = B.build({ children: [B.file("a", "abc"), B.folder("d", [B.file("x", "xyz")])] })

describe("opening an archive", () => {
  it.effect("gives its root", () =>
    Effect.map(open(simple.bytes), (reader) => {
      assert.deepStrictEqual(reader.root, {
        id: 1,
        parent: 1,
        nameStart: 0,
        start: 0,
        bound: simple.bytes.length,
        contentsStart: 56,
      })
    }),
  )

  it.effect("knows where the children of a v2 root with a prelude begin", () =>
    Effect.gen(function* () {
      const head = Buffer.concat([B.formatVersion(2), B.prelude("{}")])
      const root = Buffer.concat([B.entry({ mode: 0o40755 }), B.xattr("user.a", "1")])
      const { bytes } = B.build({ version: 2, head, root, children: [B.folder("d", [])] })
      const reader = yield* open(bytes)
      assert.strictEqual(reader.root.contentsStart, 24 + 18 + 56 + 24)
      assert.lengthOf((yield* reader.entry(reader.root)).attributes.xattrs, 1)
      assert.isDefined(yield* reader.lookup(reader.root, Buffer.from("d")))
    }),
  )

  it.effect("reads version 1 with a FORMAT_VERSION by the rules of version 1", () =>
    Effect.gen(function* () {
      const { bytes } = B.build({ head: B.formatVersion(1), children: [B.file("a", "abc")] })
      const reader = yield* open(bytes)
      assert.strictEqual(reader.version, 1)
      assert.strictEqual(yield* readText(reader, "a"), "abc")
    }),
  )

  it.effect("reads ENTRY and ENTRY_V1 side by side", () =>
    Effect.gen(function* () {
      const old = (mode: number) => B.entryV1({ mode, nanoseconds: 1_500_000_000n })
      const { bytes } = B.build({
        root: old(0o40755),
        children: [
          B.file("new", "n"),
          B.file("old", "o", { head: old(0o100600) }),
          B.folder("d", [B.file("x", "x")], old(0o40700)),
        ],
      })
      const reader = yield* open(bytes)
      assert.strictEqual(yield* readText(reader, "new"), "n")
      assert.strictEqual(yield* readText(reader, "old"), "o")
      assert.strictEqual(yield* readText(reader, "d/x"), "x")
    }),
  )

  it.effect.each([0, 1, 39, 87])("refuses %i bytes (A1)", (size) =>
    failing(open(simple.bytes.subarray(0, size)), "Malformed", "A1"),
  )

  const opensCut = (bytes: Uint8Array, check: string) =>
    Effect.map(open(bytes), (reader) => {
      assert.strictEqual(reader.cut?.error.check, check)
      assert.include(reader.cut?.error.message, "the index at the end is missing; read from the front")
    })

  it.effect("reads an archive with a byte after its end from the front (A4)", () =>
    opensCut(Buffer.concat([simple.bytes, Buffer.alloc(1)]), "A4"),
  )

  it.effect("reads an archive that lacks its last byte from the front (A4)", () =>
    opensCut(simple.bytes.subarray(0, -1), "A4"),
  )

  it.effect("reads an archive that was cut after a subfolder from the front (A5)", () =>
    opensCut(simple.bytes.subarray(0, simple.at("d").end), "A5"),
  )

  it.effect("reads an archive with a second one behind it from the front (A5)", () =>
    opensCut(Buffer.concat([simple.bytes, simple.bytes]), "A5"),
  )

  it.effect("says of no sound archive that it is cut", () =>
    Effect.map(open(simple.bytes), (reader) => assert.isUndefined(reader.cut)),
  )

  it.effect("opens every truncation that has a root, and refuses the others as malformed", () =>
    Effect.gen(function* () {
      const { bytes } = Golden.load(Golden.hardlinkV1)
      for (let length = 0; length < bytes.length; length++) {
        const opened = yield* Effect.result(open(bytes.subarray(0, length)))
        if (Result.isSuccess(opened)) assert.isDefined(opened.success.cut)
        else assert.strictEqual(opened.failure.kind, "Malformed", `${length} bytes: ${opened.failure.message}`)
        assert.strictEqual(Result.isSuccess(opened), length >= 88, `${length} bytes`)
      }
    }),
  )

  it.effect("refuses a root that is a file (A5)", () =>
    failing(open(B.build({ root: Buffer.concat([B.entry(), B.payload("abc")]) }).bytes), "Malformed", "A5"),
  )

  it.effect("refuses a root that is a hard link (H4)", () =>
    failing(open(B.build({ version: 2, root: B.hardlink(1, "x".repeat(60)) }).bytes), "Malformed", "H4"),
  )

  it.effect("refuses a second prelude (A3)", () => {
    const head = Buffer.concat([B.formatVersion(2), B.prelude("{}"), B.prelude("{}")])
    return failing(open(B.build({ version: 2, head }).bytes), "Malformed", "H4")
  })

  it.effect("refuses a second FORMAT_VERSION (A3)", () => {
    const head = Buffer.concat([B.formatVersion(2), B.formatVersion(2)])
    return failing(open(B.build({ version: 2, head }).bytes), "Malformed", "H4")
  })

  it.effect("does not believe a root's tail that does not reach back to byte 0 (A5)", () => {
    const back = simple.bytes.readBigUInt64LE(simple.bytes.length - 16)
    return opensCut(B.poke(simple.bytes, simple.bytes.length - 16, back - 24n), "A5")
  })

  it.effect("does not believe a v2 root's tail that points to its ENTRY: it must point to byte 0 (A5)", () => {
    const { bytes } = B.build({ version: 2 })
    const back = bytes.readBigUInt64LE(bytes.length - 16)
    return opensCut(B.poke(bytes, bytes.length - 16, back - 24n), "A5")
  })

  it.effect("does not support the payload archive in place of the archive (A2)", () => {
    const { payload } = B.build({ version: 2, children: [B.file("a", "x".repeat(100))] })
    return failing(open(payload), "Unsupported", "A2")
  })

  it.effect("does not support version 3 (A2)", () =>
    failing(open(B.build({ head: B.formatVersion(3) }).bytes), "Unsupported", "A2"),
  )

  it.effect("refuses a root with more attributes than the limit, as a limit (E7)", () => {
    const root = Buffer.concat([B.entry({ mode: 0o40755 }), B.xattr("user.a", "1"), B.xattr("user.b", "1")])
    const limits = { directoryEntries: 10, depth: 10, attributeCount: 1, attributeBytes: 1000, preludeBytes: 10 }
    return failing(open(B.build({ root }).bytes, undefined, { limits }), "Limit", "E7")
  })

  it.effect("names the archive in what it says", () =>
    Effect.gen(function* () {
      const error = yield* Effect.flip(open(simple.bytes.subarray(0, 40)))
      assert.strictEqual(error.archive, "test.pxar")
      assert.include(error.message, "test.pxar")
      assert.include(error.message, "A1")
    }),
  )
})

describe("the prelude", () => {
  const limits = { directoryEntries: 10, depth: 10, attributeCount: 10, attributeBytes: 1000, preludeBytes: 4 }
  const withPrelude = (content: string) =>
    B.build({ version: 2, head: Buffer.concat([B.formatVersion(2), B.prelude(content)]) }).bytes

  it.effect("may be empty", () =>
    Effect.gen(function* () {
      assert.strictEqual((yield* (yield* open(withPrelude(""))).prelude)?.length, 0)
    }),
  )

  it.effect("may be anything", () =>
    Effect.gen(function* () {
      assert.strictEqual(Buffer.from((yield* (yield* open(withPrelude("not {JSON"))).prelude)!).toString(), "not {JSON")
    }),
  )

  it.effect("may be as long as the limit", () =>
    Effect.gen(function* () {
      assert.strictEqual((yield* (yield* open(withPrelude("1234"), undefined, { limits })).prelude)?.length, 4)
    }),
  )

  it.effect("that exceeds the limit fails to be read, but not the archive to be opened (R1)", () =>
    Effect.gen(function* () {
      const reader = yield* open(withPrelude("12345"), undefined, { limits })
      yield* failing(reader.prelude, "Limit", "R1")
      assert.strictEqual(yield* reader.count(reader.root), 0)
    }),
  )

  it.effect("is absent in version 1", () =>
    Effect.gen(function* () {
      assert.isUndefined(yield* (yield* open(simple.bytes)).prelude)
    }),
  )
})
