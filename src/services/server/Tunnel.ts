/**
 * A connection of the reader protocol: HTTP/2 over an upgraded connection, for the files and chunks of one backup
 * (server §6).
 *
 * A request that nobody waits for any more goes on to its end, because a server ends connections on which many are
 * cancelled (server §6.4). A line that is silent is told from a server that is slow by asking it for a sign of life.
 */
import * as http from "node:http"
import * as http2 from "node:http2"
import type { Socket } from "node:net"
import type * as tls from "node:tls"
import * as Effect from "effect/Effect"
import type { Connector } from "./Connection.ts"
import { MAX_REFUSAL, type Query, target } from "./Rest.ts"
import { fromAnswer, ServerError } from "./ServerError.ts"

const PROTOCOL = "proxmox-backup-reader-protocol-v1"

/** Bytes that the server may send before it is told that they have arrived: two chunks of the largest size a stream. */
const STREAM_WINDOW = 33_554_432
/** The same of all streams together. */
const CONNECTION_WINDOW = 4 * STREAM_WINDOW
/** Largest frame: a chunk of the usual size comes in one (server §6.2). */
const MAX_FRAME = 4_194_304
/** Megabytes that Node sets aside for a connection; its default is smaller than one window. */
const SESSION_MEMORY = 512

/** What an answer in a tunnel is. */
export interface Answer {
  readonly status: number
  /** The whole body, in memory of its own. */
  readonly body: Uint8Array
}

/** An open connection. */
export interface Tunnel {
  /** Asks for a path. Fails with `Lost` if no whole answer comes, with `Answer` if it has more than `limit` bytes. */
  readonly get: (path: string, limit: number) => Effect.Effect<Answer, ServerError>
  /** Requests that have not been answered yet. */
  readonly inFlight: () => number
  /** Whether requests can still be made. */
  readonly isOpen: () => boolean
  /** Sends a sign of life, for those on the way who forget silent connections. */
  readonly ping: () => void
  readonly close: () => void
  /** Milliseconds of the way to the server and back. */
  readonly roundTrip: () => number
}

/** How long is waited. */
export interface Patience {
  /** Milliseconds without a byte after which a sign of life is asked for, and then until the line counts as dead. */
  readonly silence: number
  /** Milliseconds until a request must be answered while the server shows signs of life. */
  readonly answer: number
}

export const defaultPatience: Patience = { silence: 15_000, answer: 300_000 }

/** Opens a tunnel. It belongs to the caller, who closes it. */
export const open = Effect.fnUntraced(function* (
  connector: Connector,
  query: Query,
  headers: Readonly<Record<string, string>>,
  patience: Patience = defaultPatience,
): Effect.fn.Return<Tunnel, ServerError> {
  return yield* Effect.uninterruptibleMask((restore) =>
    Effect.flatMap(restore(connector.connect), ({ roundTrip, socket }) =>
      Effect.onError(
        restore(
          Effect.andThen(
            upgrade(connector.server, socket, query, headers, patience),
            overSocket(connector.server, socket, roundTrip, patience),
          ),
        ),
        () => Effect.sync(() => socket.destroy()),
      ),
    ),
  )
})

/** Sends the upgrade and reads its answer (server §6.1). */
const upgrade = (
  server: string,
  socket: tls.TLSSocket,
  query: Query,
  headers: Readonly<Record<string, string>>,
  { answer }: Patience,
): Effect.Effect<void, ServerError> =>
  Effect.callback((resume) => {
    const lost = (detail: string) => resume(Effect.fail(new ServerError({ server, reason: "Lost", detail })))
    const request = http.request({
      createConnection: () => socket,
      path: target("reader", query),
      headers: { ...headers, connection: "upgrade", upgrade: PROTOCOL, host: server },
    })
    request.setTimeout(Math.min(answer, 120_000), () => {
      request.destroy()
      lost("does not answer the upgrade of the connection")
    })
    request.on("error", () => lost("the connection has ended during its upgrade"))
    request.on("upgrade", (_: http.IncomingMessage, same: Socket, head: Buffer) => {
      same.setTimeout(0)
      // The server does not wait for the client: its settings may have come along.
      if (head.length > 0) same.unshift(head)
      // Node ends the process if HTTP/2 takes over while a write is still being told of.
      setImmediate(() => resume(Effect.void))
    })
    request.on("response", (response) => {
      let text = ""
      response.setEncoding("utf8")
      response.on("data", (piece: string) => {
        if (text.length < MAX_REFUSAL) text += piece
      })
      response.on("close", () => resume(Effect.fail(fromAnswer(server, response.statusCode ?? 0, text))))
    })
    request.end()
    return Effect.sync(() => request.destroy())
  })

