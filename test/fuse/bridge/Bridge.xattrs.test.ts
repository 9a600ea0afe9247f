import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { fromBytes } from "../../../src/services/bytes/ByteSource.ts"
import * as Golden from "../../support/Golden.ts"
import * as H from "../harness.ts"
import { ROOT, bytesOf, make, walk, failsWith } from "./bridges.ts"

describe("extended attributes", () => {
  it.effect("have their values", () =>
    Effect.gen(function* () {
      const { bridge } = yield* make
      const id = yield* walk(bridge, "attributes")
      assert.strictEqual(Buffer.from(yield* bridge.getxattr(id, bytesOf("user.a"))).toString(), "one")
      assert.strictEqual((yield* bridge.getxattr(id, bytesOf("user.empty"))).length, 0)
    }),
  )

  it.effect("that are not there are ENODATA", () =>
    Effect.gen(function* () {
      const { bridge } = yield* make
      const id = yield* walk(bridge, "attributes")
      for (const name of ["user", "user.", "user.b", "system.posix_acl_access", "security.capability", ""]) {
        yield* failsWith(bridge.getxattr(id, bytesOf(name)), "ENODATA")
      }
    }),
  )

  it.effect("of SELinux are EOPNOTSUPP, so that nobody asks again, unless there is one", () =>
    Effect.gen(function* () {
      const { bridge } = yield* make
      const name = bytesOf("security.selinux")
      yield* failsWith(bridge.getxattr(yield* walk(bridge, "attributes"), name), "EOPNOTSUPP")
      yield* failsWith(bridge.getxattr(ROOT, name), "EOPNOTSUPP")
      const label = yield* bridge.getxattr(yield* walk(bridge, "labelled"), name)
      assert.strictEqual(Buffer.from(label).toString(), "label")
    }),
  )

  it.effect("are listed with a NUL each; none is an empty list", () =>
    Effect.gen(function* () {
      const { bridge } = yield* make
      const names = yield* bridge.listxattr(yield* walk(bridge, "attributes"))
      assert.strictEqual(Buffer.from(names).toString(), "user.a\0user.empty\0")
      assert.strictEqual((yield* bridge.listxattr(ROOT)).length, 0)
    }),
  )

  it.effect("include ACLs and capabilities, with their values in the form of Linux", () =>
    Effect.gen(function* () {
      const { bridge } = yield* H.bridgeOver({ source: fromBytes(Golden.load(Golden.richV1).bytes) })
      const names = Buffer.from(yield* bridge.listxattr(ROOT))
        .toString()
        .split("\0")
      const { xattrs } = Golden.richV1.view()[0]!
      assert.sameMembers(names, [...Object.keys(xattrs).map((name) => Buffer.from(name, "hex").toString()), ""])
      for (const [name, value] of Object.entries(xattrs)) {
        const found = yield* bridge.getxattr(ROOT, Buffer.from(name, "hex"))
        assert.strictEqual(Buffer.from(found).toString("hex"), value)
      }
    }),
  )
})
