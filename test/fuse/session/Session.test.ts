import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { fromBytes } from "../../../src/services/bytes/ByteSource.ts"
import * as B from "../../support/ArchiveBuilder.ts"
import * as Golden from "../../support/Golden.ts"
import * as Wire from "../../support/Wire.ts"
import * as H from "../harness.ts"

const richBytes = () => Golden.load(Golden.richV1).bytes

/** Sends a message given as hex, takes the reply, and compares it with one given as hex. */
const converse = (served: H.Served, message: string, reply: string) =>
  Effect.map(served.ask(Wire.hex(message)), (actual) => Wire.assertBytes(actual, Wire.hex(reply)))

const helloAttr = `
  9d00000000000000 0300000000000000 0100000000000000
  01f1536500000000 01f1536500000000 01f1536500000000
  0065cd1d 0065cd1d 0065cd1d
  a4810000 01000000 e8030000 e8030000 00000000 00100000 00000000
`

describe("a session answers", () => {
  it.effect("LOOKUP of a name, and counts one reference", () =>
    Effect.gen(function* () {
      const served = yield* H.serve()
      yield* converse(
        served,
        `2e000000 01000000 0200000000000000 0100000000000000 e8030000 64000000 92100000 00000000
         68656c6c6f 00`,
        `90000000 00000000 0200000000000000
         4e00000000000080 0100000000000000
         ffffffffffffff7f ffffffffffffff7f 00000000 00000000 ${helloAttr}`,
      )
      assert.strictEqual(yield* served.registry.count(H.HELLO_ID), 1)
    }),
  )

  it.effect("LOOKUP of a name that is not there with no node, and counts nothing", () =>
    Effect.gen(function* () {
      const served = yield* H.serve()
      yield* converse(
        served,
        `2b000000 01000000 0200000000000000 0100000000000000 e8030000 64000000 92100000 00000000
         6e6f 00`,
        `90000000 00000000 0200000000000000
         0000000000000000 0000000000000000 ffffffffffffff7f 0000000000000000 0000000000000000
         ${"00".repeat(88)}`,
      )
      assert.deepStrictEqual(yield* served.registry.held, [1])
    }),
  )

  it.effect("GETATTR", () =>
    Effect.gen(function* () {
      const served = yield* H.serve()
      yield* converse(
        served,
        `38000000 03000000 0400000000000000 0100000000000000 e8030000 64000000 92100000 00000000
         00000000 00000000 0000000000000000`,
        `78000000 00000000 0400000000000000
         ffffffffffffff7f 00000000 00000000
         0100000000000000 0000000000000000 0000000000000000
         00f1536500000000 00f1536500000000 00f1536500000000
         00000000 00000000 00000000
         ed410000 02000000 00000000 00000000 00000000 00100000 00000000`,
      )
    }),
  )

  it.effect("READLINK", () =>
    Effect.gen(function* () {
      const served = yield* H.serve()
      yield* served.ask(Wire.lookup(2, 1, "link"))
      yield* converse(
        served,
        "28000000 05000000 0400000000000000 ae00000000000080 e8030000 64000000 92100000 00000000",
        "15000000 00000000 0400000000000000 68656c6c6f",
      )
    }),
  )

  it.effect("READ", () =>
    Effect.gen(function* () {
      const served = yield* H.serve()
      yield* served.ask(Wire.lookup(2, 1, "hello"))
      yield* converse(
        served,
        `50000000 0f000000 0400000000000000 4e00000000000080 e8030000 64000000 92100000 00000000
         0000000000000000 0000000000000000 00100000 00000000 0000000000000000 00000000 00000000`,
        "13000000 00000000 0400000000000000 68690a",
      )
      Wire.assertBytes(yield* served.ask(Wire.read(6, H.HELLO, 1, 1)), Wire.reply(6, 0, Buffer.from("i")))
      Wire.assertBytes(yield* served.ask(Wire.read(8, H.HELLO, 3, 4096)), Wire.reply(8, 0))
    }),
  )

  it.effect("READDIR: names and types, no references", () =>
    Effect.gen(function* () {
      const served = yield* H.serve()
      yield* converse(
        served,
        `50000000 1c000000 0200000000000000 0100000000000000 e8030000 64000000 92100000 00000000
         0000000000000000 0000000000000000 00100000 00000000 0000000000000000 00000000 00000000`,
        `90000000 00000000 0200000000000000
         9d00000000000000 0100000000000000 05000000 08000000 68656c6c6f 000000
         5d01000000000000 0200000000000000 04000000 0a000000 6c696e6b 00000000
         0100000000000000 0300000000000000 01000000 04000000 2e 00000000000000
         0100000000000000 0400000000000000 02000000 04000000 2e2e 000000000000`,
      )
      assert.deepStrictEqual(yield* served.registry.held, [1])
    }),
  )

  it.effect("READDIRPLUS: names and attributes, a reference for each but . and ..", () =>
    Effect.gen(function* () {
      const served = yield* H.serve()
      Wire.assertBytes(
        yield* served.ask(Wire.readdirplus(2, 1, 0, 4096)),
        Wire.reply(
          2,
          0,
          Wire.direntplus(H.HELLO, 1, 8, "hello", H.helloAttr),
          Wire.direntplus(H.LINK, 2, 10, "link", H.linkAttr),
          Wire.direntplus(1, 3, 4, ".", undefined),
          Wire.direntplus(1, 4, 4, "..", undefined),
        ),
      )
      assert.strictEqual(yield* served.registry.count(H.HELLO_ID), 1)
      assert.strictEqual(yield* served.registry.count(H.LINK_ID), 1)
      assert.strictEqual((yield* served.registry.held).length, 3)
    }),
  )

  it.effect("READDIRPLUS with what fits, and counts no more than that", () =>
    Effect.gen(function* () {
      const served = yield* H.serve()
      const first = Wire.direntplus(H.HELLO, 1, 8, "hello", H.helloAttr)
      const second = Wire.direntplus(H.LINK, 2, 10, "link", H.linkAttr)
      Wire.assertBytes(yield* served.ask(Wire.readdirplus(2, 1, 0, 160 + 159)), Wire.reply(2, 0, first))
      assert.isUndefined(served.registry.find(H.LINK_ID))
      Wire.assertBytes(yield* served.ask(Wire.readdirplus(4, 1, 1, 160)), Wire.reply(4, 0, second))
      Wire.assertBytes(yield* served.ask(Wire.readdirplus(6, 1, 0, 100)), Wire.reply(6, 0))
      assert.strictEqual(yield* served.registry.count(H.HELLO_ID), 1)
      assert.strictEqual(yield* served.registry.count(H.LINK_ID), 1)
    }),
  )

  it.effect("READDIRPLUS of a child that cannot be decoded with its name, and counts nothing for it", () =>
    Effect.gen(function* () {
      const built = B.build({ children: [B.raw("bad", B.entry({ mode: 0o100644 }), B.symlink("somewhere"))] })
      const served = yield* H.serve({ source: fromBytes(built.bytes) })
      const { body } = Wire.parseReply(yield* served.ask(Wire.readdirplus(2, 1, 0, 4096)))
      assert.deepStrictEqual(Wire.parseDirents(body, true)[0], {
        node: 0n,
        ino: 0xffff_ffffn,
        next: 1n,
        type: 0,
        name: "bad",
      })
      assert.deepStrictEqual(yield* served.registry.held, [1])
    }),
  )

  it.effect("GETXATTR: the size, the value, or ERANGE", () =>
    Effect.gen(function* () {
      const served = yield* H.serve({ source: fromBytes(richBytes()) })
      yield* converse(
        served,
        `37000000 16000000 0200000000000000 0100000000000000 e8030000 64000000 92100000 00000000
         00000000 00000000 757365722e61 00`,
        "18000000 00000000 0200000000000000 03000000 00000000",
      )
      Wire.assertErrno(yield* served.ask(Wire.getxattr(4, 1, "user.a", 2)), 4, "ERANGE")
      for (const size of [3, 4, 65_536]) {
        Wire.assertBytes(
          yield* served.ask(Wire.getxattr(6, 1, "user.a", size)),
          Wire.hex("13000000 00000000 0600000000000000 760077"),
        )
      }
    }),
  )

  it.effect("GETXATTR of an empty value with any size", () =>
    Effect.gen(function* () {
      const served = yield* H.serve({ source: fromBytes(richBytes()) })
      Wire.assertBytes(yield* served.ask(Wire.getxattr(2, 1, "user.b", 0)), Wire.reply(2, 0, Wire.u32(0, 0)))
      Wire.assertBytes(yield* served.ask(Wire.getxattr(4, 1, "user.b", 1)), Wire.reply(4, 0))
    }),
  )

  it.effect("GETXATTR of an ACL and of capabilities", () =>
    Effect.gen(function* () {
      const served = yield* H.serve({ source: fromBytes(richBytes()) })
      Wire.assertBytes(
        yield* served.ask(Wire.getxattr(2, 1, "system.posix_acl_access", 132)),
        Wire.reply(
          2,
          0,
          Wire.hex(`02000000
            01000700ffffffff 0200060005000000 04000400ffffffff
            0800040006000000 10000500ffffffff 20000500ffffffff`),
        ),
      )
      Wire.assertBytes(
        yield* served.ask(Wire.getxattr(4, 1, "security.capability", 24)),
        Wire.reply(4, 0, Wire.hex("0100000200200000000000000000000000000000")),
      )
    }),
  )

  it.effect("GETXATTR of a name that is not there with ENODATA, of SELinux with EOPNOTSUPP", () =>
    Effect.gen(function* () {
      const served = yield* H.serve()
      Wire.assertErrno(yield* served.ask(Wire.getxattr(2, 1, "user.a", 0)), 2, "ENODATA")
      Wire.assertErrno(yield* served.ask(Wire.getxattr(4, 1, "security.selinux", 255)), 4, "EOPNOTSUPP")
    }),
  )

  it.effect("LISTXATTR: the size, the names, or ERANGE", () =>
    Effect.gen(function* () {
      const served = yield* H.serve({ source: fromBytes(richBytes()) })
      const names = "user.a\0user.b\0security.capability\0system.posix_acl_access\0system.posix_acl_default\0"
      Wire.assertBytes(yield* served.ask(Wire.listxattr(2, 1, 0)), Wire.reply(2, 0, Wire.u32(names.length, 0)))
      Wire.assertErrno(yield* served.ask(Wire.listxattr(4, 1, names.length - 1)), 4, "ERANGE")
      Wire.assertBytes(yield* served.ask(Wire.listxattr(6, 1, names.length)), Wire.reply(6, 0, Buffer.from(names)))
    }),
  )

  it.effect("LISTXATTR of a file that has none with an empty list", () =>
    Effect.gen(function* () {
      const served = yield* H.serve()
      Wire.assertBytes(yield* served.ask(Wire.listxattr(2, 1, 0)), Wire.reply(2, 0, Wire.u32(0, 0)))
      Wire.assertBytes(yield* served.ask(Wire.listxattr(4, 1, 64)), Wire.reply(4, 0))
    }),
  )

  it.effect("IOCTL: what lsattr and lsattr -p ask for, ENOTTY to everything else", () =>
    Effect.gen(function* () {
      const quota = B.item(B.Type.QUOTA_PROJID, B.u64(4242))
      // Append only, immutable, and a flag that chattr has not.
      const { bytes } = B.build({ root: Buffer.concat([B.entry({ mode: 0o40755, flags: 0x41_8000n }), quota]) })
      const served = yield* H.serve({ source: fromBytes(bytes) })
      const [getFlags, getXattr] = [0x8008_6601, 0x801c_581f]
      const done = Buffer.alloc(16)
      Wire.assertBytes(yield* served.ask(Wire.ioctl(2, 1, getFlags, 4)), Wire.reply(2, 0, done, Wire.u32(0x30)))
      Wire.assertBytes(
        yield* served.ask(Wire.ioctl(4, 1, getXattr, 28)),
        Wire.reply(4, 0, done, Wire.u32(0x18, 0, 0, 4242, 0, 0, 0)),
      )
      Wire.assertErrno(yield* served.ask(Wire.ioctl(6, 1, getXattr, 27)), 6, "ENOTTY")
      Wire.assertErrno(yield* served.ask(Wire.ioctl(8, 1, 0x4008_6602, 4)), 8, "ENOTTY")
      Wire.assertErrno(yield* served.ask(Wire.ioctl(10, H.HELLO, getFlags, 4)), 10, "ENOENT")
    }),
  )

  it.effect("STATFS with the size of the archive", () =>
    Effect.gen(function* () {
      const served = yield* H.serve()
      yield* converse(
        served,
        "28000000 11000000 0200000000000000 0100000000000000 e8030000 64000000 92100000 00000000",
        `60000000 00000000 0200000000000000
         0100000000000000 0000000000000000 0000000000000000 0000000000000000 0000000000000000
         00100000 ff000000 00100000 00000000 ${"00".repeat(24)}`,
      )
    }),
  )

  it.effect.each([
    ["RELEASE", Wire.release(2, H.HELLO)],
    ["RELEASEDIR", Wire.releasedir(2, 1)],
    ["DESTROY", Wire.destroy(2)],
  ] as const)("%s with nothing", ([, message]) =>
    Effect.gen(function* () {
      const served = yield* H.serve()
      Wire.assertBytes(yield* served.ask(message), Wire.hex("10000000 00000000 0200000000000000"))
    }),
  )

  it.effect("what would change the archive with EROFS", () =>
    Effect.gen(function* () {
      const served = yield* H.serve()
      for (const name of ["SETATTR", "MKDIR", "UNLINK", "WRITE", "SETXATTR", "CREATE", "TMPFILE"] as const) {
        Wire.assertErrno(yield* served.ask(Wire.request(Wire.Op[name], 2, 1, Buffer.alloc(120))), 2, "EROFS")
      }
    }),
  )

  it.effect("what the kernel can do by itself, and what nobody knows, with ENOSYS", () =>
    Effect.gen(function* () {
      const served = yield* H.serve()
      for (const opcode of [Wire.Op.FLUSH, Wire.Op.ACCESS, Wire.Op.STATX, Wire.Op.LSEEK, 54, 4096]) {
        Wire.assertErrno(yield* served.ask(Wire.request(opcode, 2, 1, Buffer.alloc(120))), 2, "ENOSYS")
      }
    }),
  )
})

