/**
 * A line with delay, bandwidth and faults: a TCP proxy in front of any server. TLS passes through it untouched.
 *
 * What arrives leaves half a round trip later, and never faster than the bandwidth, which all connections share. One
 * connection has at most `window` bytes unacknowledged, as a real sender: at 50 ms it carries a part of a fast line
 * only. Opening a connection takes a round trip. `slowLineMain.ts` runs one as a process, for measurements.
 */
import * as net from "node:net"
import type { AddressInfo } from "node:net"
import { Effect, type Scope } from "effect"

/** What the line is like. All of it can be changed while it is in use, for what arrives from then on. */
export interface Line {
  /** Milliseconds there and back; 0 unless given. */
  roundTrip?: number | undefined
  /** Bytes a second to the client, of all connections together; unlimited unless given. */
  bytesPerSecond?: number | undefined
  /** Bytes on their way on one connection; what a real server was measured to have (55 MB/s at 50 ms) unless given. */
  window?: number | undefined
  /** After how many bytes to the client a connection breaks; the connection's number counts from 0. */
  breaks?: ((connection: number) => Break | undefined) | undefined
}

/** How a connection breaks. */
export interface Break {
  /** Bytes to the client before. */
  readonly after: number
  /** `reset`: an error; `end`: an ordinary end, so that a body is truncated; `stall`: nothing more comes. */
  readonly how: "reset" | "end" | "stall"
}

export interface SlowLine {
  readonly port: number
  readonly line: Line
  /** Connections so far. */
  readonly connections: () => number
  /** Bytes to the clients so far. */
  readonly bytes: () => number
  /** Nothing passes any more, and nobody is told: a pulled cable. Connections are accepted and stay silent. */
  readonly stall: () => void
  /** All connections are reset, and so is each new one: a server that is gone. */
  readonly cut: () => void
  /** The line is back: what was held passes on. */
  readonly restore: () => void
  readonly close: () => Promise<void>
}

const WINDOW = 2_750_000

/** Opens a line to a server on this machine. */
export const open = async (target: number | net.TcpNetConnectOpts, line: Line = {}): Promise<SlowLine> => {
  const to = typeof target === "number" ? { port: target, host: "127.0.0.1" } : target
  const sockets = new Set<net.Socket>()
  const held = new Set<() => void>()
  let state: "open" | "stalled" | "cut" = "open"
  let connections = 0
  let bytes = 0
  /** When the line to the clients has sent what it was given. */
  let free = 0

  const half = (): number => (line.roundTrip ?? 0) / 2

  /** When a piece that arrives now has come through. */
  const arrival = (length: number, isLimited: boolean, extra: number): number => {
    const begin = performance.now() + half() + extra
    if (!isLimited || line.bytesPerSecond === undefined) return begin
    free = Math.max(free, begin) + (length / line.bytesPerSecond) * 1000
    return free
  }

  /** Passes on what one side sends to the other, later. */
  const pass = (from: net.Socket, to: net.Socket, isDown: boolean, breaks: Break | undefined, extra: number): void => {
    const queue: Array<{ readonly at: number; readonly piece: Buffer | undefined }> = []
    let timer: NodeJS.Timeout | undefined
    let unacknowledged = 0
    let passed = 0
    let isStalled = false
    const acknowledge = (length: number): void => {
      unacknowledged -= length
      if (unacknowledged < (line.window ?? WINDOW) && from.isPaused()) from.resume()
    }
    const deliver = (): void => {
      timer = undefined
      if (state === "stalled") return void held.add(deliver)
      while (queue[0] !== undefined && queue[0].at <= performance.now() + 0.5) {
        const { piece } = queue.shift() as (typeof queue)[number]
        if (isStalled) continue
        if (piece === undefined) {
          to.end()
          continue
        }
        const left = isDown && breaks !== undefined ? breaks.after - passed : Number.POSITIVE_INFINITY
        passed += piece.length
        if (isDown) bytes += piece.length
        to.write(piece.length > left ? piece.subarray(0, left) : piece)
        if (piece.length >= left) {
          if (breaks?.how === "reset") return void to.resetAndDestroy()
          if (breaks?.how === "end") to.end()
          isStalled = true
        }
        // On the way back.
        if (half() === 0) acknowledge(piece.length)
        else setTimeout(acknowledge, half(), piece.length)
      }
      plan()
    }
    const plan = (): void => {
      const [next] = queue
      if (next === undefined || timer !== undefined) return
      const wait = next.at - performance.now()
      if (wait <= 0.5) timer = setTimeout(deliver, 0)
      else timer = setTimeout(deliver, wait)
    }
    from.on("data", (piece: Buffer) => {
      queue.push({ at: arrival(piece.length, isDown, passed === 0 ? extra : 0), piece })
      unacknowledged += piece.length
      if (unacknowledged >= (line.window ?? WINDOW)) from.pause()
      plan()
    })
    from.on("end", () => {
      queue.push({ at: arrival(0, isDown, 0), piece: undefined })
      plan()
    })
    from.on("close", (hadError) => {
      if (hadError) to.resetAndDestroy()
      sockets.delete(from)
    })
    from.on("error", () => from.destroy())
  }

  const server = net.createServer({ allowHalfOpen: true, noDelay: true }, (client) => {
    sockets.add(client)
    client.on("error", () => client.destroy())
    if (state === "cut") return void client.resetAndDestroy()
    const upstream = net.connect({ ...to, allowHalfOpen: true, noDelay: true })
    sockets.add(upstream)
    const breaks = line.breaks?.(connections)
    connections++
    // The client waits for the answer to its first packet before it sends anything.
    pass(client, upstream, false, undefined, line.roundTrip ?? 0)
    pass(upstream, client, true, breaks, 0)
  })
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve))

  const release = (): void => {
    for (const deliver of held) deliver()
    held.clear()
  }
  return {
    port: (server.address() as AddressInfo).port,
    line,
    connections: () => connections,
    bytes: () => bytes,
    stall: () => {
      state = "stalled"
    },
    cut: () => {
      state = "cut"
      for (const socket of sockets) socket.resetAndDestroy()
    },
    restore: () => {
      state = "open"
      release()
    },
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        for (const socket of sockets) socket.destroy()
      }),
  }
}

/** The same until the scope closes. */
export const make = (
  target: number | net.TcpNetConnectOpts,
  line?: Line,
): Effect.Effect<SlowLine, never, Scope.Scope> =>
  Effect.acquireRelease(
    Effect.promise(() => open(target, line)),
    (opened) => Effect.promise(() => opened.close()),
  )
