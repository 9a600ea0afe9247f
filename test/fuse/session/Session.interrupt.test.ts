import { assert, describe, it } from "@effect/vitest"
import { Arbitrary, Cause, Effect, Latch } from "effect"
import * as Errno from "../../../src/domain/Errno.ts"
import * as Session from "../../../src/fuse/session/Session.ts"
import { fromBytes } from "../../../src/services/bytes/ByteSource.ts"
import { anyInteger } from "../../domain/pxar/helpers.ts"
import * as B from "../../support/ArchiveBuilder.ts"
import * as Wire from "../../support/Wire.ts"
import * as H from "../harness.ts"

/** A session that has looked `hello` up, over a source whose content can be held. */
const slow = (options: H.ServeOptions = {}) =>
  Effect.gen(function* () {
    const source = H.gated(H.helloBytes())
    const served = yield* H.serve({ ...options, source })
    yield* served.ask(Wire.lookup(1000, 1, "hello"))
    served.written.length = 0
    yield* source.hold(...H.HELLO_CONTENT)
    return { ...served, source }
  })

const errnos = (served: Pick<H.Served, "written">) =>
  served.written.map((reply) => {
    const { errno, unique } = Wire.parseReply(reply)
    return [Number(unique), errno]
  })

describe("INTERRUPT during a request", () => {
  it.effect("gives it one EINTR, and interrupts the source", () =>
    Effect.gen(function* () {
      const served = yield* slow()
      yield* served.send(Wire.read(2, H.HELLO, 0, 10))
      yield* served.source.reached
      yield* served.send(
        Wire.hex(`
          30000000 24000000 0300000000000000 0000000000000000 e8030000 64000000 92100000 00000000
          0200000000000000
        `),
      )
      Wire.assertBytes(yield* served.reply, Wire.hex("10000000 fcffffff 0200000000000000"))
      assert.deepStrictEqual(served.source.interrupted, [H.HELLO_CONTENT[0]])
      assert.strictEqual(served.source.waiting, 0)
      yield* served.source.open
      yield* served.settled
      assert.deepStrictEqual(errnos(served), [[2, Wire.Errno.EINTR]])
      assert.strictEqual(yield* served.session.inFlight, 0)
    }),
  )

  it.effect("leaves the session serving", () =>
    Effect.gen(function* () {
      const served = yield* slow()
      yield* served.send(Wire.read(2, H.HELLO, 0, 10))
      yield* served.source.reached
      yield* served.send(Wire.interrupt(2))
      yield* served.reply
      yield* served.source.open
      Wire.assertBytes(yield* served.ask(Wire.read(4, H.HELLO, 0, 10)), Wire.reply(4, 0, Buffer.from("hi\n")))
    }),
  )

  it.effect("leaves the others alone", () =>
    Effect.gen(function* () {
      const served = yield* slow()
      yield* served.send(...[2, 4, 6].map((unique) => Wire.read(unique, H.HELLO, 0, 10)))
      yield* served.settled
      yield* served.send(Wire.interrupt(4))
      Wire.assertErrno(yield* served.reply, 4, "EINTR")
      assert.strictEqual(served.source.waiting, 2)
      yield* served.source.open
      Wire.assertBytes(yield* served.reply, Wire.reply(2, 0, Buffer.from("hi\n")))
      Wire.assertBytes(yield* served.reply, Wire.reply(6, 0, Buffer.from("hi\n")))
    }),
  )

  it.effect("twice gives one reply", () =>
    Effect.gen(function* () {
      const served = yield* slow()
      yield* served.send(Wire.read(2, H.HELLO, 0, 10))
      yield* served.source.reached
      yield* served.send(Wire.interrupt(2), Wire.interrupt(2))
      yield* served.settled
      assert.deepStrictEqual(errnos(served), [[2, Wire.Errno.EINTR]])
    }),
  )

  it.effect("of LOOKUP holds nothing", () =>
    Effect.gen(function* () {
      const source = H.gated(H.helloBytes())
      const served = yield* H.serve({ source, options: H.uncached })
      yield* source.hold(0x4e, 0x86)
      yield* served.send(Wire.lookup(2, 1, "hello"))
      yield* source.reached
      yield* served.send(Wire.interrupt(2))
      Wire.assertErrno(yield* served.reply, 2, "EINTR")
      assert.isAbove(source.interrupted.length, 0)
      assert.deepStrictEqual(yield* served.registry.held, [1])
    }),
  )

  it.effect("of READDIRPLUS holds nothing of what was listed before", () =>
    Effect.gen(function* () {
      const names = ["a", "b", "c"]
      const built = B.build({ children: names.map((name) => B.file(name, "x".repeat(2000))) })
      const { nameStart, start } = built.at("b")
      const source = H.gated(built.bytes)
      const served = yield* H.serve({ source, options: H.uncached })
      yield* source.hold(nameStart, start + 56)
      yield* served.send(Wire.readdirplus(2, 1, 0, 4096))
      yield* source.reached
      assert.isDefined(served.registry.find(-built.at("a").start), "while it is under way")
      yield* served.send(Wire.interrupt(2))
      Wire.assertErrno(yield* served.reply, 2, "EINTR")
      yield* served.settled
      assert.deepStrictEqual(yield* served.registry.held, [1])
    }),
  )

  it.effect("of READDIRPLUS of a folder with many names that are not shown comes through before its end", () =>
    H.logged(() =>
      Effect.gen(function* () {
        const hidden = Array.from({ length: 500 }, (_, index) => ({
          ...B.file(`${index}`),
          filename: B.filename(`no/name/${index}`),
        }))
        const served = yield* H.serve({ source: fromBytes(B.build({ children: hidden }).bytes) })
        yield* served.send(Wire.readdirplus(2, 1, 0, 4096), Wire.interrupt(2))
        Wire.assertErrno(yield* served.reply, 2, "EINTR")
      }),
    ),
  )

  it.effect("whose reply is being written changes nothing", () =>
    Effect.gen(function* () {
      const writing = yield* Latch.make()
      const go = yield* Latch.make()
      const served = yield* H.serve({ beforeReply: () => Effect.andThen(writing.open, go.await) })
      yield* served.send(Wire.lookup(2, 1, "hello"))
      yield* writing.await
      yield* served.send(Wire.interrupt(2))
      yield* served.settled
      yield* go.open
      Wire.assertBytes(yield* served.reply, Wire.reply(2, 0, Wire.entryOut(H.helloAttr)))
      yield* served.settled
      assert.deepStrictEqual(errnos(served), [[2, 0]])
      assert.strictEqual(yield* served.registry.count(H.HELLO_ID), 1)
    }),
  )

  it.effect("of an operation that cannot be interrupted waits for its end, and gives one reply", () =>
    Effect.gen(function* () {
      const reached = yield* Latch.make()
      const go = yield* Latch.make()
      const served = yield* H.serve({
        override: ({ bridge }) => ({
          getattr: (id) =>
            Effect.uninterruptible(Effect.andThen(Effect.andThen(reached.open, go.await), bridge.getattr(id))),
        }),
      })
      yield* served.send(Wire.getattr(2, 1))
      yield* reached.await
      yield* served.send(Wire.interrupt(2))
      yield* served.settled
      assert.deepStrictEqual(errnos(served), [])
      yield* go.open
      yield* served.reply
      yield* served.settled
      assert.strictEqual(served.written.length, 1)
    }),
  )
})

