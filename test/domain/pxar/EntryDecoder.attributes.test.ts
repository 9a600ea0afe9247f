import { assert, describe, it } from "@effect/vitest"
import * as Arbitrary from "effect/Arbitrary"
import type { Entry } from "../../../src/domain/pxar/Entry.ts"
import * as EntryDecoder from "../../../src/domain/pxar/EntryDecoder.ts"
import { NeedBytes } from "../../../src/domain/pxar/FormatError.ts"
import * as Limits from "../../../src/domain/pxar/Limits.ts"
import * as B from "../../support/ArchiveBuilder.ts"
import * as Golden from "../../support/Golden.ts"
import { anyInteger, assertFails, hex, text, thrownBy, windowOf } from "./helpers.ts"

const AT = 4096
const NO_MASK = 2n ** 64n - 1n
const DIR = B.entry({ mode: 0o40755 })
const END = B.goodbye([], 0)

const decode = (bytes: Uint8Array, limits: Partial<Limits.Limits> = {}): Entry =>
  EntryDecoder.readEntry(windowOf(bytes, AT), AT, AT + bytes.length, 1, { ...Limits.defaults, ...limits })

/** Reads a directory with these attribute items. */
const directory = (...items: ReadonlyArray<Uint8Array>) => decode(Buffer.concat([DIR, ...items, END])).attributes

const acl = (type: bigint, id: number | bigint, permissions: number | bigint) => B.item(type, B.u64(id, permissions))
const groupObj = (permissions: number | bigint) => B.item(B.Type.ACL_GROUP_OBJ, B.u64(permissions))
const aclDefault = B.item(B.Type.ACL_DEFAULT, B.u64(7, 5, 1, NO_MASK))
const fcaps = (content: string) => B.item(B.Type.FCAPS, Buffer.from(content, "hex"))
const quota = (id: number | bigint) => B.item(B.Type.QUOTA_PROJID, B.u64(id))

