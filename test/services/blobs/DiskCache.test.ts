import * as fs from "node:fs"
import * as os from "node:os"
import * as path from "node:path"
import { assert, describe, it } from "@effect/vitest"
import { Effect, Exit, Scope } from "effect"
import * as ChunkCache from "../../../src/services/bytes/ChunkCache.ts"
import * as Traffic from "../../../src/services/bytes/Traffic.ts"
import { fromMap } from "../../../src/services/blobs/BlobStore.ts"
import * as BlobStoreWrappers from "../../../src/services/blobs/BlobStoreWrappers.ts"
import * as ChunkedSource from "../../../src/services/chunks/ChunkedSource.ts"
import * as ChunkStore from "../../../src/services/chunks/ChunkStore.ts"
import * as DiskCache from "../../../src/services/blobs/DiskCache.ts"
import { key, put } from "../repository/chunked.ts"

const scratch = Effect.acquireRelease(
  Effect.sync(() => fs.mkdtempSync(path.join(os.tmpdir(), "pxar-cache-"))),
  (folder) => Effect.sync(() => fs.rmSync(folder, { recursive: true, force: true })),
)

/** A store of 20 chunks of 1000 bytes, and readers of it that share a folder but no memory. */
const setUp = Effect.fnUntraced(function* (options: { limit?: number; encrypted?: boolean } = {}) {
  const { encrypted = false, limit } = options
  const folder = path.join(yield* scratch, "cache")
  const bytes = Uint8Array.from({ length: 20_000 }, (_, i) => (i * 31) % 251)
  const blobs = new Map<string, Uint8Array>()
  const lengths = Array.from({ length: 20 }, () => 1000)
  const { index } = yield* put(blobs, bytes, lengths, { encrypted, compression: () => "none" })
  const { counts, store } = BlobStoreWrappers.counting(fromMap(blobs))
  const traffic = Traffic.make()
  /** Reads a range by a process of its own, which has ended when this has: all is written. */
  const read = Effect.fnUntraced(function* (from = 0, to = bytes.length) {
    const scope = yield* Scope.make()
    const reading = Effect.gen(function* () {
      const disk = yield* DiskCache.make({ folder, limit })
      const chunks = ChunkStore.make({ stores: [disk.over(store, traffic)], cache: yield* ChunkCache.make(0) })
      const source = yield* ChunkedSource.make({
        name: "x.didx",
        index,
        store: chunks,
        encrypted,
        key: encrypted ? key : undefined,
      })
      for (let offset = from; offset < to; offset += 1000) {
        const target = new Uint8Array(1000)
        yield* source.read(target, offset)
        assert.deepStrictEqual(target, bytes.slice(offset, offset + 1000))
      }
    })
    yield* Scope.provide(reading, scope)
    yield* Scope.close(scope, Exit.void)
  })
  const place = (chunk: number) => {
    const digest = Buffer.from(index.digest(chunk)).toString("hex")
    return path.join(folder, "chunks", digest.slice(0, 2), digest)
  }
  return { blobs, counts, folder, index, place, read, traffic }
})