describe("INTERRUPT before its request", () => {
  it.effect("gives it EINTR, and the source is not asked", () =>
    Effect.gen(function* () {
      const served = yield* slow()
      yield* served.send(Wire.interrupt(2))
      Wire.assertErrno(yield* served.ask(Wire.read(2, H.HELLO, 0, 10)), 2, "EINTR")
      yield* served.settled
      assert.strictEqual(served.source.waiting, 0)
      assert.deepStrictEqual(served.source.interrupted, [])
      assert.deepStrictEqual(errnos(served), [[2, Wire.Errno.EINTR]])
    }),
  )

  it.effect("holds nothing for a LOOKUP", () =>
    Effect.gen(function* () {
      const served = yield* H.serve()
      yield* served.send(Wire.interrupt(2))
      Wire.assertErrno(yield* served.ask(Wire.lookup(2, 1, "hello")), 2, "EINTR")
      assert.deepStrictEqual(yield* served.registry.held, [1])
    }),
  )

  it.effect("counts for one request only", () =>
    Effect.gen(function* () {
      const served = yield* H.serve()
      yield* served.send(Wire.interrupt(2))
      Wire.assertErrno(yield* served.ask(Wire.getattr(2, 1)), 2, "EINTR")
      assert.strictEqual(Wire.parseReply(yield* served.ask(Wire.getattr(2, 1))).errno, 0)
    }),
  )

  it.effect("is remembered when many came whose request never will", () =>
    Effect.gen(function* () {
      const served = yield* H.serve()
      for (let unique = 2000; unique < 2400; unique += 2) yield* served.send(Wire.interrupt(unique))
      yield* served.send(Wire.interrupt(2))
      Wire.assertErrno(yield* served.ask(Wire.getattr(2, 1)), 2, "EINTR")
    }),
  )
})

