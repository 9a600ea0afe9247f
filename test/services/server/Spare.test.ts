import * as net from "node:net"
import type * as tls from "node:tls"
import { assert, describe, it } from "@effect/vitest"
import { Deferred, Effect, Fiber } from "effect"
import { TestClock } from "effect/testing"
import type { Connected } from "../../../src/services/server/Connection.ts"
import { ServerError } from "../../../src/services/server/ServerError.ts"
import * as Spare from "../../../src/services/server/Spare.ts"

/** Connections that are made when they are told to be. */
const make = Effect.fnUntraced(function* () {
  const begun: Array<Deferred.Deferred<Connected, ServerError>> = []
  const spare = yield* Spare.make({
    server: "far",
    connect: Effect.suspend(() => {
      const made = Deferred.makeUnsafe<Connected, ServerError>()
      begun.push(made)
      return Deferred.await(made)
    }),
  })
  const arrive = (number: number) => {
    const connected: Connected = { socket: new net.Socket() as tls.TLSSocket, roundTrip: 1 }
    return Effect.as(Deferred.succeed(begun[number]!, connected), connected)
  }
  return { spare, begun, arrive }
})

const gone = new ServerError({ server: "far", reason: "Lost", detail: "is gone" })

describe("Spare", () => {
  it.effect("makes so many, counts those that are there, and gives each once", () =>
    Effect.gen(function* () {
      const { arrive, begun, spare } = yield* make()
      spare.begin(2)
      spare.begin(3)
      assert.lengthOf(begun, 3)
      const expected = yield* Effect.forEach([0, 1, 2], arrive)
      assert.deepStrictEqual(yield* Effect.all([spare.connect, spare.connect, spare.connect]), expected)
      const own = yield* Effect.forkChild(spare.connect, { startImmediately: true })
      assert.lengthOf(begun, 4)
      const connected = yield* arrive(3)
      assert.strictEqual(yield* Fiber.join(own), connected)
    }),
  )

  it.effect("closes those that nobody has wanted for a while", () =>
    Effect.gen(function* () {
      const { arrive, begun, spare } = yield* make()
      spare.begin(2)
      const [first, second] = yield* Effect.forEach([0, 1], arrive)
      yield* spare.connect
      yield* TestClock.adjust("20 seconds")
      assert.deepStrictEqual([first!.socket.destroyed, second!.socket.destroyed], [false, true])
      yield* Effect.forkChild(spare.connect, { startImmediately: true })
      assert.lengthOf(begun, 3)
    }),
  )

  it.effect("forgets those that could not be made", () =>
    Effect.gen(function* () {
      const { arrive, begun, spare } = yield* make()
      spare.begin(1)
      yield* Deferred.fail(begun[0]!, gone)
      yield* Effect.yieldNow
      const next = yield* Effect.forkChild(spare.connect, { startImmediately: true })
      const connected = yield* arrive(1)
      assert.strictEqual(yield* Fiber.join(next), connected)
      const prepared = yield* Effect.forkChild(Effect.flip(spare.prepare), { startImmediately: true })
      yield* Deferred.fail(begun[2]!, gone)
      assert.strictEqual(yield* Fiber.join(prepared), gone)
    }),
  )
})
