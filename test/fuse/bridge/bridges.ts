/** A bridge over an archive with an entry of each kind, and what its tests do with it. */
import { assert } from "@effect/vitest"
import { Effect } from "effect"
import type * as Errno from "../../../src/domain/Errno.ts"
import type * as Bridge from "../../../src/fuse/bridge/Bridge.ts"
import { fromBytes } from "../../../src/services/bytes/ByteSource.ts"
import * as B from "../../support/ArchiveBuilder.ts"
import { Errno as Wanted } from "../../support/Wire.ts"
import * as H from "../harness.ts"

export const built = B.build({
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

export const ROOT = 1
export const fileAt = (path: string): number => -built.at(path).start
export const folderAt = (path: string): number => built.at(path).end
export const bytesOf = (name: string) => Buffer.from(name)

export const make = H.bridgeOver({ source: fromBytes(built.bytes, "test.pxar") })

/** Looks names up, keeping the references; gives the node of the last. */
export const walk = (bridge: Bridge.Bridge, ...path: ReadonlyArray<string | Uint8Array>) =>
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
export const failsWith = <A>(
  operation: Effect.Effect<A, Errno.Errno>,
  name: keyof typeof Wanted,
): Effect.Effect<void> =>
  Effect.match(operation, {
    onSuccess: (value) => assert.fail(`succeeded with ${JSON.stringify(value)}`),
    onFailure: (errno) => {
      assert.strictEqual(errno.name, name)
      assert.strictEqual(errno.code, Wanted[name])
    },
  })
