/**
 * The files of one backup, wherever they are: its manifest, and indexes and blobs that are what a manifest says.
 *
 * A copy of the backup can stand in for what is missing or damaged. An index or blob of a copy is checked by the manifest
 * like any other. A manifest of a copy is taken if it is of this backup and signed with the key at hand; or if every file
 * that it lists is here already and is what it says, so that it can say nothing else.
 */
import * as Effect from "effect/Effect"
import * as Bytes from "../../domain/Bytes.ts"
import type { ChunkIndex } from "../../domain/datastore/ChunkIndex.ts"
import * as DataBlob from "../../domain/datastore/DataBlob.ts"
import { type DatastoreFault, fault } from "../../domain/datastore/DatastoreFault.ts"
import * as Digest from "../../domain/datastore/Digest.ts"
import * as DynamicIndex from "../../domain/datastore/DynamicIndex.ts"
import * as FixedIndex from "../../domain/datastore/FixedIndex.ts"
import * as Manifest from "../../domain/datastore/Manifest.ts"
import * as SnapshotFile from "../../domain/datastore/SnapshotFile.ts"
import * as ChunkDecoder from "../chunks/ChunkDecoder.ts"
import type { Healed } from "../chunks/Healed.ts"
import { fromFault, RepositoryError } from "./RepositoryError.ts"
import { sha256 } from "../keys/Sha256.ts"

/** The files of a backup in one place. */
export interface Files {
  /** For messages: the repository and the backup. */
  readonly name: string
  /** Names of what is there, the manifest with them. */
  readonly names: ReadonlyArray<string>
  /** A file's bytes. Fails with `ArchiveNotFound` if it is not there. */
  readonly read: (name: string, limit: number) => Effect.Effect<Uint8Array, RepositoryError>
}

/** Bytes of a stored blob: its content and the larger header. */
const MAX_STORED_BLOB = DataBlob.MAX_BLOB + DataBlob.ENCRYPTED_HEADER
/** Bytes of an index: of 16 TiB in chunks of 1 MiB, or 67 million chunks of an image. */
const MAX_INDEX = 2 * 1024 * 1024 * 1024 - 4096
/** Bytes of a manifest's text. It lists a handful of files. */
const MAX_MANIFEST = 16 * 1024 * 1024

const decoder = new TextDecoder("utf-8", { fatal: true })

/** Something of a backup, and the bytes of the file that it was read from. */
export interface Read<A> {
  readonly value: A
  readonly stored: Uint8Array
}

/** The path of a file for messages. */
export const pathOf = (files: Files, name: string): string => `${files.name}/${name}`

/** Reads and decodes the manifest. An absent one makes the backup unfinished, anything wrong with it `ManifestInvalid`. */
export const manifest = Effect.fnUntraced(function* (
  files: Files,
): Effect.fn.Return<Read<Manifest.Manifest>, RepositoryError> {
  const path = pathOf(files, SnapshotFile.MANIFEST)
  if (!files.names.includes(SnapshotFile.MANIFEST)) {
    const detail = "is missing: the backup is not finished, or it failed"
    return yield* fromFault(path, fault("SnapshotUnfinished", detail))
  }
  const invalid = (found: DatastoreFault) =>
    fromFault(path, fault("ManifestInvalid", `cannot be used: ${found.message}`))
  const stored = yield* files.read(SnapshotFile.MANIFEST, MAX_MANIFEST)
  const content = yield* Effect.mapError(ChunkDecoder.decodeBlob(stored, undefined, MAX_MANIFEST), invalid)
  const text = yield* Effect.try({
    try: () => decoder.decode(content),
    catch: () => invalid(fault("ManifestInvalid", "is no UTF-8 text")),
  })
  return { value: yield* Effect.mapError(Effect.fromResult(Manifest.parse(text)), invalid), stored }
})

