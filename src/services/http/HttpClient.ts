/**
 * Requests over HTTP/1.1, each on a connection that is kept for the next one: bodies whole and bounded, tried again while
 * that may help.
 *
 * Many connections and not one: a single one carries only so much over a long way. Compression on the way is refused, so
 * that lengths and ranges are those of the file. Redirects are followed, never to where the way is less safe.
 */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Random from "effect/Random"
import type * as Scope from "effect/Scope"
import * as Connections from "./Connections.ts"
import * as HttpBody from "./HttpBody.ts"
import { type HttpError, permanent } from "./HttpError.ts"
import * as HttpFault from "./HttpFault.ts"
import * as RateLimit from "./RateLimit.ts"
import * as RetryAfter from "./RetryAfter.ts"

/** A request without a body. */
export interface Request {
  /** `GET` unless given. */
  readonly method?: "GET" | "HEAD" | undefined
  readonly url: string
  /** Names in lower case. */
  readonly headers?: Headers | undefined
  /** Makes the headers anew for each try and each redirect within one server: those of a signature have the time in them. */
  readonly sign?: ((method: string, url: URL, headers: Headers) => Promise<Headers>) | undefined
  /** Most bytes of a body. */
  readonly limit: number
  /** Where a body of exactly its length is put: that of an answer 206. */
  readonly into?: Uint8Array | undefined
}

/** Headers by their names in lower case. */
export type Headers = Readonly<Record<string, string>>

/** An answer. */
export interface Response {
  /** Not one that may pass: these are failures when they have not passed. */
  readonly status: number
  readonly headers: Headers
  /** `into` of the request if that was filled. Of a failure at most 64 KiB. */
  readonly body: Uint8Array
  /** Where it came from, after redirects. */
  readonly url: string
}

/** What was fetched, for those who watch. */
export interface Fetched {
  readonly method: string
  /** Without its query. */
  readonly url: string
  readonly range: string | undefined
  /** Undefined where there was no answer. */
  readonly status: number | undefined
  readonly bytes: number
  readonly millis: number
}

/** How servers are reached, and how patiently. */
export interface Options extends Connections.Options {
  /** Milliseconds after which a request that makes no progress has failed, with all its tries; two minutes unless given. */
  readonly timeout?: number | undefined
  /** Bytes a second, for all requests together; unlimited unless given. */
  readonly rate?: number | undefined
  /** Told of every try. */
  readonly onFetch?: ((fetched: Fetched) => void) | undefined
}

/** Makes requests. */
export interface HttpClient {
  /** Makes a request, and tries again while that may help. */
  readonly request: (request: Request) => Effect.Effect<Response, HttpError>
}

/** Milliseconds. */
const TIMEOUT = 120_000
/** Milliseconds without a byte after which a try has failed; the next may have a connection that lives. */
const STALL = 20_000
/** Milliseconds before the first further try, and most before any. */
const FIRST_WAIT = 100
const LONGEST_WAIT = 5000
/** Tries at a server that has never answered: it is probably not there. */
const FIRST_TRIES = 3
const MAX_REDIRECTS = 5

