/**
 * The server: the API, the page and what else is mounted beside them, behind one guard, on one port.
 *
 * Slow clients cost a connection and no more: headers, whole requests and silence have a time limit, connections and
 * contents a number. Further routes (see `Options.routes`) share the port, the guard and what is open.
 */
import { X509Certificate } from "node:crypto"
import * as http from "node:http"
import * as https from "node:https"
import * as NodeHttpServer from "@effect/platform-node/NodeHttpServer"
import * as Effect from "effect/Effect"
import * as HttpRouter from "effect/http/HttpRouter"
import * as HttpServerRequest from "effect/http/HttpServerRequest"
import * as HttpServerResponse from "effect/http/HttpServerResponse"
import * as HttpApiBuilder from "effect/http-api/HttpApiBuilder"
import * as Layer from "effect/Layer"
import * as PrometheusMetrics from "effect/observability/PrometheusMetrics"
import * as Redacted from "effect/Redacted"
import * as Schema from "effect/Schema"
import type * as Scope from "effect/Scope"
import type { ErrorId } from "../domain/ErrorId.ts"
import * as Access from "./Access.ts"
import { Api } from "./api/Api.ts"
import * as BrowseHandlers from "./api/BrowseHandlers.ts"
import * as ContentHandlers from "./api/ContentHandlers.ts"
import * as SystemHandlers from "./api/SystemHandlers.ts"
import * as WebDav from "./dav/WebDav.ts"
import * as Guard from "./Guard.ts"
import * as HostNames from "./HostNames.ts"
import * as PageFiles from "./PageFiles.ts"
import * as WebContext from "./WebContext.ts"
import { WebRefusal } from "./WebRefusal.ts"

/** The server cannot listen. */
export class ListenError extends Schema.TaggedError<ListenError>()("ListenError", {
  address: Schema.String,
  reason: Schema.Literals(["InUse", "Refused", "Certificate"]),
  detail: Schema.String,
}) {
  static readonly ids = {
    InUse: "PXF-WEB-PORT-IN-USE",
    Refused: "PXF-WEB-LISTEN",
    Certificate: "PXF-WEB-CERTIFICATE",
  } as const satisfies Record<string, ErrorId>
  /** See docs/errors.md. */
  get id(): ErrorId {
    return ListenError.ids[this.reason]
  }
  override get message(): string {
    return `${this.address}: ${this.detail}`
  }
}

/** Where to listen, and who may ask. */
export interface Options extends WebContext.Options {
  readonly host: string
  /** 0 for any that is free. */
  readonly port: number
  /** PEM; without it only loopback addresses are safe to listen on. */
  readonly tls: { readonly cert: string; readonly key: string } | undefined
  /** A password in place of a token. */
  readonly password: Redacted.Redacted<string> | undefined
  /** The token; one is made unless given. */
  readonly token?: Redacted.Redacted<string> | undefined
  /** Folders where the files of the page may be; where the build puts them unless given. */
  readonly pageFolders?: ReadonlyArray<string> | undefined
  /** Further routes: they share the port, the guard and what is open. */
  readonly routes?: ((context: WebContext.WebContext) => Layer.Layer<never, never, HttpRouter.HttpRouter>) | undefined
}

/** A server that listens. */
export interface WebServer {
  /** `http://127.0.0.1:8017/`; for a person, the token is in its fragment, which no browser sends. */
  readonly url: string
  /** The same with the token, if there is one. */
  readonly link: Redacted.Redacted<string>
  readonly port: number
}

/** Bytes of the headers of a request. */
const MAX_HEADERS = 16 * 1024

/** Milliseconds in which headers and whole requests must have come, and of silence on a connection. */
const HEADERS_TIMEOUT = 10_000
const REQUEST_TIMEOUT = 30_000
const SILENCE = 60_000

const MAX_CONNECTIONS = 512

