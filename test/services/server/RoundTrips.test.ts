/** How often a reader waits for a server that is far away, and over how many connections it reads. */
import { assert, describe, it } from "@effect/vitest"
import { Effect, Fiber } from "effect"
import * as ArchiveReader from "../../../src/services/archive/ArchiveReader.ts"
import * as ChunkCache from "../../../src/services/bytes/ChunkCache.ts"
import * as Tunnels from "../../../src/services/server/Tunnels.ts"
import * as BackupServer from "../../support/BackupServer.ts"
import * as Datastores from "../../support/Datastores.ts"
import * as Processes from "../../support/Processes.ts"
import * as Relay from "../../support/Relay.ts"
import * as servers from "./servers.ts"

const DELAY = 50

/** A server at the other end of a line of 100 ms. */
const far = Effect.fnUntraced(function* () {
  const server = yield* BackupServer.make(Datastores.realStore())
  const line = yield* Relay.make(server.port, DELAY)
  return { server, line, endpoint: { ...servers.endpoint(server), port: line.port } }
})

describe("a server far away", () => {
  it("is read over as many connections as fill a line of 1 Gbit/s", () => {
    assert.deepStrictEqual([0, 1, 12, 20, 50, 100, 150, 1000].map(Tunnels.wanted), [1, 1, 1, 2, 4, 8, 8, 8])
  })

  it.live("opens a backup that is named in three rounds of requests, then reads", () =>
    Effect.gen(function* () {
      const server = yield* BackupServer.make(Datastores.realStore())
      const group = { namespace: ["team", "dev"], type: "host", id: "small-chunks" } as const
      const repository = yield* servers.open(server, { first: { group, isRead: true } })
      const id = (yield* repository.snapshots(group)).at(-1)!
      const rounds = [server.requests.splice(0)]
      /** What is asked before anything is answered. */
      const round = <A, E>(effect: Effect.Effect<A, E>, count: number) =>
        Effect.gen(function* () {
          server.hold()
          const fiber = yield* Effect.forkChild(effect, { startImmediately: true })
          const asked = Effect.sync(() => server.requests.length)
          yield* Processes.eventually(`${count} requests`, asked, (seen) => seen >= count)
          rounds.push(server.requests.splice(0))
          server.resume()
          return yield* Fiber.join(fiber)
        })
      const snapshot = yield* round(repository.snapshot(id), 2)
      const { archive, payload } = yield* round(snapshot.archive(snapshot.files[0]!), 2)
      yield* ArchiveReader.make(archive, payload)
      assert.deepStrictEqual(
        rounds.map((requests) => requests.map((request) => /[a-z-]+(?=\?)/.exec(request)![0]).toSorted()),
        [["snapshots"], ["download", "reader"], ["download", "download"]],
      )
      assert.isTrue(server.requests.every((request) => request.startsWith("/chunk?")))
    }),
  )

  it.live("opens further connections while much is read, and none for a single chunk", () =>
    Effect.gen(function* () {
      const { endpoint, server } = yield* far()
      const cache = yield* ChunkCache.make(undefined, { isFar: true })
      const repository = yield* servers.open(server, { endpoint, cache })
      const group = { namespace: ["team", "dev"], type: "host", id: "small-chunks" } as const
      const [id] = yield* repository.snapshots(group)
      const snapshot = yield* repository.snapshot(id!)
      const source = yield* snapshot.stream("tree.pxar.didx")
      yield* source.read(new Uint8Array(10), 0)
      assert.strictEqual(server.tunnels(), 1)
      const target = new Uint8Array(256 * 1024)
      for (let at = 0; at + target.length < 40 * 1024 * 1024; at += target.length) yield* source.read(target, at)
      assert.isAbove(server.tunnels(), 3)
      const chunks = server.requests.filter((request) => request.startsWith("/chunk"))
      assert.strictEqual(new Set(chunks).size, chunks.length)
    }),
  )
})
