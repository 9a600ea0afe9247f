import { assert, describe, it } from "@effect/vitest"
import type { Attributes, Body, Entry } from "../../../src/domain/pxar/Entry.ts"
import { noAttributes } from "../../../src/domain/pxar/Entry.ts"
import * as PosixAcl from "../../../src/domain/pxar/PosixAcl.ts"
import { entryOf, hex } from "./helpers.ts"

const NO_MASK = 2n ** 64n - 1n
const directory: Body = { _tag: "Directory", contentsStart: 156 }
const file: Body = { _tag: "File", content: { source: "archive", start: 200, length: 3 } }

const entry = (attributes: Partial<Attributes>, mode = 0o40755, body: Body = directory): Entry =>
  entryOf({ mode, attributes: { ...noAttributes, ...attributes }, body })

const acl = (id: number | bigint, permissions: number | bigint) => ({
  id: BigInt(id),
  permissions: BigInt(permissions),
})
const defaults = (
  userObj: number | bigint,
  groupObj: number | bigint,
  other: number | bigint,
  mask: number | bigint,
) => ({
  userObj: BigInt(userObj),
  groupObj: BigInt(groupObj),
  other: BigInt(other),
  mask: BigInt(mask),
})

/** The value as `tag permissions id` triples, tags and ids in hex. */
const items = (value: Uint8Array | undefined): ReadonlyArray<string> => {
  if (value === undefined) return ["none"]
  const bytes = Buffer.from(value)
  assert.strictEqual(bytes.readUInt32LE(0), 2)
  return Array.from({ length: (bytes.length - 4) / 8 }, (_, index) => {
    const at = 4 + 8 * index
    const id = bytes.readUInt32LE(at + 4)
    return `${bytes.readUInt16LE(at).toString(16)} ${bytes.readUInt16LE(at + 2)} ${id === 0xffffffff ? "-" : id}`
  })
}

const access = (attributes: Partial<Attributes>, mode?: number, body?: Body) =>
  items(PosixAcl.access(entry(attributes, mode, body)).value)
const default_ = (attributes: Partial<Attributes>) => items(PosixAcl.default_(entry(attributes)).value)

/** Asserts that the ACL is not shown, and why. */
const assertHidden = (shown: PosixAcl.Acl) => {
  assert.isUndefined(shown.value)
  assert.deepStrictEqual(
    shown.findings.map((finding) => finding.check),
    ["E8"],
  )
}

describe("PosixAcl.access", () => {
  it("gives the bytes of the example in §8.4", () => {
    const value = PosixAcl.access(entry({ aclUsers: [acl(5, 6)], aclGroups: [acl(6, 4)], aclGroupObj: 4n })).value
    const expected = `02 00 00 00
      01 00 07 00 ff ff ff ff   02 00 06 00 05 00 00 00   04 00 04 00 ff ff ff ff
      08 00 04 00 06 00 00 00   10 00 05 00 ff ff ff ff   20 00 05 00 ff ff ff ff`
    assert.strictEqual(hex(value), expected.replaceAll(/\s/g, ""))
  })

  it("is absent without ACL items: the ACL is the mode", () => {
    const shown = PosixAcl.access(entry({}))
    assert.isUndefined(shown.value)
    assert.deepStrictEqual(shown.findings, [])
  })

  it("is there for a group object alone", () => {
    assert.deepStrictEqual(access({ aclGroupObj: 0n }, 0o100640, file), ["1 6 -", "4 0 -", "10 4 -", "20 0 -"])
  })

  it("uses the mode's group permissions for group and mask where the group object is missing", () => {
    assert.deepStrictEqual(access({ aclUsers: [acl(7, 1)] }, 0o100753, file), [
      "1 7 -",
      "2 1 7",
      "4 5 -",
      "10 5 -",
      "20 3 -",
    ])
  })

  it("ignores set-uid, set-gid and sticky", () => {
    assert.deepStrictEqual(access({ aclGroupObj: 7n }, 0o107421, file), ["1 4 -", "4 7 -", "10 2 -", "20 1 -"])
  })

  it("sorts ids as numbers, ascending", () => {
    assert.deepStrictEqual(
      access({ aclUsers: [acl(100, 1), acl(9, 2)], aclGroups: [acl(0xffff_fffe, 3), acl(0, 4)], aclGroupObj: 5n }),
      ["1 7 -", "2 2 9", "2 1 100", "4 5 -", "8 4 0", "8 3 4294967294", "10 5 -", "20 5 -"],
    )
  })

  it("keeps the first of several entries for one user", () => {
    assert.deepStrictEqual(access({ aclUsers: [acl(5, 6), acl(5, 1)], aclGroupObj: 0n })[1], "2 6 5")
    assert.lengthOf(access({ aclUsers: [acl(5, 6), acl(5, 1)], aclGroupObj: 0n }), 5)
  })

  it("keeps a user and a group of the same id", () => {
    assert.lengthOf(access({ aclUsers: [acl(5, 6)], aclGroups: [acl(5, 6)], aclGroupObj: 0n }), 6)
  })

  it("is not there for symlinks", () => {
    const link = entry({ aclGroupObj: 4n }, 0o120777, { _tag: "Symlink", target: Buffer.from("x") })
    assert.isUndefined(PosixAcl.access(link).value)
  })

  it.each([
    ["a user's permissions of 8", { aclUsers: [acl(5, 8)] }],
    ["a group's permissions of NO_MASK", { aclGroups: [acl(5, NO_MASK)] }],
    ["a group object of NO_MASK", { aclGroupObj: NO_MASK }],
    ["the user 2^32-1", { aclUsers: [acl(0xffff_ffff, 6)] }],
    ["the group 2^32", { aclGroups: [acl(0x1_0000_0000, 6)] }],
  ])("is hidden and reported for %s (E8)", (_, attributes) => {
    assertHidden(PosixAcl.access(entry({ aclGroupObj: 4n, ...attributes })))
  })

  it("does not mind a broken default ACL", () => {
    assert.lengthOf(access({ aclGroupObj: 4n, aclDefault: defaults(8, 0, 0, 0) }), 4)
  })
})

