import { assert, describe, it } from "@effect/vitest"
import * as ArchiveHead from "../../../src/domain/pxar/ArchiveHead.ts"
import * as Limits from "../../../src/domain/pxar/Limits.ts"
import * as B from "../../support/ArchiveBuilder.ts"
import { assertFails, assertNeeds, windowOf } from "./helpers.ts"

const root = B.entry({ mode: 0o40755 })
const head = (bytes: Uint8Array, size = 1000) => ArchiveHead.readHead(windowOf(bytes), size)
const versioned = (version: number | bigint, ...items: ReadonlyArray<Uint8Array>) =>
  Buffer.concat([B.formatVersion(version), ...items])

describe("ArchiveHead.readHead", () => {
  it.each([
    ["ENTRY", root],
    ["ENTRY_V1", B.entryV1()],
  ])("takes a file that begins with %s for version 1", (_, bytes) => {
    assert.deepStrictEqual(head(bytes), { version: 1, prelude: undefined, entryStart: 0 })
  })

  it("finds the root of version 2 after FORMAT_VERSION", () => {
    assert.deepStrictEqual(head(versioned(2, root)), { version: 2, prelude: undefined, entryStart: 24 })
  })

  it("finds the root of version 2 after the prelude, and where that is", () => {
    assert.deepStrictEqual(head(versioned(2, B.prelude("{}"), root)), {
      version: 2,
      prelude: { start: 40, end: 42 },
      entryStart: 42,
    })
  })

  it("accepts an empty prelude", () => {
    assert.deepStrictEqual(head(versioned(2, B.prelude(""), root)).prelude, { start: 40, end: 40 })
  })

  it("accepts FORMAT_VERSION 1", () => {
    assert.deepStrictEqual(head(versioned(1, root)), { version: 1, prelude: undefined, entryStart: 24 })
  })

  it.each([0, 3, 2n ** 32n, 2n ** 32n + 2n, 2n ** 64n - 1n])("does not support version %i (A2)", (version) => {
    assertFails(() => head(versioned(version, root)), "Unsupported", "A2")
  })

  it("does not support archives from before June 2020 (A2)", () => {
    assertFails(() => head(B.u64(0x1396fabcea5bbb51n, 56, 0, 0, 0)), "Unsupported", "A2")
  })

  it("says so when it is given the payload archive (A2)", () => {
    const error = assertFails(() => head(B.item(B.Type.PAYLOAD_START_MARKER)), "Unsupported", "A2")
    assert.include(error.message, ".mpxar")
  })

  it.each([
    ["zeros", B.u64(0)],
    ["an item type that cannot come first", B.filename("x")],
    ["a prelude without a version (A3)", B.prelude("x")],
    ["another file format", Buffer.from("PK\x03\x04\0\0\0\0")],
  ])("calls a file that begins with %s malformed", (_, bytes) => {
    assertFails(() => head(Buffer.concat([bytes, Buffer.alloc(40)])), "Malformed", "H4")
  })

  it.each([0, 7, 87])("calls a version 1 archive of %i bytes malformed (A1)", (size) => {
    assertFails(() => head(root, size), "Malformed", "A1")
  })

  it("accepts a version 1 archive of 88 bytes", () => {
    assert.strictEqual(head(B.entryV1(), 88).version, 1)
  })

  it.each([88, 111])("calls a version 2 archive of %i bytes malformed (A1)", (size) => {
    assertFails(() => head(versioned(2, B.entryV1()), size), "Malformed", "A1")
  })

  it("accepts a version 2 archive of 112 bytes", () => {
    assert.strictEqual(head(versioned(2, B.entryV1()), 112).version, 2)
  })

  it("refuses FORMAT_VERSION with more than a version in it (H3)", () => {
    assertFails(() => head(B.item(B.Type.FORMAT_VERSION, B.u64(2, 0))), "Malformed", "H3")
  })

  it("refuses a prelude that crosses the end of the archive (H2)", () => {
    assertFails(() => head(versioned(2, B.item(B.Type.PRELUDE, undefined, 1000 - 24 + 1))), "Malformed", "H2")
  })

  it("locates a prelude without reading it, however large", () => {
    const found = head(versioned(2, B.item(B.Type.PRELUDE, undefined, 16 + 5_000_000)), 6_000_000)
    assert.deepStrictEqual(found.prelude, { start: 40, end: 5_000_040 })
    assert.strictEqual(found.entryStart, 5_000_040)
  })

  it("decides with the first 40 bytes", () => {
    const bytes = versioned(2, B.prelude("{}"), root).subarray(0, ArchiveHead.HEAD_SIZE)
    assert.strictEqual(bytes.length, 40)
    assert.strictEqual(head(bytes).version, 2)
  })

  it.each([
    [0, 8],
    [7, 8],
    [8, 16],
    [16, 24],
    [23, 24],
    [24, 40],
    [39, 40],
  ])("asks for more when it has %i bytes: those before %i", (length, end) => {
    assertNeeds(() => head(versioned(2, root).subarray(0, length)), end)
  })
})

