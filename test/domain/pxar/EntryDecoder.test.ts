import { assert, describe, it } from "@effect/vitest"
import type { Entry } from "../../../src/domain/pxar/Entry.ts"
import { noAttributes } from "../../../src/domain/pxar/Entry.ts"
import * as EntryDecoder from "../../../src/domain/pxar/EntryDecoder.ts"
import * as Limits from "../../../src/domain/pxar/Limits.ts"
import * as B from "../../support/ArchiveBuilder.ts"
import * as Golden from "../../support/Golden.ts"
import { assertFails, hex, text, windowOf } from "./helpers.ts"

/** Where the decoded bytes stand in the archive. */
const AT = 4096

const decode = (bytes: Uint8Array, version: 1 | 2 = 1) =>
  EntryDecoder.readEntry(windowOf(bytes, AT), AT, AT + bytes.length, version, Limits.defaults)

const entry = (...items: ReadonlyArray<Uint8Array>) => decode(Buffer.concat(items))
const entryV2 = (...items: ReadonlyArray<Uint8Array>) => decode(Buffer.concat(items), 2)

const REG = B.entry({ mode: 0o100644 })
const FIFO = B.entry({ mode: 0o10644 })

const head = (found: Entry) => ({
  mode: found.mode,
  flags: found.flags,
  uid: found.uid,
  gid: found.gid,
  time: [found.mtimeSeconds, found.mtimeNanos],
})

describe("EntryDecoder.readEntry on the examples of §10", () => {
  const { bytes } = Golden.load(Golden.helloV1)
  const read = (start: number, bound: number) =>
    EntryDecoder.readEntry(windowOf(bytes), start, bound, 1, Limits.defaults)

  it("reads the root as a directory whose contents begin at 0x38", () => {
    const root = read(0, 340)
    assert.deepStrictEqual(root.body, { _tag: "Directory", contentsStart: 0x38 })
    assert.strictEqual(root.end, 0x38)
    assert.deepStrictEqual(head(root), { mode: 0o40755, flags: 0n, uid: 0, gid: 0, time: [1_700_000_000n, 0] })
  })

  it("reads `hello` as a file with its content at 0x96", () => {
    const file = read(0x4e, 0x99)
    assert.deepStrictEqual(file.body, { _tag: "File", content: { source: "archive", start: 0x96, length: 3 } })
    assert.deepStrictEqual(head(file), {
      mode: 0o100644,
      flags: 0n,
      uid: 1000,
      gid: 1000,
      time: [1_700_000_001n, 500_000_000],
    })
    assert.deepStrictEqual([file.start, file.end], [0x4e, 0x99])
  })

  it("reads `link` as a symlink", () => {
    const link = read(0xae, 0xfc)
    assert.strictEqual(link.body._tag === "Symlink" && text(link.body.target), "hello")
    assert.strictEqual(link.end, 0xfc)
  })

  it("shares one value for the attributes of entries that have none", () => {
    assert.strictEqual(read(0x4e, 0x99).attributes, noAttributes)
  })
})

describe("EntryDecoder.readEntry: ENTRY", () => {
  it("keeps all 64 bits of the flags", () => {
    const flags = 0xf123_4567_89ab_cdefn
    assert.strictEqual(entry(B.entry({ mode: 0o10644, flags })).flags, flags)
  })

  it("reads ids of the full 32 bits", () => {
    const found = entry(B.entry({ mode: 0o10644, uid: 0xffff_ffff, gid: 0x8000_0000 }))
    assert.deepStrictEqual([found.uid, found.gid], [0xffff_ffff, 0x8000_0000])
  })

  it.each([
    [-1n, 500_000_000],
    [-62_135_596_800n, 0],
    [253_402_300_800n, 1],
    [2n ** 63n - 1n, 999_999_999],
    [-(2n ** 63n), 0],
  ])("reads the time %i s + %i ns", (seconds, nanos) => {
    assert.deepStrictEqual(head(entry(B.entry({ mode: 0o10644, seconds, nanos }))).time, [seconds, nanos])
  })

  it.each([1_000_000_000, 0xffff_ffff])("clamps %i nanoseconds and reports them (E2)", (nanos) => {
    const found = entry(B.entry({ mode: 0o10644, seconds: 5, nanos }))
    assert.deepStrictEqual(head(found).time, [5n, 999_999_999])
    assert.deepStrictEqual(
      found.findings.map(({ check, offset }) => ({ check, offset })),
      [{ check: "E2", offset: AT + 16 + 32 }],
    )
  })

  it("reports nothing about a good entry", () => {
    assert.deepStrictEqual(entry(FIFO).findings, [])
  })

  it("ignores the padding", () => {
    assert.strictEqual(entry(B.splice(FIFO, 52, Buffer.from("ffffffff", "hex"))).mode, 0o10644)
  })

  it.each([0o200000n | 0o10644n, 1n << 32n, (1n << 63n) | 0o10644n])("refuses the mode %i (E1)", (mode) => {
    assertFails(() => entry(B.entry({ mode })), "Malformed", "E1")
  })

  it("refuses an ENTRY of another size (H3)", () => {
    assertFails(() => entry(B.item(B.Type.ENTRY, Buffer.alloc(32))), "Malformed", "H3")
    assertFails(() => entry(B.item(B.Type.ENTRY, Buffer.alloc(41))), "Malformed", "H3")
  })

  it.each([
    ["FILENAME", B.filename("x")],
    ["HARDLINK", B.hardlink(1, "x")],
    ["PRELUDE (A3)", B.prelude("x")],
    ["FORMAT_VERSION (A3)", B.formatVersion(2)],
    ["GOODBYE", B.goodbye([], 0)],
  ])("refuses %s in place of an ENTRY (H4)", (_, item) => {
    assertFails(() => entry(item), "Malformed", "H4")
  })

  it("refuses an entry that crosses its bound (H2)", () => {
    assertFails(() => EntryDecoder.readEntry(windowOf(REG, AT), AT, AT + 55, 1, Limits.defaults), "Malformed", "H2")
  })
})

