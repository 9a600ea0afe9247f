import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import type * as Errno from "../../../src/domain/Errno.ts"
import type * as Bridge from "../../../src/fuse/bridge/Bridge.ts"
import { fromBytes } from "../../../src/services/bytes/ByteSource.ts"
import * as B from "../../support/ArchiveBuilder.ts"
import * as Golden from "../../support/Golden.ts"
import { Errno as Wanted } from "../../support/Wire.ts"
import * as H from "../harness.ts"

const built = B.build({
  children: [
    B.file("file", "0123456789", { head: B.entry({ mode: 0o100640, uid: 7, gid: 8, seconds: -2, nanos: 5 }) }),
    B.folder("folder", [B.file("inner", "x"), B.linkTo("hard", "file")], B.entry({ mode: 0o41777, seconds: 9 })),
    B.raw("link", B.entry({ mode: 0o120777 }), B.symlink("file")),
    B.raw("null", B.entry({ mode: 0o020666 }), B.device(1, 3)),
    B.raw("fifo", B.entry({ mode: 0o010644 })),
    B.raw("socket", B.entry({ mode: 0o140755 })),
    B.linkTo("chain", "folder/hard"),
    B.raw("attributes", B.entry(), B.xattr("user.a", "one"), B.xattr("user.empty", ""), B.payload("")),
    B.raw("labelled", B.entry(), B.xattr("security.selinux", "label"), B.payload("")),
    B.raw("broken", B.entry({ mode: 0o100644 }), B.symlink("a file with a target")),
    B.raw(Uint8Array.of(0xff, 0x0a), B.entry({ mode: 0o100644 }), B.symlink("a file with a target")),
  ],
})

const ROOT = 1
const bytesOf = (name: string) => Buffer.from(name)

const make = H.bridgeOver({ source: fromBytes(built.bytes, "test.pxar") })

/** Looks names up, keeping the references; gives the node of the last. */
const walk = (bridge: Bridge.Bridge, ...path: ReadonlyArray<string | Uint8Array>) =>
  Effect.gen(function* () {
    let id = ROOT
    for (const name of path) {
      id = yield* Effect.scoped(
        Effect.gen(function* () {
          const lease = yield* bridge.lease
          const stat = yield* bridge.lookup(id, Buffer.from(name as string), lease)
          lease.leak()
          return stat === undefined ? assert.fail(`${String(name)} not found`) : stat.id
        }),
      )
    }
    return id
  })

/** Fails the test unless the operation fails with this errno. */
const failsWith = <A>(operation: Effect.Effect<A, Errno.Errno>, name: keyof typeof Wanted): Effect.Effect<void> =>
  Effect.match(operation, {
    onSuccess: (value) => assert.fail(`succeeded with ${JSON.stringify(value)}`),
    onFailure: (errno) => {
      assert.strictEqual(errno.name, name)
      assert.strictEqual(errno.code, Wanted[name])
    },
  })

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