describe("ArchiveHead.readRootTail", () => {
  const { bytes } = B.build({ children: [B.file("a", "abc")] })
  const tail = (archive: Uint8Array) => ArchiveHead.readRootTail(windowOf(archive), archive.length, 0, Limits.defaults)

  it("reads the tail at the end of the archive", () => {
    assert.deepStrictEqual(tail(bytes), {
      start: bytes.length - 64,
      end: bytes.length,
      directoryStart: 0,
      count: 1,
    })
  })

  it("refuses an archive with a byte after its end (A4)", () => {
    assertFails(() => tail(Buffer.concat([bytes, Buffer.of(0)])), "Malformed", "A4")
  })

  it("refuses a truncated archive (A4)", () => {
    assertFails(() => tail(bytes.subarray(0, -1)), "Malformed", "A4")
  })

  it("refuses a tail that does not reach back to byte 0 (A5)", () => {
    const back = bytes.readBigUInt64LE(bytes.length - 16)
    assertFails(() => tail(B.poke(bytes, bytes.length - 16, back - 1n)), "Malformed", "A5")
  })

  it("refuses a tail that reaches back beyond byte 0 (D1)", () => {
    const back = bytes.readBigUInt64LE(bytes.length - 16)
    assertFails(() => tail(B.poke(bytes, bytes.length - 16, back + 1n)), "Malformed", "D1")
  })
})

describe("ArchiveHead.checkPayloadStart", () => {
  const check = (bytes: Uint8Array, size = 100) => ArchiveHead.checkPayloadStart(windowOf(bytes), size)

  it("accepts the start marker", () => {
    check(B.item(B.Type.PAYLOAD_START_MARKER))
  })

  it("accepts the smallest payload archive", () => {
    check(B.item(B.Type.PAYLOAD_START_MARKER), 32)
  })

  it.each([
    ["another item", B.payload("abc"), 100],
    ["an unknown type", B.item(1n), 100],
    ["a start marker of another size", B.item(B.Type.PAYLOAD_START_MARKER, undefined, 17), 100],
    ["a size below both markers'", B.item(B.Type.PAYLOAD_START_MARKER), 31],
  ])("refuses %s (P1)", (_, bytes, size) => {
    assertFails(() => check(bytes, size), "Malformed", "P1")
  })
})

describe("ArchiveHead.checkPayloadTail", () => {
  const check = (bytes: Uint8Array) => ArchiveHead.checkPayloadTail(windowOf(bytes, 500), 500)

  it("accepts the tail marker", () => {
    check(B.item(B.Type.PAYLOAD_TAIL_MARKER))
  })

  it("reports another item (P2)", () => {
    assertFails(() => check(B.payload("")), "Malformed", "P2")
  })
})
