import { assert, describe, it } from "@effect/vitest"
import { Effect, Latch } from "effect"
import type * as Bridge from "../../../src/fuse/bridge/Bridge.ts"
import { fromBytes, type ByteSource } from "../../../src/services/bytes/ByteSource.ts"
import * as B from "../../support/ArchiveBuilder.ts"
import * as Wire from "../../support/Wire.ts"
import * as H from "../harness.ts"

describe("a reply that the kernel no longer waits for", () => {
  it.effect("to LOOKUP counts nothing, and holds nothing", () =>
    Effect.gen(function* () {
      const served = yield* H.serve()
      served.device.outcomes.push("abandoned")
      yield* served.send(Wire.lookup(2, 1, "hello"))
      yield* served.settled
      Wire.assertBytes(served.written[0], Wire.reply(2, 0, Wire.entryOut(H.helloAttr)))
      assert.strictEqual(served.written.length, 1)
      assert.deepStrictEqual(yield* served.registry.held, [1])
      assert.strictEqual((yield* served.session.counters).abandoned, 1)
    }),
  )

  it.effect("to READDIRPLUS counts nothing, and holds nothing", () =>
    Effect.gen(function* () {
      const served = yield* H.serve()
      served.device.outcomes.push("abandoned")
      yield* served.send(Wire.readdirplus(2, 1, 0, 4096))
      yield* served.settled
      assert.strictEqual(Wire.parseDirents(Wire.parseReply(served.written[0]!).body, true).length, 4)
      assert.deepStrictEqual(yield* served.registry.held, [1])
    }),
  )

  it.effect("leaves the references of earlier replies as they were", () =>
    Effect.gen(function* () {
      const served = yield* H.serve()
      yield* served.ask(Wire.lookup(2, 1, "hello"))
      yield* served.ask(Wire.lookup(4, 1, "hello"))
      served.device.outcomes.push("abandoned", "abandoned")
      yield* served.send(Wire.lookup(6, 1, "hello"), Wire.readdirplus(8, 1, 0, 4096))
      yield* served.settled
      assert.strictEqual(yield* served.registry.count(H.HELLO_ID), 2)
      assert.isUndefined(served.registry.find(H.LINK_ID))
      yield* served.send(Wire.forget(10, H.HELLO, 2))
      yield* served.settled
      assert.deepStrictEqual(yield* served.registry.held, [1])
    }),
  )

  it.effect("is not repeated, and the session goes on", () =>
    Effect.gen(function* () {
      const served = yield* H.serve()
      served.device.outcomes.push("abandoned", "abandoned")
      yield* served.send(Wire.getattr(2, 1), Wire.getattr(4, 331))
      Wire.assertErrno(yield* served.ask(Wire.getattr(6, 331)), 6, "ENOENT")
      assert.strictEqual(served.written.length, 3)
    }),
  )
})

describe("a reply that the kernel refuses", () => {
  it.effect("is followed by EIO, and said", () =>
    H.logged((log) =>
      Effect.gen(function* () {
        const served = yield* H.serve()
        served.device.outcomes.push("refused")
        Wire.assertErrno(yield* served.ask(Wire.getattr(2, 1)), 2, "EIO")
        assert.strictEqual(served.written.length, 2)
        assert.strictEqual(log.length, 1)
        assert.match(log[0]!, /^Error .*request 2 /)
      }),
    ),
  )

  it.effect("to LOOKUP counts nothing: the kernel was told EIO", () =>
    H.logged(() =>
      Effect.gen(function* () {
        const served = yield* H.serve()
        served.device.outcomes.push("refused")
        Wire.assertErrno(yield* served.ask(Wire.lookup(2, 1, "hello")), 2, "EIO")
        yield* served.settled
        assert.strictEqual(yield* served.registry.count(H.HELLO_ID), 0)
        assert.deepStrictEqual(yield* served.registry.held, [1])
      }),
    ),
  )

  it.effect("to READDIRPLUS counts nothing: the kernel was told EIO", () =>
    H.logged(() =>
      Effect.gen(function* () {
        const served = yield* H.serve()
        served.device.outcomes.push("refused")
        Wire.assertErrno(yield* served.ask(Wire.readdirplus(2, 1, 0, 4096)), 2, "EIO")
        yield* served.settled
        assert.deepStrictEqual(yield* served.registry.held, [1])
      }),
    ),
  )

  it.effect("is not repeated for ever when EIO is refused too", () =>
    H.logged(() =>
      Effect.gen(function* () {
        const served = yield* H.serve()
        served.device.outcomes.push("refused", "refused", "refused")
        yield* served.send(Wire.getattr(2, 1), Wire.getattr(4, 331))
        yield* served.settled
        assert.deepStrictEqual(
          served.written.map((reply) => Wire.parseReply(reply).errno),
          [0, Wire.Errno.EIO, Wire.Errno.ENOENT],
        )
      }),
    ),
  )
})

