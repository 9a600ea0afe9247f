import { assert, describe, it } from "@effect/vitest"
import * as AclDecoder from "../../../src/domain/pxar/AclDecoder.ts"

const NONE = 0xffff_ffff
const acl = (...entries: ReadonlyArray<readonly [tag: number, permissions: number, id: number]>): Buffer => {
  const bytes = Buffer.alloc(4 + 8 * entries.length)
  bytes.writeUInt32LE(2)
  for (const [i, [tag, permissions, id]] of entries.entries()) {
    bytes.writeUInt16LE(tag, 4 + 8 * i)
    bytes.writeUInt16LE(permissions, 6 + 8 * i)
    bytes.writeUInt32LE(id, 8 + 8 * i)
  }
  return bytes
}

describe("an access ACL", () => {
  it("is read from the literal bytes of §8.4", () => {
    const value = Buffer.from(
      "02000000 01000700ffffffff 0200060005000000 04000400ffffffff 0800040006000000 10000500ffffffff 20000500ffffffff".replaceAll(
        " ",
        "",
      ),
      "hex",
    )
    assert.deepStrictEqual(AclDecoder.access(value), {
      aclUsers: [{ id: 5n, permissions: 6n }],
      aclGroups: [{ id: 6n, permissions: 4n }],
      aclGroupObj: 4n,
    })
  })

  it("without a mask is the mode", () => {
    const value = acl([1, 7, NONE], [4, 5, NONE], [0x20, 0, NONE])
    assert.deepStrictEqual(AclDecoder.access(value), { aclUsers: [], aclGroups: [], aclGroupObj: undefined })
  })

  it("is sorted by id, unsigned", () => {
    const value = acl(
      [1, 7, NONE],
      [2, 1, 0xffff_fffe],
      [2, 2, 3],
      [4, 5, NONE],
      [8, 1, 9],
      [8, 2, 8],
      [16, 7, NONE],
      [32, 0, NONE],
    )
    const found = AclDecoder.access(value)
    assert.deepStrictEqual(
      found?.aclUsers.map(({ id }) => id),
      [3n, 0xffff_fffen],
    )
    assert.deepStrictEqual(
      found?.aclGroups.map(({ id }) => id),
      [8n, 9n],
    )
  })
})

describe("a default ACL", () => {
  it("keeps all objects", () => {
    const value = acl([1, 7, NONE], [2, 6, 1000], [4, 5, NONE], [8, 4, 2000], [16, 3, NONE], [32, 1, NONE])
    assert.deepStrictEqual(AclDecoder.default_(value), {
      aclDefault: { userObj: 7n, groupObj: 5n, other: 1n, mask: 3n },
      aclDefaultUsers: [{ id: 1000n, permissions: 6n }],
      aclDefaultGroups: [{ id: 2000n, permissions: 4n }],
    })
  })

  it("without a mask has 2^64 - 1 in its place", () => {
    const value = acl([1, 7, NONE], [4, 5, NONE], [32, 1, NONE])
    assert.strictEqual(AclDecoder.default_(value)?.aclDefault?.mask, (1n << 64n) - 1n)
  })

  it("without entries is none", () => assert.isUndefined(AclDecoder.default_(acl())?.aclDefault))
})

describe("what is no ACL", () => {
  const cases: ReadonlyArray<readonly [string, Buffer]> = [
    ["nothing", Buffer.alloc(0)],
    ["another version", Buffer.from("03000000", "hex")],
    ["half an entry", acl([1, 7, NONE]).subarray(0, 8)],
    ["an unknown tag", acl([3, 7, NONE])],
    ["permissions above 7", acl([1, 8, NONE])],
  ]
  for (const [title, value] of cases) {
    it(title, () => {
      assert.isUndefined(AclDecoder.access(value))
      assert.isUndefined(AclDecoder.default_(value))
    })
  }
})