/** A client whose connections are closed with the scope. */
export const make = (options: Options = {}): Effect.Effect<HttpClient, HttpError, Scope.Scope> =>
  Effect.map(Connections.make(options), (connections) => {
    const { timeout = TIMEOUT } = options
    const rate = options.rate === undefined ? undefined : RateLimit.make(options.rate)
    let hasAnswered = false
    const onFetch = (fetched: Fetched): void => {
      hasAnswered ||= fetched.status !== undefined
      options.onFetch?.(fetched)
    }

    const once = (request: Request, left: number): Effect.Effect<Response, HttpError> =>
      Effect.tryPromise({
        try: (signal) => tryOnce(connections, request, { signal, stall: Math.min(STALL, left), rate, onFetch }),
        catch: (error) => HttpFault.fromConnection(new URL(request.url), error),
      })

    return {
      request: Effect.fnUntraced(function* (request) {
        const begin = yield* Clock.currentTimeMillis
        for (let tries = 1; ; tries++) {
          const left = timeout - ((yield* Clock.currentTimeMillis) - begin)
          const result = yield* Effect.result(once(request, left))
          if (result._tag === "Success") return result.success
          const error = result.failure
          if (!error.isTransient || (!hasAnswered && tries === FIRST_TRIES)) return yield* error
          const wait = Math.max(yield* backoff(tries), error.retryAfter ?? 0)
          if ((yield* Clock.currentTimeMillis) - begin + wait >= timeout) return yield* error
          yield* Effect.logDebug(`${error.message}; tried again in ${Math.round(wait)} ms`)
          yield* Effect.sleep(wait)
        }
      }),
    }
  })

/** Longer each time, and not the same for all who wait. */
const backoff = (tries: number): Effect.Effect<number> =>
  Effect.map(Random.next, (chance) => Math.min(LONGEST_WAIT, FIRST_WAIT * 2 ** (tries - 1)) * (0.5 + chance))

interface Try {
  readonly signal: AbortSignal
  readonly stall: number
  readonly onFetch: (fetched: Fetched) => void
  readonly rate: RateLimit.RateLimit | undefined
}

const tryOnce = async (connections: Connections.Connections, request: Request, how: Try): Promise<Response> => {
  let url = new URL(request.url)
  for (let redirects = 0; ; redirects++) {
    const isOrigin = url.origin === new URL(request.url).origin
    const response = await exchange(connections, request, url, isOrigin, how)
    const { location } = response.headers
    if (response.status < 300 || response.status > 399 || response.status === 304 || location === undefined) {
      return response
    }
    if (redirects === MAX_REDIRECTS) throw permanent(request.url, "Failed", `leads on more than ${MAX_REDIRECTS} times`)
    const next = URL.canParse(location, url.href) ? new URL(location, url.href) : undefined
    if (next === undefined || !/^https?:$/.test(next.protocol)) {
      throw permanent(request.url, "Failed", "leads on to what is no address on the web")
    }
    if (url.protocol === "https:" && next.protocol === "http:") {
      throw permanent(request.url, "Failed", "leads on from https to http, which anybody can read and change")
    }
    url = next
  }
}

/** One request and its answer. What is secret goes to the server that it is for and to no other. */
const exchange = async (
  connections: Connections.Connections,
  { headers = {}, into, limit, method = "GET", sign }: Request,
  url: URL,
  isOrigin: boolean,
  { onFetch, rate, signal, stall }: Try,
): Promise<Response> => {
  const begin = Date.now()
  let status: number | undefined
  let bytes = 0
  try {
    const plain = { ...headers, "accept-encoding": "identity" }
    const sent = isOrigin ? ((await sign?.(method, url, plain)) ?? plain) : withoutSecrets(plain)
    const answer = await connections.send({ method, url, headers: sent, signal, stall })
    status = answer.status
    if (HttpFault.mayPass(status)) {
      bytes = await HttpBody.discard(answer.body)
      throw HttpFault.busy(url, status, RetryAfter.parse(answer.headers["retry-after"]))
    }
    const body = await HttpBody.read(answer, {
      url,
      limit,
      into,
      rate,
      signal,
      isHead: method === "HEAD",
      isRange: headers["range"] !== undefined,
    })
    bytes = body.length
    return { status, headers: answer.headers, body, url: url.href }
  } catch (error) {
    throw HttpFault.fromConnection(url, error)
  } finally {
    const { range } = headers
    onFetch({ method, url: `${url.origin}${url.pathname}`, range, status, bytes, millis: Date.now() - begin })
  }
}

const withoutSecrets = (headers: Headers): Headers =>
  Object.fromEntries(Object.entries(headers).filter(([name]) => name !== "authorization" && name !== "cookie"))
