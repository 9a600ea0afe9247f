/** How much of a slow line a reader uses that goes through an archive as `tar` does on a mount, by a simulated clock. */
import { assert, describe, it } from "@effect/vitest"
import { Clock, Effect, Fiber } from "effect"
import { TestClock } from "effect/testing"
import * as ArchiveReader from "../../../src/services/archive/ArchiveReader.ts"
import type { Found } from "../../../src/services/archive/ArchiveTree.ts"
import * as BlobStore from "../../../src/services/blobs/BlobStore.ts"
import * as ChunkCache from "../../../src/services/bytes/ChunkCache.ts"
import * as ChunkedSource from "../../../src/services/chunks/ChunkedSource.ts"
import * as ChunkStore from "../../../src/services/chunks/ChunkStore.ts"
import * as MemoryArchive from "../../../src/testing/MemoryArchive.ts"
import * as FarLine from "../../support/FarLine.ts"
import { make as makeRandom } from "../../support/Random.ts"
import { put } from "./chunked.ts"

// A line of 50 ms and 1 Gbit/s with chunks of 4 MiB, and all sizes a sixteenth of that.
const KIB = 1024
const CHUNK = 256 * KIB
const BYTES_PER_SECOND = 7_812_500
const CACHE = 16 * 1024 * KIB

/** So many folders of so many files, no two of which are the same. */
const tree = (folders: number, files: number, size: number): MemoryArchive.Tree => {
  const random = makeRandom(1)
  const noise = Uint32Array.from({ length: size / 4 }, () => random.below(0xffff_ffff))
  const folder = (index: number) =>
    Object.fromEntries(
      Array.from({ length: files }, (_, file) => {
        noise[0] = index * files + file
        return [`f${file}`, new Uint8Array(noise.slice().buffer)]
      }),
    )
  return { files: Object.fromEntries(Array.from({ length: folders }, (_, index) => [`d${index}`, folder(index)])) }
}

/** Lists a folder and then reads what is in it, in order. */
const tar = (reader: ArchiveReader.ArchiveReader, folder: Found["node"]): Effect.Effect<void, Error> =>
  Effect.gen(function* () {
    const children: Array<Found> = []
    yield* reader.list(folder, 0, (child) => {
      if (child._tag === "Found") children.push(child)
      return true
    })
    for (const { entry, node } of children) {
      if (entry.body._tag === "Directory") yield* tar(reader, node)
      if (entry.body._tag !== "File") continue
      const { length } = entry.body.content
      const step = 8 * KIB
      for (let at = 0; at < length; at += step) {
        yield* reader.content(node, at, new Uint8Array(Math.min(step, length - at)))
      }
    }
  })

describe("tar of an archive in one file", () => {
  it.effect.each([
    // Listing the folder of folders fetches a chunk for each of them first.
    { what: "folders of two chunks", folders: 40, files: 50, size: 10 * KIB, times: 1.4 },
    { what: "files as large as a chunk", folders: 12, files: 10, size: 200 * KIB, times: 1.2 },
  ])("takes little longer than its bytes do on the line: $what", ({ files, folders, size, times }) =>
    Effect.gen(function* () {
      const bytes = yield* MemoryArchive.bytes(tree(folders, files, size))
      const line = FarLine.make({ roundTrip: "50 millis", bytesPerSecond: BYTES_PER_SECOND })
      const blobs = new Map<string, Uint8Array>()
      const store = FarLine.store(line, BlobStore.fromMap(blobs))
      const cache = yield* ChunkCache.make(CACHE, { isFar: true })
      const chunks = ChunkStore.make({ stores: [store], cache })
      const count = Math.ceil(bytes.length / CHUNK)
      const lengths = Array.from({ length: count }, (_, i) => Math.min(CHUNK, bytes.length - i * CHUNK))
      const { index } = yield* put(blobs, bytes, lengths, { encrypted: false, compression: () => "none" })
      const source = yield* ChunkedSource.make({ name: "tar", index, store: chunks, encrypted: false, key: undefined })
      const run = Effect.gen(function* () {
        const reader = yield* ArchiveReader.make(source, { _tag: "Absent", expected: undefined })
        yield* tar(reader, reader.root)
      })
      const fiber = yield* Effect.forkChild(run, { startImmediately: true })
      while (fiber.pollUnsafe() === undefined) {
        yield* Effect.promise(() => new Promise((resolve) => setImmediate(resolve)))
        // Digests are compared by threads, whose time is none on this clock.
        if (cache.memory().loading <= line.inFlight * CHUNK) yield* TestClock.adjust("1 millis")
      }
      yield* Fiber.join(fiber)
      const least = (bytes.length / BYTES_PER_SECOND) * 1000
      const took = yield* Clock.currentTimeMillis
      assert.isBelow(took / least, times)
      // Nearly all of it is fetched once.
      assert.isBelow(line.bytes / bytes.length, 1.3)
    }).pipe(Effect.scoped),
  )
})