const overSocket = (
  server: string,
  socket: tls.TLSSocket,
  roundTrip: number,
  patience: Patience,
): Effect.Effect<Tunnel, ServerError> =>
  Effect.callback((resume) => {
    const session = http2.connect(`https://${server}`, {
      createConnection: () => socket,
      settings: { initialWindowSize: STREAM_WINDOW, maxFrameSize: MAX_FRAME, enablePush: false },
      maxSessionMemory: SESSION_MEMORY,
    })
    const lost = (detail: string): ServerError => new ServerError({ server, reason: "Lost", detail })
    // Streams tell what it means for them.
    session.on("error", () => resume(Effect.fail(lost("the connection has ended"))))
    session.on("goaway", () => session.close())
    session.on("close", () => {
      life.stop()
      resume(Effect.fail(lost("the connection has ended")))
    })
    const life = watch(session, patience)
    session.on("connect", () => {
      session.setLocalWindowSize(CONNECTION_WINDOW)
      // Either is longer where somebody is busy.
      let measured = roundTrip
      session.ping((error, duration) => {
        if (error === null) measured = Math.min(measured, duration)
      })
      resume(
        Effect.succeed({
          roundTrip: () => measured,
          inFlight: life.inFlight,
          isOpen: () => !session.closed && !session.destroyed,
          ping: () => {
            if (!session.destroyed) session.ping(() => {})
          },
          close: () => session.destroy(),
          get: (path, limit) => get(session, path, limit, life, lost),
        }),
      )
    })
    return Effect.sync(() => session.destroy())
  })

/** Looks after a connection while something is asked on it. */
interface Life {
  readonly begin: () => void
  readonly end: () => void
  readonly sign: () => void
  readonly inFlight: () => number
  readonly stop: () => void
}

/** Ends a session whose line is dead. Timers run only while requests are under way. */
const watch = (session: http2.ClientHttp2Session, { silence }: Patience): Life => {
  let inFlight = 0
  let last = 0
  let asked = false
  let timer: NodeJS.Timeout | undefined
  const look = (): void => {
    const quiet = performance.now() - last
    if (quiet < silence) {
      timer = setTimeout(look, silence - quiet)
    } else if (asked) {
      session.destroy()
    } else {
      asked = true
      session.ping((error) => {
        if (error === null) sign()
      })
      timer = setTimeout(look, silence)
    }
  }
  const sign = (): void => {
    last = performance.now()
    asked = false
  }
  const stop = (): void => {
    clearTimeout(timer)
    timer = undefined
  }
  return {
    sign,
    stop,
    inFlight: () => inFlight,
    begin: () => {
      if (inFlight++ > 0) return
      sign()
      timer = setTimeout(look, silence)
    },
    end: () => {
      if (--inFlight === 0) stop()
    },
  }
}

const get = (
  session: http2.ClientHttp2Session,
  path: string,
  limit: number,
  life: Life,
  lost: (detail: string) => ServerError,
): Effect.Effect<Answer, ServerError> =>
  Effect.callback((resume) => {
    if (session.closed || session.destroyed) return resume(Effect.fail(lost("the connection has ended")))
    life.begin()
    const stream = session.request({ ":method": "GET", ":scheme": "https", ":path": path }, { endStream: true })
    let status = 0
    let isEncoded = false
    let declared: number | undefined
    let pieces: Array<Buffer> = []
    let size = 0
    let isTooLarge = false
    let isWanted = true
    stream.on("response", (headers) => {
      life.sign()
      status = Number(headers[":status"])
      isEncoded = headers["content-encoding"] !== undefined
      const length = headers["content-length"]
      declared = length === undefined ? undefined : Number(length)
    })
    stream.on("data", (piece: Buffer) => {
      life.sign()
      size += piece.length
      isTooLarge = size > (status === 200 ? limit : MAX_REFUSAL)
      if (isTooLarge || !isWanted) pieces = []
      else pieces.push(piece)
      // Nothing but a server that has gone mad: an index or chunk larger than any can be.
      if (isTooLarge) stream.close(http2.constants.NGHTTP2_CANCEL)
    })
    let hasEnded = false
    stream.on("end", () => (hasEnded = true))
    // What it means is told when it has closed.
    stream.on("error", () => {})
    stream.on("close", () => {
      life.end()
      const fail = (error: ServerError) => resume(Effect.fail(error))
      if (isTooLarge) {
        const detail = `the answer to ${path} has more than ${limit} bytes`
        return fail(new ServerError({ server: lost("").server, reason: "Answer", detail }))
      }
      const isWhole = hasEnded && !stream.aborted && stream.rstCode === http2.constants.NGHTTP2_NO_ERROR && status > 0
      if (!isWhole || (declared !== undefined && declared !== size)) {
        return fail(lost("the connection has ended before an answer had"))
      }
      if (isEncoded) {
        const detail = `the answer to ${path} is in a form that was not asked for`
        return fail(new ServerError({ server: lost("").server, reason: "Answer", detail }))
      }
      resume(Effect.succeed({ status, body: joined(pieces, size) }))
    })
    return Effect.sync(() => {
      // It is not cancelled: see above. What still comes is dropped.
      isWanted = false
      pieces = []
    })
  })

const joined = (pieces: ReadonlyArray<Buffer>, size: number): Uint8Array => {
  const body = new Uint8Array(size)
  let at = 0
  for (const piece of pieces) {
    body.set(piece, at)
    at += piece.length
  }
  return body
}