describe("a defect", () => {
  const boom = () => Effect.die(new Error("boom"))
  const dying: Partial<Bridge.Bridge> = {
    lookup: boom,
    getattr: boom,
    readlink: boom,
    open: boom,
    read: boom,
    readdir: boom,
    getxattr: boom,
    listxattr: boom,
  }

  it.effect.each([
    ["LOOKUP", Wire.lookup(2, 1, "hello")],
    ["GETATTR", Wire.getattr(2, 1)],
    ["READLINK", Wire.readlink(2, 1)],
    ["OPEN", Wire.open(2, 1)],
    ["OPENDIR", Wire.opendir(2, 1)],
    ["READ", Wire.read(2, 1, 0, 10)],
    ["READDIR", Wire.readdir(2, 1, 0, 10)],
    ["READDIRPLUS", Wire.readdirplus(2, 1, 0, 10)],
    ["GETXATTR", Wire.getxattr(2, 1, "user.a", 0)],
    ["LISTXATTR", Wire.listxattr(2, 1, 0)],
  ] as const)("in %s is answered with EIO, logged, and the session goes on", ([, message]) =>
    H.logged((log) =>
      Effect.gen(function* () {
        const served = yield* H.serve({ override: () => dying })
        Wire.assertErrno(yield* served.ask(message), 2, "EIO")
        yield* served.ask(Wire.statfs(4))
        assert.strictEqual(served.written.length, 2)
        assert.strictEqual(log.length, 1)
        assert.match(log[0]!, /^Error request 2 .*bug.*Die/)
      }),
    ),
  )

  it.effect("in the middle of a listing leaves nothing held", () =>
    H.logged(() =>
      Effect.gen(function* () {
        const served = yield* H.serve({
          override: ({ bridge }) => ({
            readdir: (id, offset, add) => Effect.andThen(bridge.readdir(id, offset, add), boom()),
          }),
        })
        Wire.assertErrno(yield* served.ask(Wire.readdirplus(2, 1, 0, 4096)), 2, "EIO")
        yield* served.settled
        assert.deepStrictEqual(yield* served.registry.held, [1])
      }),
    ),
  )

  const throwing = (): never => {
    throw new Error("boom")
  }

  it.effect.each([
    ["LOOKUP", Wire.lookup(2, 1, "hello")],
    ["GETATTR", Wire.getattr(2, 1)],
    ["LISTXATTR", Wire.listxattr(2, 1, 0)],
  ] as const)("thrown by %s before there is an effect is answered with EIO too", ([, message]) =>
    H.logged((log) =>
      Effect.gen(function* () {
        const served = yield* H.serve({
          override: () => ({ lookup: throwing, getattr: throwing, listxattr: throwing }),
        })
        Wire.assertErrno(yield* served.ask(message), 2, "EIO")
        assert.match(log[0]!, /^Error request 2 .*bug/)
      }),
    ),
  )
})

describe("the memory of replies", () => {
  const contents = ["first ".repeat(40), "second", "third ".repeat(400)]
  const built = B.build({ children: contents.map((content, index) => B.file(`f${index}`, content)) })
  const node = (index: number) => BigInt(built.at(`f${index}`).start) | (1n << 63n)
  const lookups = (served: H.Served) =>
    Effect.forEach([0, 1, 2], (index) => served.ask(Wire.lookup(100 + index, 1, `f${index}`)), { discard: true })
  const expected = (unique: number, index: number) => Wire.reply(unique, 0, Buffer.from(contents[index]!))

  it.effect("is not shared by requests at the same time", () =>
    Effect.gen(function* () {
      const source = H.gated(built.bytes)
      const served = yield* H.serve({ source })
      yield* lookups(served)
      // There is memory to be used again.
      yield* served.ask(Wire.read(200, node(0), 0, 4096))
      yield* source.hold(0, built.bytes.length)
      for (const index of [0, 1, 2]) yield* served.send(Wire.read(2 * index, node(index), 0, 4096))
      yield* served.settled
      yield* source.open
      for (const index of [0, 1, 2]) Wire.assertBytes(yield* served.reply, expected(2 * index, index))
    }),
  )

  it.effect("can be used again, by longer and by shorter ones", () =>
    Effect.gen(function* () {
      const served = yield* H.serve({ source: fromBytes(built.bytes) })
      yield* lookups(served)
      for (const [unique, index] of [0, 1, 2, 1, 0, 2, 1].entries()) {
        Wire.assertBytes(yield* served.ask(Wire.read(unique, node(index), 0, 4096)), expected(unique, index))
      }
    }),
  )

  it.effect("is not used again after an interruption: the source may still write there", () =>
    Effect.gen(function* () {
      const inner = fromBytes(built.bytes)
      const reached = yield* Latch.make()
      let late: Uint8Array | undefined
      let hanging = false
      const source: ByteSource = {
        name: inner.name,
        size: inner.size,
        read: (target, offset) =>
          Effect.suspend(() => {
            if (hanging) {
              hanging = false
              late = target
              return Effect.andThen(reached.open, Effect.never)
            }
            return Effect.map(inner.read(target, offset), () => void late?.fill(0x21))
          }),
      }
      const served = yield* H.serve({ source })
      yield* lookups(served)
      yield* served.ask(Wire.read(200, node(0), 0, 4096))
      hanging = true
      yield* served.send(Wire.read(2, node(0), 0, 4096))
      yield* reached.await
      yield* served.send(Wire.interrupt(2))
      Wire.assertErrno(yield* served.reply, 2, "EINTR")
      for (const index of [0, 1, 2]) {
        Wire.assertBytes(yield* served.ask(Wire.read(4, node(index), 0, 4096)), expected(4, index))
      }
    }),
  )
})
