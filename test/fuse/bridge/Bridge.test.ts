import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import type * as Errno from "../../../src/domain/Errno.ts"
import type * as Bridge from "../../../src/fuse/bridge/Bridge.ts"
import { fromBytes } from "../../../src/services/bytes/ByteSource.ts"
import * as Golden from "../../support/Golden.ts"
import * as H from "../harness.ts"
import { built, ROOT, fileAt, folderAt, bytesOf, make, walk, failsWith } from "./bridges.ts"

const contentOf = (bridge: Bridge.Bridge, id: number, offset: number, size: number) =>
  Effect.gen(function* () {
    let target: Buffer | undefined
    yield* bridge.read(id, offset, size, (length) => (target = Buffer.alloc(length, "?")))
    return target?.toString()
  })

const read = (bridge: Bridge.Bridge, id: number) => bridge.read(id, 0, 4, (length) => new Uint8Array(length))

/** Every operation on a node. */
const operations: Readonly<Record<string, (bridge: Bridge.Bridge, id: number) => Effect.Effect<unknown, Errno.Errno>>> =
  {
    lookup: (bridge, id) => Effect.scoped(Effect.flatMap(bridge.lease, (l) => bridge.lookup(id, bytesOf("x"), l))),
    getattr: (bridge, id) => bridge.getattr(id),
    readlink: (bridge, id) => bridge.readlink(id),
    open: (bridge, id) => bridge.open(id, 0),
    read,
    readdir: (bridge, id) => bridge.readdir(id, 0, () => true),
    getxattr: (bridge, id) => bridge.getxattr(id, bytesOf("user.a")),
    listxattr: (bridge, id) => bridge.listxattr(id),
  }

describe("a node that is not held", () => {
  it.effect.each(Object.keys(operations))("is ENOENT to %s", (name) =>
    Effect.gen(function* () {
      const { bridge } = yield* make
      // A file and a folder that exist, but that nobody has looked up; and numbers that name nothing.
      for (const id of [fileAt("file"), folderAt("folder"), 2 ** 52, -(2 ** 52), 0, 0xffff_ffff]) {
        yield* failsWith(operations[name]!(bridge, id), "ENOENT")
      }
    }),
  )

  it.effect("is one again after its last reference was forgotten", () =>
    Effect.gen(function* () {
      const { bridge } = yield* make
      const id = yield* walk(bridge, "file")
      yield* bridge.getattr(id)
      yield* bridge.forget(id, 1)
      yield* failsWith(bridge.getattr(id), "ENOENT")
    }),
  )
})

describe("an operation", () => {
  it.effect("does nothing until it is run, and the same each time", () =>
    Effect.gen(function* () {
      const { bridge, registry } = yield* H.bridgeOver({ source: fromBytes(H.helloBytes()) })
      const lease = yield* bridge.lease
      const lookup = bridge.lookup(ROOT, bytesOf("hello"), lease)
      assert.isUndefined(registry.find(H.HELLO_ID))
      const first = yield* lookup
      assert.isDefined(registry.find(H.HELLO_ID))
      assert.deepStrictEqual(yield* lookup, first)
    }),
  )
})

