/**
 * One part of what is measured, in a process of its own: `build STORE FILE` or `find STORE FILE`. Prints figures as JSON.
 */
import * as fs from "node:fs"
import { DatabaseSync } from "node:sqlite"
import { monitorEventLoopDelay } from "node:perf_hooks"
import { Effect, Stream } from "effect"
import * as BuildIndex from "../../src/services/history/BuildIndex.ts"
import * as HistoryIndex from "../../src/services/index/HistoryIndex.ts"
import * as BlobStoreWrappers from "../../src/services/blobs/BlobStoreWrappers.ts"
import * as FolderBlobStore from "../../src/services/blobs/FolderBlobStore.ts"
import * as ChunkCache from "../../src/services/bytes/ChunkCache.ts"
import * as ChunkStore from "../../src/services/chunks/ChunkStore.ts"
import * as KeyRing from "../../src/services/keys/KeyRing.ts"
import * as DatastoreRepository from "../../src/services/repository/DatastoreRepository.ts"
import type * as Query from "../../src/services/tree/Query.ts"
import * as Random from "../Random.ts"

const [what, store = "", file = ""] = process.argv.slice(2)

const cpu = (): number => {
  const { system, user } = process.cpuUsage()
  return (user + system) / 1e6
}

const build = Effect.gen(function* () {
  const { counts, store: blobs } = BlobStoreWrappers.counting(FolderBlobStore.make(store))
  const cache = yield* ChunkCache.make(32 * 1024 * 1024)
  const chunks = ChunkStore.make({ stores: [blobs], cache })
  const repository = yield* DatastoreRepository.open(blobs, { keys: KeyRing.empty, chunks })
  fs.rmSync(file, { force: true })
  const index = yield* HistoryIndex.openForWriting(file)
  const delay = monitorEventLoopDelay({ resolution: 5 })
  delay.enable()
  const [start, begun] = [performance.now(), cpu()]
  let entries = 0
  let versions = 0
  let first: { readonly versions: number; readonly cpu: number } | undefined
  yield* Stream.runForEach(BuildIndex.build(repository, index, { encrypted: false }), (built) =>
    Effect.sync(() => {
      if (built._tag !== "Added") throw new Error(`${built._tag}: ${JSON.stringify(built)}`)
      entries += built.entries
      versions += built.versions
      first ??= { versions, cpu: cpu() - begun }
    }),
  )
  const [seconds, spent] = [(performance.now() - start) / 1000, cpu() - begun]
  const each = (first?.cpu ?? 0) / (first?.versions ?? 1)
  const isChunk = (name: string): boolean => name.startsWith(".chunks/")
  return {
    "build: seconds": seconds,
    "build: seconds of CPU, all threads": spent,
    "build: entries a second": entries / seconds,
    "build: entries a second of CPU": entries / spent,
    "build: new versions a second of CPU, first backup": 1 / each,
    "build: unchanged entries a second of CPU, the rest": (entries - versions) / (spent - versions * each),
    "build: event loop held at most, ms": delay.max / 1e6,
    "build: memory at most, MB": (process.resourceUsage().maxRSS * 1024) / 1e6,
    "build: files read": counts.blobs.length,
    "build: chunks read": counts.blobs.filter(isChunk).length,
    "build: bytes of the index for a version": fs.statSync(file).size / versions,
  }
})

const percentile = (times: ReadonlyArray<number>, share: number): number =>
  times.toSorted((a, b) => a - b)[Math.min(times.length - 1, Math.floor(times.length * share))] as number

const find = Effect.gen(function* () {
  const before = performance.now()
  const index = yield* HistoryIndex.open(file)
  if (index === undefined) throw new Error(`${file} is not there`)
  const opened = performance.now() - before
  const database = new DatabaseSync(file, { readOnly: true })
  const { names } = database.prepare("SELECT max(id) AS names FROM name").get() as { names: number }
  const { chain, last } = database.prepare("SELECT id AS chain, last FROM chain").get() as {
    chain: number
    last: number
  }
  const numbers = Array.from({ length: last }, (_, at) => at + 1)
  const random = Random.make(7)
  /** A part of a name that is there, of five characters and more from its end: what is in a thousand names is left out. */
  const part = (): string => {
    const id = 2 + random.below(names - 1)
    const { name } = database.prepare("SELECT name FROM name WHERE id = ?").get(id) as { name: string }
    return name.slice(random.below(Math.max(1, name.length - 8)))
  }
  const times: Array<number> = []
  let most = 0
  let hits = 0
  let skipped = 0
  for (let asked = 0; times.length < 200 && asked < 400; asked++) {
    const query: Query.Query = { patterns: [part()], manner: "name", ignoreCase: false }
    const start = performance.now()
    const found = yield* index.find(query, chain, numbers)
    if (found.length > 1000) {
      skipped++
      continue
    }
    times.push(performance.now() - start)
    most = Math.max(most, found.length)
    hits += found.length
  }
  const paths: Array<number> = []
  for (let asked = 0; asked < 100; asked++) {
    const row = database
      .prepare(
        `SELECT f.name AS folder, p.name AS parent, n.name FROM version v JOIN name n ON n.id = v.name
         JOIN folder d ON d.id = v.folder JOIN name f ON f.id = d.name JOIN folder e ON e.id = d.parent JOIN name p ON p.id = e.name
         WHERE v.id = ? AND e.parent > 0`,
      )
      .get(1 + random.below(100_000)) as { folder: string; parent: string; name: string } | undefined
    if (row === undefined) continue
    const start = performance.now()
    yield* index.versions(
      chain,
      [row.parent, row.folder, row.name].map((name) => new TextEncoder().encode(name)),
    )
    paths.push(performance.now() - start)
  }
  return {
    "find: opening the index, ms": opened,
    "find: questions with up to 1,000 hits": times.length,
    "find: questions with more": skipped,
    "find: hits of one at most": most,
    "find: hits on average": hits / times.length,
    "find: median, ms": percentile(times, 0.5),
    "find: p95, ms": percentile(times, 0.95),
    "find: longest, ms": percentile(times, 1),
    "versions of a path in the index: p95, ms": percentile(paths, 0.95),
  }
})

const figures = await (what === "build"
  ? Effect.runPromise(Effect.scoped(build))
  : Effect.runPromise(Effect.scoped(find)))
process.stdout.write(JSON.stringify(figures))
