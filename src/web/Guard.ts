/**
 * What every request passes before anything is done: the name it came under, whose page it came from, and who asks.
 *
 * - Any request under a name that is not ours is refused (DNS rebinding).
 * - A request by another site's page, or by one of another port of this machine, is refused, whatever cookies it has.
 * - What acts (`POST`, `DELETE`) has to come from our own page, or from a program that shows the secret itself.
 * - The page and its files are for everybody: there is nothing in them. WebDAV takes no cookies, so that no browser can be
 *   led there; browsers are asked for a password only there.
 */
import * as Effect from "effect/Effect"
import * as HttpServerRequest from "effect/http/HttpServerRequest"
import * as HttpServerResponse from "effect/http/HttpServerResponse"
import type { Access } from "./Access.ts"
import type { IsOurs } from "./HostNames.ts"
import * as SecurityHeaders from "./SecurityHeaders.ts"
import { WebRefusal } from "./WebRefusal.ts"

/** What the guard goes by. */
export interface Options {
  readonly access: Access
  readonly isOurs: IsOurs
  readonly scheme: "http" | "https"
}

const SAFE = new Set(["GET", "HEAD", "OPTIONS", "PROPFIND"])

/** The longest path and query that are looked at. */
const MAX_URL = 12 * 1024

const refuse = (
  status: number,
  id: string,
  message: string,
  headers: Readonly<Record<string, string>> = {},
): HttpServerResponse.HttpServerResponse =>
  HttpServerResponse.jsonUnsafe(
    { _tag: "Refused", id, message },
    { status, headers: { "cache-control": "no-store", ...headers } },
  )

type App<R> = Effect.Effect<HttpServerResponse.HttpServerResponse, unknown, R>

/** The application behind the guard. */
export const make =
  (options: Options) =>
  <R>(
    app: App<R>,
  ): Effect.Effect<HttpServerResponse.HttpServerResponse, unknown, R | HttpServerRequest.HttpServerRequest> =>
    Effect.flatMap(HttpServerRequest.HttpServerRequest, (request) => {
      const path = request.url.split("?", 1)[0] as string
      const refused = judge(request, path, options)
      const response = refused === undefined ? app : Effect.succeed(refused)
      const isPage =
        !path.startsWith("/api/") && !path.startsWith("/dav") && !path.startsWith("/chunks/") && path !== "/metrics"
      return Effect.map(response, (response) => {
        const told = HttpServerResponse.setHeaders(response, isPage ? SecurityHeaders.page : SecurityHeaders.data)
        return "cache-control" in told.headers ? told : HttpServerResponse.setHeader(told, "cache-control", "no-store")
      })
    })

/** What is wrong with a request. */
const judge = (
  request: HttpServerRequest.HttpServerRequest,
  path: string,
  { access, isOurs, scheme }: Options,
): HttpServerResponse.HttpServerResponse | undefined => {
  const { headers, method } = request
  const { authorization, host, origin } = headers
  if (!isOurs(host)) {
    return refuse(
      421,
      WebRefusal.ids.Host,
      "this server does not answer under that name: use the address it has printed",
    )
  }
  if (request.url.length > MAX_URL) return refuse(414, WebRefusal.ids.Url, "the address is too long")
  const acts = !SAFE.has(method)
  const site = headers["sec-fetch-site"]
  const isForeign =
    (site !== undefined && site !== "same-origin" && !(site === "none" && !acts)) ||
    (origin !== undefined && origin !== `${scheme}://${host}`)
  const isPublic = path === "/" || path.startsWith("/assets/") || path === "/api/v1/health"
  // A link on another site may lead to the page.
  if (isForeign && !(isPublic && !acts)) {
    return refuse(403, WebRefusal.ids.Origin, "refused: the request came from another site's page")
  }
  if (isPublic) return undefined
  const isApi = path.startsWith("/api/") || path === "/metrics"
  const isDav = path === "/dav" || path.startsWith("/dav/")
  if (!isApi && !isDav && !path.startsWith("/chunks/")) return undefined
  if (path === "/api/v1/session" && method === "POST") return undefined
  if (authorization === undefined && isApi && access.hasSession(request.cookies[access.cookie])) {
    // Browsers say where what acts comes from. A form of another site cannot send JSON.
    if (acts && site === undefined && origin === undefined) {
      return refuse(403, WebRefusal.ids.Origin, "refused: it is not known which page the request came from")
    }
    return undefined
  }
  const verdict = access.authorize(authorization)
  if (verdict === "granted") return undefined
  if (verdict === "busy") {
    return refuse(429, WebRefusal.ids.Busy, "too many wrong passwords: wait a minute", { "retry-after": "60" })
  }
  return refuse(401, WebRefusal.ids.Access, "the token or password is missing or wrong", {
    ...(isDav && { "www-authenticate": 'Basic realm="pxar-fuse", charset="UTF-8"' }),
  })
}
