/** Archives on web servers and in buckets through a proxy, and behind certificates of an authority of one's own. */
import * as fs from "node:fs"
import * as http from "node:http"
import * as net from "node:net"
import type { AddressInfo } from "node:net"
import * as path from "node:path"
import * as tls from "node:tls"
import { assert, beforeEach, describe, it } from "@effect/vitest"
import { Effect, type Scope } from "effect"
import * as ExitCode from "../../../src/cli/ExitCode.ts"
import * as BackupServer from "../../support/BackupServer.ts"
import * as Nginx from "../../support/Nginx.ts"
import { need } from "../../support/Requirements.ts"
import * as S3Server from "../../support/S3Server.ts"
import { output, run } from "./stores.ts"

const fixtures = path.join(import.meta.dirname, "../../../fixtures")
const archive = path.join(fixtures, "golden/tree-v1.pxar")

/** Listens on 127.0.0.1 until the scope closes. */
const listening = <A extends net.Server>(make: () => A): Effect.Effect<number, never, Scope.Scope> =>
  Effect.map(
    Effect.acquireRelease(
      Effect.callback<{ readonly server: A; readonly sockets: Set<net.Socket> }>((resume) => {
        const server = make()
        const sockets = new Set<net.Socket>()
        server.on("connection", (socket) => {
          sockets.add(socket.on("error", () => socket.destroy()))
          socket.on("close", () => sockets.delete(socket))
        })
        server.listen(0, "127.0.0.1", () => resume(Effect.succeed({ server, sockets })))
      }),
      ({ server, sockets }) =>
        Effect.callback<void>((resume) => {
          server.close(() => resume(Effect.void))
          for (const socket of sockets) socket.destroy()
        }),
    ),
    ({ server }) => (server.address() as AddressInfo).port,
  )

const pass = (from: net.Socket, to: net.Socket): void => {
  from.pipe(to).pipe(from)
  for (const socket of [from, to]) socket.on("error", () => (from.destroy(), to.destroy()))
}

/** TLS in front of a port, with a certificate of the tests' own authority. */
const secured = (port: number) =>
  listening(() =>
    tls.createServer(
      { cert: BackupServer.certificate("signed"), key: fs.readFileSync(path.join(fixtures, "server/signed.key")) },
      (socket) => pass(socket, net.connect(port, "127.0.0.1")),
    ),
  )

/** A proxy, which is asked for plain addresses, and with CONNECT for others; the hosts that it was asked for. */
const proxy = Effect.gen(function* () {
  const asked: Array<string> = []
  const port = yield* listening(() =>
    http
      .createServer((request, response) => {
        const url = new URL(request.url ?? "")
        asked.push(url.host)
        http
          .get(url, { headers: request.headers }, (answer) => {
            response.writeHead(answer.statusCode ?? 502, answer.rawHeaders)
            answer.pipe(response)
          })
          .on("error", () => response.destroy())
      })
      .on("connect", (request, socket) => {
        asked.push(request.url ?? "")
        const target = net.connect(Number(new URL(`http://${request.url}`).port), "127.0.0.1", () => {
          socket.write("HTTP/1.1 200 OK\r\n\r\n")
          pass(socket as net.Socket, target)
        })
        target.on("error", () => socket.destroy())
      }),
  )
  return { asked, port }
})

interface Place {
  readonly port: number
  readonly address: (scheme: string, port: number) => string
  /** Variables of a command that is to get to an endpoint. */
  readonly env: (endpoint: string) => NodeJS.ProcessEnv
}

const web = Effect.map(Nginx.make(path.dirname(archive)), ({ port }): Place => ({
  port,
  address: (scheme, port) => `${scheme}://127.0.0.1:${port}/${path.basename(archive)}`,
  env: () => ({}),
}))

const bucket = Effect.gen(function* () {
  const server = yield* S3Server.make(["bucket"])
  yield* server.put("bucket", path.basename(archive), fs.readFileSync(archive))
  const place: Place = {
    port: server.port,
    address: () => `s3://bucket/${path.basename(archive)}`,
    env: (endpoint) => ({ ...server.env, AWS_ENDPOINT_URL_S3: endpoint }),
  }
  return place
})

describe.each([
  ["a web server", web],
  ["a bucket", bucket],
] as const)("an archive in %s", (_, place) => {
  beforeEach(need({ tools: ["nginx"] }))

  it.live("behind a certificate is read with the authority's, and refused without", () =>
    Effect.gen(function* () {
      const { address, env, port } = yield* place
      const safe = yield* secured(port)
      const [at, variables] = [address("https", safe), env(`https://127.0.0.1:${safe}`)]
      const expected = yield* output(["list", "-l", archive])
      const known = ["--ca-file", BackupServer.authority]
      assert.strictEqual(yield* output(["list", "-l", ...known, at], variables), expected)
      const refused = yield* run(["list", at], variables)
      assert.strictEqual(refused.code, ExitCode.NOT_PERMITTED)
      assert.include(refused.stderr, "--ca-file")
      const wrong = yield* run(["list", "--ca-file", "/nonexistent", at], variables)
      assert.notStrictEqual(wrong.code, 0)
      assert.include(wrong.stderr, "/nonexistent")
    }),
  )

  it.live("is read through the proxy that the environment names, and not through it where that says so", () =>
    Effect.gen(function* () {
      const { address, env, port } = yield* place
      const safe = yield* secured(port)
      const between = yield* proxy
      const expected = yield* output(["list", "-l", archive])
      for (const [scheme, to] of [
        ["http", port],
        ["https", safe],
      ] as const) {
        between.asked.length = 0
        const words = ["list", "-l", "--ca-file", BackupServer.authority, address(scheme, to)]
        const variables = env(`${scheme}://127.0.0.1:${to}`)
        const proxied = { ...variables, ALL_PROXY: `127.0.0.1:${between.port}` }
        assert.strictEqual(yield* output(words, proxied), expected)
        assert.isAbove(between.asked.length, 0)
        assert.isTrue(between.asked.every((host) => host === `127.0.0.1:${to}`))
        between.asked.length = 0
        assert.strictEqual(yield* output(words, { ...proxied, NO_PROXY: "127.0.0.1" }), expected)
        assert.lengthOf(between.asked, 0)
      }
    }),
  )
})
