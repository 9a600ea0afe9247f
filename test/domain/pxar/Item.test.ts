import { assert, describe, it } from "@effect/vitest"
import * as Item from "../../../src/domain/pxar/Item.ts"
import * as ItemType from "../../../src/domain/pxar/ItemType.ts"
import * as B from "../../support/ArchiveBuilder.ts"
import { assertFails, assertNeeds, hex, text, windowOf } from "./helpers.ts"

const BASE = 1000
const read = (bytes: Uint8Array, bound = BASE + 100_000) => Item.readItem(windowOf(bytes, BASE), BASE, bound)

describe("Item.readItem", () => {
  it("reads type first, size second, and positions in the archive", () => {
    const bytes = Buffer.from("b317390621117016160000000000000068656c6c6f00", "hex")
    assert.deepStrictEqual(read(bytes), { type: ItemType.FILENAME, start: 1000, content: 1016, end: 1022 })
  })

  it("does not need the content", () => {
    assert.strictEqual(read(B.filename("hello").subarray(0, 16)).end, 1022)
  })

  it.each([0, 1, 8, 15])("asks for the whole header when it has %i bytes of it", (length) => {
    assertNeeds(() => read(B.filename("hello").subarray(0, length)), 1016)
  })

  it("asks for the header of an item beyond its window", () => {
    assertNeeds(() => Item.readItem(windowOf(B.filename("hello"), BASE), 5000, 9000), 5016)
  })

  it.each([0, 1, 15])("refuses an item of size %i (H1)", (size) => {
    assertFails(() => read(B.item(B.Type.FILENAME, undefined, size)), "Malformed", "H1")
  })

  it("refuses a header that crosses the bound (H2), without needing its bytes", () => {
    assertFails(() => read(B.filename("hello").subarray(0, 3), BASE + 15), "Malformed", "H2")
  })

  it("refuses content that crosses the bound by one byte (H2)", () => {
    assertFails(() => read(B.filename("hello"), BASE + 21), "Malformed", "H2")
  })

  it("accepts an item that ends at its bound", () => {
    assert.strictEqual(read(B.filename("hello"), BASE + 22).end, BASE + 22)
  })

  it.each([2n ** 53n, 2n ** 63n, 2n ** 64n - 1n])("refuses the impossible size %i as malformed", (size) => {
    assert.strictEqual(
      assertFailsWithAny(() => read(B.item(B.Type.PAYLOAD, undefined, size))),
      "Malformed",
    )
  })

  it("calls an unknown type unsupported (H4)", () => {
    const error = assertFails(() => read(B.item(0x0123456789abcdefn)), "Unsupported", "H4")
    assert.include(error.message, "0x0123456789abcdef")
    assert.strictEqual(error.offset, BASE)
  })

  it("does not take the tail marker of a goodbye table for an item", () => {
    assertFails(() => read(B.item(B.Type.GOODBYE_TAIL_MARKER)), "Unsupported", "H4")
  })

  it.each([
    ["FORMAT_VERSION", B.Type.FORMAT_VERSION, 8, 8],
    ["ENTRY", B.Type.ENTRY, 40, 40],
    ["ENTRY_V1", B.Type.ENTRY_V1, 32, 32],
    ["FILENAME", B.Type.FILENAME, 2, 4097],
    ["SYMLINK", B.Type.SYMLINK, 2, 4097],
    ["HARDLINK", B.Type.HARDLINK, 9, 4105],
    ["DEVICE", B.Type.DEVICE, 16, 16],
    ["XATTR", B.Type.XATTR, 2, 65791],
    ["FCAPS", B.Type.FCAPS, 0, 65791],
    ["ACL_USER", B.Type.ACL_USER, 16, 16],
    ["ACL_GROUP", B.Type.ACL_GROUP, 16, 16],
    ["ACL_GROUP_OBJ", B.Type.ACL_GROUP_OBJ, 8, 8],
    ["ACL_DEFAULT", B.Type.ACL_DEFAULT, 32, 32],
    ["ACL_DEFAULT_USER", B.Type.ACL_DEFAULT_USER, 16, 16],
    ["ACL_DEFAULT_GROUP", B.Type.ACL_DEFAULT_GROUP, 16, 16],
    ["QUOTA_PROJID", B.Type.QUOTA_PROJID, 8, 8],
    ["PAYLOAD_REF", B.Type.PAYLOAD_REF, 16, 16],
    ["PAYLOAD_START_MARKER", B.Type.PAYLOAD_START_MARKER, 0, 0],
    ["PAYLOAD_TAIL_MARKER", B.Type.PAYLOAD_TAIL_MARKER, 0, 0],
  ] as const)("bounds the content of %s at both ends (H3)", (_, type, min, max) => {
    const sized = (content: number) => read(B.item(type, undefined, 16 + content))
    assert.strictEqual(sized(min).end, BASE + 16 + min)
    assert.strictEqual(sized(max).end, BASE + 16 + max)
    if (min > 0) assertFails(() => sized(min - 1), "Malformed", "H3")
    assertFails(() => sized(max + 1), "Malformed", "H3")
  })

  it("refuses a GOODBYE without room for a tail (H3)", () => {
    assertFails(() => read(B.item(B.Type.GOODBYE, undefined, 16 + 23)), "Malformed", "H3")
  })
})

const assertFailsWithAny = (run: () => unknown): string => {
  try {
    run()
    return "nothing"
  } catch (error) {
    return (error as { kind: string }).kind
  }
}

describe("Item.copy", () => {
  it("is independent of the window's memory", () => {
    const bytes = Uint8Array.from(Buffer.from("abcdef"))
    const copied = Item.copy(windowOf(bytes, BASE), BASE + 1, BASE + 3)
    bytes.fill(0)
    assert.strictEqual(text(copied), "bc")
  })

  it("asks for bytes beyond the window", () => {
    assertNeeds(() => Item.copy(windowOf(Buffer.from("abc"), BASE), BASE, BASE + 4), BASE + 4)
  })
})

describe("Item.copyTerminated", () => {
  const copy = (content: string, check: "N" | "E4") =>
    Item.copyTerminated(windowOf(Buffer.from(content), BASE), BASE, BASE + content.length, check, "thing")

  it("drops the terminating NUL", () => {
    assert.strictEqual(hex(copy("ab\0", "N")), "6162")
  })

  it("ignores NULs after its end", () => {
    const window = windowOf(Buffer.from("ab\0\0\0"), BASE)
    assert.strictEqual(text(Item.copyTerminated(window, BASE, BASE + 3, "N", "thing")), "ab")
  })

  it.each([
    ["abc", "N", "N1"],
    ["a\0b\0", "N", "N3"],
    ["a\0b", "N", "N3"],
    ["abc", "E4", "E4"],
    ["a\0b\0", "E4", "E4"],
  ] as const)("refuses %j as check %s with %s", (content, check, expected) => {
    assertFails(() => copy(content, check), "Malformed", expected)
  })

  it("does not accept a NUL that stands just after its end", () => {
    const window = windowOf(Buffer.from("abc\0"), BASE)
    assertFails(() => Item.copyTerminated(window, BASE, BASE + 3, "N", "thing"), "Malformed", "N1")
  })
})
