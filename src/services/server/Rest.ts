/**
 * Requests to a server over HTTP/1.1, on a few connections that are kept: each has had its certificate checked before
 * anything is written (see `Connection`). Answers are bounded in size and time.
 */
import * as http from "node:http"
import type * as net from "node:net"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import * as RetryAfter from "../http/RetryAfter.ts"
import type { Connector } from "./Connection.ts"
import { ServerError } from "./ServerError.ts"

/** Base of all paths. */
const BASE = "/api2/json/"
/** Most bytes of path and query: above them the server answers 414 (server §4.4). */
export const MAX_TARGET = 3072
/** Most bytes of an answer, unless the request says so: a list of 100,000 backups. */
const MAX_ANSWER = 64 * 1024 * 1024
/** Most bytes of an answer that says what is wrong. */
export const MAX_REFUSAL = 64 * 1024

/** Parameters of a request; those that are `undefined` are left out, which older servers may want. */
export type Query = Readonly<Record<string, string | number | undefined>>

export interface Request {
  readonly method?: "GET" | "POST" | undefined
  /** Below `/api2/json/`. */
  readonly path: string
  readonly query?: Query | undefined
  readonly headers?: Readonly<Record<string, string>> | undefined
  /** Is sent as JSON. */
  readonly body?: Readonly<Record<string, unknown>> | undefined
  /** Most bytes of the answer. */
  readonly limit?: number | undefined
}

export interface Answer {
  readonly status: number
  readonly body: Buffer
  /** Milliseconds that the server asks to be left alone for. */
  readonly retryAfter?: number | undefined
}

/** Sends requests to one server. */
export interface Rest {
  readonly server: string
  /** Any status is an answer. Fails if there is none. */
  readonly send: (request: Request) => Effect.Effect<Answer, ServerError>
  /** Milliseconds of the way to the server and back, of the last connection; `undefined` before the first. */
  readonly roundTrip: () => number | undefined
}

export interface Options {
  readonly connector: Connector
  /** Milliseconds without a byte after which an answer is given up; 120,000 unless given. */
  readonly timeout?: number | undefined
}

/** Path and query of a request. */
export const target = (path: string, query: Query = {}): string => {
  const parameters = Object.entries(query)
    .filter(([, value]) => value !== undefined)
    .map(([key, value]) => `${key}=${encodeURIComponent(String(value))}`)
  return `${BASE}${path}${parameters.length === 0 ? "" : `?${parameters.join("&")}`}`
}

/** Makes a client; its connections end with the scope. */
export const make = ({ connector, timeout = 120_000 }: Options): Effect.Effect<Rest, never, Scope.Scope> =>
  Effect.map(
    Effect.acquireRelease(
      Effect.sync(() => new Agent(connector)),
      (agent) => Effect.sync(() => agent.destroy()),
    ),
    (agent) => ({
      server: connector.server,
      roundTrip: () => agent.roundTrip,
      send: (request) => send(agent, connector.server, request, timeout),
    }),
  )

/** Connections whose certificate has been checked. */
class Agent extends http.Agent {
  roundTrip: number | undefined
  private readonly connector: Connector
  constructor(connector: Connector) {
    super({ keepAlive: true, maxSockets: 4, maxFreeSockets: 2 })
    this.connector = connector
  }
  override createConnection(
    _: http.ClientRequestArgs,
    callback?: (error: Error | null, socket: net.Socket) => void,
  ): undefined {
    Effect.runCallback(this.connector.connect, {
      onExit: (exit) => {
        if (exit._tag === "Success") {
          this.roundTrip = exit.value.roundTrip
          return callback?.(null, exit.value.socket)
        }
        const reason = exit.cause.reasons.find((found) => found._tag === "Fail")
        callback?.(reason?.error ?? new Error("interrupted"), undefined as unknown as net.Socket)
      },
    })
  }
}

const send = (
  agent: Agent,
  server: string,
  { body, headers = {}, limit = MAX_ANSWER, method = "GET", path, query }: Request,
  timeout: number,
): Effect.Effect<Answer, ServerError> =>
  Effect.callback((resume) => {
    const fail = (reason: ServerError["reason"], detail: string) =>
      resume(Effect.fail(new ServerError({ server, reason, detail })))
    const full = target(path, query)
    if (full.length > MAX_TARGET) return fail("Refused", "is asked for a name that is longer than it takes")
    const content = body === undefined ? undefined : Buffer.from(JSON.stringify(body))
    const request = http.request({
      agent,
      method,
      path: full,
      headers: {
        host: server,
        ...headers,
        ...(content === undefined ? {} : { "content-type": "application/json", "content-length": content.length }),
      },
    })
    request.setTimeout(timeout, () => request.destroy(new Silence()))
    request.on("error", (error) => {
      if (error instanceof ServerError) return resume(Effect.fail(error))
      fail("Lost", error instanceof Silence ? `has not answered for ${timeout / 1000} s` : `the connection has ended`)
    })
    request.on("response", (response) => {
      const { statusCode: status = 0 } = response
      const most = status === 200 ? limit : MAX_REFUSAL
      const pieces: Array<Buffer> = []
      let size = 0
      response.on("data", (piece: Buffer) => {
        size += piece.length
        if (size <= most) return void pieces.push(piece)
        request.destroy()
        fail("Answer", `answers more than ${most} bytes`)
      })
      response.on("end", () => {
        if (response.headers["content-encoding"] !== undefined) return fail("Answer", "answers in a form not asked for")
        // Only then can the next request have this connection.
        const retryAfter = RetryAfter.parse(response.headers["retry-after"])
        setImmediate(() => resume(Effect.succeed({ status, body: Buffer.concat(pieces), retryAfter })))
      })
      response.on("close", () => {
        if (!response.complete) fail("Lost", "the connection has ended in the middle of an answer")
      })
    })
    request.end(content)
    return Effect.sync(() => request.destroy())
  })

/** Nothing has come for too long. */
class Silence extends Error {}
