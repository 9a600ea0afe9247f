/** How many round trips a reader far away waits for: requests that were made only after another was answered. */
import * as fs from "node:fs"
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import * as ArchiveReader from "../../../src/services/archive/ArchiveReader.ts"
import type { Found } from "../../../src/services/archive/ArchiveTree.ts"
import type * as ArchiveBytes from "../../../src/services/bytes/ArchiveBytes.ts"
import * as ByteSource from "../../../src/services/bytes/ByteSource.ts"
import * as ChunkCache from "../../../src/services/bytes/ChunkCache.ts"
import * as PrefetchSource from "../../../src/services/bytes/PrefetchSource.ts"
import * as BlobStore from "../../../src/services/blobs/BlobStore.ts"
import * as ChunkedSource from "../../../src/services/chunks/ChunkedSource.ts"
import * as ChunkStore from "../../../src/services/chunks/ChunkStore.ts"
import * as DatastoreRepository from "../../../src/services/repository/DatastoreRepository.ts"
import * as FolderBlobStore from "../../../src/services/blobs/FolderBlobStore.ts"
import * as KeyRing from "../../../src/services/keys/KeyRing.ts"
import * as Archive from "../../../src/services/tree/Archive.ts"
import * as MemoryArchive from "../../../src/testing/MemoryArchive.ts"
import * as Datastores from "../../support/Datastores.ts"
import * as FarLine from "../../support/FarLine.ts"
import * as Golden from "../../support/Golden.ts"
import { put } from "./chunked.ts"

const ROUND_TRIP = "30 millis"

const listRoot = Effect.fnUntraced(function* (tree: ArchiveReader.ArchiveReader) {
  let count = 0
  yield* tree.list(tree.root, 0, () => ++count > 0)
  return count
})

/** An archive of the store that a real server filled, over a line. */
const open = Effect.fnUntraced(function* (snapshot: string, shown: string) {
  const line = FarLine.make({ roundTrip: ROUND_TRIP })
  const store = FarLine.store(line, FolderBlobStore.make(Datastores.realStore()))
  const chunks = ChunkStore.make({ stores: [store], cache: yield* ChunkCache.make(undefined, { isFar: true }) })
  const repository = yield* DatastoreRepository.open(store, { keys: KeyRing.empty, chunks })
  const [id = "", time = ""] = snapshot.split("/")
  const opened = yield* repository.snapshot({ namespace: [], type: "host", id, time })
  const file = opened.files.find((each) => each.shown === shown)
  if (file === undefined) throw new Error(`${shown} is not there`)
  const { archive, payload } = yield* opened.archive(file)
  return { line, tree: yield* ArchiveReader.make(archive, payload) }
})

const ABSENT: ArchiveBytes.Payload = { _tag: "Absent", expected: undefined }

/** Streams that are cut into chunks of so many bytes, over a line, with a cache. */
const inChunks = Effect.fnUntraced(function* (length: number, capacity?: number) {
  const line = FarLine.make({ roundTrip: ROUND_TRIP })
  const blobs = new Map<string, Uint8Array>()
  const store = FarLine.store(line, BlobStore.fromMap(blobs))
  const chunks = ChunkStore.make({ stores: [store], cache: yield* ChunkCache.make(capacity, { isFar: true }) })
  const source = Effect.fnUntraced(function* (name: string, bytes: Uint8Array) {
    const count = Math.ceil(bytes.length / length)
    const lengths = Array.from({ length: count }, (_, i) => Math.min(length, bytes.length - i * length))
    const { index } = yield* put(blobs, bytes, lengths, { encrypted: false, compression: () => "none" })
    return yield* ChunkedSource.make({ name, index, store: chunks, encrypted: false, key: undefined })
  })
  return { line, source }
})

/** A golden archive whose files are cut into chunks of so many bytes, over a line. */
const cut = Effect.fnUntraced(function* ({ archive, payload }: Golden.Golden, length: number) {
  const { line, source } = yield* inChunks(length)
  const stream = (file: string) => source(file, new Uint8Array(fs.readFileSync(file)))
  const tree = yield* ArchiveReader.make(
    yield* stream(archive),
    payload === undefined ? ABSENT : { _tag: "Present", source: yield* stream(payload) },
  )
  return { line, tree }
})

const golden = (name: string): Golden.Golden => {
  const found = Golden.all.find((each) => each.name === name)
  if (found === undefined) throw new Error(`no golden archive ${name}`)
  return found
}

