/**
 * Opens a backup, wherever its files come from: manifest, key and signature (datastore §4.4), then its archives, images and
 * blobs, each checked when it is opened (datastore §8, "Open sequence").
 */
import * as Effect from "effect/Effect"
import * as Bytes from "../../domain/Bytes.ts"
import { type DatastoreFault, fault } from "../../domain/datastore/DatastoreFault.ts"
import * as Digest from "../../domain/datastore/Digest.ts"
import type * as Manifest from "../../domain/datastore/Manifest.ts"
import * as SnapshotFile from "../../domain/datastore/SnapshotFile.ts"
import * as SnapshotId from "../../domain/datastore/SnapshotId.ts"
import type { ArchiveBytes } from "../bytes/ArchiveBytes.ts"
import * as ChunkDecoder from "../chunks/ChunkDecoder.ts"
import * as ChunkedSource from "../chunks/ChunkedSource.ts"
import type { ChunkStore } from "../chunks/ChunkStore.ts"
import type { EncryptionKey } from "../keys/EncryptionKey.ts"
import type { KeyRing } from "../keys/KeyRing.ts"
import type { Snapshot, StreamIndex } from "./Repository.ts"
import { fromFault, RepositoryError } from "./RepositoryError.ts"
import * as SalvagedManifest from "./SalvagedManifest.ts"
import * as SnapshotFiles from "./SnapshotFiles.ts"
import type { Files } from "./SnapshotFiles.ts"

/** How backups are opened. */
export interface Options {
  readonly keys: KeyRing
  readonly chunks: ChunkStore
  /** Whether an encrypted or sign-only backup without a signature is opened; refused unless given (datastore §4.4). */
  readonly unsigned?: "refuse" | "allow" | undefined
  /** Whether a backup without a usable manifest is opened by what is there (see `SalvagedManifest`); refused unless given. */
  readonly unfinished?: "refuse" | "open" | undefined
  /** Is told of every file of a backup that a copy had. */
  readonly onHealed?: SnapshotFiles.OnHealed
}

export type { Files }

/** What can be decrypted and verified. */
type Unlocked =
  | { readonly _tag: "Key"; readonly key: EncryptionKey }
  /** What is said when something encrypted is opened. */
  | { readonly _tag: "NoKey"; readonly fault: DatastoreFault }

/** A manifest, and what can be told of it with the keys at hand. */
interface Described {
  readonly manifest: Manifest.Manifest
  readonly unlocked: Unlocked
  readonly signature: Snapshot["signature"]
}

