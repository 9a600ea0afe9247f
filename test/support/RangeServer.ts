/** Bytes on the web: answers HEAD, and GET with a range. */
import * as http from "node:http"
import type { AddressInfo } from "node:net"
import { Effect, type Scope } from "effect"

/** Serves `bytes` at the address it gives, under whatever path, until the scope closes. */
export const make = (bytes: Uint8Array): Effect.Effect<string, never, Scope.Scope> =>
  Effect.map(
    Effect.acquireRelease(
      Effect.callback<http.Server>((resume) => {
        const server = http.createServer((request, response) => {
          const [, from, to] = /^bytes=(\d+)-(\d+)$/.exec(request.headers.range ?? "") ?? []
          if (from === undefined || to === undefined) {
            return void response.writeHead(200, { "content-length": bytes.length }).end()
          }
          response.writeHead(206).end(bytes.subarray(Number(from), Number(to) + 1))
        })
        server.listen(0, "127.0.0.1", () => resume(Effect.succeed(server)))
      }),
      (server) =>
        Effect.callback<void>((resume) => {
          server.close(() => resume(Effect.void)).closeAllConnections()
        }),
    ),
    (server) => `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
  )
