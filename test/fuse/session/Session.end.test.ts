import { assert, describe, it } from "@effect/vitest"
import { Effect, Exit, Fiber, Scope } from "effect"
import { DeviceLost } from "../../../src/fuse/session/FuseDevice.ts"
import * as Wire from "../../support/Wire.ts"
import * as H from "../harness.ts"

const broken = new DeviceLost({ operation: "read", errno: 5, detail: "it broke" })

/**
 * A session with a slow READ under way, two nodes held, and something attached to one of them. `close` closes its scope
 * and then asserts that nothing is left: no request, no node, nothing attached.
 */
const busy = Effect.gen(function* () {
  const scope = yield* Scope.make()
  const source = H.gated(H.helloBytes())
  const served = yield* Scope.provide(H.serve({ source }), scope)
  const released: Array<string> = []
  yield* served.ask(Wire.lookup(1000, 1, "hello"))
  yield* served.ask(Wire.lookup(1002, 1, "link"))
  yield* served.registry.attach(
    H.HELLO_ID,
    Effect.sync(() => released.push("hello")),
  )
  yield* source.hold(...H.HELLO_CONTENT)
  yield* served.send(Wire.read(2, H.HELLO, 0, 10))
  yield* source.reached
  served.written.length = 0
  const close = Effect.gen(function* () {
    yield* Scope.close(scope, Exit.void)
    assert.deepStrictEqual(source.interrupted, [H.HELLO_CONTENT[0]], "the source was interrupted")
    assert.strictEqual(source.waiting, 0)
    assert.strictEqual(yield* served.session.inFlight, 0)
    assert.deepStrictEqual(yield* served.registry.held, [])
    assert.deepStrictEqual(released, ["hello"])
    const uniques = served.written.map((reply) => Number(Wire.parseReply(reply).unique))
    assert.strictEqual(new Set(uniques).size, uniques.length, "at most one reply each")
  })
  return { ...served, source, released, close }
})

type Busy = Effect.Success<typeof busy>

/** Ends when the session has ended by itself; nothing is under way then, before any scope is closed. */
const endOf = (served: Busy) =>
  Effect.gen(function* () {
    const exit = yield* Fiber.await(served.serving)
    assert.strictEqual(yield* served.session.inFlight, 0)
    assert.deepStrictEqual(served.source.interrupted, [H.HELLO_CONTENT[0]])
    return exit
  })

describe("a session ends well", () => {
  it.effect("when the file system is unmounted, with requests under way", () =>
    Effect.gen(function* () {
      const served = yield* busy
      yield* served.device.unmount
      assert.deepStrictEqual(yield* endOf(served), Exit.void)
      yield* served.close
    }),
  )

  it.effect("when it is unmounted before anything was asked", () =>
    Effect.gen(function* () {
      const served = yield* H.serve()
      yield* served.device.unmount
      yield* Fiber.join(served.serving)
      assert.deepStrictEqual(served.written, [])
    }),
  )

  it.effect("after what came before the unmounting has been answered", () =>
    Effect.gen(function* () {
      const served = yield* H.serve()
      yield* served.send(Wire.getattr(2, 1), Wire.forget(4, 1, 1), Wire.getattr(6, 1))
      yield* served.device.unmount
      yield* Fiber.join(served.serving)
      assert.deepStrictEqual(
        served.written.map((reply) => Wire.parseReply(reply).unique),
        [2n, 6n],
      )
    }),
  )

  it.effect("when its scope closes in the middle", () =>
    Effect.gen(function* () {
      const served = yield* busy
      yield* served.close
      const exit = yield* Fiber.await(served.serving)
      assert.isTrue(Exit.hasInterrupts(exit))
    }),
  )

  it.effect("though nobody takes the replies any more", () =>
    Effect.gen(function* () {
      const served = yield* busy
      served.device.outcomes.push("abandoned")
      yield* served.device.unmount
      assert.deepStrictEqual(yield* endOf(served), Exit.void)
      assert.strictEqual((yield* served.session.counters).abandoned, 1)
      yield* served.close
    }),
  )
})

