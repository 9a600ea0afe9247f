import { assert, describe, it } from "@effect/vitest"
import { Effect, Fiber } from "effect"
import * as Wire from "../../support/Wire.ts"
import * as H from "../harness.ts"

const NO_OPEN_SUPPORT = 1 << 17
const NO_OPENDIR_SUPPORT = 1 << 24

/** What Linux 6.18 sends, without the two flags above. */
const linux = (flags = 0) => Wire.init(2, 7, 45, 131_072, 0x7af9_fffb | flags, 0x1ff)

describe("INIT", () => {
  it.effect("is answered with what both sides know, and makes the session ready", () =>
    Effect.gen(function* () {
      const served = yield* H.serve()
      const ready = yield* Effect.forkChild(served.session.ready, { startImmediately: true })
      assert.isUndefined(ready.pollUnsafe())
      Wire.assertBytes(
        yield* served.ask(
          Wire.hex(`
            68000000 1a000000 0200000000000000 0000000000000000 00000000 00000000 00000000 00000000
            07000000 2d000000 00000200 fbfffb7b ff010000 ${"00".repeat(44)}
          `),
        ),
        Wire.hex(`
          50000000 00000000 0200000000000000
          07000000 2d000000 00001000 0120f040
          4000 3000 00100000 01000000 0001 0000 40000000
          00000000 00000000 00000000 00000000 00000000 00000000 00000000
        `),
      )
      yield* Fiber.join(ready)
    }),
  )

  it.effect("does not take ACLs from a mount without default_permissions", () =>
    Effect.gen(function* () {
      const served = yield* H.serve({ posixAcl: false })
      const { body } = Wire.parseReply(yield* served.ask(linux()))
      assert.strictEqual(body.readUInt32LE(12) & (1 << 20), 0)
      const other = yield* H.serve({ posixAcl: true })
      assert.strictEqual(Wire.parseReply(yield* other.ask(linux())).body.readUInt32LE(12) & (1 << 20), 1 << 20)
    }),
  )

  it.effect("of an older kernel is answered in its version", () =>
    Effect.gen(function* () {
      const served = yield* H.serve()
      const { body } = Wire.parseReply(yield* served.ask(Wire.init(2, 7, 31, 131_072, 0x7b)))
      assert.strictEqual(body.length, 64)
      assert.deepStrictEqual([body.readUInt32LE(0), body.readUInt32LE(4), body.readUInt32LE(12)], [7, 31, 1])
    }),
  )

  it.effect("of a kernel before 7.23 is answered in its short form", () =>
    Effect.gen(function* () {
      const served = yield* H.serve()
      const { body } = Wire.parseReply(yield* served.ask(Wire.init(2, 7, 22, 131_072, 0x7b)))
      assert.strictEqual(body.length, 24)
      assert.strictEqual(body.readUInt32LE(4), 22)
    }),
  )

  it.effect.each([
    [7, 8],
    [6, 45],
  ])("of version %s, too old to be served, is EPROTO", ([major, minor]) =>
    Effect.gen(function* () {
      const served = yield* H.serve()
      Wire.assertErrno(yield* served.ask(Wire.init(2, major!, minor!, 131_072, 0x7b)), 2, "EPROTO")
    }),
  )

  it.effect("of a newer major version is told ours, and asked again", () =>
    Effect.gen(function* () {
      const served = yield* H.serve()
      const ready = yield* Effect.forkChild(served.session.ready, { startImmediately: true })
      Wire.assertBytes(
        yield* served.ask(Wire.init(2, 8, 1, 131_072, 0x7b)),
        Wire.reply(2, 0, Wire.u32(7, 45), Buffer.alloc(56)),
      )
      assert.isUndefined(ready.pollUnsafe())
      const { body } = Wire.parseReply(yield* served.ask(Wire.init(4, 7, 45, 131_072, 0x7b)))
      assert.deepStrictEqual([body.readUInt32LE(0), body.readUInt32LE(4)], [7, 45])
      yield* Fiber.join(ready)
    }),
  )
})

describe("OPEN and OPENDIR", () => {
  it.effect("are left to a kernel that can do without, for any node and any flags", () =>
    Effect.gen(function* () {
      const served = yield* H.serve()
      yield* served.ask(linux(NO_OPEN_SUPPORT | NO_OPENDIR_SUPPORT))
      Wire.assertErrno(yield* served.ask(Wire.open(4, 1)), 4, "ENOSYS")
      Wire.assertErrno(yield* served.ask(Wire.open(6, 331, 2)), 6, "ENOSYS")
      Wire.assertErrno(yield* served.ask(Wire.opendir(8, 1)), 8, "ENOSYS")
    }),
  )

  it.effect("are answered each for itself when the kernel can do without one of them", () =>
    Effect.gen(function* () {
      const served = yield* H.serve()
      yield* served.ask(linux(NO_OPEN_SUPPORT))
      Wire.assertErrno(yield* served.ask(Wire.open(4, 1)), 4, "ENOSYS")
      assert.strictEqual(Wire.parseReply(yield* served.ask(Wire.opendir(6, 1))).errno, 0)
      const other = yield* H.serve()
      yield* other.ask(linux(NO_OPENDIR_SUPPORT))
      Wire.assertErrno(yield* other.ask(Wire.opendir(4, 1)), 4, "ENOSYS")
      assert.strictEqual(Wire.parseReply(yield* other.ask(Wire.open(6, 1))).errno, 0)
    }),
  )

  it.effect("let the kernel keep what it has cached", () =>
    Effect.gen(function* () {
      const served = yield* H.serve()
      yield* served.ask(linux())
      yield* served.ask(Wire.lookup(4, 1, "hello"))
      Wire.assertBytes(
        yield* served.ask(
          Wire.hex(`
            30000000 0e000000 0600000000000000 4e00000000000080 e8030000 64000000 92100000 00000000
            00800000 00000000
          `),
        ),
        // FOPEN_KEEP_CACHE
        Wire.hex("20000000 00000000 0600000000000000 0000000000000000 02000000 00000000"),
      )
      Wire.assertBytes(
        yield* served.ask(
          Wire.hex(`
            30000000 1b000000 0800000000000000 0100000000000000 e8030000 64000000 92100000 00000000
            00880100 00000000
          `),
        ),
        // FOPEN_KEEP_CACHE | FOPEN_CACHE_DIR
        Wire.hex("20000000 00000000 0800000000000000 0000000000000000 0a000000 00000000"),
      )
    }),
  )

  it.effect("for writing are EROFS", () =>
    Effect.gen(function* () {
      const served = yield* H.serve()
      yield* served.ask(linux())
      yield* served.ask(Wire.lookup(4, 1, "hello"))
      for (const flags of [1, 2, 0o1001]) {
        Wire.assertErrno(yield* served.ask(Wire.open(6, H.HELLO, flags)), 6, "EROFS")
      }
    }),
  )

  it.effect("of a node that is not held are ENOENT", () =>
    Effect.gen(function* () {
      const served = yield* H.serve()
      yield* served.ask(linux())
      Wire.assertErrno(yield* served.ask(Wire.open(4, H.HELLO)), 4, "ENOENT")
      Wire.assertErrno(yield* served.ask(Wire.opendir(6, 331)), 6, "ENOENT")
    }),
  )
})