describe("EntryDecoder.readEntry: attributes", () => {
  it("reads all of them from the golden example", () => {
    const { bytes } = Golden.load(Golden.richV1)
    const { attributes } = EntryDecoder.readEntry(windowOf(bytes), 0, bytes.length, 1, Limits.defaults)
    assert.deepStrictEqual(
      attributes.xattrs.map(({ name, value }) => [text(name), hex(value)]),
      [
        ["user.a", "760077"],
        ["user.b", ""],
      ],
    )
    assert.deepStrictEqual(
      { ...attributes, xattrs: [], fcaps: hex(attributes.fcaps) },
      {
        xattrs: [],
        aclUsers: [{ id: 5n, permissions: 6n }],
        aclGroups: [{ id: 6n, permissions: 4n }],
        aclGroupObj: 4n,
        aclDefault: { userObj: 7n, groupObj: 5n, other: 0n, mask: NO_MASK },
        aclDefaultUsers: [{ id: 1001n, permissions: 4n }],
        aclDefaultGroups: [{ id: 1002n, permissions: 5n }],
        fcaps: "0100000200200000000000000000000000000000",
        quotaProjectId: 42n,
      },
    )
  })

  it("accepts them in any order (§1.8)", () => {
    const found = directory(quota(1), fcaps("01"), aclDefault, groupObj(5), B.xattr("user.a", "x"))
    assert.strictEqual(found.quotaProjectId, 1n)
    assert.strictEqual(found.aclGroupObj, 5n)
    assert.lengthOf(found.xattrs, 1)
  })

  it("keeps several XATTRs and ACL entries in archive order, doubles included", () => {
    const found = directory(
      B.xattr("user.b", "1"),
      B.xattr("user.a", "2"),
      B.xattr("user.b", "3"),
      acl(B.Type.ACL_USER, 9, 7),
      acl(B.Type.ACL_USER, 3, 6),
      acl(B.Type.ACL_USER, 9, 5),
    )
    assert.deepStrictEqual(
      found.xattrs.map(({ name, value }) => `${text(name)}=${text(value)}`),
      ["user.b=1", "user.a=2", "user.b=3"],
    )
    assert.deepStrictEqual(
      found.aclUsers.map(({ id, permissions }) => [id, permissions]),
      [
        [9n, 7n],
        [3n, 6n],
        [9n, 5n],
      ],
    )
  })

  it("leaves impossible ids and permissions to where the ACL is used (E8)", () => {
    const found = directory(acl(B.Type.ACL_GROUP, NO_MASK, NO_MASK), groupObj(NO_MASK))
    assert.deepStrictEqual(found.aclGroups, [{ id: NO_MASK, permissions: NO_MASK }])
    assert.strictEqual(found.aclGroupObj, NO_MASK)
  })

  it.each([
    ["ACL_GROUP_OBJ", groupObj(0)],
    ["ACL_DEFAULT", aclDefault],
    ["FCAPS", fcaps("")],
    ["QUOTA_PROJID", quota(0)],
  ])("refuses a second %s, also an empty or zero one (E3)", (_, item) => {
    directory(item)
    const error = assertFails(() => directory(item, B.xattr("user.a", ""), item), "Malformed", "E3")
    assert.strictEqual(error.offset, AT + 56 + item.length + 23)
  })

  it("copies FCAPS verbatim, whatever its length", () => {
    assert.strictEqual(hex(directory(fcaps("00010203")).fcaps), "00010203")
    assert.strictEqual(directory(fcaps("")).fcaps?.length, 0)
    assert.isUndefined(directory(quota(1)).fcaps)
  })

  it.each([
    ["ACL_USER", B.item(B.Type.ACL_USER, B.u64(1))],
    ["ACL_GROUP_OBJ", B.item(B.Type.ACL_GROUP_OBJ, B.u64(1, 2))],
    ["ACL_DEFAULT", B.item(B.Type.ACL_DEFAULT, B.u64(1, 2, 3))],
    ["QUOTA_PROJID", B.item(B.Type.QUOTA_PROJID, Buffer.alloc(4))],
  ])("refuses %s of another size (H3)", (_, item) => {
    assertFails(() => directory(item), "Malformed", "H3")
  })
})

describe("EntryDecoder.readEntry: XATTR", () => {
  const xattr = (content: string) => directory(B.item(B.Type.XATTR, Buffer.from(content))).xattrs[0]!

  it("splits at the first NUL", () => {
    assert.strictEqual(text(xattr("user.a\0b\0c\0").name), "user.a")
    assert.strictEqual(text(xattr("user.a\0b\0c\0").value), "b\0c\0")
  })

  it("accepts an empty value", () => {
    assert.strictEqual(xattr("user.a\0").value.length, 0)
  })

  it.each(["user.a", "\0value", "\0\0"])("refuses the content %j (E5)", (content) => {
    assertFails(() => xattr(content), "Malformed", "E5")
  })

  it("accepts the largest value and refuses one byte more (H3)", () => {
    assert.strictEqual(directory(B.xattr("user.a", "x".repeat(65_784))).xattrs[0]?.value.length, 65_784)
    assertFails(() => directory(B.xattr("user.a", "x".repeat(65_785))), "Malformed", "H3")
  })
})

describe("EntryDecoder.readEntry: limits on attributes (E7)", () => {
  const many = (count: number) => Buffer.concat([DIR, ...Array.from({ length: count }, () => B.xattr("u", "")), END])

  it("accepts as many as the limit", () => {
    assert.lengthOf(decode(many(5), { attributeCount: 5 }).attributes.xattrs, 5)
  })

  it("refuses one more, as a limit", () => {
    assertFails(() => decode(many(6), { attributeCount: 5 }), "Limit", "E7")
  })

  it("counts the bytes of the items, headers included", () => {
    assert.lengthOf(decode(many(5), { attributeBytes: 5 * 18 }).attributes.xattrs, 5)
    assertFails(() => decode(many(5), { attributeBytes: 5 * 18 - 1 }), "Limit", "E7")
  })

  it("gives up before it asks for the bytes of an attribute beyond the limit", () => {
    const window = windowOf(Buffer.concat([DIR, B.xattr("u", "x".repeat(1000))]).subarray(0, 56 + 16), AT)
    assertFails(
      () => EntryDecoder.readEntry(window, AT, AT + 9000, 1, { ...Limits.defaults, attributeBytes: 1000 }),
      "Limit",
      "E7",
    )
  })

  it("does not count content and children", () => {
    const bytes = Buffer.concat([B.entry(), B.payload("x".repeat(100))])
    assert.strictEqual(decode(bytes, { attributeBytes: 0, attributeCount: 0 }).body._tag, "File")
  })
})

