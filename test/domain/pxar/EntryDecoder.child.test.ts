import { assert, describe, it } from "@effect/vitest"
import * as EntryDecoder from "../../../src/domain/pxar/EntryDecoder.ts"
import * as ItemType from "../../../src/domain/pxar/ItemType.ts"
import * as Limits from "../../../src/domain/pxar/Limits.ts"
import * as B from "../../support/ArchiveBuilder.ts"
import * as Golden from "../../support/Golden.ts"
import { assertFails, hex, text, windowOf } from "./helpers.ts"

const AT = 4096

const child = (...items: ReadonlyArray<Uint8Array>) => {
  const bytes = Buffer.concat(items)
  return EntryDecoder.readChild(windowOf(bytes, AT), AT, AT + bytes.length, 1, Limits.defaults)
}

const FILE = Buffer.concat([B.entry(), B.payload("abc")])

const named = (content: Uint8Array | string) => child(B.item(B.Type.FILENAME, Buffer.from(content)), FILE)

describe("EntryDecoder.readChild", () => {
  it("reads a name and the entry behind it", () => {
    const found = named("hello\0")
    assert.strictEqual(text(found.name), "hello")
    assert.strictEqual(found.nameStart, AT)
    assert.strictEqual(found.entry.start, AT + 22)
  })

  it("keeps names of any bytes", () => {
    assert.strictEqual(hex(named(Buffer.of(0xff, 0x0a, 0x80, 0x5c, 0)).name), "ff0a805c")
  })

  it.each(["...", ".a", "..a", "a.", " ", "a b"])("accepts the name %j", (name) => {
    assert.strictEqual(text(named(`${name}\0`).name), name)
  })

  it("accepts a name of 4096 bytes and refuses one of 4097", () => {
    assert.strictEqual(named(`${"x".repeat(4096)}\0`).name.length, 4096)
    assertFails(() => named(`${"x".repeat(4097)}\0`), "Malformed", "H3")
  })

  it.each([
    ["no NUL", "hello", "N1"],
    ["a NUL inside", "he\0lo\0", "N3"],
    ["two NULs at the end", "hello\0\0", "N3"],
    ["nothing before two NULs", "\0\0", "N3"],
    ["nothing but the NUL", "\0", "H3"],
    ["nothing at all", "", "H3"],
    ["a slash", "a/b\0", "N2"],
    ["a slash alone", "/\0", "N2"],
    ["a dot alone", ".\0", "N2"],
    ["two dots alone", "..\0", "N2"],
  ] as const)("refuses a name with %s (%s)", (_, content, check) => {
    assertFails(() => named(content), "Malformed", check)
  })

  it("refuses another item in place of the name (H4)", () => {
    assertFails(() => child(FILE), "Malformed", "H4")
  })

  it("does not support an unknown item in place of the name (H4)", () => {
    assertFails(() => child(B.item(77n), FILE), "Unsupported", "H4")
  })

  it.each([
    ["another FILENAME", B.filename("y")],
    ["PAYLOAD", B.payload("abc")],
    ["GOODBYE", B.goodbye([], 0)],
    ["XATTR", B.xattr("user.a", "")],
  ])("refuses %s after the name (N4)", (_, item) => {
    assertFails(() => child(B.filename("x"), item), "Malformed", "N4")
  })

  it("refuses a name with nothing behind it (H2)", () => {
    assertFails(() => child(B.filename("x")), "Malformed", "H2")
  })

  it("refuses a name that crosses the bound (H2)", () => {
    assertFails(() => child(B.filename("hello").subarray(0, -1)), "Malformed", "H2")
  })
})

describe("EntryDecoder.readChild: HARDLINK", () => {
  const link = (offset: number | bigint, path = "some/path") => {
    const { entry } = child(B.filename("b"), B.hardlink(offset, path))
    return entry._tag === "HardLink" ? entry : assert.fail("no hard link")
  }

  it("reads the example of §10.4", () => {
    const { bytes } = Golden.load(Golden.hardlinkV1)
    const { entry, name } = EntryDecoder.readChild(windowOf(bytes), 0xdf, 0x10b, 1, Limits.defaults)
    assert.strictEqual(text(name), "b")
    assert.deepStrictEqual(
      { ...entry, path: "path" in entry ? text(entry.path) : "" },
      { _tag: "HardLink", start: 0xf1, end: 0x10b, target: 0x38, path: "a" },
    )
  })

  it("counts back from its own FILENAME", () => {
    assert.strictEqual(link(96).target, AT - 96)
  })

  it("accepts a target at the first byte of the archive", () => {
    assert.strictEqual(link(AT).target, 0)
  })

  it.each([0, AT + 1, 2n ** 63n, 2n ** 64n - 1n])("refuses the offset %i (L1)", (offset) => {
    assertFails(() => link(offset), "Malformed", "L1")
  })

  it("keeps the path, with a leading slash and without, up to 4096 bytes", () => {
    assert.strictEqual(text(link(96, "/usr/bin/x").path), "/usr/bin/x")
    assert.strictEqual(link(96, "x".repeat(4096)).path.length, 4096)
  })

  it("accepts an empty path: the offset is what counts", () => {
    assert.strictEqual(link(96, "").target, AT - 96)
  })

  it.each([
    ["no NUL at the end", "abc"],
    ["a NUL inside", "a\0c\0"],
  ])("refuses a path with %s (E4)", (_, path) => {
    const item = B.item(B.Type.HARDLINK, Buffer.concat([B.u64(96), Buffer.from(path)]))
    assertFails(() => child(B.filename("b"), item), "Malformed", "E4")
  })

  it("refuses content without a path's NUL (H3)", () => {
    assertFails(() => child(B.filename("b"), B.item(B.Type.HARDLINK, B.u64(96))), "Malformed", "H3")
  })

  it("does not look at what follows", () => {
    assert.strictEqual(child(B.filename("b"), B.hardlink(96, "x"), FILE).entry.end, AT + 18 + 26)
  })
})

describe("EntryDecoder.readName", () => {
  it("gives the name and where the entry begins, and needs nothing of that", () => {
    const found = EntryDecoder.readName(windowOf(B.filename("hello"), AT), AT, AT + 22)
    assert.strictEqual(text(found.name), "hello")
    assert.strictEqual(found.end, AT + 22)
  })
})

describe("EntryDecoder.peekType", () => {
  it("gives the type of an item of which it has the header only", () => {
    const header = B.hardlink(1, "x").subarray(0, 16)
    assert.strictEqual(EntryDecoder.peekType(windowOf(header, AT), AT, AT + 100), ItemType.HARDLINK)
  })
})
