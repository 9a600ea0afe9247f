/**
 * A stretch of line between a client and a server: it can go silent without ending anything, as a cable that is pulled, and
 * it can be long.
 */
import * as net from "node:net"
import { Effect, type Scope } from "effect"

export interface Relay {
  readonly port: number
  /** Nothing gets through until `thaw`; no connection ends. */
  readonly freeze: () => void
  readonly thaw: () => void
  /** Connections that were made. */
  readonly connections: () => number
}

/** Passes on what comes to the port of another server of this machine, `delay` milliseconds later. */
export const make = (port: number, delay = 0): Effect.Effect<Relay, never, Scope.Scope> =>
  Effect.gen(function* () {
    const sockets = new Set<net.Socket>()
    let isFrozen = false
    let count = 0
    const pass = (from: net.Socket, to: net.Socket): void => {
      sockets.add(from)
      if (isFrozen) from.pause()
      from.on("data", (data) => {
        if (delay === 0) to.write(data)
        else setTimeout(() => to.writable && to.write(data), delay)
      })
      from.on("end", () => setTimeout(() => to.end(), delay))
      from.on("error", () => to.destroy())
      from.on("close", () => {
        sockets.delete(from)
        to.destroy()
      })
    }
    const server = net.createServer((client) => {
      count++
      const upstream = net.connect(port, "127.0.0.1")
      pass(client, upstream)
      pass(upstream, client)
    })
    yield* Effect.acquireRelease(
      Effect.callback<void>((resume) => void server.listen(0, "127.0.0.1", () => resume(Effect.void))),
      () =>
        Effect.callback<void>((resume) => {
          server.close(() => resume(Effect.void))
          for (const socket of sockets) socket.destroy()
        }),
    )
    return {
      port: (server.address() as net.AddressInfo).port,
      connections: () => count,
      freeze: () => {
        isFrozen = true
        for (const socket of sockets) socket.pause()
      },
      thaw: () => {
        isFrozen = false
        for (const socket of sockets) socket.resume()
      },
    }
  })
