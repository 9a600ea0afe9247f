/**
 * A program that reads the benchmark's backup in one way, for its time to be taken.
 *
 * `read STORE`: the whole archive, from front to back, as this library reads it. `serial-read STORE`: one chunk at a time,
 * each after the one before, nothing read ahead. `serial-extract STORE TARGET`, `serial-tar STORE`: a restore and a tar stream that
 * read so. `limit STORE`: zstd and SHA-256 of every chunk on all cores, and nothing else.
 */
import * as fs from "node:fs"
import * as os from "node:os"
import * as path from "node:path"
import * as Effect from "effect/Effect"
import * as Semaphore from "effect/Semaphore"
import * as Result from "effect/Result"
import * as DataBlob from "../../src/domain/datastore/DataBlob.ts"
import * as SnapshotId from "../../src/domain/datastore/SnapshotId.ts"
import * as ArchiveReader from "../../src/services/archive/ArchiveReader.ts"
import { type ByteSource, SourceError } from "../../src/services/bytes/ByteSource.ts"
import * as ChunkCache from "../../src/services/bytes/ChunkCache.ts"
import * as TarExport from "../../src/services/export/TarExport.ts"
import * as Extractor from "../../src/services/extract/Extractor.ts"
import * as ChunkDecoder from "../../src/services/chunks/ChunkDecoder.ts"
import * as ChunkStore from "../../src/services/chunks/ChunkStore.ts"
import * as DatastoreRepository from "../../src/services/repository/DatastoreRepository.ts"
import * as FolderBlobStore from "../../src/services/blobs/FolderBlobStore.ts"
import * as KeyRing from "../../src/services/keys/KeyRing.ts"
import type { StreamIndex } from "../../src/services/repository/Repository.ts"
import { sha256 } from "../../src/services/keys/Sha256.ts"
import * as StoredChunk from "../../src/services/chunks/StoredChunk.ts"
import * as Archive from "../../src/services/tree/Archive.ts"
import * as Backup from "./Backup.ts"

const [mode, root, target] = process.argv.slice(2) as [string, string, string | undefined]

const store = FolderBlobStore.make(root)

const opened = Effect.gen(function* () {
  const chunks = ChunkStore.make({ stores: [store], cache: yield* ChunkCache.make() })
  const repository = yield* DatastoreRepository.open(store, { keys: KeyRing.empty, chunks })
  return yield* repository.snapshot(Result.getOrThrow(SnapshotId.parse(Backup.SNAPSHOT)))
})

/** Decoded chunks that a serial reader keeps: enough to decode each of an archive about once. */
const KEPT = 16

/** One chunk at a time, the next when it is asked for. */
const serial = ({ encrypted, index, key }: StreamIndex): ByteSource => {
  const turn = Semaphore.makeUnsafe(1)
  /** By number, in the order of use. */
  const kept = new Map<number, Uint8Array>()
  const keep = (chunk: number, content: Uint8Array): Uint8Array => {
    kept.delete(chunk)
    kept.set(chunk, content)
    const [oldest] = kept.keys()
    if (kept.size > KEPT && oldest !== undefined) kept.delete(oldest)
    return content
  }
  const contentOf = (chunk: number): Effect.Effect<Uint8Array, SourceError> => {
    const held = kept.get(chunk)
    return held !== undefined
      ? Effect.succeed(keep(chunk, held))
      : Effect.matchEffect(
          StoredChunk.content(
            store,
            { digest: index.digest(chunk), length: index.end(chunk) - index.start(chunk), encrypted, key },
            true,
          ),
          {
            onFailure: ({ message }) => Effect.fail(new SourceError({ source: root, offset: 0, detail: message })),
            onSuccess: (content) => Effect.succeed(keep(chunk, content)),
          },
        )
  }
  return {
    name: root,
    size: index.size,
    read: (bytes, offset) =>
      turn.withPermits(1)(
        Effect.gen(function* () {
          for (let at = 0; at < bytes.length;) {
            const chunk = index.locate(offset + at)
            const content = yield* contentOf(chunk)
            const from = offset + at - index.start(chunk)
            const part = content.subarray(from, from + bytes.length - at)
            bytes.set(part, at)
            at += part.length
          }
        }),
      ),
  }
}

const readAll = Effect.fnUntraced(function* (source: ByteSource) {
  const buffer = new Uint8Array(1024 * 1024)
  for (let at = 0; at < source.size; at += buffer.length) {
    yield* source.read(buffer.subarray(0, Math.min(buffer.length, source.size - at)), at)
  }
})

const name = `${Backup.ARCHIVE}.didx`
const serialSource = Effect.flatMap(opened, (snapshot) => Effect.map(snapshot.index(name), serial))
const serialArchive = Effect.flatMap(serialSource, (source) =>
  Effect.map(ArchiveReader.make(source, { _tag: "Absent", expected: undefined }), Archive.fromReader),
)

const limit = Effect.gen(function* () {
  const folder = path.join(root, ".chunks")
  const files = fs
    .readdirSync(folder)
    .flatMap((name) => fs.readdirSync(path.join(folder, name)).map((chunk) => path.join(folder, name, chunk)))
  yield* Effect.forEach(
    files,
    (file) =>
      Effect.gen(function* () {
        const blob = Result.getOrThrow(DataBlob.parse(yield* Effect.promise(() => fs.promises.readFile(file))))
        const content = blob.compressed ? yield* ChunkDecoder.decompress(blob.body, DataBlob.MAX_CHUNK) : blob.body
        yield* sha256(content)
      }),
    { concurrency: os.availableParallelism(), discard: true },
  )
})

const run = Effect.gen(function* () {
  switch (mode) {
    case "read":
      return yield* readAll(yield* (yield* opened).stream(name))
    case "serial-read":
      return yield* readAll(yield* serialSource)
    case "serial-extract":
      return void (yield* Extractor.extract(yield* serialArchive, { target: target as string }))
    case "serial-tar":
      return void (yield* TarExport.write(yield* serialArchive, {
        target: { write: () => Effect.void },
        onUnreadable: (_, message) => Effect.die(new Error(message)),
      }))
    case "limit":
      return yield* limit
    default:
      throw new Error(`unknown mode ${mode}`)
  }
})

await Effect.runPromise(Effect.scoped(run))
