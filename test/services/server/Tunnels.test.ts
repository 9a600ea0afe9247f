import { assert, describe, it } from "@effect/vitest"
import { Deferred, Effect, Fiber } from "effect"
import * as Outage from "../../../src/services/server/Outage.ts"
import { ServerError } from "../../../src/services/server/ServerError.ts"
import type { Answer, Tunnel } from "../../../src/services/server/Tunnel.ts"
import * as Tunnels from "../../../src/services/server/Tunnels.ts"

const answer: Answer = { status: 200, body: new Uint8Array() }

/** Tunnels of a server that is 50 ms away, which answers when it is told to. */
const make = Effect.fnUntraced(function* (open: (number: number) => Effect.Effect<void, ServerError>) {
  /** Requests that each tunnel has had. */
  const asked: Array<number> = []
  const waiting: Array<Deferred.Deferred<Answer>> = []
  const tunnel = Effect.suspend(() => {
    const number = asked.push(0) - 1
    const made: Tunnel = {
      get: () =>
        Effect.suspend(() => {
          asked[number]! += 1
          const done = Deferred.makeUnsafe<Answer>()
          waiting.push(done)
          return Deferred.await(done)
        }),
      inFlight: () => 0,
      isOpen: () => true,
      ping: () => {},
      close: () => {},
      roundTrip: () => 50,
    }
    return Effect.as(open(number), made)
  })
  const prepared: Array<number> = []
  const tunnels = yield* Tunnels.make(Outage.make(1000), (count) => prepared.push(count))
  const backup = tunnels.to("backup", tunnel)
  yield* backup.ready
  const read = (count: number) =>
    Effect.forEach(
      Array.from({ length: count }),
      () => Effect.forkChild(backup.chunk("00", 10), { startImmediately: true }),
      { concurrency: 1 },
    )
  const settle = Effect.repeat(Effect.yieldNow, { times: 50 })
  return { asked, prepared, read, settle, waiting }
})

const refused = new ServerError({ server: "far", reason: "Refused", detail: "has enough connections" })

describe("Tunnels", () => {
  it.effect("are opened all at once where much is asked for, and share the work", () =>
    Effect.gen(function* () {
      const gate = yield* Deferred.make<void>()
      const { asked, read, settle } = yield* make((number) => (number === 0 ? Effect.void : Deferred.await(gate)))
      yield* read(16)
      yield* settle
      assert.deepStrictEqual(asked, [4, 0, 0, 0])
      yield* Deferred.succeed(gate, undefined)
      yield* settle
      assert.deepStrictEqual(asked, [4, 4, 4, 4])
      // No more are of use at this distance.
      yield* read(4)
      yield* settle
      assert.deepStrictEqual(asked, [5, 5, 5, 5])
    }),
  )

  it.effect("are not opened for a few requests, but connections for them are made ready, once", () =>
    Effect.gen(function* () {
      const { asked, prepared, read, settle } = yield* make(() => Effect.void)
      assert.deepStrictEqual(prepared, [])
      yield* read(4)
      yield* settle
      assert.deepStrictEqual([asked, prepared], [[4], [3]])
    }),
  )

  it.effect("do with fewer where a server refuses more, and do not ask again at once", () =>
    Effect.gen(function* () {
      const { asked, read, settle, waiting } = yield* make((number) =>
        number === 0 ? Effect.void : Effect.fail(refused),
      )
      const readers = yield* read(16)
      yield* settle
      assert.deepStrictEqual(asked, [16, 0])
      for (const each of waiting) yield* Deferred.succeed(each, answer)
      yield* Effect.forEach(readers, Fiber.join)
      yield* read(8)
      yield* settle
      assert.lengthOf(asked, 2)
    }),
  )

  it.effect("let a request that waits for a further one have the first as soon as that has time", () =>
    Effect.gen(function* () {
      const { asked, read, settle, waiting } = yield* make((number) => (number === 0 ? Effect.void : Effect.never))
      const [first] = yield* read(6)
      yield* settle
      assert.deepStrictEqual(asked, [4, 0])
      yield* Deferred.succeed(waiting[0]!, answer)
      yield* Fiber.join(first!)
      yield* settle
      assert.deepStrictEqual(asked, [5, 0])
    }),
  )
})
