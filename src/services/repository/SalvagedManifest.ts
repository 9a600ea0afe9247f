/**
 * A manifest for a backup that has none: put together from the indexes and blobs that are there.
 *
 * Nothing vouches for it. An index must have the checksum that its own header says, so that none is half written; whether it is
 * the whole of its archive nobody knows. Whether the chunks of an index are encrypted, and with which of the keys at hand, is
 * told by the first of them that can be had.
 */
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import * as Bytes from "../../domain/Bytes.ts"
import type { ChunkIndex } from "../../domain/datastore/ChunkIndex.ts"
import * as DataBlob from "../../domain/datastore/DataBlob.ts"
import { fault } from "../../domain/datastore/DatastoreFault.ts"
import type * as Manifest from "../../domain/datastore/Manifest.ts"
import * as SnapshotFile from "../../domain/datastore/SnapshotFile.ts"
import * as SnapshotId from "../../domain/datastore/SnapshotId.ts"
import type { ChunkStore } from "../chunks/ChunkStore.ts"
import type { EncryptionKey } from "../keys/EncryptionKey.ts"
import type { KeyRing } from "../keys/KeyRing.ts"
import { fromFault, RepositoryError } from "./RepositoryError.ts"
import { sha256 } from "../keys/Sha256.ts"
import * as SnapshotFiles from "./SnapshotFiles.ts"

/** What was put together. */
export interface Salvaged {
  readonly manifest: Manifest.Manifest
  /** The key of its chunks, if it is at hand and there is one. */
  readonly key: EncryptionKey | undefined
}

/** Chunks of an index that are tried. */
const MAX_TRIED = 32

/** Puts a manifest together. Fails with `SnapshotUnfinished` if there is nothing to read. What is damaged is left out, and logged. */
export const make = Effect.fnUntraced(function* (
  id: SnapshotId.SnapshotId,
  files: SnapshotFiles.Files,
  options: { readonly chunks: ChunkStore; readonly keys: KeyRing },
): Effect.fn.Return<Salvaged, RepositoryError> {
  const found: Array<Manifest.File> = []
  let key: EncryptionKey | undefined
  for (const name of files.names) {
    const storage = SnapshotFile.storage(name)
    if (storage === undefined || name === SnapshotFile.MANIFEST || name === SnapshotFile.CLIENT_LOG) continue
    const read = yield* Effect.result(
      storage === "blob" ? blobOf(files, name) : indexOf(files, name, storage, options, (used) => (key ??= used)),
    )
    if (Result.isSuccess(read)) found.push(read.success)
    else yield* Effect.logWarning(`${read.failure.message}; it is left out`)
  }
  if (found.length === 0) {
    const detail = "is missing, and there is no whole index or blob either"
    return yield* fromFault(SnapshotFiles.pathOf(files, SnapshotFile.MANIFEST), fault("SnapshotUnfinished", detail))
  }
  const manifest: Manifest.Manifest = {
    type: id.type,
    id: id.id,
    time: SnapshotId.toEpoch(id.time),
    files: found,
    fingerprint: undefined,
    notes: undefined,
    verified: undefined,
    signature: undefined,
    signed: [],
  }
  return { manifest, key }
})

const blobOf = Effect.fnUntraced(function* (
  files: SnapshotFiles.Files,
  name: string,
): Effect.fn.Return<Manifest.File, RepositoryError> {
  const stored = yield* SnapshotFiles.blob(files, name, undefined)
  const blob = yield* Effect.mapError(Effect.fromResult(DataBlob.parse(stored)), (found) =>
    fromFault(SnapshotFiles.pathOf(files, name), found),
  )
  const cryptMode = blob.encrypted ? "encrypt" : "none"
  return { name, storage: "blob", size: stored.length, checksum: yield* sha256(stored), cryptMode }
})

const indexOf = Effect.fnUntraced(function* (
  files: SnapshotFiles.Files,
  name: string,
  storage: "dynamic" | "fixed",
  { chunks, keys }: { readonly chunks: ChunkStore; readonly keys: KeyRing },
  use: (key: EncryptionKey) => void,
): Effect.fn.Return<Manifest.File, RepositoryError> {
  const { value: index } = yield* SnapshotFiles.parsedIndex(files, name, storage)
  const checksum = yield* sha256(index.entries)
  if (!Bytes.equals(checksum, index.headerChecksum)) {
    const detail = "has another checksum than its header says: it was never finished, or is damaged"
    return yield* fromFault(SnapshotFiles.pathOf(files, name), fault("IndexHeaderCsum", detail))
  }
  const file = { name, storage, size: index.size, checksum }
  if (!(yield* isEncrypted(index, chunks))) return { ...file, cryptMode: "none" }
  const all = yield* Effect.mapError(
    keys.all,
    ({ check, message }) => new RepositoryError({ path: SnapshotFiles.pathOf(files, name), check, detail: message }),
  )
  for (const key of all) if (yield* opens(index, chunks, key)) use(key)
  return { ...file, cryptMode: "encrypt" }
})

/** Some of the chunks of an index, the first ones. */
const someOf = (index: ChunkIndex) =>
  Array.from({ length: Math.min(index.count, MAX_TRIED) }, (_, chunk) => ({
    digest: index.digest(chunk),
    length: index.end(chunk) - index.start(chunk),
  }))

/** Whether the first chunk that can be had is encrypted. */
const isEncrypted = Effect.fnUntraced(function* (index: ChunkIndex, chunks: ChunkStore): Effect.fn.Return<boolean> {
  for (const wanted of someOf(index)) {
    const read = yield* Effect.result(chunks.read({ ...wanted, encrypted: false, key: undefined }, () => undefined))
    if (Result.isSuccess(read)) return false
    if (read.failure.check === "CryptModeMismatch") return true
  }
  return false
})

const opens = Effect.fnUntraced(function* (
  index: ChunkIndex,
  chunks: ChunkStore,
  key: EncryptionKey,
): Effect.fn.Return<boolean> {
  for (const wanted of someOf(index)) {
    if (yield* Effect.isSuccess(chunks.read({ ...wanted, encrypted: true, key }, () => undefined))) return true
  }
  return false
})