/** Reads an index, whatever its checksum is. */
export const parsedIndex = Effect.fnUntraced(function* (
  files: Files,
  name: string,
  storage: Manifest.File["storage"],
): Effect.fn.Return<Read<ChunkIndex>, RepositoryError> {
  const stored = yield* files.read(name, MAX_INDEX)
  const parse = storage === "fixed" ? FixedIndex.parse : DynamicIndex.parse
  const value = yield* Effect.mapError(Effect.fromResult(parse(stored)), (found) =>
    fromFault(pathOf(files, name), found),
  )
  return { value, stored }
})

/** Reads an index that is what the manifest says of `file`, which must be stored as one. */
export const index = Effect.fnUntraced(function* (
  files: Files,
  file: Manifest.File,
): Effect.fn.Return<Read<ChunkIndex>, RepositoryError> {
  const failed = (found: DatastoreFault) => fromFault(pathOf(files, file.name), found)
  const { stored, value } = yield* parsedIndex(files, file.name, file.storage)
  const checksum = yield* sha256(value.entries)
  if (!Bytes.equals(checksum, file.checksum)) {
    return yield* failed(fault("IndexCsumMismatch", `has the checksum ${Digest.toHex(checksum)}, not the manifest's`))
  }
  if (value.size !== file.size) {
    const detail = `is of ${value.size} bytes, not of the ${file.size} in the manifest`
    return yield* failed(fault("IndexSizeMismatch", detail))
  }
  return { value, stored }
})

/** Reads a blob as it is stored; what the manifest says of `file` if that is given. */
export const blob = Effect.fnUntraced(function* (
  files: Files,
  name: string,
  file: Manifest.File | undefined,
): Effect.fn.Return<Uint8Array, RepositoryError> {
  const stored = yield* files.read(name, MAX_STORED_BLOB)
  if (file === undefined) return stored
  const isSame = stored.length === file.size && Bytes.equals(yield* sha256(stored), file.checksum)
  if (isSame) return stored
  return yield* fromFault(pathOf(files, name), fault("BlobCsumMismatch", "is not the file that the manifest describes"))
})

/** Fails unless a file is there and is what the manifest says of it. */
export const check = (files: Files, file: Manifest.File): Effect.Effect<Uint8Array, RepositoryError> =>
  file.storage === "blob" ? blob(files, file.name, file) : Effect.map(index(files, file), ({ stored }) => stored)

/** Whether a manifest lists nothing but files that are here and are what it says. */
export const confirms = (files: Files, { files: listed }: Manifest.Manifest): Effect.Effect<boolean> =>
  listed.length === 0 || listed.some(({ storage }) => storage === undefined)
    ? Effect.succeed(false)
    : Effect.isSuccess(Effect.forEach(listed, (file) => check(files, file), { discard: true }))

/** Says that a copy had a file. */
export type OnHealed = ((healed: Healed) => Effect.Effect<void>) | undefined

/** What the backup itself gives, or the first copy that gives it, which is told. Otherwise the backup's own failure. */
export const orFromCopies = <A>(
  own: Files,
  copies: ReadonlyArray<Files>,
  name: string,
  take: (files: Files) => Effect.Effect<A, RepositoryError>,
  onHealed: OnHealed,
): Effect.Effect<A, RepositoryError> =>
  Effect.catch(take(own), (error) => {
    const from = (at: number, unread: string): Effect.Effect<A, RepositoryError> => {
      const copy = copies[at]
      if (copy === undefined) {
        const { check, detail, path } = error
        return Effect.fail(new RepositoryError({ path, check, detail: detail + unread }))
      }
      return Effect.matchEffect(take(copy), {
        onFailure: (other) =>
          from(
            at + 1,
            other.check === "IO" ? `${unread}; the copy ${other.path} cannot be read: ${other.detail}` : unread,
          ),
        onSuccess: (value) => {
          const { check, detail } = error
          const healed: Healed = { kind: "file", file: pathOf(own, name), check, detail, from: copy.name }
          return Effect.as(onHealed?.(healed) ?? Effect.void, value)
        },
      })
    }
    return from(0, "")
  })