describe("DiskCache", () => {
  it.live("keeps chunks as they are stored, for this user alone, and asks the store for none twice", () =>
    Effect.gen(function* () {
      const { blobs, counts, folder, index, place, read, traffic } = yield* setUp({ encrypted: true })
      yield* read()
      yield* read()
      assert.strictEqual(counts.reads, 20)
      assert.strictEqual(traffic.fromDisk, counts.bytes)
      const stored = blobs.get(ChunkStore.chunkPath(index.digest(3))) as Uint8Array
      assert.deepStrictEqual(new Uint8Array(fs.readFileSync(place(3))), new Uint8Array(stored))
      assert.strictEqual(fs.statSync(place(3)).mode & 0o777, 0o600)
      assert.strictEqual(fs.statSync(folder).mode & 0o777, 0o700)
      assert.deepStrictEqual(fs.readdirSync(path.join(folder, "fresh")), [])
    }),
  )

  it.live.each([
    ["is damaged", (at: string) => fs.writeFileSync(at, Buffer.alloc(900, 1))],
    ["is empty", (at: string) => fs.truncateSync(at)],
    ["is cut short", (at: string) => fs.truncateSync(at, 100)],
    ["is a link", (at: string) => (fs.rmSync(at), fs.symlinkSync("/etc/passwd", at))],
    ["is another chunk", (at: string, other: string) => fs.copyFileSync(other, at)],
  ] as const)("fetches a chunk again whose entry %s", ([, harm]) =>
    Effect.gen(function* () {
      const { counts, place, read } = yield* setUp()
      yield* read()
      harm(place(5), place(6))
      yield* read()
      assert.strictEqual(counts.reads, 21)
      yield* read()
      assert.strictEqual(counts.reads, 21)
    }),
  )

  it.live("verifies the store, and not what is kept of it", () =>
    Effect.gen(function* () {
      const { blobs, folder, index, read } = yield* setUp()
      yield* read()
      blobs.clear()
      const disk = yield* DiskCache.make({ folder })
      const chunks = ChunkStore.make({ stores: [disk.over(fromMap(blobs))], cache: yield* ChunkCache.make() })
      const wanted = { digest: index.digest(0), length: 1000, encrypted: false, key: undefined }
      assert.strictEqual((yield* Effect.flip(chunks.check(wanted))).check, "ChunkMissing")
      assert.lengthOf(yield* chunks.read(wanted, (content) => content), 1000)
    }),
  )

  it.live("reads what is kept while the store is gone, and says of the rest that it is", () =>
    Effect.gen(function* () {
      const { blobs, read } = yield* setUp()
      yield* read(0, 10_000)
      blobs.clear()
      yield* read(0, 10_000)
      assert.include((yield* Effect.flip(read())).message, "is missing")
    }),
  )

  it.live("deletes what was used longest ago, when there is more than its limit", () =>
    Effect.gen(function* () {
      const { folder, place, read } = yield* setUp({ limit: 10_000 })
      yield* read(0, 5000)
      for (const chunk of [0, 1, 2, 3, 4]) fs.utimesSync(place(chunk), chunk + 1, chunk + 1)
      // Used again.
      yield* read(0, 1000)
      yield* read(5000, 11_000)
      const kept = Array.from({ length: 11 }, (_, chunk) => fs.existsSync(place(chunk)))
      assert.deepStrictEqual(kept.slice(0, 5), [true, false, false, true, true])
      assert.isAtMost((yield* DiskCache.info(folder)).bytes, 10_000)
    }),
  )

  it.live("is pruned and emptied, and leaves alone what is not its own", () =>
    Effect.gen(function* () {
      const { folder, read } = yield* setUp()
      yield* read()
      const before = yield* DiskCache.info(folder)
      assert.strictEqual(before.chunks, 20)
      fs.writeFileSync(path.join(folder, "chunks", "note"), "mine")
      const pruned = yield* DiskCache.prune(folder, before.bytes / 2)
      const left = yield* DiskCache.info(folder)
      assert.strictEqual(pruned.chunks + left.chunks, 20)
      assert.isAtMost(left.bytes, before.bytes / 2)
      yield* DiskCache.prune(folder, 0)
      assert.deepStrictEqual(yield* DiskCache.info(folder), { chunks: 0, bytes: 0 })
      assert.isTrue(fs.existsSync(path.join(folder, "chunks", "note")))
      assert.deepStrictEqual(yield* DiskCache.info(path.join(folder, "not there")), { chunks: 0, bytes: 0 })
    }),
  )

  it.live("refuses a folder that others can write to", () =>
    Effect.gen(function* () {
      const folder = yield* scratch
      fs.chmodSync(folder, 0o777)
      const refused = yield* Effect.flip(DiskCache.make({ folder }))
      assert.include(refused.message, "others can write")
      assert.strictEqual(refused.id, "PXF-CACHE-FOLDER")
    }),
  )

  it.live("goes on without keeping anything where it cannot write", () =>
    Effect.gen(function* () {
      const { counts, folder, read } = yield* setUp()
      yield* read(0, 1000)
      fs.rmSync(path.join(folder, "fresh"), { recursive: true })
      fs.writeFileSync(path.join(folder, "fresh"), "in the way")
      const disk = yield* Effect.result(read(1000, 3000))
      // A folder that is not one is said when it is opened.
      assert.strictEqual(disk._tag, "Failure")
      assert.strictEqual(counts.reads, 1)
    }),
  )

  it("is in the user's cache folder unless another is named", () => {
    assert.strictEqual(DiskCache.defaultFolder({ XDG_CACHE_HOME: "/c", HOME: "/h" }), "/c/pxar-fuse")
    assert.strictEqual(DiskCache.defaultFolder({ HOME: "/h" }), "/h/.cache/pxar-fuse")
    assert.isUndefined(DiskCache.defaultFolder({ XDG_CACHE_HOME: "relative" }))
  })
})