describe("EntryDecoder.readEntry: ENTRY_V1", () => {
  it("splits nanoseconds since the epoch into seconds and nanoseconds", () => {
    const nanoseconds = 1_430_487_000_000_000_005n
    assert.deepStrictEqual(head(entry(B.entryV1({ mode: 0o10600, flags: 9n, uid: 1, gid: 2, nanoseconds }))), {
      mode: 0o10600,
      flags: 9n,
      uid: 1,
      gid: 2,
      time: [1_430_487_000n, 5],
    })
  })

  it("takes the time as unsigned", () => {
    const time = head(entry(B.entryV1({ mode: 0o10600, nanoseconds: 2n ** 64n - 1n }))).time
    assert.deepStrictEqual(time, [18_446_744_073n, 709_551_615])
  })

  it("reads what follows 48 bytes after its start", () => {
    const file = entry(B.entryV1({ mode: 0o100644 }), B.payload("abc"))
    assert.deepStrictEqual(file.body, { _tag: "File", content: { source: "archive", start: AT + 48 + 16, length: 3 } })
  })

  it("refuses an ENTRY_V1 of another size (H3)", () => {
    assertFails(() => entry(B.item(B.Type.ENTRY_V1, Buffer.alloc(40))), "Malformed", "H3")
  })
})

