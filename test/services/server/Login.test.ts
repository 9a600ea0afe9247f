/** Tokens and tickets: what is sent as proof, how long it is good, and what is said when it is not. */
import { assert, describe, it } from "@effect/vitest"
import { Effect, Redacted } from "effect"
import * as BackupServer from "../../support/BackupServer.ts"
import * as Datastores from "../../support/Datastores.ts"
import * as servers from "./servers.ts"

const serve = (options?: BackupServer.Options) => BackupServer.make(Datastores.store("datastore-plain"), options)
const GROUP = { namespace: [], type: "host", id: "alpha" } as const

describe("a token", () => {
  it.live("is sent with its secret, of which odd signs are escaped", () =>
    Effect.gen(function* () {
      const server = yield* serve()
      yield* servers.open(server)
      const { rawHeaders } = server.heads[0]!
      const at = rawHeaders.findIndex((name) => name.toLowerCase() === "authorization")
      assert.strictEqual(rawHeaders[at + 1], `PBSAPIToken ${BackupServer.TOKEN}:${BackupServer.SECRET}`)
      const odd = { ...servers.token, secret: Effect.succeed(Redacted.make("a%b c\u00fc")) }
      const error = yield* Effect.flip(servers.open(server, { identity: odd }))
      assert.strictEqual(error.id, "PXF-SERVER-LOGIN")
      assert.include(server.heads.at(-1)!.rawHeaders, `PBSAPIToken ${BackupServer.TOKEN}:a%25b%20c%C3%BC`)
    }),
  )

  it.live("that is refused is not tried again, and its secret is not told", () =>
    Effect.gen(function* () {
      const server = yield* serve()
      const wrong = { ...servers.token, secret: Effect.succeed(Redacted.make("bad-secret-text")) }
      const error = yield* Effect.flip(servers.open(server, { identity: wrong }))
      assert.strictEqual(error.id, "PXF-SERVER-LOGIN")
      assert.notInclude(error.message, "bad-secret-text")
      assert.strictEqual(server.requests.length, 1)
    }),
  )

  it.live("without rights of its own may log in; what is missing is said", () =>
    Effect.gen(function* () {
      const server = yield* serve()
      const { id, secret } = BackupServer.POWERLESS
      const identity = { authId: id, secret: Effect.succeed(Redacted.make(secret)) }
      const error = yield* Effect.flip(servers.open(server, { identity }))
      assert.strictEqual(error.id, "PXF-SERVER-PERMISSION")
      assert.include(error.message, "a token has rights of its own")
      assert.include(error.message, `/datastore/real DatastoreReader --auth-id '${id}'`)
    }),
  )

  it.live("without its secret is said before anything is sent", () =>
    Effect.gen(function* () {
      const server = yield* serve()
      const identity = { ...servers.token, secret: Effect.undefined }
      const error = yield* Effect.flip(servers.open(server, { identity }))
      assert.strictEqual(error.id, "PXF-SERVER-PASSWORD")
      assert.deepStrictEqual(server.requests, [])
    }),
  )
})

describe("a user", () => {
  it.live("gets a ticket for the password, once", () =>
    Effect.gen(function* () {
      const server = yield* serve()
      const repository = yield* servers.open(server, { identity: servers.user(BackupServer.USER) })
      yield* repository.snapshots(GROUP)
      assert.strictEqual(server.requests.filter((request) => request.startsWith("POST")).length, 1)
    }),
  )

  it.live("whose ticket has expired gets another in the middle, for lists and for what is read", () =>
    Effect.gen(function* () {
      const server = yield* serve()
      const repository = yield* servers.open(server, { identity: servers.user(BackupServer.USER) })
      server.setTicketLifetime(-1)
      server.onRequest = (request) => {
        // The next login is as good as any.
        if (request.endsWith("/access/ticket")) server.setTicketLifetime(7200)
      }
      const [id] = yield* repository.snapshots(GROUP)
      server.setTicketLifetime(-1)
      const snapshot = yield* repository.snapshot(id!)
      server.setTicketLifetime(-1)
      const source = yield* snapshot.stream("root.pxar.didx")
      yield* source.read(new Uint8Array(1000), 0)
      assert.strictEqual(server.requests.filter((request) => request.startsWith("POST")).length, 4)
    }),
  )

  it.live("with a wrong password is refused, without more tries", () =>
    Effect.gen(function* () {
      const server = yield* serve()
      const identity = servers.user({ id: BackupServer.USER.id, password: "not this one" })
      const error = yield* Effect.flip(servers.open(server, { identity }))
      assert.strictEqual(error.id, "PXF-SERVER-LOGIN")
      assert.notInclude(error.message, "not this one")
      assert.strictEqual(server.requests.length, 1)
    }),
  )

  it.live("with a second factor is asked for it, by the kinds that there are", () =>
    Effect.gen(function* () {
      const server = yield* serve()
      const kinds: Array<string> = []
      const identity = {
        ...servers.user(BackupServer.USER_2FA),
        secondFactor: (asked: ReadonlyArray<string>) => {
          kinds.push(...asked)
          return Effect.succeed(Redacted.make(BackupServer.USER_2FA.codes[0]!))
        },
      }
      const repository = yield* servers.open(server, { identity })
      assert.deepStrictEqual(kinds, ["totp", "recovery"])
      assert.isAbove((yield* repository.snapshots(GROUP)).length, 0)
    }),
  )

  it.live("with a second factor and nobody to ask is told to use a token", () =>
    Effect.gen(function* () {
      const server = yield* serve()
      const error = yield* Effect.flip(servers.open(server, { identity: servers.user(BackupServer.USER_2FA) }))
      assert.strictEqual(error.id, "PXF-SERVER-SECOND-FACTOR")
      assert.include(error.message, "use a token")
    }),
  )

  it.live("goes on with a ticket that another process has got", () =>
    Effect.gen(function* () {
      const server = yield* serve()
      const first = yield* servers.open(server, { identity: servers.user(BackupServer.USER) })
      server.requests.length = 0
      const identity = { authId: BackupServer.USER.id, secret: Effect.undefined, ticket: first.ticket() }
      const second = yield* servers.open(server, { identity })
      yield* second.snapshots(GROUP)
      assert.deepStrictEqual(
        server.requests.filter((request) => request.startsWith("POST")),
        [],
      )
    }),
  )
})