describe("lookup", () => {
  it.effect("gives the attributes of a file, and counts one reference once that is leaked", () =>
    Effect.gen(function* () {
      const { bridge, registry } = yield* make
      const lease = yield* bridge.lease
      const stat = yield* bridge.lookup(ROOT, bytesOf("file"), lease)
      assert.deepStrictEqual(stat, {
        id: fileAt("file"),
        ino: 2 * -fileAt("file") + 1,
        mode: 0o100640,
        nlink: 1,
        uid: 7,
        gid: 8,
        size: 10,
        blocks: 1,
        rdev: 0,
        mtimeSeconds: -2n,
        mtimeNanos: 5,
      })
      assert.strictEqual(yield* registry.count(fileAt("file")), 0)
      lease.leak()
      assert.strictEqual(yield* registry.count(fileAt("file")), 1)
    }),
  )

  it.effect("of a name that is not there gives nothing, and holds nothing", () =>
    Effect.gen(function* () {
      const { bridge, registry } = yield* make
      const lease = yield* bridge.lease
      assert.isUndefined(yield* bridge.lookup(ROOT, bytesOf("missing"), lease))
      lease.leak()
      assert.deepStrictEqual(yield* registry.held, [ROOT])
    }),
  )

  it.effect("in something that is no folder is ENOTDIR", () =>
    Effect.gen(function* () {
      const { bridge } = yield* make
      for (const name of ["file", "link", "fifo"]) {
        yield* failsWith(operations["lookup"]!(bridge, yield* walk(bridge, name)), "ENOTDIR")
      }
    }),
  )

  it.effect("of a hard link gives the target, as the same node where all names share one", () =>
    Effect.gen(function* () {
      const { bridge, registry } = yield* H.bridgeOver({ source: fromBytes(built.bytes), sharesLinks: true })
      assert.strictEqual(yield* walk(bridge, "folder", "hard"), fileAt("file"))
      assert.strictEqual(yield* walk(bridge, "file"), fileAt("file"))
      assert.strictEqual(yield* registry.count(fileAt("file")), 2)
      assert.strictEqual(yield* contentOf(bridge, fileAt("file"), 0, 100), "0123456789")
    }),
  )

  it.effect("of a hard link to a hard link is ELOOP", () =>
    H.logged((log) =>
      Effect.gen(function* () {
        const { bridge, registry } = yield* make
        const lease = yield* bridge.lease
        yield* failsWith(bridge.lookup(ROOT, bytesOf("chain"), lease), "ELOOP")
        assert.deepStrictEqual(yield* registry.held, [ROOT])
        assert.strictEqual(log.length, 1)
        assert.match(log[0]!, /\/chain: .*L3/)
      }),
    ),
  )

  it.effect("of a child that cannot be decoded is EIO, and its siblings are found", () =>
    H.logged((log) =>
      Effect.gen(function* () {
        const { bridge } = yield* make
        const lease = yield* bridge.lease
        yield* failsWith(bridge.lookup(ROOT, bytesOf("broken"), lease), "EIO")
        yield* failsWith(bridge.lookup(ROOT, bytesOf("broken"), lease), "EIO")
        assert.strictEqual(log.length, 1, "said once")
        assert.match(log[0]!, /^Warn \/broken: test\.pxar: .*\(check E1 at byte \d+\)$/)
        yield* walk(bridge, "attributes")
      }),
    ),
  )

  it.effect("of a name that is no text says which, printable", () =>
    H.logged((log) =>
      Effect.gen(function* () {
        const { bridge } = yield* make
        const lease = yield* bridge.lease
        yield* failsWith(bridge.lookup(ROOT, Uint8Array.of(0xff, 0x0a), lease), "EIO")
        assert.match(log[0]!, /^Warn \/\\xff\\x0a: /)
      }),
    ),
  )
})

describe("getattr", () => {
  it.effect("gives the root", () =>
    Effect.gen(function* () {
      const { bridge } = yield* H.bridgeOver({ source: fromBytes(H.helloBytes()) })
      assert.deepInclude(yield* bridge.getattr(ROOT), { id: 1, mode: 0o40755, nlink: 2, size: 0, blocks: 0 })
    }),
  )

  it.effect("gives folders, symlinks and devices as they are", () =>
    Effect.gen(function* () {
      const { bridge } = yield* make
      const stat = (name: string) => Effect.flatMap(walk(bridge, name), bridge.getattr)
      assert.deepInclude(yield* stat("folder"), { id: folderAt("folder"), mode: 0o41777, nlink: 2, size: 0 })
      assert.deepInclude(yield* stat("link"), { mode: 0o120777, nlink: 1, size: 4, blocks: 1 })
      assert.deepInclude(yield* stat("null"), { mode: 0o020666, rdev: 0x103, size: 0 })
      assert.deepInclude(yield* stat("socket"), { mode: 0o140755, rdev: 0 })
    }),
  )
})

describe("readlink", () => {
  it.effect("gives the target's bytes", () =>
    Effect.gen(function* () {
      const { bridge } = yield* make
      const target = yield* bridge.readlink(yield* walk(bridge, "link"))
      assert.strictEqual(Buffer.from(target).toString(), "file")
    }),
  )

  it.effect("of something else is EINVAL", () =>
    Effect.gen(function* () {
      const { bridge } = yield* make
      yield* failsWith(bridge.readlink(ROOT), "EINVAL")
      for (const name of ["file", "folder", "null"]) {
        yield* failsWith(bridge.readlink(yield* walk(bridge, name)), "EINVAL")
      }
    }),
  )
})