describe("EntryDecoder.readEntry: kinds", () => {
  it("reads a FIFO and a socket where nothing follows", () => {
    assert.deepStrictEqual(entry(FIFO).body, { _tag: "Fifo" })
    assert.deepStrictEqual(entry(B.entry({ mode: 0o140600 })).body, { _tag: "Socket" })
    assert.strictEqual(entry(FIFO).end, AT + 56)
  })

  it("reads a FIFO with attributes", () => {
    const found = entry(FIFO, B.xattr("user.a", "1"))
    assert.strictEqual(found.body._tag, "Fifo")
    assert.strictEqual(found.end, AT + 56 + 16 + 8)
  })

  it.each([0o20600, 0o60600])("reads a device with mode %i and numbers of 64 bits", (mode) => {
    const found = entry(B.entry({ mode }), B.device(2n ** 64n - 1n, 3))
    assert.deepStrictEqual(found.body, { _tag: "Device", major: 2n ** 64n - 1n, minor: 3n })
  })

  it("reads an empty file", () => {
    const found = entry(REG, B.payload(""))
    assert.deepStrictEqual(found.body, { _tag: "File", content: { source: "archive", start: AT + 72, length: 0 } })
  })

  it.each([
    ["FILENAME", B.filename("x")],
    ["GOODBYE", B.goodbye([], 0)],
  ])("takes an entry before %s for a directory and leaves that to it", (_, item) => {
    const found = entry(B.entry({ mode: 0o41777 }), B.xattr("user.a", "1"), item)
    assert.deepStrictEqual(found.body, { _tag: "Directory", contentsStart: AT + 56 + 24 })
    assert.strictEqual(found.end, AT + 56 + 24)
  })

  const terminals: ReadonlyArray<readonly [string, Uint8Array, type: number]> = [
    ["PAYLOAD", B.payload("abc"), 0o100000],
    ["PAYLOAD_REF", B.payloadRef(16, 3), 0o100000],
    ["SYMLINK", B.symlink("x"), 0o120000],
    ["GOODBYE", B.goodbye([], 0), 0o40000],
    ["FILENAME", B.filename("x"), 0o40000],
  ]
  const types = [0o10000, 0o20000, 0o40000, 0o60000, 0o100000, 0o120000, 0o140000, 0o30000]

  it.each(terminals)("repairs type bits of 0 before %s", (_, item, type) => {
    assert.strictEqual(entryV2(B.entry({ mode: 0o640 }), item).mode, type | 0o640)
  })

  it.each(terminals)("refuses every other type before %s (E1)", (_, item, type) => {
    for (const other of types.filter((candidate) => candidate !== type)) {
      assertFails(() => entryV2(B.entry({ mode: other | 0o640 }), item), "Malformed", "E1")
    }
  })

  it("refuses every type but those of devices before DEVICE, type 0 included (E1)", () => {
    for (const type of [0, ...types].filter((candidate) => candidate !== 0o20000 && candidate !== 0o60000)) {
      assertFails(() => entry(B.entry({ mode: type | 0o640 }), B.device(1, 3)), "Malformed", "E1")
    }
  })

  it("refuses every type but FIFO and socket where nothing follows, type 0 included (E1)", () => {
    for (const type of [0, ...types].filter((candidate) => candidate !== 0o10000 && candidate !== 0o140000)) {
      assertFails(() => entry(B.entry({ mode: type | 0o640 })), "Malformed", "E1")
    }
  })

  it.each([
    ["ENTRY", REG],
    ["HARDLINK", B.hardlink(1, "x")],
    ["PRELUDE (A3)", B.prelude("x")],
    ["FORMAT_VERSION (A3)", B.formatVersion(2)],
    ["PAYLOAD_START_MARKER", B.item(B.Type.PAYLOAD_START_MARKER)],
    ["PAYLOAD_TAIL_MARKER", B.item(B.Type.PAYLOAD_TAIL_MARKER)],
  ])("refuses %s after an ENTRY (H4)", (_, item) => {
    assertFails(() => entry(REG, item), "Malformed", "H4")
  })

  it("does not support an unknown item after an ENTRY (H4)", () => {
    assertFails(() => entry(REG, B.item(0x1234n)), "Unsupported", "H4")
  })

  it("leaves bytes after the terminal item alone", () => {
    assert.strictEqual(entry(REG, B.payload("abc"), Buffer.from("garbage")).end, AT + 56 + 19)
  })

  it("refuses content that crosses the bound (H2)", () => {
    assertFails(() => entry(REG, B.payload("abc").subarray(0, -1)), "Malformed", "H2")
  })
})

describe("EntryDecoder.readEntry: SYMLINK", () => {
  const LNK = B.entry({ mode: 0o120777 })
  const target = (content: string) => entry(LNK, B.item(B.Type.SYMLINK, Buffer.from(content)))

  it("keeps targets of any bytes", () => {
    const found = entry(LNK, B.symlink(Buffer.of(0xff, 0x2f, 0x0a)))
    assert.strictEqual(found.body._tag === "Symlink" ? hex(found.body.target) : "", "ff2f0a")
  })

  it("accepts a target of 4096 bytes", () => {
    const found = entry(LNK, B.symlink("x".repeat(4096)))
    assert.strictEqual(found.body._tag === "Symlink" ? found.body.target.length : 0, 4096)
  })

  it.each([
    ["ab", "E4"],
    ["a\0b\0", "E4"],
    ["\0\0", "E4"],
    ["\0", "H3"],
    ["", "H3"],
  ] as const)("refuses the content %j (%s)", (content, check) => {
    assertFails(() => target(content), "Malformed", check)
  })

  it("refuses a target of 4097 bytes (H3)", () => {
    assertFails(() => entry(LNK, B.symlink("x".repeat(4097))), "Malformed", "H3")
  })
})

describe("EntryDecoder.readEntry: PAYLOAD_REF", () => {
  it("locates the content 16 bytes after the payload header", () => {
    const found = entryV2(REG, B.payloadRef(1000, 5))
    assert.deepStrictEqual(found.body, { _tag: "File", content: { source: "payload", start: 1016, length: 5 } })
  })

  it("is refused in an archive of version 1 (A6)", () => {
    assertFails(() => entry(REG, B.payloadRef(16, 3)), "Malformed", "A6")
  })

  it.each([0, 15])("is refused for the offset %i (P4)", (offset) => {
    assertFails(() => entryV2(REG, B.payloadRef(offset, 3)), "Malformed", "P4")
  })

  it.each([
    [16, 2n ** 53n],
    [2n ** 53n, 1],
    [2n ** 64n - 1n, 2n ** 64n - 1n],
  ])("of offset %i and size %i exceeds a limit", (offset, size) => {
    assertFails(() => entryV2(REG, B.payloadRef(offset, size)), "Limit", "P4")
  })

  it("leaves inline content in a v2 archive where it is", () => {
    const found = entryV2(REG, B.payload("abc"))
    assert.strictEqual(found.body._tag === "File" ? found.body.content.source : "", "archive")
  })
})
