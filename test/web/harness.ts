/** A web server of a test's own, and a client that sends exactly what it is told. */
import * as http from "node:http"
import * as path from "node:path"
import { Effect, Redacted, Scope } from "effect"
import * as ArchiveReader from "../../src/services/archive/ArchiveReader.ts"
import * as ByteSource from "../../src/services/bytes/ByteSource.ts"
import * as OpenRepository from "../../src/services/open/OpenRepository.ts"
import * as OpenTree from "../../src/services/open/OpenTree.ts"
import * as KeyRing from "../../src/services/keys/KeyRing.ts"
import * as Reference from "../../src/domain/datastore/Reference.ts"
import type { HistoryIndex } from "../../src/services/index/HistoryIndex.ts"
import * as Archive from "../../src/services/tree/Archive.ts"
import * as MemoryArchive from "../../src/testing/MemoryArchive.ts"
import type { Served } from "../../src/web/Served.ts"
import * as WebKeys from "../../src/web/WebKeys.ts"
import * as WebServer from "../../src/web/WebServer.ts"
import * as Datastores from "../support/Datastores.ts"

export const golden = (name: string): string => path.join(import.meta.dirname, "../../fixtures/golden", name)

/** An answer, read to its end. */
export interface Answer {
  readonly status: number
  readonly headers: http.IncomingHttpHeaders
  readonly body: Buffer
  readonly text: string
  // oxlint-disable-next-line typescript/no-explicit-any
  readonly json: any
}

export interface Asked {
  readonly method?: string
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: string | object
  /** Without the token that is sent otherwise. */
  readonly anonymous?: boolean
}

export interface Web extends WebServer.WebServer {
  readonly token: string
  readonly ask: (path: string, asked?: Asked) => Effect.Effect<Answer>
}

/** Sends a request as it is given. */
export const send = (
  port: number,
  path: string,
  { body, headers = {}, method = "GET" }: Asked,
): Effect.Effect<Answer> =>
  Effect.callback((resume) => {
    const text = typeof body === "object" ? JSON.stringify(body) : body
    const request = http.request(
      {
        host: "127.0.0.1",
        port,
        path,
        method,
        agent: false,
        headers: {
          ...(text !== undefined && { "content-type": "application/json", "content-length": Buffer.byteLength(text) }),
          ...headers,
        },
      },
      (response) => {
        const parts: Array<Buffer> = []
        response.on("data", (part: Buffer) => parts.push(part))
        response.on("error", (error) => resume(Effect.die(error)))
        response.on("end", () => {
          const body = Buffer.concat(parts)
          resume(
            Effect.succeed({
              status: response.statusCode!,
              headers: response.headers,
              body,
              text: body.toString("utf8"),
              get json() {
                return JSON.parse(body.toString("utf8")) as unknown
              },
            }),
          )
        })
      },
    )
    request.on("error", (error) => resume(Effect.die(error)))
    request.end(text)
    return Effect.sync(() => request.destroy())
  })

/** Starts a server. */
export const start = Effect.fnUntraced(function* (
  served: ReadonlyArray<Served>,
  options: Partial<WebServer.Options> = {},
): Effect.fn.Return<Web, never, Scope.Scope> {
  const keys = yield* Effect.orDie(WebKeys.make([], undefined))
  const server = yield* Effect.orDie(
    WebServer.start({
      host: "127.0.0.1",
      port: 0,
      version: "test",
      served,
      keys,
      restore: undefined,
      tls: undefined,
      password: undefined,
      ...options,
    }),
  )
  const token = /#token=(.*)$/.exec(Redacted.value(server.link))?.[1] ?? Redacted.value(options.password!)
  return {
    ...server,
    token,
    ask: (path, { anonymous = false, headers = {}, ...asked } = {}) =>
      send(server.port, path, {
        ...asked,
        headers: { ...(!anonymous && { authorization: `Bearer ${token}` }), ...headers },
      }),
  }
})

/** An archive file as it is served. */
export const archive = (file: string, id = "archive") =>
  Effect.map(Effect.orDie(Archive.open(file)), (archive): Served => ({
    id,
    address: file,
    archive,
    backups: undefined,
  }))

/** An archive in memory as it is served. */
export const memory = Effect.fnUntraced(function* (
  tree: MemoryArchive.Tree,
  id = "archive",
): Effect.fn.Return<Served, never, Scope.Scope> {
  const source = ByteSource.fromBytes(yield* MemoryArchive.bytes(tree), id)
  const reader = yield* Effect.orDie(ArchiveReader.make(source, { _tag: "Absent", expected: undefined }))
  return { id, address: id, archive: Archive.fromReader(reader), backups: undefined }
})

/** A datastore as it is served. */
export const datastore = Effect.fnUntraced(function* (
  name: Datastores.StoreName,
  ring: KeyRing.KeyRing = KeyRing.empty,
  id = "store",
  index?: HistoryIndex,
): Effect.fn.Return<Served, never, Scope.Scope> {
  const opened = yield* Effect.orDie(
    OpenRepository.open(Datastores.store(name), { env: {}, keys: Effect.succeed(ring) }),
  )
  if (opened._tag !== "InRepository") return yield* Effect.die(new Error(`${name} is no datastore`))
  const { repository } = opened
  const scope = yield* Effect.scope
  const open = OpenTree.tree(opened, {}).pipe(
    Effect.map(({ tree }) => Archive.fromReader(tree)),
    Effect.orDie,
    Scope.provide(scope),
  )
  const backups = { repository, root: Reference.whole, index: Effect.succeed(index) }
  return { id, address: name, archive: yield* open, reopen: open, backups }
})