/** Starts it; closing the scope ends it. */
export const start = Effect.fnUntraced(function* (
  options: Options,
): Effect.fn.Return<WebServer, ListenError, Scope.Scope> {
  const { host, password, tls } = options
  const node = yield* nodeServer(options)
  const server = yield* Effect.mapError(
    NodeHttpServer.make(() => node, { host, port: options.port, gracefulShutdownTimeout: "1 second" }),
    ({ cause }) => listenError(options, cause),
  )
  const port = server.address._tag === "UnixPathAddress" ? options.port : server.address.port
  const secret = password ?? options.token ?? Redacted.make(Access.makeToken())
  const isSecure = tls !== undefined
  const access = Access.make(secret, port, isSecure, () => performance.now())
  const context = yield* WebContext.make(options, access, isSecure)
  const app = yield* appOf(context, options)
  const guarded = Guard.make({
    access,
    isOurs: HostNames.make(port, isSecure ? 443 : 80, tls && new X509Certificate(tls.cert)),
    scheme: isSecure ? "https" : "http",
  })(app)
  yield* server.serve(guarded)
  const name = host.includes(":") ? `[${host}]` : host
  const url = `${isSecure ? "https" : "http"}://${name}:${port}/`
  const link = password === undefined ? `${url}#token=${Redacted.value(secret)}` : url
  return { url, link: Redacted.make(link), port }
})

/** All routes as one application. */
const appOf = Effect.fnUntraced(function* (context: WebContext.WebContext, { pageFolders, routes }: Options) {
  const page = PageFiles.load(pageFolders)
  if (page === undefined) {
    yield* Effect.logWarning(
      "there is no page, because its files are missing: npm run build makes them; all else is there",
    )
  }
  const pageRoutes = HttpRouter.add("GET", "*", (request) =>
    Effect.sync(
      () =>
        page?.(request.url.split("?", 1)[0] as string, request.headers["accept-encoding"]) ??
        HttpServerResponse.jsonUnsafe(
          {
            _tag: "NotFound",
            id: WebRefusal.ids.Page,
            message: page === undefined ? "the files of the page are missing" : "there is no such page",
          },
          { status: 404 },
        ),
    ),
  )
  const api = HttpApiBuilder.layer(Api, { openapiPath: "/api/v1/openapi.json" }).pipe(
    Layer.provide([SystemHandlers.layer(context), BrowseHandlers.layer(context), ContentHandlers.layer(context)]),
  )
  const metrics = PrometheusMetrics.layerHttp({ path: "/metrics" })
  const all = Layer.mergeAll(api, metrics, pageRoutes, routes?.(context) ?? Layer.empty)
  const routed = yield* HttpRouter.toHttpEffect(all.pipe(Layer.provide(NodeHttpServer.layerHttpServices)))
  const dav = WebDav.handler(context)
  return Effect.flatMap(HttpServerRequest.HttpServerRequest, (request) =>
    WebDav.isBelow(request.url.split("?", 1)[0] as string) ? dav(request) : routed,
  )
})

const nodeServer = (options: Options): Effect.Effect<http.Server, ListenError> =>
  Effect.try({
    try: () => {
      const limits = {
        maxHeaderSize: MAX_HEADERS,
        headersTimeout: HEADERS_TIMEOUT,
        requestTimeout: REQUEST_TIMEOUT,
        connectionsCheckingInterval: 5000,
        keepAliveTimeout: 5000,
      }
      const { tls } = options
      const server =
        tls === undefined ? http.createServer(limits) : https.createServer({ ...limits, ...tls, minVersion: "TLSv1.2" })
      server.maxConnections = MAX_CONNECTIONS
      server.maxRequestsPerSocket = 10_000
      server.setTimeout(SILENCE, (socket) => socket.destroy())
      return server
    },
    catch: (cause) =>
      new ListenError({
        address: options.host,
        reason: "Certificate",
        detail: `the certificate or its key cannot be used: ${(cause as Error).message}`,
      }),
  })

const listenError = ({ host, port }: Options, cause: unknown): ListenError => {
  const { code } = cause as NodeJS.ErrnoException
  const address = `${host}:${port}`
  return code === "EADDRINUSE"
    ? new ListenError({ address, reason: "InUse", detail: "the port is in use; --listen names another one" })
    : new ListenError({ address, reason: "Refused", detail: `cannot listen there: ${code ?? String(cause)}` })
}
