/** What a path-based front sees of an archive of more than 4 GiB, which no fixture is: ids are all that matters. */
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import * as Errno from "../../../src/domain/Errno.ts"
import * as Inode from "../../../src/domain/pxar/Inode.ts"
import * as NodeId from "../../../src/domain/pxar/NodeId.ts"
import type * as Stat from "../../../src/domain/pxar/Stat.ts"
import * as Bridge from "../../../src/fuse/bridge/Bridge.ts"
import * as PathFiles from "../../../src/fuse/native/PathFiles.ts"
import * as ArchiveReader from "../../../src/services/archive/ArchiveReader.ts"
import { fromBytes } from "../../../src/services/bytes/ByteSource.ts"
import * as LookupRegistry from "../../../src/services/LookupRegistry.ts"
import { logged } from "../harness.ts"
import * as Golden from "../../support/Golden.ts"

const far = NodeId.ofEntry(2 ** 32 + 0x4e)

/** The files of `tiny/hello-v1`, whose file `hello` says that it begins beyond 4 GiB. */
const farAway = Effect.gen(function* () {
  const { bytes } = Golden.load(Golden.helloV1)
  const reader = yield* ArchiveReader.make(fromBytes(bytes, "hello"), { _tag: "Absent", expected: undefined })
  const registry = yield* LookupRegistry.make(reader.root)
  const bridge = Bridge.make(reader, registry)
  const move = (stat: Stat.Stat): Stat.Stat =>
    NodeId.isDirectory(stat.id) ? stat : { ...stat, id: far, ino: Inode.ofNode(far) }
  const moved: Bridge.Bridge = {
    ...bridge,
    lookup: (parent, name, lease) =>
      Effect.map(bridge.lookup(parent, name, lease), (stat) => (stat === undefined ? undefined : move(stat))),
    readdir: (id, offset, add) =>
      bridge.readdir(id, offset, (entry) =>
        add((entry.mode & 0o170000) === 0o040000 ? entry : { ...entry, ino: Inode.ofNode(far) }),
      ),
    pathOf: (id) => (id === far ? Effect.succeed(Buffer.from("/hello")) : bridge.pathOf(id)),
  }
  return yield* PathFiles.make(moved, () => Effect.void)
})

describe("an inode number of more than 32 bits", () => {
  it.effect("is told of the first file that has one, and not again", () =>
    logged((log) =>
      Effect.gen(function* () {
        const files = yield* farAway
        assert.strictEqual((yield* files.getattr("/hello")).id, far)
        yield* files.getattr("/link")
        yield* files.getattr("/")
        assert.deepStrictEqual(log, [
          "Warn /hello: its inode number and others are cut to 32 bits: several files may show one",
        ])
      }),
    ),
  )
})

describe("a listing with an inode number of more than 32 bits", () => {
  it.effect("is told of, with the name of the first", () =>
    logged((log) =>
      Effect.gen(function* () {
        const files = yield* farAway
        const [first] = yield* files.readdir("/")
        assert.strictEqual(log.length, 1)
        assert.match(log[0] ?? "", new RegExp(`^Warn /${first?.name}: its inode number and others are cut`))
      }),
    ),
  )
})

describe("a handle", () => {
  it.effect("that is not open is EBADF", () =>
    Effect.gen(function* () {
      const files = yield* farAway
      assert.strictEqual(yield* Effect.flip(files.read(7, 0, new Uint8Array(1))), Errno.EBADF)
      assert.strictEqual(yield* Effect.flip(files.release(7)), Errno.EBADF)
    }),
  )
})