describe("a session fails", () => {
  it.effect("with the device's error when reading fails", () =>
    Effect.gen(function* () {
      const served = yield* busy
      yield* served.device.lose(broken)
      assert.deepStrictEqual(yield* endOf(served), Exit.fail(broken))
      yield* served.close
    }),
  )

  it.effect("with the device's error when a reply cannot be written", () =>
    Effect.gen(function* () {
      const served = yield* busy
      const error = new DeviceLost({ operation: "write", errno: 32, detail: "it broke" })
      served.device.outcomes.push(error)
      yield* served.send(Wire.getattr(4, 1))
      assert.deepStrictEqual(yield* endOf(served), Exit.fail(error))
      yield* served.close
    }),
  )

  it.effect("with that error also when all other replies cannot be written either", () =>
    Effect.gen(function* () {
      const served = yield* busy
      const error = new DeviceLost({ operation: "write", errno: 32, detail: "it broke" })
      served.device.outcomes.push(error, error, error)
      yield* served.send(Wire.getattr(4, 1))
      assert.deepStrictEqual(yield* endOf(served), Exit.fail(error))
      yield* served.close
    }),
  )

  it.effect("and counts nothing for a LOOKUP whose reply could not be written", () =>
    Effect.gen(function* () {
      const served = yield* H.serve()
      served.device.outcomes.push(new DeviceLost({ operation: "write", errno: 32, detail: "it broke" }))
      yield* served.send(Wire.lookup(2, 1, "hello"))
      yield* Fiber.await(served.serving)
      assert.deepStrictEqual(yield* served.registry.held, [1])
    }),
  )

  it.effect("while it waits for messages, when the reply to a slow request cannot be written", () =>
    Effect.gen(function* () {
      const served = yield* busy
      const error = new DeviceLost({ operation: "write", errno: 32, detail: "it broke" })
      served.device.outcomes.push(error)
      yield* served.source.open
      const exit = yield* Fiber.await(served.serving)
      assert.deepStrictEqual(exit, Exit.fail(error))
    }),
  )

  it.effect("when FORGET returns more than is held", () =>
    Effect.gen(function* () {
      const served = yield* busy
      yield* served.send(Wire.forget(4, H.HELLO, 2))
      const exit = yield* endOf(served)
      const error = Exit.isFailure(exit) ? exit.cause.reasons[0] : undefined
      assert.strictEqual(error?._tag, "Fail")
      assert.deepInclude(error?._tag === "Fail" ? error.error : undefined, {
        _tag: "Overforget",
        node: H.HELLO.toString(),
        held: 1,
        forgotten: 2,
      })
      assert.strictEqual(yield* served.registry.count(H.HELLO_ID), 1, "the counts are unchanged")
      yield* served.close
    }),
  )

  it.effect("when BATCH_FORGET does, after the nodes before that one", () =>
    Effect.gen(function* () {
      const served = yield* busy
      yield* served.send(Wire.batchForget(4, [H.LINK, 1], [H.HELLO, 2n ** 40n]))
      const exit = yield* endOf(served)
      assert.isTrue(Exit.isFailure(exit))
      assert.strictEqual(yield* served.registry.count(H.HELLO_ID), 1)
      assert.strictEqual(yield* served.registry.count(H.LINK_ID), 0)
      yield* served.close
    }),
  )

  it.effect.each([0, 1, 16, 39])("when a message has %i bytes, less than a header", (length) =>
    Effect.gen(function* () {
      const served = yield* busy
      yield* served.send(Buffer.alloc(length, 0x11))
      const exit = yield* endOf(served)
      const error = Exit.isFailure(exit) ? exit.cause.reasons[0] : undefined
      assert.deepInclude(error?._tag === "Fail" ? error.error : undefined, {
        _tag: "DeviceLost",
        operation: "read",
        errno: 0,
        detail: `message of ${length} bytes from the kernel`,
      })
      yield* served.close
    }),
  )
})

describe("a session goes on", () => {
  it.effect.each([
    ["a length that is not its own", Buffer.concat([Wire.u32(60), Wire.getattr(2, 1).subarray(4)])],
    ["too short a body", Wire.request(Wire.Op.GETATTR, 2, 1, Wire.u32(0))],
    ["a name without its NUL", Wire.request(Wire.Op.LOOKUP, 2, 1, Buffer.from("hello"))],
  ] as const)("after a request with %s, which is answered with EIO and logged", ([, message]) =>
    H.logged((log) =>
      Effect.gen(function* () {
        const served = yield* H.serve()
        Wire.assertErrno(yield* served.ask(message), 2, "EIO")
        assert.strictEqual(log.length, 1)
        assert.match(log[0]!, /^Error cannot understand request 2 /)
        assert.strictEqual(Wire.parseReply(yield* served.ask(Wire.getattr(4, 1))).errno, 0)
      }),
    ),
  )

  it.effect.each([
    ["FORGET", Wire.request(Wire.Op.FORGET, 2, 1, Wire.u32(1))],
    ["BATCH_FORGET", Wire.request(Wire.Op.BATCH_FORGET, 2, 0, Wire.u32(2, 0), Wire.u64(1, 1))],
    ["INTERRUPT", Wire.request(Wire.Op.INTERRUPT, 3, 0, Wire.u32(2))],
  ] as const)("after a damaged %s, which is logged and has no reply", ([, message]) =>
    H.logged((log) =>
      Effect.gen(function* () {
        const served = yield* H.serve()
        yield* served.send(message)
        yield* served.settled
        assert.strictEqual(log.length, 1)
        assert.deepStrictEqual(served.written, [])
      }),
    ),
  )

  it.effect("after a FORGET of a node that is not held", () =>
    H.logged((log) =>
      Effect.gen(function* () {
        const served = yield* H.serve()
        yield* served.send(Wire.forget(2, H.HELLO, 1), Wire.batchForget(4, [331, 1], [1, 5]))
        yield* served.settled
        assert.strictEqual(log.length, 2)
        assert.deepStrictEqual(yield* served.registry.held, [1])
      }),
    ),
  )
})
