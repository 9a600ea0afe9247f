/** Nothing is said to a server whose certificate is not the right one. */
import * as net from "node:net"
import * as tls from "node:tls"
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import * as Fingerprint from "../../../src/domain/datastore/Fingerprint.ts"
import * as Connection from "../../../src/services/server/Connection.ts"
import * as BackupServer from "../../support/BackupServer.ts"
import * as Datastores from "../../support/Datastores.ts"
import * as servers from "./servers.ts"

const OTHER = "00".repeat(32).match(/../g)!.join(":")

const connect = (endpoint: Connection.Endpoint) =>
  Effect.map(
    Effect.acquireRelease(Connection.make(endpoint).connect, ({ socket }) => Effect.sync(() => socket.destroy())),
    ({ roundTrip }) => roundTrip,
  )

const serve = (options?: BackupServer.Options) => BackupServer.make(Datastores.store("datastore-plain"), options)

describe("a connection", () => {
  it.live("is made to a server whose certificate is pinned, however its fingerprint is written", () =>
    Effect.gen(function* () {
      const server = yield* serve()
      for (const text of [server.fingerprint, server.fingerprint.toUpperCase().replaceAll(":", "")]) {
        const endpoint = { ...servers.endpoint(server), fingerprint: Fingerprint.parse(text) }
        assert.isAbove(yield* connect(endpoint), 0)
      }
    }),
  )

  it.live("is not made to another; both fingerprints are told, and nothing is sent", () =>
    Effect.gen(function* () {
      const server = yield* serve()
      const error = yield* Effect.flip(
        servers.open(server, { endpoint: { ...servers.endpoint(server), fingerprint: OTHER } }),
      )
      assert.strictEqual(error.id, "PXF-SERVER-FINGERPRINT")
      assert.include(error.message, OTHER)
      assert.include(error.message, server.fingerprint)
      assert.deepStrictEqual(server.requests, [])
    }),
  )

  it.live("without a fingerprint wants somebody to vouch, and says which fingerprint it has seen", () =>
    Effect.gen(function* () {
      const server = yield* serve()
      const error = yield* Effect.flip(servers.open(server, { endpoint: { host: "127.0.0.1", port: server.port } }))
      assert.strictEqual(error.id, "PXF-SERVER-CERTIFICATE")
      assert.include(error.message, `--fingerprint ${server.fingerprint}`)
      assert.deepStrictEqual(server.requests, [])
    }),
  )

  it.live("trusts an authority that is named, for the names in the certificate", () =>
    Effect.gen(function* () {
      const server = yield* serve({ certificate: "signed" })
      const authorities = [BackupServer.certificate("authority")]
      const { port } = server
      for (const host of ["127.0.0.1", "localhost"]) yield* connect({ host, port, authorities })
      const other = yield* Effect.flip(connect({ host: "127.0.0.2", port, authorities }))
      // It listens at one address only: whoever gets there has been refused by name.
      assert.include(["Certificate", "Unreachable"], other.reason)
      assert.strictEqual((yield* Effect.flip(connect({ host: "127.0.0.1", port }))).reason, "Certificate")
    }),
  )

  it.live("compares a fingerprint that is pinned also where an authority vouches", () =>
    Effect.gen(function* () {
      const server = yield* serve({ certificate: "signed" })
      const authorities = [BackupServer.certificate("authority")]
      const error = yield* Effect.flip(
        connect({ host: "127.0.0.1", port: server.port, authorities, fingerprint: OTHER }),
      )
      assert.strictEqual(error.reason, "Fingerprint")
    }),
  )

  it.live("says that nobody listens, and does not wait for those who say nothing", () =>
    Effect.gen(function* () {
      const silent = yield* Effect.acquireRelease(
        Effect.callback<net.Server>((resume) => {
          const server = net.createServer((socket) => socket.on("error", () => {}))
          server.listen(0, "127.0.0.1", () => resume(Effect.succeed(server)))
        }),
        (server) => Effect.sync(() => server.close()),
      )
      const { port } = silent.address() as net.AddressInfo
      const quiet = yield* Effect.flip(connect({ host: "127.0.0.1", port, connectTimeout: 100 }))
      assert.include(quiet.message, "does not answer within 0.1 s")
      const server = yield* serve()
      yield* server.stop
      const nobody = yield* Effect.flip(connect({ host: "127.0.0.1", port: server.port }))
      assert.include(nobody.message, "connection refused")
      assert.strictEqual(nobody.reason, "Unreachable")
    }),
  )

  it.live("goes through a proxy that is asked with CONNECT", () =>
    Effect.gen(function* () {
      const server = yield* serve()
      const asked: Array<string> = []
      const proxy = yield* Effect.acquireRelease(
        Effect.callback<net.Server>((resume) => {
          const listener = net.createServer((socket) => {
            socket.on("error", () => {})
            socket.once("data", (head) => {
              asked.push(head.toString().split("\r\n")[0]!)
              const through = net.connect(server.port, "127.0.0.1", () => {
                socket.write("HTTP/1.1 200 Connection established\r\n\r\n")
                socket.pipe(through).pipe(socket)
              })
              through.on("error", () => socket.destroy())
            })
          })
          listener.listen(0, "127.0.0.1", () => resume(Effect.succeed(listener)))
        }),
        (listener) => Effect.sync(() => listener.close()),
      )
      const { port } = proxy.address() as net.AddressInfo
      yield* connect({ ...servers.endpoint(server), proxy: { host: "127.0.0.1", port } })
      assert.deepStrictEqual(asked, [`CONNECT 127.0.0.1:${server.port} HTTP/1.1`])
    }),
  )
})

describe("the double", () => {
  it.live("takes no TLS below 1.2", () =>
    Effect.gen(function* () {
      const server = yield* serve()
      const code = yield* Effect.callback<string>((resume) => {
        const options = { rejectUnauthorized: false, minVersion: "TLSv1.1", maxVersion: "TLSv1.1" } as const
        const socket = tls.connect({ host: "127.0.0.1", port: server.port, ...options })
        socket.on("error", (error: NodeJS.ErrnoException) => resume(Effect.succeed(error.code ?? "")))
        socket.on("secureConnect", () => resume(Effect.succeed("")))
      })
      assert.notStrictEqual(code, "")
    }),
  )
})
