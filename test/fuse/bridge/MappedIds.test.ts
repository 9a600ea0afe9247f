import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import * as MappedIds from "../../../src/fuse/bridge/MappedIds.ts"
import * as XattrList from "../../../src/domain/pxar/XattrList.ts"
import { fromBytes } from "../../../src/services/bytes/ByteSource.ts"
import { bridgeOver, helloBytes, logged } from "../harness.ts"

/** An ACL as the kernel takes it: version 2, then tag, permissions and id of each entry. */
const acl = (...entries: ReadonlyArray<readonly [tag: number, permissions: number, id: number]>): Uint8Array => {
  const bytes = Buffer.alloc(4 + entries.length * 8)
  bytes.writeUInt32LE(2)
  for (const [index, [tag, permissions, id]] of entries.entries()) {
    bytes.writeUInt16LE(tag, 4 + index * 8)
    bytes.writeUInt16LE(permissions, 6 + index * 8)
    bytes.writeUInt32LE(id, 8 + index * 8)
  }
  return new Uint8Array(bytes)
}

const NOBODY = 0xffff_ffff
const [USER_OBJ, USER, GROUP_OBJ, GROUP, MASK, OTHER] = [1, 2, 4, 8, 16, 32] as const

const container: MappedIds.Maps = {
  users: [{ first: 0, count: 65_536 }],
  groups: [
    { first: 0, count: 100 },
    { first: 1000, count: 1 },
  ],
}

const full = acl(
  [USER_OBJ, 6, NOBODY],
  [USER, 4, 65_535],
  [USER, 4, 65_536],
  [GROUP_OBJ, 4, NOBODY],
  [GROUP, 4, 99],
  [GROUP, 4, 100],
  [GROUP, 4, 1000],
  [MASK, 4, NOBODY],
  [OTHER, 4, NOBODY],
)

const mapped = acl(
  [USER_OBJ, 6, NOBODY],
  [USER, 4, 65_535],
  [GROUP_OBJ, 4, NOBODY],
  [GROUP, 4, 99],
  [GROUP, 4, 1000],
  [MASK, 4, NOBODY],
  [OTHER, 4, NOBODY],
)

describe("ids that a user namespace maps", () => {
  it("are read as proc shows them", () => {
    assert.deepStrictEqual(MappedIds.parse("         0     100000      65536\n"), [{ first: 0, count: 65_536 }])
    assert.deepStrictEqual(MappedIds.parse(""), [])
    const everybody = MappedIds.parse("         0          0 4294967295\n")
    assert.isTrue(MappedIds.isComplete({ users: everybody, groups: everybody }))
    assert.isFalse(MappedIds.isComplete(container))
    assert.isFalse(MappedIds.isComplete({ users: everybody, groups: [] }))
  })

  it.effect("decide which entries GETXATTR shows of access and default ACLs; the first that is cut is logged", () =>
    logged((log) =>
      Effect.gen(function* () {
        const { bridge } = yield* bridgeOver({ source: fromBytes(helloBytes()) })
        const shown = MappedIds.make({ ...bridge, getxattr: () => Effect.succeed(full) }, container)
        for (const name of [XattrList.ACL_ACCESS, XattrList.ACL_DEFAULT]) {
          assert.deepStrictEqual(Buffer.from(yield* shown.getxattr(1, name)), Buffer.from(mapped))
        }
        assert.strictEqual(yield* shown.getxattr(1, new TextEncoder().encode("user.a")), full)
        const whole = MappedIds.make({ ...bridge, getxattr: () => Effect.succeed(mapped) }, container)
        assert.strictEqual(yield* whole.getxattr(1, XattrList.ACL_ACCESS), mapped)
        assert.strictEqual(log.length, 1)
        assert.include(log[0], "its ACL names ids that do not exist in this user namespace")
      }),
    ),
  )
})
