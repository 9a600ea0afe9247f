/** A server that is restarted, refuses, is silent or lies: what is read, what is said, how much is asked. */
import * as crypto from "node:crypto"
import * as fs from "node:fs"
import * as path from "node:path"
import { assert, describe, it } from "@effect/vitest"
import { Effect, Exit, Fiber, Scope } from "effect"
import * as ChunkCache from "../../../src/services/bytes/ChunkCache.ts"
import * as FolderBlobStore from "../../../src/services/blobs/FolderBlobStore.ts"
import * as BackupServer from "../../support/BackupServer.ts"
import * as Datastores from "../../support/Datastores.ts"
import * as Processes from "../../support/Processes.ts"
import * as Relay from "../../support/Relay.ts"
import * as servers from "./servers.ts"

const GROUP = { namespace: [], type: "host", id: "alpha" } as const
const FIRST = { ...GROUP, time: "2024-01-01T00:00:00Z" }
const plain = Datastores.store("datastore-plain")
const serve = (options?: BackupServer.Options) => BackupServer.make(plain, options)
const digestOf = (name: string) => {
  const row = Datastores.expected.stores["datastore-plain"].snapshots.find(
    ({ ns, snapshot }) => ns === "" && snapshot === "host/alpha/2024-01-01T00:00:00Z",
  )
  return row!.files.find((file) => file.name === name)!.sha256!
}
const sha256 = (bytes: Uint8Array) => crypto.createHash("sha256").update(bytes).digest("hex")
const chunks = ({ requests }: BackupServer.BackupServer) => requests.filter((request) => request.startsWith("/chunk"))
const upgrades = ({ requests }: BackupServer.BackupServer) => requests.filter((request) => request.includes("/reader?"))

/** Reads the whole of the first backup's archive. */
const readAll = Effect.fnUntraced(function* (
  server: BackupServer.BackupServer,
  options?: Parameters<typeof servers.open>[1],
) {
  const repository = yield* servers.open(server, options)
  const snapshot = yield* repository.snapshot(FIRST)
  const source = yield* snapshot.stream("root.pxar.didx")
  const bytes = new Uint8Array(source.size)
  yield* source.read(bytes, 0)
  return bytes
})

