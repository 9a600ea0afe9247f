import { assert, describe, it } from "@effect/vitest"
import type { Attributes, Entry } from "../../../src/domain/pxar/Entry.ts"
import { noAttributes } from "../../../src/domain/pxar/Entry.ts"
import * as XattrList from "../../../src/domain/pxar/XattrList.ts"
import { entryOf, hex, text } from "./helpers.ts"

const withAttributes = (attributes: Partial<Attributes>): Entry =>
  entryOf({ attributes: { ...noAttributes, ...attributes } })

const xattr = (name: string, value = "") => ({ name: Buffer.from(name), value: Buffer.from(value) })

const everything: Partial<Attributes> = {
  xattrs: [xattr("user.b", "1"), xattr("user.a", "2")],
  fcaps: Buffer.of(1, 2, 3),
  aclGroupObj: 5n,
  aclDefault: { userObj: 7n, groupObj: 5n, other: 5n, mask: 2n ** 64n - 1n },
  quotaProjectId: 42n,
}

const listed = (of: Entry) => XattrList.fromEntry(of).xattrs.map((shown) => text(shown.name))
const checks = (of: Entry) => XattrList.fromEntry(of).findings.map((finding) => finding.check)
const namesOf = (of: Entry) => XattrList.names(XattrList.fromEntry(of))
const value = (of: Entry, name: string) => XattrList.get(of, Buffer.from(name))

describe("XattrList.fromEntry", () => {
  it("is empty for an entry without attributes", () => {
    assert.deepStrictEqual(listed(entryOf({})), [])
  })

  it("lists XATTRs in archive order, then capability, access and default ACL (§8.1)", () => {
    assert.deepStrictEqual(listed(withAttributes(everything)), [
      "user.b",
      "user.a",
      "security.capability",
      "system.posix_acl_access",
      "system.posix_acl_default",
    ])
  })

  it("shows neither the quota id nor the flags", () => {
    assert.deepStrictEqual(listed({ ...withAttributes({ quotaProjectId: 42n }), flags: 0xffffn }), [])
  })

  it("keeps the first of two XATTRs of one name and reports the other (E6)", () => {
    const twice = withAttributes({ xattrs: [xattr("user.a", "first"), xattr("user.a", "second")] })
    assert.deepStrictEqual(listed(twice), ["user.a"])
    assert.strictEqual(text(value(twice, "user.a")!), "first")
    assert.deepStrictEqual(checks(twice), ["E6"])
  })

  it.each(["security.capability", "system.posix_acl_access", "system.posix_acl_default"])(
    "prefers an XATTR named %s to the one of that name that is made up (E6)",
    (name) => {
      const both = withAttributes({ ...everything, xattrs: [xattr(name, "stored")] })
      assert.strictEqual(text(value(both, name)!), "stored")
      assert.lengthOf(listed(both), 3)
      assert.deepStrictEqual(checks(both), ["E6"])
    },
  )

  it("leaves out an impossible ACL, reports it, and shows the rest (E8)", () => {
    const bad = withAttributes({ ...everything, aclGroupObj: 8n })
    assert.deepStrictEqual(listed(bad), ["user.b", "user.a", "security.capability", "system.posix_acl_default"])
    assert.deepStrictEqual(checks(bad), ["E8"])
  })

  it("reports nothing about a good entry", () => {
    assert.deepStrictEqual(checks(withAttributes(everything)), [])
  })
})

describe("XattrList.get", () => {
  it("gives the capability's bytes verbatim", () => {
    assert.strictEqual(hex(value(withAttributes(everything), "security.capability")), "010203")
  })

  it("gives the ACLs in the layout of §8.4", () => {
    const of = withAttributes(everything)
    assert.strictEqual(
      hex(value(of, "system.posix_acl_access")),
      "0200000001000700ffffffff04000500ffffffff10000500ffffffff20000500ffffffff",
    )
    assert.strictEqual(
      hex(value(of, "system.posix_acl_default")),
      "0200000001000700ffffffff04000500ffffffff20000500ffffffff",
    )
  })

  it("tells an empty value from an absent one", () => {
    const of = withAttributes({ xattrs: [xattr("user.empty")] })
    assert.strictEqual(value(of, "user.empty")?.length, 0)
    assert.isUndefined(value(of, "user.none"))
  })

  it("compares whole names", () => {
    const of = withAttributes({ xattrs: [xattr("user.ab")] })
    assert.isUndefined(value(of, "user.a"))
    assert.isUndefined(value(of, "user.abc"))
  })
})

describe("XattrList.names", () => {
  it("ends each name with a NUL", () => {
    const of = withAttributes({ xattrs: [xattr("user.b"), xattr("user.a")] })
    assert.strictEqual(text(namesOf(of)), "user.b\0user.a\0")
  })

  it("is empty without attributes", () => {
    assert.strictEqual(namesOf(entryOf({})).length, 0)
  })

  it("keeps names of 255 bytes and leaves out longer ones (§8.6)", () => {
    const [longest, longer] = [`user.${"a".repeat(250)}`, `user.${"b".repeat(251)}`]
    const of = withAttributes({ xattrs: [xattr(longer), xattr(longest), xattr("user.z")] })
    assert.strictEqual(text(namesOf(of)), `${longest}\0user.z\0`)
  })

  it("fills a list of exactly 65536 bytes", () => {
    const xattrs = Array.from({ length: 256 }, (_, index) => xattr(`user.${String(index).padStart(250, "0")}`))
    assert.strictEqual(namesOf(withAttributes({ xattrs })).length, 65_536)
  })

  it("counts the NUL of the last name", () => {
    const long = Array.from({ length: 255 }, (_, index) => xattr(`user.${String(index).padStart(250, "0")}`))
    // 255 * 256 bytes are taken: there is room for a name of 255 bytes, or for 10 and 244.
    const list = (last: number) =>
      namesOf(withAttributes({ xattrs: [...long, xattr("user.12345"), xattr("x".repeat(last))] }))
    assert.strictEqual(list(244).length, 65_536)
    assert.strictEqual(list(245).length, 65_536 - 245)
  })

  it("leaves out the names that would make the list longer than 65536 bytes, and only those (§8.6)", () => {
    const long = Array.from({ length: 255 }, (_, index) => xattr(`user.${String(index).padStart(250, "0")}`))
    const xattrs = [...long, xattr("user.a"), xattr(`user.${"x".repeat(250)}`), xattr("user.b")]
    const names = text(namesOf(withAttributes({ xattrs }))).split("\0")
    assert.strictEqual(names.length, 255 + 2 + 1)
    assert.deepStrictEqual(names.slice(-3), ["user.a", "user.b", ""])
  })
})

describe("XattrList.split", () => {
  const list = Buffer.from("user.b\0user.a\0")

  it("gives the names that `join` put together", () => {
    const names = XattrList.split(list)
    assert.deepStrictEqual(names.map(text), ["user.b", "user.a"])
    assert.deepStrictEqual(Buffer.from(XattrList.join(names)), list)
  })

  it("finds none in an empty list", () => {
    assert.lengthOf(XattrList.split(new Uint8Array(0)), 0)
    assert.lengthOf(XattrList.join([]), 0)
  })

  it("takes nothing behind the last NUL for a name", () => {
    assert.deepStrictEqual(XattrList.split(Buffer.from("user.b\0user")).map(text), ["user.b"])
  })
})
