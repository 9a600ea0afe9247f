/**
 * Stores and repositories on every service that there is for tests, each also behind a line on which one request of twenty
 * fails, or breaks in the middle: nothing is lost, and no byte is wrong. `PXAR_FUSE_PLACES_SMOKE=1` leaves out most of it.
 */
import * as fs from "node:fs"
import * as path from "node:path"
import { beforeEach, describe } from "@effect/vitest"
import { Effect, type Scope } from "effect"
import * as BackupServer from "../support/BackupServer.ts"
import * as ChunkServer from "../support/ChunkServer.ts"
import { CONTENT, ODD, suite as blobs } from "../support/BlobStoreSuite.ts"
import * as Datastores from "../support/Datastores.ts"
import * as HttpFaults from "../support/HttpFaults.ts"
import * as Nginx from "../support/Nginx.ts"
import * as Processes from "../support/Processes.ts"
import * as RepositorySuite from "../support/RepositorySuite.ts"
import { need } from "../support/Requirements.ts"
import * as S3Server from "../support/S3Server.ts"
import { shared } from "../support/Shared.ts"
import * as SlowLine from "../support/SlowLine.ts"
import * as Swift from "../support/Swift.ts"
import * as remote from "../services/repository/remote.ts"
import * as stores from "../services/repository/stores.ts"
import * as servers from "../services/server/servers.ts"

const isSmoke = process.env["PXAR_FUSE_PLACES_SMOKE"] !== undefined
const NAMES = ["datastore-plain", "datastore-encrypted", "datastore-damaged"] as const
const BUCKET = "datastores"

/** A port, behind faults or not. */
type Line = (port: number) => Effect.Effect<number, never, Scope.Scope>
const lines: Readonly<Record<string, Line>> = {
  "": Effect.succeed,
  ...(isSmoke ? {} : { " behind faults": (port) => Effect.map(HttpFaults.oneOfTwenty(port), (line) => line.port) }),
}

/** The three datastores in a bucket each below its name, and what every store is tested with. */
const filled = (make: Effect.Effect<S3Server.S3Server, never, Scope.Scope>) =>
  Effect.tap(make, (server) =>
    Effect.gen(function* () {
      for (const name of isSmoke ? [] : NAMES) {
        yield* S3Server.putFolder(server, BUCKET, `${name}/`, Datastores.store(name))
      }
      for (const [name, bytes] of Object.entries({ ...CONTENT, ...ODD })) {
        yield* server.put(BUCKET, `some/prefix/${name}`, bytes)
      }
    }),
  )

const services = {
  Swift: { make: Swift.make([BUCKET]), account: Swift.ACCOUNT, odd: true },
  ...(isSmoke ? {} : { s3rver: { make: S3Server.make([BUCKET]), account: S3Server.ACCOUNT, odd: false } }),
}

for (const [service, { account, make, odd }] of Object.entries(services))
  describe(service, () => {
    beforeEach(need(service === "Swift" ? { tools: ["swift-proxy-server", "curl"] } : {}))
    const server = shared(filled(make))

    for (const [how, line] of Object.entries(lines)) {
      const at = (prefix: string) =>
        Effect.gen(function* () {
          return yield* remote.inBucket(account, BUCKET, prefix)(yield* line((yield* server).port))
        })
      blobs(`blobs${how}`, at("some/prefix"), { odd })
      if (isSmoke) continue
      RepositorySuite.suite(
        `in a bucket${how}`,
        (name, keys) => Effect.flatMap(at(name), (store) => stores.over(store, { keys })),
        // s3rver answers 500 when it is asked for all names of the damaged one.
        { emptyFolders: false, damaged: service !== "s3rver" },
      )
    }
  })

describe.skipIf(isSmoke)("a web server", () => {
  beforeEach(need({ tools: ["nginx"] }))
  const server = shared(
    Effect.gen(function* () {
      const root = path.join(yield* Processes.temporaryFolder, "web")
      for (const name of NAMES) fs.cpSync(Datastores.store(name), path.join(root, name), { recursive: true })
      return yield* Nginx.make(root)
    }),
  )

  for (const [how, line] of Object.entries(lines))
    RepositorySuite.suite(
      `on nginx${how}`,
      (name, keys) =>
        Effect.gen(function* () {
          const store = yield* remote.onWeb(yield* line((yield* server).port), name)
          return yield* stores.over(store, { keys })
        }),
      { dotFiles: false },
    )
})

describe.skipIf(isSmoke)("serve --chunks", () => {
  const served = shared(
    Effect.map(
      Effect.forEach(NAMES, (name) =>
        Effect.map(ChunkServer.start(Datastores.store(name)), (server) => [name, server]),
      ),
      Object.fromEntries<ChunkServer.ChunkServer>,
    ),
  )
  for (const [how, line] of Object.entries(lines))
    RepositorySuite.suite(`of it${how}`, (name, keys) =>
      Effect.gen(function* () {
        const { port, token } = (yield* served)[name]!
        // It answers to no name but its own.
        const headers = { authorization: `Bearer ${token}`, host: `127.0.0.1:${port}` }
        const store = yield* remote.onWeb(yield* line(port), "chunks", headers)
        return yield* stores.over(store, { keys })
      }),
    )
})

describe.skipIf(isSmoke)("a backup server", () => {
  const HOW = ["reset", "end"] as const
  RepositorySuite.suite("behind a line whose connections break", (name, keys) =>
    Effect.gen(function* () {
      const server = yield* BackupServer.make(Datastores.store(name))
      // Some twenty answers on each: then it breaks in the middle of one.
      const { port } = yield* SlowLine.make(server.port, {
        breaks: (connection) => ({ after: 1_000_000 + 77_777 * (connection % 10), how: HOW[connection % 2]! }),
      })
      return yield* servers.open({ ...server, port }, { keys })
    }),
  )
})
