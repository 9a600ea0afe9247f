import * as http from "node:http"
import * as net from "node:net"
import type { AddressInfo } from "node:net"
import { describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { expect } from "vitest"
import * as HttpFaults from "./HttpFaults.ts"
import * as SlowLine from "./SlowLine.ts"

/** A server that answers every request with a body of so many bytes as its path says. */
const server = Effect.map(
  Effect.acquireRelease(
    Effect.callback<http.Server>((resume) => {
      const made = http.createServer((request, response) => {
        response.end(Buffer.alloc(Number(request.url?.slice(1)), 7))
      })
      made.listen(0, "127.0.0.1", () => resume(Effect.succeed(made)))
    }),
    (made) => Effect.callback<void>((resume) => void made.close(() => resume(Effect.void)).closeAllConnections()),
  ),
  (made) => (made.address() as AddressInfo).port,
)

const get = (port: number, length: number, agent?: http.Agent): Promise<{ status: number; length: number }> =>
  new Promise((resolve, reject) => {
    http
      .get({ port, host: "127.0.0.1", path: `/${length}`, agent: agent ?? false }, (response) => {
        let received = 0
        response.on("data", (piece: Buffer) => (received += piece.length))
        response.on("end", () => resolve({ status: response.statusCode ?? 0, length: received }))
        response.on("error", reject)
      })
      .on("error", reject)
  })

const timed = async (run: () => Promise<unknown>): Promise<number> => {
  const begin = performance.now()
  await run()
  return performance.now() - begin
}

describe("SlowLine", () => {
  it.live("takes two round trips for the first request of a connection and one for the next", () =>
    Effect.gen(function* () {
      const line = yield* SlowLine.make(yield* server, { roundTrip: 100 })
      const agent = new http.Agent({ keepAlive: true, maxSockets: 1 })
      const [first, second] = yield* Effect.promise(async () => [
        await timed(() => get(line.port, 10, agent)),
        await timed(() => get(line.port, 10, agent)),
      ])
      agent.destroy()
      expect(first).toBeGreaterThan(195)
      expect(second).toBeGreaterThan(95)
      expect(line.connections()).toBe(1)
    }),
  )

  it.live("is never faster than its bandwidth, which all connections share", () =>
    Effect.gen(function* () {
      const line = yield* SlowLine.make(yield* server, { bytesPerSecond: 10_000_000 })
      const took = yield* Effect.promise(() =>
        timed(() => Promise.all([get(line.port, 1_000_000), get(line.port, 1_000_000)])),
      )
      expect(took).toBeGreaterThan(195)
      expect(line.bytes()).toBeGreaterThan(2_000_000)
    }),
  )

  it.live("carries at most a window a round trip on one connection", () =>
    Effect.gen(function* () {
      const line = yield* SlowLine.make(yield* server, { roundTrip: 40, window: 250_000 })
      const took = yield* Effect.promise(() => timed(() => get(line.port, 1_000_000)))
      // Two round trips for the first bytes, and three more until the fourth window has come.
      expect(took).toBeGreaterThan(180)
    }),
  )

  it.live("breaks connections as it is told", () =>
    Effect.gen(function* () {
      const line = yield* SlowLine.make(yield* server, {
        breaks: (connection) =>
          [
            { after: 5000, how: "reset" as const },
            { after: 5000, how: "end" as const },
          ][connection],
      })
      const answers = yield* Effect.promise(() => Promise.allSettled([0, 1, 2].map(() => get(line.port, 100_000))))
      expect(answers.map(({ status }) => status)).toEqual(["rejected", "rejected", "fulfilled"])
    }),
  )

  it.live("holds what arrives while it is stalled, and passes it on later", () =>
    Effect.gen(function* () {
      const line = yield* SlowLine.make(yield* server)
      line.stall()
      const answer = get(line.port, 10)
      const early = yield* Effect.promise(() => Promise.race([answer, new Promise((done) => setTimeout(done, 50))]))
      expect(early).toBeUndefined()
      line.restore()
      expect(yield* Effect.promise(() => answer)).toEqual({ status: 200, length: 10 })
    }),
  )

  it.live("resets every connection while it is cut", () =>
    Effect.gen(function* () {
      const line = yield* SlowLine.make(yield* server)
      const socket = net.connect(line.port, "127.0.0.1")
      yield* Effect.promise(() => new Promise<void>((done) => void socket.once("connect", () => done())))
      const broken = new Promise((done) => socket.once("error", done))
      line.cut()
      yield* Effect.promise(() => broken)
      const again = yield* Effect.promise(() => get(line.port, 10).catch((error: unknown) => error))
      expect(again).toBeInstanceOf(Error)
      line.restore()
      expect(yield* Effect.promise(() => get(line.port, 10))).toEqual({ status: 200, length: 10 })
    }),
  )
})

describe("HttpFaults", () => {
  it.live("answers in the place of the server, resets and truncates as it is told", () =>
    Effect.gen(function* () {
      const faults: ReadonlyArray<HttpFaults.Fault | undefined> = [{ status: 503 }, "reset", "truncate", undefined]
      const proxy = yield* HttpFaults.make(yield* server, (_, index) => faults[index])
      const answers: Array<unknown> = []
      for (const _ of faults) {
        answers.push(yield* Effect.promise(() => get(proxy.port, 100_000).catch(() => "broken")))
      }
      expect(answers).toEqual([{ status: 503, length: 0 }, "broken", "broken", { status: 200, length: 100_000 }])
      expect(proxy.requests).toHaveLength(4)
    }),
  )
})