describe("the round trips that one waits for", () => {
  it.live(
    "until the first listing of a split archive: the store, the backup, its manifest, its indexes, its chunks",
    () =>
      Effect.gen(function* () {
        const { line, tree } = yield* open("data/2025-06-15T15:06:50Z", "tree.pxar")
        assert.isAbove(yield* listRoot(tree), 5)
        assert.strictEqual(line.rounds, 5)
      }),
  )

  it.live("until the first listing of an archive in one file", () =>
    Effect.gen(function* () {
      const { line, tree } = yield* open("legacy/2025-06-15T15:06:40Z", "tree.pxar")
      yield* listRoot(tree)
      assert.isAtMost(line.rounds, 6)
    }),
  )

  it.live("for one small file, after that", () =>
    Effect.gen(function* () {
      const { line, tree } = yield* open("data/2025-06-15T15:06:50Z", "tree.pxar")
      yield* listRoot(tree)
      const before = line.rounds
      const files: Array<Uint8Array> = []
      yield* tree.list(tree.root, 0, (child) => {
        if (child._tag === "Found" && child.entry.body._tag === "File") files.push(child.name)
        return true
      })
      const { node, entry } = yield* Archive.fromReader(tree).find(files[0] as Uint8Array)
      const size = entry.body._tag === "File" ? entry.body.content.length : 0
      yield* tree.content(node, 0, new Uint8Array(size))
      assert.isAtMost(line.rounds - before, 3)
    }),
  )

  it.live.each(["tree-v2", "tree-v1"])("for a folder whose entries are in many chunks: %s", (name) =>
    Effect.gen(function* () {
      const { line, tree } = yield* cut(golden(name), 1500)
      const opened = line.rounds
      const count = yield* listRoot(tree)
      assert.isAbove(line.asked.length, 10)
      // Its table, its children, the files that hard links among them name.
      assert.isAtMost(line.rounds - opened, 4, `${count} children, ${line.asked.length} chunks`)
    }),
  )

  it.live("for a folder of folders, of whose chunks not all have room at once", () =>
    Effect.gen(function* () {
      const folder = (index: number) => ({ [`f${index}`]: new Uint8Array(8000).fill(index + 1) })
      const folders = Object.fromEntries(Array.from({ length: 64 }, (_, index) => [`d${index}`, folder(index)]))
      const { line, source } = yield* inChunks(4000, 256_000)
      const tree = yield* ArchiveReader.make(yield* source("far", yield* MemoryArchive.bytes(folders)), ABSENT)
      const opened = line.rounds
      assert.strictEqual(yield* listRoot(tree), 64)
      // Sixteen at once, and again when half of them have come.
      assert.isAtMost(line.rounds - opened, 10)
    }),
  )

  it.live("for each folder on a path in an archive in one file: its table, what is in it", () =>
    Effect.gen(function* () {
      const inFolder = (number: number, inner: MemoryArchive.Tree): MemoryArchive.Tree => ({
        [`before${number}`]: new Uint8Array(8000).fill(number),
        inner,
        [`behind${number}`]: new Uint8Array(8000).fill(number),
      })
      const { line, source } = yield* inChunks(4000)
      const bytes = yield* MemoryArchive.bytes(
        [1, 2, 3, 4].reduceRight<MemoryArchive.Tree>((tree, n) => inFolder(n, tree), {}),
      )
      const tree = yield* ArchiveReader.make(yield* source("far", bytes), ABSENT)
      let folder = tree.root
      for (let level = 0; level < 4; level++) {
        const before = line.rounds
        const children: Array<Found> = []
        yield* tree.list(folder, 0, (child) => child._tag !== "Found" || children.push(child) > 0)
        assert.isAtMost(line.rounds - before, 2, `level ${level}`)
        folder = children.find(({ entry }) => entry.body._tag === "Directory")!.node
      }
    }),
  )

  it.live("for the first listing of an archive on a web server: its ends, the children", () =>
    Effect.gen(function* () {
      const line = FarLine.make({ roundTrip: ROUND_TRIP })
      const near = ByteSource.fromBytes(new Uint8Array(fs.readFileSync(golden("tree-v1").archive)), "far")
      const cache = yield* ChunkCache.make(undefined, { isFar: true })
      const source = PrefetchSource.make(FarLine.source(line, near), cache, { whole: 0, piece: 16_384, block: 1024 })
      yield* listRoot(yield* ArchiveReader.make(source, ABSENT))
      assert.isAtMost(line.rounds, 5)
    }),
  )
})