describe("open", () => {
  it.effect("for reading works, for any kind and with other flags", () =>
    Effect.gen(function* () {
      const { bridge } = yield* make
      for (const id of [ROOT, yield* walk(bridge, "file")]) {
        yield* bridge.open(id, 0)
        yield* bridge.open(id, 0o100000 | 0o200000 | 0o2000000)
      }
    }),
  )

  it.effect("for writing is EROFS", () =>
    Effect.gen(function* () {
      const { bridge } = yield* make
      const id = yield* walk(bridge, "file")
      for (const flags of [1, 2, 3, 0o100001, 0o2 | 0o1000]) yield* failsWith(bridge.open(id, flags), "EROFS")
    }),
  )
})

describe("read", () => {
  it.effect("gives as many bytes as asked for, fewer only at the end", () =>
    Effect.gen(function* () {
      const { bridge } = yield* make
      const id = yield* walk(bridge, "file")
      assert.strictEqual(yield* contentOf(bridge, id, 0, 10), "0123456789")
      assert.strictEqual(yield* contentOf(bridge, id, 0, 4), "0123")
      assert.strictEqual(yield* contentOf(bridge, id, 3, 4), "3456")
      assert.strictEqual(yield* contentOf(bridge, id, 8, 4096), "89")
      assert.strictEqual(yield* contentOf(bridge, id, 3, 0), "")
    }),
  )

  it.effect("from the end on gives nothing", () =>
    Effect.gen(function* () {
      const { bridge } = yield* make
      const id = yield* walk(bridge, "file")
      for (const offset of [10, 11, 2 ** 53, 2 ** 64]) assert.strictEqual(yield* contentOf(bridge, id, offset, 9), "")
      assert.strictEqual(yield* contentOf(bridge, yield* walk(bridge, "attributes"), 0, 9), "")
    }),
  )

  it.effect("of a folder is EISDIR", () =>
    Effect.gen(function* () {
      const { bridge } = yield* make
      yield* failsWith(read(bridge, ROOT), "EISDIR")
      yield* failsWith(read(bridge, yield* walk(bridge, "folder")), "EISDIR")
    }),
  )

  it.effect("of anything but files and folders is EBADF", () =>
    Effect.gen(function* () {
      const { bridge } = yield* make
      for (const name of ["link", "null", "fifo", "socket"]) {
        yield* failsWith(read(bridge, yield* walk(bridge, name)), "EBADF")
      }
    }),
  )

  it.effect("from a source that fails is EIO, said once, with the path; and works again after that", () =>
    H.logged((log) =>
      Effect.gen(function* () {
        const source = H.gated(built.bytes, "disk.pxar")
        const { bridge } = yield* H.bridgeOver({ source })
        const id = yield* walk(bridge, "folder", "inner")
        const content = built.at("folder/inner").end - 1
        source.failing = [content, content + 1]
        yield* failsWith(read(bridge, id), "EIO")
        yield* failsWith(read(bridge, id), "EIO")
        assert.strictEqual(log.length, 1)
        assert.match(log[0]!, /^Warn \/folder\/inner: disk\.pxar: injected/)
        source.failing = undefined
        assert.strictEqual(yield* contentOf(bridge, id, 0, 9), "x")
      }),
    ),
  )

  it.effect("from a split archive without its payload archive is EIO, and says which file is missing", () =>
    H.logged((log) =>
      Effect.gen(function* () {
        const { bytes, payload } = Golden.load(Golden.helloV2)
        const missing = yield* H.bridgeOver({
          source: fromBytes(bytes, "a.mpxar"),
          payload: { _tag: "Absent", expected: "/srv/a.ppxar" },
        })
        yield* failsWith(read(missing.bridge, yield* walk(missing.bridge, "hello")), "EIO")
        assert.match(log[0]!, /^Warn \/hello: .*\/srv\/a\.ppxar, which is missing/)
        const { bridge } = yield* H.bridgeOver({
          source: fromBytes(bytes),
          payload: { _tag: "Present", source: fromBytes(payload!) },
        })
        assert.strictEqual(yield* contentOf(bridge, yield* walk(bridge, "hello"), 0, 9), "hi\n")
        assert.strictEqual(bridge.size, bytes.length + payload!.length)
      }),
    ),
  )
})
