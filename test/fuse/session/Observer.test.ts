import { assert, describe, it } from "@effect/vitest"
import { Deferred, Effect, Fiber, Queue, Stream } from "effect"
import { TestClock } from "effect/testing"
import * as Errno from "../../../src/domain/Errno.ts"
import { DeviceLost } from "../../../src/fuse/session/FuseDevice.ts"
import * as Observer from "../../../src/fuse/session/Observer.ts"
import * as Wire from "../../support/Wire.ts"
import * as H from "../harness.ts"

/** No node of the archive. */
const NOBODY = 12_345

/** A session, and the events that its observer has heard. */
const observed = (options: H.ServeOptions = {}) =>
  Effect.gen(function* () {
    const heard = yield* Queue.unbounded<Observer.RequestEvent>()
    const served = yield* H.serve({ ...options, observer: (event) => void Queue.offerUnsafe(heard, event) })
    const next = Queue.take(heard)
    return { ...served, next, after: (message: Uint8Array) => Effect.andThen(served.send(message), next) }
  })

const text = (effect: Effect.Effect<Uint8Array>) => Effect.map(effect, (bytes) => Buffer.from(bytes).toString())

describe("an observer hears", () => {
  it.effect("who asked what of which node, and what the kernel got", () =>
    Effect.gen(function* () {
      const { after } = yield* observed()
      const { path, name, ...event } = yield* after(Wire.lookup(2, 1, "hello"))
      assert.deepStrictEqual(event, {
        operation: "LOOKUP",
        opcode: Wire.Op.LOOKUP,
        unique: 2,
        nodeId: 1,
        uid: 1000,
        gid: 100,
        pid: 4242,
        offset: undefined,
        size: undefined,
        errno: 0,
        bytes: 128,
        delivery: "delivered",
        micros: 0,
      })
      assert.strictEqual(Buffer.from(name!).toString(), "hello")
      assert.strictEqual(yield* text(path), "/hello")
    }),
  )

  it.effect("the part of a file that was read, and its path", () =>
    Effect.gen(function* () {
      const { after } = yield* observed()
      yield* after(Wire.lookup(2, 1, "hello"))
      const event = yield* after(Wire.read(4, H.HELLO, 1, 4096))
      const { bytes, nodeId, offset, operation, size } = event
      assert.deepStrictEqual(
        { bytes, nodeId, offset, operation, size },
        { bytes: 2, nodeId: H.HELLO_ID, offset: 1, operation: "READ", size: 4096 },
      )
      assert.strictEqual(yield* text(event.path), "/hello")
    }),
  )

  it.effect("the errno of a request that failed", () =>
    Effect.gen(function* () {
      const { after } = yield* observed()
      const { bytes, errno, path } = yield* after(Wire.getattr(2, NOBODY))
      assert.deepStrictEqual({ bytes, errno }, { bytes: 0, errno: Errno.ENOENT.code })
      assert.strictEqual(yield* text(path), "/?")
    }),
  )

  it.effect("an operation that is not carried out, and an opcode that nobody knows", () =>
    Effect.gen(function* () {
      const { after } = yield* observed()
      const refused = yield* after(Wire.request(Wire.Op.LSEEK, 2, 1, Buffer.alloc(24)))
      assert.deepStrictEqual([refused.operation, refused.errno], ["LSEEK", Errno.ENOSYS.code])
      const unknown = yield* after(Wire.request(4096, 4, 1))
      assert.deepStrictEqual([unknown.operation, unknown.opcode, unknown.errno], ["UNKNOWN", 4096, Errno.ENOSYS.code])
    }),
  )

  it.effect("a request that cannot be understood", () =>
    H.logged(() =>
      Effect.gen(function* () {
        const { after } = yield* observed()
        const { errno, name, operation } = yield* after(Wire.request(Wire.Op.LOOKUP, 2, 1, Buffer.from("hello")))
        assert.deepStrictEqual({ errno, name, operation }, { errno: 5, name: undefined, operation: "LOOKUP" })
      }),
    ),
  )

  it.effect("requests that want no answer", () =>
    Effect.gen(function* () {
      const { after } = yield* observed()
      yield* after(Wire.lookup(2, 1, "hello"))
      const { bytes, delivery, errno, operation } = yield* after(Wire.forget(3, H.HELLO, 1))
      assert.deepStrictEqual(
        { bytes, delivery, errno, operation },
        { bytes: 0, delivery: undefined, errno: 0, operation: "FORGET" },
      )
    }),
  )

  it.effect("how long a request took, in microseconds", () =>
    Effect.gen(function* () {
      const source = H.gated(H.helloBytes())
      const { next, send } = yield* observed({ source, options: H.uncached })
      yield* source.hold(0, source.size)
      yield* send(Wire.lookup(2, 1, "hello"))
      yield* source.reached
      yield* TestClock.adjust("3 millis")
      yield* source.open
      assert.strictEqual((yield* next).micros, 3000)
    }),
  )

  it.effect("EINTR for an interrupted request, after the INTERRUPT itself", () =>
    Effect.gen(function* () {
      const source = H.gated(H.helloBytes())
      const { next, send } = yield* observed({ source, options: H.uncached })
      yield* source.hold(0, source.size)
      yield* send(Wire.lookup(2, 1, "hello"))
      yield* source.reached
      yield* send(Wire.interrupt(2))
      const events = [yield* next, yield* next].map(({ errno, operation }) => `${operation} ${errno}`)
      assert.sameMembers(events, ["INTERRUPT 0", `LOOKUP ${Errno.EINTR.code}`])
    }),
  )

  it.effect("a reply that the kernel did not want, and the second one to a request after a refused one", () =>
    H.logged(() =>
      Effect.gen(function* () {
        const { after, device } = yield* observed()
        device.outcomes.push("abandoned", "refused", "delivered")
        assert.strictEqual((yield* after(Wire.getattr(2, 1))).delivery, "abandoned")
        const { delivery, errno } = yield* after(Wire.getattr(4, 1))
        assert.deepStrictEqual({ delivery, errno }, { delivery: "delivered", errno: Errno.EIO.code })
      }),
    ),
  )

  it.effect("no reply to a request whose device broke", () =>
    Effect.gen(function* () {
      const { after, device } = yield* observed()
      device.outcomes.push(new DeviceLost({ operation: "write", errno: 5, detail: "injected" }))
      const { delivery, errno } = yield* after(Wire.getattr(2, 1))
      assert.deepStrictEqual({ delivery, errno }, { delivery: undefined, errno: 0 })
    }),
  )
})

