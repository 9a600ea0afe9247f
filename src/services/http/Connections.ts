/**
 * Connections to servers, kept for the next request, through a proxy where the environment names one: undici's pool.
 */
import * as fs from "node:fs"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import { HttpError } from "./HttpError.ts"

/** How servers are reached. */
export interface Options {
  /** Variables of the environment: `HTTPS_PROXY`, `HTTP_PROXY`, `ALL_PROXY`, `NO_PROXY`, in small letters too. */
  readonly env?: Readonly<Record<string, string | undefined>> | undefined
  /** A file of certificates, PEM, that are trusted besides those that Node trusts. */
  readonly caFile?: string | undefined
}

/** A request as it is sent. */
export interface Sent {
  readonly method: string
  readonly url: URL
  readonly headers: Readonly<Record<string, string>>
  readonly signal: AbortSignal
  /** Milliseconds without a byte that are too many. */
  readonly stall: number
}

/** The head of an answer, and its body to come. */
export interface Answer {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  readonly body: Body
}

/** A body to come: read by iteration, or given up. */
export interface Body extends AsyncIterable<Uint8Array> {
  /** Gives it up, and its connection with it. */
  readonly destroy: () => unknown
}

/** Sends requests. */
export interface Connections {
  /** Sends one request; fails with an error of the connection. */
  readonly send: (request: Sent) => Promise<Answer>
}

/** Most connections to one server. */
const MOST = 64
/** Milliseconds. */
const CONNECT_TIMEOUT = 10_000
const KEEP_ALIVE = 30_000

/** Connections that are closed with the scope. */
export const make = ({ caFile, env = {} }: Options): Effect.Effect<Connections, HttpError, Scope.Scope> =>
  Effect.gen(function* () {
    const [{ EnvHttpProxyAgent }, tls] = yield* Effect.promise(() =>
      Promise.all([import("./Undici.ts"), import("node:tls")]),
    )
    const authorities = caFile === undefined ? undefined : [...tls.getCACertificates(), yield* readFile(caFile)]
    const connect = {
      timeout: CONNECT_TIMEOUT,
      // Made once: a list of certificates takes long to read.
      ...(authorities === undefined ? {} : { secureContext: tls.createSecureContext({ ca: authorities }) }),
    }
    const agent = yield* Effect.acquireRelease(
      Effect.try({
        try: () =>
          new EnvHttpProxyAgent({
            ...proxies(env),
            connections: MOST,
            pipelining: 1,
            allowH2: false,
            keepAliveTimeout: KEEP_ALIVE,
            connect,
            requestTls: connect,
          }),
        catch: () =>
          wrong("proxy", "the address of the proxy in the environment is none: it looks like http://host:port"),
      }),
      (agent) => Effect.promise(() => agent.destroy().catch(() => undefined)),
    )
    return {
      send: async ({ headers, method, signal, stall, url }) => {
        const answer = await agent.request({
          origin: url.origin,
          path: `${url.pathname}${url.search}`,
          method: method as "GET" | "HEAD",
          headers,
          signal,
          headersTimeout: stall,
          bodyTimeout: stall,
        })
        // Who reads the body is told; one that nobody reads may fail as it likes.
        answer.body.on("error", () => {})
        return { status: answer.statusCode, headers: flat(answer.headers), body: answer.body }
      },
    }
  })

/** The proxies that the environment names. All three are given: undici would look into this process's own. */
const proxies = (env: Readonly<Record<string, string | undefined>>) => {
  const variable = (name: string): string => env[name.toLowerCase()] || env[name] || ""
  const all = variable("ALL_PROXY")
  return {
    httpProxy: proxy(variable("HTTP_PROXY") || all),
    httpsProxy: proxy(variable("HTTPS_PROXY") || all),
    noProxy: variable("NO_PROXY"),
  }
}

/** `[http://]host[:port]`, on port 1080 unless given, as the reference client reads `ALL_PROXY`. */
const proxy = (text: string): string => {
  if (text === "") return ""
  const url = text.includes("://") ? text : `http://${text}`
  return /^https?:\/\/[^/]*:\d+\/?$/.test(url) ? url : `${url.replace(/\/$/, "")}:1080`
}

const readFile = (file: string): Effect.Effect<string, HttpError> =>
  Effect.try({
    try: () => fs.readFileSync(file, "utf8"),
    catch: (error) => wrong(file, `cannot be read: ${(error as NodeJS.ErrnoException).code}`),
  })

const wrong = (what: string, detail: string): HttpError =>
  new HttpError({ url: what, reason: "Failed", detail, isTransient: false })

/** Of a header that is there several times the first. */
const flat = (headers: Readonly<Record<string, string | Array<string> | undefined>>): Record<string, string> =>
  Object.fromEntries(
    Object.entries(headers).flatMap(([name, value]) => {
      const first = Array.isArray(value) ? value[0] : value
      return first === undefined ? [] : [[name, first]]
    }),
  )
