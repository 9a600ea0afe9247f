import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import * as PrivateRoot from "../../../src/fuse/bridge/PrivateRoot.ts"
import { fromBytes } from "../../../src/services/bytes/ByteSource.ts"
import * as Golden from "../../support/Golden.ts"
import * as H from "../harness.ts"

/** The root of this archive has both ACLs, a capability and two attributes. */
const make = Effect.map(H.bridgeOver({ source: fromBytes(Golden.load(Golden.richV1).bytes) }), ({ bridge }) => ({
  bridge,
  closed: PrivateRoot.make(bridge, { uid: 12, gid: 34 }),
}))

describe("a private root", () => {
  it.effect("is the user's own, and closed to others", () =>
    Effect.gen(function* () {
      const { bridge, closed } = yield* make
      const stat = yield* bridge.getattr(1)
      assert.notStrictEqual(stat.mode, 0o40700)
      assert.deepStrictEqual(yield* closed.getattr(1), { ...stat, uid: 12, gid: 34, mode: 0o40700 })
    }),
  )

  it.effect("has no access ACL, which could let others in; its other attributes stay", () =>
    Effect.gen(function* () {
      const { bridge, closed } = yield* make
      const access = Buffer.from("system.posix_acl_access")
      yield* bridge.getxattr(1, access)
      assert.strictEqual((yield* Effect.flip(closed.getxattr(1, access))).name, "ENODATA")
      assert.strictEqual(
        Buffer.from(yield* closed.listxattr(1)).toString(),
        "user.a\0user.b\0security.capability\0system.posix_acl_default\0",
      )
      const name = Buffer.from("user.a")
      assert.deepStrictEqual(yield* closed.getxattr(1, name), yield* bridge.getxattr(1, name))
    }),
  )
})