it.effect("an observer that throws is logged, and harms nothing", () =>
  H.logged((log) =>
    Effect.gen(function* () {
      const thrower: Observer.Observer = () => {
        throw new Error("observer")
      }
      const served = yield* H.serve({ observer: thrower })
      yield* served.ask(Wire.lookup(2, 1, "hello"))
      yield* served.ask(Wire.lookup(4, 1, "hello"))
      yield* served.settled
      assert.strictEqual(yield* served.registry.count(H.HELLO_ID), 2)
      assert.strictEqual(log.length, 1)
      assert.include(log[0], "Error an observer of the session threw")
    }),
  ),
)

describe("the events of a session", () => {
  /** Reads events in a fiber; ends when it listens. */
  const reading = (served: H.Served) =>
    Effect.gen(function* () {
      const first = yield* Deferred.make<void>()
      const fiber = yield* Effect.forkScoped(
        served.session.events.pipe(
          Stream.tap(() => Deferred.succeed(first, undefined)),
          Stream.map(({ unique }) => unique),
          Stream.runCollect,
        ),
      )
      // Whether it listens shows only in an event.
      let unique = 1001
      const ask = Effect.suspend(() => served.ask(Wire.getattr((unique += 2), 1)))
      yield* Effect.raceFirst(Effect.forever(Effect.andThen(ask, Effect.yieldNow)), Deferred.await(first))
      return fiber
    })

  it.effect("come to every reader from when it begins, and end with the session", () =>
    Effect.gen(function* () {
      const served = yield* H.serve()
      yield* served.ask(Wire.getattr(2, 1))
      const readers = [yield* reading(served), yield* reading(served)] as const
      yield* served.ask(Wire.getattr(4, 1))
      yield* served.device.unmount
      yield* Fiber.join(served.serving)
      for (const reader of readers) {
        const uniques = yield* Fiber.join(reader)
        assert.strictEqual(uniques.at(-1), 4)
        assert.notInclude(uniques, 2)
      }
    }),
  )

  it.effect("are empty after its end", () =>
    Effect.gen(function* () {
      const served = yield* H.serve()
      yield* served.device.unmount
      yield* Fiber.join(served.serving)
      assert.deepStrictEqual(yield* Stream.runCollect(served.session.events), [])
    }),
  )

  it.effect("do not hold up the session: a reader that is too slow loses the oldest", () =>
    Effect.gen(function* () {
      const served = yield* H.serve()
      const gate = yield* Deferred.make<void>()
      const begun = yield* Deferred.make<void>()
      const reader = yield* Effect.forkScoped(
        served.session.events.pipe(
          Stream.tap(() => Effect.andThen(Deferred.succeed(begun, undefined), Deferred.await(gate))),
          Stream.map(({ unique }) => unique),
          Stream.runCollect,
        ),
      )
      const ask = (unique: number) => served.ask(Wire.getattr(unique, 1))
      let unique = 0
      yield* Effect.raceFirst(
        Effect.forever(
          Effect.andThen(
            Effect.suspend(() => ask((unique += 2))),
            Effect.yieldNow,
          ),
        ),
        Deferred.await(begun),
      )
      for (let i = 0; i < 2 * Observer.BUFFERED_EVENTS; i++) yield* ask((unique += 2))
      yield* Deferred.succeed(gate, undefined)
      yield* served.device.unmount
      const uniques = yield* Fiber.join(reader)
      assert.strictEqual(uniques.at(-1), unique)
      assert.isAtMost(uniques.length, 2 * Observer.BUFFERED_EVENTS)
      assert.isAtLeast(uniques.length, Observer.BUFFERED_EVENTS)
    }),
  )
})