describe("a repository of a backup server", () => {
  it.live("leaves a busy server alone for as long as that asks", () =>
    Effect.gen(function* () {
      const server = yield* serve()
      const repository = yield* servers.open(server)
      let asked = 0
      const times: Array<number> = []
      server.busy = () => {
        times.push(performance.now())
        return asked++ < 2 ? { status: asked === 1 ? 503 : 429, headers: { "retry-after": "1" } } : undefined
      }
      assert.isAbove((yield* repository.snapshots(GROUP)).length, 1)
      assert.lengthOf(times, 3)
      // Less than a second would not have been enough; its timers count in whole milliseconds.
      for (const [index, time] of times.slice(1).entries()) assert.isAtLeast(time - times[index]!, 999)
    }),
  )

  it.live("reads from a copy the files of a backup that the server lacks, and those that are damaged", () =>
    Effect.gen(function* () {
      const { path: folder } = yield* Effect.acquireRelease(
        Effect.sync(() => Datastores.copyOf(plain)),
        ({ dispose }) => Effect.sync(dispose),
      )
      const snapshot = path.join(folder, "host/alpha", FIRST.time)
      fs.rmSync(path.join(snapshot, "root.pxar.didx"))
      fs.writeFileSync(path.join(snapshot, "index.json.blob"), "no manifest")
      const server = yield* BackupServer.make(folder)
      const healed: Array<string> = []
      const repository = yield* servers.open(server, {
        copies: [FolderBlobStore.make(plain)],
        onHealed: ({ file, kind }) => Effect.sync(() => void healed.push(`${kind} ${path.basename(file)}`)),
      })
      assert.isTrue(yield* repository.isFinished(FIRST))
      // The manifest of the copy says nothing that is not vouched for here, so that it is not believed: it is the server's own
      // that counts, and that is damaged.
      assert.strictEqual((yield* Effect.flip(repository.snapshot(FIRST))).check, "ManifestInvalid")
      fs.copyFileSync(
        path.join(plain, "host/alpha", FIRST.time, "index.json.blob"),
        path.join(snapshot, "index.json.blob"),
      )
      const opened = yield* repository.snapshot(FIRST)
      const source = yield* opened.stream("root.pxar.didx")
      assert.isAbove(source.size, 0)
      assert.deepStrictEqual(healed, ["file root.pxar.didx"])
    }),
  )

  it.live("opens no connection any more when it is closed, whoever still wants chunks", () =>
    Effect.gen(function* () {
      const server = yield* serve()
      const cache = yield* ChunkCache.make()
      const scope = yield* Scope.make()
      const repository = yield* Scope.provide(servers.open(server, { cache }), scope)
      const source = yield* Effect.flatMap(repository.snapshot(FIRST), (snapshot) => snapshot.stream("root.pxar.didx"))
      yield* Scope.close(scope, Exit.void)
      const before = upgrades(server).length
      const error = yield* Effect.flip(source.read(new Uint8Array(10), 0))
      assert.include(error.message, "is not read any more")
      assert.strictEqual(upgrades(server).length, before)
      yield* Processes.eventually("no tunnel to be open", Effect.sync(server.tunnels), (open) => open === 0)
    }),
  )

  it.live("sends an upgrade as the reference client does", () =>
    Effect.gen(function* () {
      const server = yield* serve()
      yield* readAll(server)
      const { rawHeaders, url } = server.heads.find((head) => head.url.includes("/reader?"))!
      const query = Object.fromEntries(new URL(url, "https://x").searchParams)
      assert.deepStrictEqual(query, {
        "backup-type": "host",
        "backup-id": "alpha",
        "backup-time": String(Date.parse(FIRST.time) / 1000),
        store: "real",
      })
      const headers: Record<string, string> = {}
      for (let at = 0; at < rawHeaders.length; at += 2) headers[rawHeaders[at]!.toLowerCase()] = rawHeaders[at + 1]!
      assert.deepStrictEqual(headers, {
        authorization: `PBSAPIToken ${BackupServer.TOKEN}:${BackupServer.SECRET}`,
        connection: "upgrade",
        upgrade: "proxmox-backup-reader-protocol-v1",
        host: `127.0.0.1:${server.port}`,
      })
    }),
  )

  it.live("goes on when the server is restarted in the middle of a read", () =>
    Effect.gen(function* () {
      const server = yield* serve()
      let seen = 0
      server.onRequest = (request) => {
        if (!request.startsWith("/chunk") || ++seen !== 5) return
        Effect.runFork(Effect.andThen(server.stop, Effect.andThen(Effect.sleep("300 millis"), server.start)))
      }
      assert.strictEqual(sha256(yield* readAll(server)), digestOf("root.pxar.didx"))
      assert.isAbove(upgrades(server).length, 1)
    }),
  )

  it.live("gives up a server that does not come back, and works again when it is there", () =>
    Effect.gen(function* () {
      const server = yield* serve()
      const repository = yield* servers.open(server, { outage: 300 })
      const snapshot = yield* repository.snapshot(FIRST)
      const source = yield* snapshot.stream("root.pxar.didx")
      yield* server.stop
      const target = new Uint8Array(source.size)
      const error = yield* Effect.flip(source.read(target, 0))
      assert.isTrue(error.retryable)
      assert.include(error.message, "connection refused")
      yield* server.start
      yield* source.read(target, 0)
      assert.strictEqual(sha256(target), digestOf("root.pxar.didx"))
    }),
  )

  it.live("takes a line on which nothing comes any more for dead", () =>
    Effect.gen(function* () {
      const server = yield* serve()
      const line = yield* Relay.make(server.port)
      const endpoint = { ...servers.endpoint(server), port: line.port }
      const options = { endpoint, outage: 10_000, patience: { silence: 100, answer: 1000 } }
      const repository = yield* servers.open(server, options)
      const snapshot = yield* repository.snapshot(FIRST)
      const source = yield* snapshot.stream("root.pxar.didx")
      line.freeze()
      const target = new Uint8Array(source.size)
      const reader = yield* Effect.forkChild(source.read(target, 0))
      const before = line.connections()
      const tries = Effect.sync(line.connections)
      yield* Processes.eventually("the connection to be given up", tries, (count) => count > before)
      line.thaw()
      yield* Fiber.join(reader)
      assert.strictEqual(sha256(target), digestOf("root.pxar.didx"))
    }),
  )

  it.live("waits for a server that is slow, as long as it shows signs of life", () =>
    Effect.gen(function* () {
      const server = yield* serve()
      const repository = yield* servers.open(server, { patience: { silence: 50, answer: 20_000 } })
      const snapshot = yield* repository.snapshot(FIRST)
      const source = yield* snapshot.stream("root.pxar.didx")
      server.hold()
      const reader = yield* Effect.forkChild(source.read(new Uint8Array(100), 0))
      yield* Effect.sleep("500 millis")
      assert.strictEqual(upgrades(server).length, 1)
      server.resume()
      yield* Fiber.join(reader)
      assert.strictEqual(upgrades(server).length, 1)
    }),
  )

  it.live("cancels nothing on the wire: readers that are interrupted cost no connection", () =>
    Effect.gen(function* () {
      const server = yield* serve()
      const repository = yield* servers.open(server)
      const snapshot = yield* repository.snapshot(FIRST)
      const source = yield* snapshot.stream("root.pxar.didx")
      server.hold()
      for (let round = 0; round < 60; round++) {
        const offset = Math.floor((source.size * round) / 60)
        const reader = yield* Effect.forkChild(source.read(new Uint8Array(10), offset), { startImmediately: true })
        yield* Fiber.interrupt(reader)
      }
      server.resume()
      const bytes = new Uint8Array(source.size)
      yield* source.read(bytes, 0)
      assert.strictEqual(sha256(bytes), digestOf("root.pxar.didx"))
      assert.strictEqual(server.dismissed(), 0)
    }),
  )

  it.live("reads a chunk that many want once, whatever the backup", () =>
    Effect.gen(function* () {
      const server = yield* serve()
      const repository = yield* servers.open(server)
      const [first, second] = yield* Effect.forEach(["2024-01-01", "2024-04-01"], (day) =>
        Effect.gen(function* () {
          const ids = yield* repository.snapshots(GROUP)
          const snapshot = yield* repository.snapshot(ids.find(({ time }) => time.startsWith(day))!)
          return yield* snapshot.stream("root.pxar.didx")
        }),
      )
      for (const source of [first!, second!, first!]) yield* source.read(new Uint8Array(source.size), 0)
      const asked = chunks(server)
      assert.strictEqual(new Set(asked).size, asked.length)
    }),
  )

  it.live("says which right is missing, what is in maintenance, what is not there", () =>
    Effect.gen(function* () {
      const server = yield* serve({ maintenance: "offline maintenance mode: moving disks" })
      const repository = yield* servers.open(server)
      const offline = yield* Effect.flip(repository.snapshots(GROUP))
      assert.strictEqual(offline.id, "PXF-SERVER-UNAVAILABLE")
      assert.include(offline.message, "moving disks")
      const other = yield* Effect.flip(servers.open(server, { datastore: "nope" }))
      assert.strictEqual(other.id, "PXF-SERVER-PERMISSION")
      assert.include(other.message, "there is no datastore nope that u@pbs!tok may read; there is real")
    }),
  )

  it.live("shows namespaces below the root to those who have no right on the root", () =>
    Effect.gen(function* () {
      const server = yield* serve({ onlyBelow: "a" })
      const repository = yield* servers.open(server)
      assert.deepStrictEqual(yield* repository.groups([]), [])
      assert.deepStrictEqual(yield* repository.namespaces([]), [["a"]])
      assert.isAbove((yield* repository.groups(["a"])).length, 0)
    }),
  )

  it.live("tells a chunk that is missing, and one that is empty, from a connection that is lost", () =>
    Effect.gen(function* () {
      const copy = yield* Effect.acquireRelease(
        Effect.sync(() => Datastores.copyOf(plain)),
        ({ dispose }) => Effect.sync(dispose),
      )
      const server = yield* BackupServer.make(copy.path)
      const repository = yield* servers.open(server)
      const snapshot = yield* repository.snapshot(FIRST)
      const { index } = yield* snapshot.index("root.pxar.didx")
      const fileOf = (chunk: number) => {
        const hex = Buffer.from(index.digest(chunk)).toString("hex")
        return path.join(copy.path, ".chunks", hex.slice(0, 4), hex)
      }
      fs.rmSync(fileOf(0))
      fs.writeFileSync(fileOf(3), "")
      const source = yield* snapshot.stream("root.pxar.didx")
      const read = (chunk: number) => Effect.flip(source.read(new Uint8Array(1), index.start(chunk)))
      assert.match((yield* read(0)).message, /ChunkMissing/)
      assert.match((yield* read(3)).message, /ChunkEmpty/)
      assert.isFalse((yield* read(0)).retryable)
      yield* source.read(new Uint8Array(1), index.start(1))
    }),
  )

  it.live("refuses a backup that was replaced while the connection was lost", () =>
    Effect.gen(function* () {
      const copy = yield* Effect.acquireRelease(
        Effect.sync(() => Datastores.copyOf(plain)),
        ({ dispose }) => Effect.sync(dispose),
      )
      const server = yield* BackupServer.make(copy.path)
      const repository = yield* servers.open(server)
      const source = yield* Effect.flatMap(repository.snapshot(FIRST), (snapshot) => snapshot.stream("root.pxar.didx"))
      yield* server.stop
      const group = path.join(copy.path, "host/alpha")
      fs.copyFileSync(
        path.join(group, "2024-02-01T03:00:00Z/root.pxar.didx"),
        path.join(group, FIRST.time, "root.pxar.didx"),
      )
      yield* server.start
      const error = yield* Effect.flip(source.read(new Uint8Array(source.size), 0))
      assert.include(error.message, "has been replaced since it was opened")
    }),
  )
})