/** Opens a backup; `copies` are of the same backup, and stand in for what is missing or damaged. */
export const open = Effect.fnUntraced(function* (
  id: SnapshotId.SnapshotId,
  files: Files,
  options: Options,
  copies: ReadonlyArray<Files> = [],
): Effect.fn.Return<Snapshot, RepositoryError> {
  const at = (name: string) => SnapshotFiles.pathOf(files, name)
  const { manifest, signature, unlocked } = yield* Effect.catchIf(
    SnapshotFiles.orFromCopies(
      files,
      copies,
      SnapshotFile.MANIFEST,
      (place) => (place === files ? describe(files, options) : describeCopy(id, files, place, options)),
      options.onHealed,
    ),
    ({ check }) => options.unfinished === "open" && (check === "SnapshotUnfinished" || check === "ManifestInvalid"),
    (error) => salvage(id, files, options, error),
  )
  const key = unlocked._tag === "Key" ? unlocked.key : undefined

  const listed = new Map<string, Manifest.File>()
  // Of two entries with one name the first counts (datastore §4.2).
  for (const file of manifest.files) if (!listed.has(file.name)) listed.set(file.name, file)
  const names = [...listed.keys()]
  if (files.names.includes(SnapshotFile.CLIENT_LOG)) names.push(SnapshotFile.CLIENT_LOG)

  const find = (name: string): Effect.Effect<Manifest.File, RepositoryError> => {
    const file = listed.get(name)
    if (file === undefined) {
      return Effect.fail(fromFault(at(name), fault("ArchiveNotFound", "is not in the manifest of this backup")))
    }
    return file.storage === undefined
      ? Effect.fail(fromFault(at(name), fault("UnsafeName", "has a name that no file of a backup can have")))
      : Effect.succeed(file)
  }

  const index = Effect.fnUntraced(function* (name: string): Effect.fn.Return<StreamIndex, RepositoryError> {
    const failed = (found: DatastoreFault) => fromFault(at(name), found)
    const file = yield* find(name)
    if (file.storage === "blob") {
      return yield* failed(fault("ArchiveNotFound", "is a blob: it has no index"))
    }
    const { value: index } = yield* SnapshotFiles.orFromCopies(
      files,
      copies,
      name,
      (place) => SnapshotFiles.index(place, file),
      options.onHealed,
    )
    return {
      index,
      encrypted: file.cryptMode === "encrypt",
      key,
      chunks: options.chunks,
      warnings: Bytes.equals(file.checksum, index.headerChecksum)
        ? []
        : [fault("IndexHeaderCsum", "has another checksum in its header than it should; the manifest's is right")],
    }
  })

  const stream = Effect.fnUntraced(function* (
    name: string,
  ): Effect.fn.Return<ChunkedSource.ChunkedSource, RepositoryError> {
    const found = yield* index(name)
    if (found.encrypted && unlocked._tag === "NoKey") return yield* fromFault(at(name), unlocked.fault)
    return yield* ChunkedSource.make({ ...found, name: at(name), store: found.chunks })
  })

  const blob = Effect.fnUntraced(function* (name: string): Effect.fn.Return<Uint8Array, RepositoryError> {
    const failed = (found: DatastoreFault) => fromFault(at(name), found)
    const file = name === SnapshotFile.CLIENT_LOG && !listed.has(name) ? undefined : yield* find(name)
    const stored = yield* SnapshotFiles.orFromCopies(
      files,
      // Nothing vouches for the client's log of a copy.
      file === undefined ? [] : copies,
      name,
      (place) => SnapshotFiles.blob(place, name, file),
      options.onHealed,
    )
    return yield* Effect.mapError(ChunkDecoder.decodeBlob(stored, key), (found) =>
      failed(found.check === "KeyRequired" && unlocked._tag === "NoKey" ? unlocked.fault : found),
    )
  })

  const payload = Effect.fnUntraced(function* (
    file: SnapshotFile.Shown,
  ): Effect.fn.Return<ChunkedSource.ChunkedSource | undefined, RepositoryError> {
    if (file.payload === undefined) return undefined
    if (listed.has(file.payload)) return yield* stream(file.payload)
    const detail = "is not in the manifest, so that the contents of files cannot be read"
    return yield* fromFault(at(file.payload), fault("SplitIncomplete", detail))
  })

  const archive = Effect.fnUntraced(function* (
    file: SnapshotFile.Shown,
  ): Effect.fn.Return<ArchiveBytes, RepositoryError> {
    const [source, contents] = yield* Effect.all([stream(file.name), Effect.result(payload(file))], { concurrency: 2 })
    if (contents._tag === "Success") {
      const present = contents.success
      return {
        archive: source,
        payload: present === undefined ? { _tag: "Absent", expected: undefined } : { _tag: "Present", source: present },
      }
    }
    if (contents.failure.check === "IO") return yield* contents.failure
    yield* Effect.logWarning(`${contents.failure.message}: the contents of files cannot be read`)
    return { archive: source, payload: { _tag: "Absent", expected: contents.failure.path } }
  })

  return {
    id,
    manifest,
    isProtected: files.names.includes(".protected"),
    warnings: [...pathWarnings(id, manifest), ...nameWarnings(manifest)],
    signature,
    files: SnapshotFile.shownOf(names),
    archive,
    payload,
    stream,
    index,
    blob,
    file: (name) => listed.get(name),
  }
})

/** Reads the manifest, finds its key and checks its signature (datastore §4.4). */
const describe = Effect.fnUntraced(function* (
  files: Files,
  options: Options,
): Effect.fn.Return<Described, RepositoryError> {
  const path = SnapshotFiles.pathOf(files, SnapshotFile.MANIFEST)
  const { value: manifest } = yield* SnapshotFiles.manifest(files)
  const unlocked = yield* findKey(manifest, options.keys, path)
  const signature = yield* Effect.mapError(checkSignature(manifest, unlocked, options.unsigned), (found) =>
    fromFault(path, found),
  )
  return { manifest, unlocked, signature }
})

/** What can be told of a backup without its manifest. */
const salvage = Effect.fnUntraced(function* (
  id: SnapshotId.SnapshotId,
  files: Files,
  options: Options,
  error: RepositoryError,
): Effect.fn.Return<Described, RepositoryError> {
  yield* Effect.logWarning(`${error.message}; opened by its indexes, for which nothing vouches`)
  const { key, manifest } = yield* SalvagedManifest.make(id, files, options)
  const unlocked: Unlocked = key === undefined ? noKey(undefined, options.keys) : { _tag: "Key", key }
  return { manifest, unlocked, signature: "unsigned" }
})

