/**
 * One part of what is measured, in a process of its own: `build`, `find`, `versions` or `diff`, then STORE and FILE. Prints
 * figures as JSON.
 */
import * as fs from "node:fs"
import { DatabaseSync } from "node:sqlite"
import { monitorEventLoopDelay } from "node:perf_hooks"
import { Effect, type Scope, Stream } from "effect"
import * as Memory from "../../src/cli/Memory.ts"
import * as ComparedArchive from "../../src/services/compare/ComparedArchive.ts"
import * as TreeDiff from "../../src/services/compare/TreeDiff.ts"
import * as BuildIndex from "../../src/services/history/BuildIndex.ts"
import * as Edition from "../../src/services/history/Edition.ts"
import * as SharedChunks from "../../src/services/history/SharedChunks.ts"
import * as Versions from "../../src/services/history/Versions.ts"
import * as HistoryIndex from "../../src/services/index/HistoryIndex.ts"
import * as BlobStoreWrappers from "../../src/services/blobs/BlobStoreWrappers.ts"
import * as FolderBlobStore from "../../src/services/blobs/FolderBlobStore.ts"
import * as ChunkCache from "../../src/services/bytes/ChunkCache.ts"
import * as ChunkStore from "../../src/services/chunks/ChunkStore.ts"
import * as KeyRing from "../../src/services/keys/KeyRing.ts"
import * as DatastoreRepository from "../../src/services/repository/DatastoreRepository.ts"
import * as Archive from "../../src/services/tree/Archive.ts"
import type * as Query from "../../src/services/tree/Query.ts"
import * as Random from "../Random.ts"

// As the command does.
Memory.keepYoungGenerationSmall()
const [what, store = "", file = ""] = process.argv.slice(2)

const cpu = (): number => {
  const { system, user } = process.cpuUsage()
  return (user + system) / 1e6
}

/** The repository, and what is read of it. */
const opened = Effect.gen(function* () {
  const { counts, store: blobs } = BlobStoreWrappers.counting(FolderBlobStore.make(store))
  const cache = yield* ChunkCache.make(16 * 1024 * 1024)
  const chunks = ChunkStore.make({ stores: [blobs], cache })
  return { counts, repository: yield* DatastoreRepository.open(blobs, { keys: KeyRing.empty, chunks }) }
})

const isChunk = (name: string): boolean => name.startsWith(".chunks/")

const build = Effect.gen(function* () {
  const { counts, repository } = yield* opened
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
  const spent: Array<number> = []
  let most = 0
  let hits = 0
  let skipped = 0
  for (let asked = 0; times.length < 200 && asked < 400; asked++) {
    const query: Query.Query = { patterns: [part()], manner: "name", ignoreCase: false }
    const [start, begun] = [performance.now(), cpu()]
    const found = yield* index.find(query, chain, numbers)
    if (found.length > 1000) {
      skipped++
      continue
    }
    times.push(performance.now() - start)
    spent.push(1000 * (cpu() - begun))
    most = Math.max(most, found.length)
    hits += found.length
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
    "find: median of the CPU, ms": percentile(spent, 0.5),
    "find: p95 of the CPU, ms": percentile(spent, 0.95),
  }
})

/** A question as `pxar-fuse versions` asks it, by a process that knows the backups, and by one that has to learn them. */
const versions = Effect.gen(function* () {
  const [start, begun] = [performance.now(), cpu()]
  const { counts, repository } = yield* opened
  const index = yield* HistoryIndex.open(file)
  const [group] = yield* Stream.runCollect(Edition.groups(repository))
  const series = group?.series[0]
  if (index === undefined || series === undefined) throw new Error(`${file} or ${store} is not there`)
  const [learned, learning] = [performance.now() - start, 1000 * (cpu() - begun)]
  const paths: Array<Uint8Array> = []
  const { reader } = yield* Edition.open(series.editions.at(-1) as Edition.Edition)
  const archive = Archive.fromReader(reader)
  yield* Stream.runForEach(archive.walk(yield* archive.root), (item) => Effect.sync(() => paths.push(item.path)))
  const random = Random.make(3)
  const read = counts.blobs.filter(isChunk).length
  const times: Array<number> = []
  const spent: Array<number> = []
  for (let asked = 0; asked < 200; asked++) {
    const [start, begun] = [performance.now(), cpu()]
    yield* Versions.of(series, paths[random.below(paths.length)] as Uint8Array, { index })
    times.push(performance.now() - start)
    spent.push(1000 * (cpu() - begun))
  }
  return {
    "versions: learning the backups and opening the index, ms": learned,
    "versions: CPU of that, ms": learning,
    "versions: the first answer after that, ms": times[0] as number,
    "versions: median, ms": percentile(times, 0.5),
    "versions: p95, ms": percentile(times, 0.95),
    "versions: longest, ms": percentile(times, 1),
    "versions: median of the CPU, ms": percentile(spent, 0.5),
    "versions: p95 of the CPU, ms": percentile(spent, 0.95),
    "versions: chunks read for 200 answers": counts.blobs.filter(isChunk).length - read,
  }
})

/** The last backup and the one before it. */
const diff = Effect.gen(function* () {
  const { counts, repository } = yield* opened
  const [group] = yield* Stream.runCollect(Edition.groups(repository))
  const [left, right] = group?.series[0]?.editions.slice(-2) ?? []
  if (left === undefined || right === undefined) throw new Error(`${store} has too few backups`)
  const [start, begun] = [performance.now(), cpu()]
  const [ours, theirs] = [yield* Edition.open(left), yield* Edition.open(right)]
  const stored = ({ file, snapshot }: Edition.Edition) => [{ name: undefined, snapshot, file }]
  const sameUntil = yield* SharedChunks.between(stored(left), stored(right))
  const trees = [yield* ComparedArchive.make(ours.reader), yield* ComparedArchive.make(theirs.reader)] as const
  const found = yield* Stream.runCollect(TreeDiff.compare(...trees, { sameUntil, unknown: "tell" }))
  const payload = new Set<string>()
  for (const { streams } of [ours, theirs]) {
    const index = streams.payload
    if (index === undefined) continue
    for (let chunk = 0; chunk < index.count; chunk++) payload.add(ChunkStore.chunkPath(index.digest(chunk)))
  }
  return {
    "diff of two backups: seconds": (performance.now() - start) / 1000,
    "diff of two backups: seconds of CPU": cpu() - begun,
    "diff of two backups: what differs, or is undecided": found.length,
    "diff of two backups: chunks read": counts.blobs.filter(isChunk).length,
    "diff of two backups: chunks of payload read": counts.blobs.filter((name) => payload.has(name)).length,
  }
})

const parts: Readonly<
  Record<string, Effect.Effect<Readonly<Record<string, number>>, { message: string }, Scope.Scope>>
> = {
  build,
  find,
  versions,
  diff,
}
const figures = await Effect.runPromise(Effect.scoped(parts[what ?? ""] ?? Effect.die(new Error(`no part ${what}`))))
process.stdout.write(JSON.stringify(figures))