describe("a session does not answer", () => {
  it.effect("FORGET, BATCH_FORGET, INTERRUPT and NOTIFY_REPLY", () =>
    Effect.gen(function* () {
      const served = yield* H.serve()
      yield* served.ask(Wire.lookup(2, 1, "hello"))
      yield* served.ask(Wire.readdirplus(4, 1, 0, 4096))
      yield* served.send(
        Wire.forget(6, H.HELLO, 1),
        Wire.batchForget(8, [H.HELLO, 1], [H.LINK, 1]),
        Wire.interrupt(900),
        Wire.request(Wire.Op.NOTIFY_REPLY, 10, 1, Buffer.alloc(40)),
      )
      yield* served.settled
      assert.deepStrictEqual(yield* served.registry.held, [1])
      assert.strictEqual(served.written.length, 2)
    }),
  )
})

describe("a session counts", () => {
  it.effect("requests by name, replies, and as errors those that say that something is wrong", () =>
    Effect.gen(function* () {
      const source = H.gated(H.helloBytes())
      const served = yield* H.serve({ source })
      yield* served.ask(Wire.lookup(2, 1, "hello"))
      yield* served.ask(Wire.getattr(4, H.HELLO))
      yield* served.ask(Wire.getattr(6, 331))
      yield* served.send(Wire.forget(8, H.HELLO, 1))
      yield* served.ask(Wire.request(54, 10, 1))
      yield* served.ask(Wire.lookup(12, 1, "hello"))
      source.failing = H.HELLO_CONTENT
      yield* served.ask(Wire.read(14, H.HELLO, 0, 10))
      const counters = yield* served.session.counters
      assert.deepStrictEqual(counters, {
        requests: { LOOKUP: 2, GETATTR: 2, FORGET: 1, READ: 1, UNKNOWN: 1 },
        delivered: 6,
        abandoned: 0,
        errors: 1,
      })
    }),
  )

  it.effect("requests under way", () =>
    Effect.gen(function* () {
      const source = H.gated(H.helloBytes())
      const served = yield* H.serve({ source })
      yield* served.ask(Wire.lookup(2, 1, "hello"))
      assert.strictEqual(yield* served.session.inFlight, 0)
      yield* source.hold(...H.HELLO_CONTENT)
      yield* served.send(Wire.read(4, H.HELLO, 0, 10), Wire.read(6, H.HELLO, 1, 10))
      yield* served.settled
      assert.strictEqual(yield* served.session.inFlight, 2)
      yield* source.open
      yield* served.reply
      yield* served.reply
      assert.strictEqual(yield* served.session.inFlight, 0)
    }),
  )
})