/** Reads the first `length` bytes only, of an entry that its bound says is all there. */
const truncated = (bytes: Uint8Array, length: number, version: 1 | 2 = 2) =>
  EntryDecoder.readChild(windowOf(bytes.subarray(0, length), AT), AT, AT + bytes.length, version, Limits.defaults)

const attributes = [
  B.xattr("user.a", "some value"),
  acl(B.Type.ACL_USER, 5, 6),
  acl(B.Type.ACL_GROUP, 6, 4),
  groupObj(5),
  aclDefault,
  acl(B.Type.ACL_DEFAULT_USER, 5, 6),
  acl(B.Type.ACL_DEFAULT_GROUP, 5, 6),
  fcaps("0102"),
  quota(42),
]

describe("EntryDecoder over a window that is too short", () => {
  const children: ReadonlyArray<readonly [string, Uint8Array, tail: number]> = [
    ["a file", Buffer.concat([B.filename("x"), B.entry(), ...attributes, B.payload("content")]), 7],
    ["a file by reference", Buffer.concat([B.filename("x"), B.entry(), B.payloadRef(16, 3)]), 0],
    ["a symlink", Buffer.concat([B.filename("x"), B.entry({ mode: 0o120777 }), B.symlink("target")]), 0],
    ["a device", Buffer.concat([B.filename("x"), B.entry({ mode: 0o20600 }), B.device(1, 3)]), 0],
    ["a FIFO", Buffer.concat([B.filename("x"), B.entryV1({ mode: 0o10600 }), ...attributes]), 0],
    ["a hard link", Buffer.concat([B.filename("x"), B.hardlink(AT, "some/path")]), 0],
    ["a folder", Buffer.concat([B.filename("x"), DIR, ...attributes, END]), 24],
  ]

  it.each(children)("asks for more bytes of %s at every length, and for none that are not there", (_, bytes, tail) => {
    for (let length = 0; length < bytes.length - tail; length++) {
      const thrown = thrownBy(() => truncated(bytes, length))
      if (!(thrown instanceof NeedBytes)) return assert.fail(`${String(thrown)} at ${length} bytes`)
      assert.isAbove(thrown.end, AT + length)
      assert.isAtMost(thrown.end, AT + bytes.length)
    }
  })

  it.each(children)("reads %s with what it asked for, and never reads its contents", (_, bytes, tail) => {
    const whole = truncated(bytes, bytes.length)
    assert.deepStrictEqual(truncated(bytes, bytes.length - tail), whole)
  })

  it.prop(
    "gives the same value over any longer window",
    [Arbitrary.array(anyInteger(0, attributes.length - 2), { maxLength: 6 }), anyInteger(1, 400)],
    ([choices, step]) => {
      // Attributes that may occur several times only.
      const items = choices.map((choice) => attributes[[0, 1, 2, 5, 6][choice % 5]!]!)
      const bytes = Buffer.concat([B.filename("name"), B.entry(), ...items, B.payload("content")])
      let length = 0
      for (;;) {
        try {
          assert.deepStrictEqual(truncated(bytes, length), truncated(bytes, bytes.length))
          return
        } catch (thrown) {
          if (!(thrown instanceof NeedBytes)) throw thrown
          length = Math.min(bytes.length, Math.max(thrown.end - AT, length + step))
        }
      }
    },
  )
})