describe("PosixAcl.default_", () => {
  it("has the objects, the named entries and the mask of §8.3", () => {
    assert.deepStrictEqual(
      default_({
        aclDefault: defaults(7, 5, 1, 6),
        aclDefaultUsers: [acl(1001, 4)],
        aclDefaultGroups: [acl(1002, 2)],
      }),
      ["1 7 -", "2 4 1001", "4 5 -", "8 2 1002", "10 6 -", "20 1 -"],
    )
  })

  it("does not depend on the mode", () => {
    const shown = PosixAcl.default_(entry({ aclDefault: defaults(1, 2, 4, NO_MASK) }, 0o40000))
    assert.deepStrictEqual(items(shown.value), ["1 1 -", "4 2 -", "20 4 -"])
  })

  it("has no mask for NO_MASK without named entries", () => {
    assert.deepStrictEqual(default_({ aclDefault: defaults(7, 5, 0, NO_MASK) }), ["1 7 -", "4 5 -", "20 0 -"])
  })

  it("keeps a mask without named entries", () => {
    assert.deepStrictEqual(default_({ aclDefault: defaults(7, 5, 0, 0) }), ["1 7 -", "4 5 -", "10 0 -", "20 0 -"])
  })

  it("supplies the mask that Linux demands for named entries: the union with the group object", () => {
    assert.deepStrictEqual(
      default_({ aclDefault: defaults(7, 1, 0, NO_MASK), aclDefaultUsers: [acl(1, 4)], aclDefaultGroups: [acl(2, 0)] }),
      ["1 7 -", "2 4 1", "4 1 -", "8 0 2", "10 5 -", "20 0 -"],
    )
  })

  it("is absent without ACL_DEFAULT", () => {
    const shown = PosixAcl.default_(entry({ aclGroupObj: 4n }))
    assert.isUndefined(shown.value)
    assert.deepStrictEqual(shown.findings, [])
  })

  it("is absent and reported for named entries without ACL_DEFAULT", () => {
    assertHidden(PosixAcl.default_(entry({ aclDefaultUsers: [acl(5, 6)] })))
    assertHidden(PosixAcl.default_(entry({ aclDefaultGroups: [acl(5, 6)] })))
  })

  it("is absent on what is no directory", () => {
    assert.isUndefined(PosixAcl.default_(entry({ aclDefault: defaults(7, 5, 0, NO_MASK) }, 0o100644, file)).value)
  })

  it.each([
    ["user object", defaults(NO_MASK, 5, 0, 5)],
    ["group object", defaults(7, NO_MASK, 0, 5)],
    ["other", defaults(7, 5, NO_MASK, 5)],
    ["mask", defaults(7, 5, 0, 8)],
  ])("is hidden and reported for impossible permissions of the %s (E8)", (_, aclDefault) => {
    assertHidden(PosixAcl.default_(entry({ aclDefault })))
  })

  it("is hidden for a group object of NO_MASK although the mask has to be supplied from it", () => {
    assertHidden(
      PosixAcl.default_(entry({ aclDefault: defaults(7, NO_MASK, 0, NO_MASK), aclDefaultUsers: [acl(1, 4)] })),
    )
  })

  it("is hidden and reported for an impossible id (E8)", () => {
    assertHidden(
      PosixAcl.default_(entry({ aclDefault: defaults(7, 5, 0, 5), aclDefaultGroups: [acl(0xffff_ffff, 6)] })),
    )
  })
})

describe("PosixAcl.encode", () => {
  it("puts tags and ids in the mandatory order", () => {
    const value = PosixAcl.encode([
      { tag: PosixAcl.OTHER, permissions: 0, id: PosixAcl.NO_ID },
      { tag: PosixAcl.MASK, permissions: 1, id: PosixAcl.NO_ID },
      { tag: PosixAcl.GROUP, permissions: 2, id: 3 },
      { tag: PosixAcl.GROUP_OBJ, permissions: 3, id: PosixAcl.NO_ID },
      { tag: PosixAcl.USER, permissions: 4, id: 20 },
      { tag: PosixAcl.USER, permissions: 5, id: 3 },
      { tag: PosixAcl.USER_OBJ, permissions: 6, id: PosixAcl.NO_ID },
    ])
    assert.deepStrictEqual(items(value), ["1 6 -", "2 5 3", "2 4 20", "4 3 -", "8 2 3", "10 1 -", "20 0 -"])
  })
})