describe("INTERRUPT after its request", () => {
  it.effect("changes nothing and has no reply", () =>
    Effect.gen(function* () {
      const served = yield* H.serve()
      yield* served.ask(Wire.lookup(2, 1, "hello"))
      yield* served.send(Wire.interrupt(2))
      yield* served.settled
      yield* served.ask(Wire.getattr(4, H.HELLO))
      assert.deepStrictEqual(errnos(served), [
        [2, 0],
        [4, 0],
      ])
      assert.strictEqual(yield* served.registry.count(H.HELLO_ID), 1)
    }),
  )
})

describe("whatever the kernel sends", () => {
  /** A step of the kernel: a request of some kind, an interrupt of some request, or the source starts or stops. */
  const anyStep = Arbitrary.all([anyInteger(0, 9), anyInteger(0, 19)])

  it.effect.prop(
    "each request gets one reply, and counts are those of the delivered replies",
    [Arbitrary.array(anyStep, { maxLength: 40 })],
    ([steps]) =>
      Effect.gen(function* () {
        const source = H.gated(H.helloBytes())
        const served = yield* H.serve({ source, options: H.uncached })
        yield* served.ask(Wire.lookup(1000, 1, "hello"))
        served.written.length = 0
        const asked: Array<number> = []
        const outcomes: Array<"delivered" | "abandoned"> = []
        for (const [kind, which] of steps) {
          const unique = 2 * asked.length + 2
          if (kind <= 5) {
            const requests = [
              Wire.read(unique, H.HELLO, 0, 10),
              Wire.lookup(unique, 1, "hello"),
              Wire.readdirplus(unique, 1, which % 5, 4096),
              Wire.getattr(unique, H.HELLO),
              Wire.readlink(unique, 1),
              Wire.readdir(unique, 1, 0, 64),
            ]
            asked.push(unique)
            outcomes.push(which < 4 ? "abandoned" : "delivered")
            served.device.outcomes.push(outcomes.at(-1)!)
            yield* served.send(requests[kind]!)
          } else if (kind <= 7) yield* served.send(Wire.interrupt(2 * which + 2))
          else if (kind === 8) yield* source.hold(0x38, 0xfc)
          else yield* source.open
          yield* served.settled
        }
        yield* source.open
        while ((yield* served.session.inFlight) > 0) yield* served.settled
        const replies = served.written.map(Wire.parseReply)
        assert.sameMembers(
          replies.map(({ unique }) => Number(unique)),
          asked,
        )
        assert.strictEqual(replies.length, asked.length)
        // Outcomes are used up in the order of the replies.
        let count = 1
        for (const [index, { body, errno }] of replies.entries()) {
          if (outcomes[index] === "abandoned" || errno !== 0) continue
          if (body.length === 128) count++
          else if (body.length >= 152 && body.length % 8 === 0) {
            count += Wire.parseDirents(body, true).filter(({ node }) => node === H.HELLO).length
          }
        }
        assert.strictEqual(yield* served.registry.count(H.HELLO_ID), count)
        assert.strictEqual(source.waiting, 0)
      }),
    { arbitrary: { runs: 150, size: 100 } },
  )
})

describe("errnoOf", () => {
  const interrupted = Cause.interrupt()
  it.each([
    ["a failure is its errno", Cause.fail(Errno.ENODATA), Errno.ENODATA],
    ["an interruption is EINTR", interrupted, Errno.EINTR],
    ["a defect is EIO", Cause.die("bug"), Errno.EIO],
    ["a defect beside a failure is EIO", Cause.combine(Cause.fail(Errno.ENODATA), Cause.die("bug")), Errno.EIO],
    ["a defect beside an interruption is EIO", Cause.combine(interrupted, Cause.die("bug")), Errno.EIO],
    ["a failure beside an interruption is its errno", Cause.combine(interrupted, Cause.fail(Errno.ELOOP)), Errno.ELOOP],
  ])("%s", (_, cause, errno) => {
    assert.strictEqual(Session.errnoOf(cause), errno)
  })
})