/** The same of a copy, if it can be told that it is of this backup. */
const describeCopy = Effect.fnUntraced(function* (
  id: SnapshotId.SnapshotId,
  own: Files,
  copy: Files,
  options: Options,
): Effect.fn.Return<Described, RepositoryError> {
  const described = yield* describe(copy, options)
  const { manifest, signature } = described
  const isSame = pathWarnings(id, manifest).length === 0
  if (isSame && (signature === "valid" || (yield* SnapshotFiles.confirms(own, manifest)))) return described
  const detail = "cannot be told to be of the same backup"
  return yield* fromFault(SnapshotFiles.pathOf(copy, SnapshotFile.MANIFEST), fault("ManifestPathMismatch", detail))
})

/** The key that the manifest wants, if it is at hand; without a fingerprint the one that its signature is of. */
const findKey = Effect.fnUntraced(function* (
  manifest: Manifest.Manifest,
  keys: KeyRing,
  path: string,
): Effect.fn.Return<Unlocked, RepositoryError> {
  const isProtected = manifest.signature !== undefined || manifest.files.some(({ cryptMode }) => cryptMode !== "none")
  if (!isProtected && manifest.fingerprint === undefined) return noKey(manifest.fingerprint, keys)
  const failed = ({ check, message }: { readonly check: string; readonly message: string }) =>
    new RepositoryError({ path, check, detail: `wants a key that cannot be used: ${message}` })
  if (manifest.fingerprint !== undefined) {
    const key = yield* Effect.mapError(keys.find(manifest.fingerprint), failed)
    return key === undefined ? noKey(manifest.fingerprint, keys) : { _tag: "Key", key }
  }
  const all = yield* Effect.mapError(keys.all, failed)
  const key = all.find((candidate) => candidate.verify(manifest) === true) ?? all[0]
  return key === undefined ? noKey(undefined, keys) : { _tag: "Key", key }
})

const noKey = (fingerprint: string | undefined, { entries }: KeyRing): Unlocked => {
  const wanted = fingerprint === undefined ? "a key" : `the key ${Digest.shortFingerprint(fingerprint)}`
  if (entries.length === 0) {
    return { _tag: "NoKey", fault: fault("KeyRequired", `is encrypted: ${wanted} is needed (--key-file)`) }
  }
  const have = entries.map((entry) =>
    entry.fingerprint === undefined ? entry.path : Digest.shortFingerprint(entry.fingerprint),
  )
  return {
    _tag: "NoKey",
    fault: fault(
      "WrongKey",
      `is encrypted with ${wanted}, and those at hand are ${have.join(", ")}; give its file (--key-file)`,
    ),
  }
}

/** What can be said of the signature (datastore §4.4). */
const checkSignature = (
  manifest: Manifest.Manifest,
  unlocked: Unlocked,
  unsigned: Options["unsigned"] = "refuse",
): Effect.Effect<Snapshot["signature"], DatastoreFault> => {
  if (manifest.signature === undefined) {
    const isProtected = manifest.files.some(({ cryptMode }) => cryptMode !== "none")
    return isProtected && unsigned === "refuse"
      ? Effect.fail(fault("Unsigned", "describes encrypted or signed files, but has no signature: it may be forged"))
      : Effect.succeed("unsigned")
  }
  if (unlocked._tag === "NoKey") return Effect.succeed("unchecked")
  return unlocked.key.verify(manifest) === true
    ? Effect.succeed("valid")
    : Effect.fail(fault("BadSignature", `has a signature that is not of the key ${unlocked.key.shortFingerprint}`))
}

const pathWarnings = (id: SnapshotId.SnapshotId, manifest: Manifest.Manifest): ReadonlyArray<DatastoreFault> => {
  const said = `${manifest.type}/${manifest.id}/${SnapshotId.fromEpoch(manifest.time)}`
  const is = `${id.type}/${id.id}/${id.time}`
  return said === is ? [] : [fault("ManifestPathMismatch", `says that it is of ${said}, not of ${is}`)]
}

const nameWarnings = ({ files }: Manifest.Manifest): ReadonlyArray<DatastoreFault> =>
  files.flatMap(({ name, storage }) =>
    storage === undefined ? [fault("UnsafeName", `lists ${JSON.stringify(name)}, which is left out`)] : [],
  )
