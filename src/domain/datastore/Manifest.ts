/**
 * What a backup consists of: the JSON text in `index.json.blob` (datastore §4).
 *
 * What its signature covers is given as text; whether the signature is right is told by whoever has the key.
 */
import * as Result from "effect/Result"
import * as CanonicalJson from "./CanonicalJson.ts"
import { type DatastoreFault, fault } from "./DatastoreFault.ts"
import * as Digest from "./Digest.ts"
import * as SnapshotFile from "./SnapshotFile.ts"
import * as SnapshotId from "./SnapshotId.ts"

/** What was done to the chunks of a file: `sign-only` ones are plain, and their digests are protected by the signature. */
export type CryptMode = "none" | "encrypt" | "sign-only"

/** A file of a backup. */
export interface File {
  /** As on disk, with the extension that says how it is stored. It may be unsafe: see `storage`. */
  readonly name: string
  /** How it is stored; `undefined` if the name is no safe one, and then the file must not be opened (`UnsafeName`). */
  readonly storage: SnapshotFile.Storage | undefined
  /** Bytes of the stream or image; of a blob those of the stored file. */
  readonly size: number
  /** SHA-256 of the index's entries; of a blob that of the stored file. 32 bytes. */
  readonly checksum: Uint8Array
  readonly cryptMode: CryptMode
}

/** Of the last verification by a server. */
export interface VerifyState {
  /** `ok` or `failed`. */
  readonly state: string
  /** The task that verified it. */
  readonly upid: string | undefined
}

/** What a manifest says. */
export interface Manifest {
  readonly type: SnapshotId.BackupType
  readonly id: string
  /** Seconds since the epoch. */
  readonly time: number
  readonly files: ReadonlyArray<File>
  /** Fingerprint text of the key that signed it; set whenever it is signed by a recent client. */
  readonly fingerprint: string | undefined
  /** A comment of the user's. */
  readonly notes: string | undefined
  readonly verified: VerifyState | undefined
  /** HMAC-SHA-256, 32 bytes. */
  readonly signature: Uint8Array | undefined
  /**
   * Texts that the signature may cover: the JSON as it is (clients up to 4.1.8), and the known fields written anew (later
   * ones). They differ only where there are unknown fields or a mode is left out.
   */
  readonly signed: ReadonlyArray<string>
}

/** Reads the JSON text of a manifest. Fails with `ManifestInvalid`. */
export const parse = (text: string): Result.Result<Manifest, DatastoreFault> => {
  const bad = (detail: string) => Result.fail(fault("ManifestInvalid", detail))
  const parsed = parseJson(text)
  if (!isRecord(parsed)) return bad("is no JSON object")
  const { "backup-type": type, "backup-id": id, "backup-time": time, files: listed } = parsed
  if (typeof type !== "string" || !SnapshotId.isType(type)) return bad(`has no "backup-type" of vm, ct or host`)
  if (typeof id !== "string") return bad(`has no "backup-id"`)
  if (!Number.isSafeInteger(time)) return bad(`has no whole "backup-time"`)
  if (!Array.isArray(listed)) return bad(`has no list of "files"`)
  const files = Result.all(listed.map(parseFile))
  if (Result.isFailure(files)) return bad(files.failure)
  const unprotected = parsed["unprotected"] ?? {}
  if (!isRecord(unprotected)) return bad(`"unprotected" is no object`)
  const fingerprint = unprotected["key-fingerprint"] ?? undefined
  const bytes = typeof fingerprint === "string" ? Digest.fromFingerprint(fingerprint) : undefined
  if (fingerprint !== undefined && bytes === undefined) return bad(`"key-fingerprint" is no fingerprint`)
  const written = parsed["signature"] ?? undefined
  const signature = typeof written === "string" ? Digest.fromHex(written) : undefined
  if (written !== undefined && signature === undefined) return bad(`"signature" is not 64 hexadecimal digits`)
  const notes = unprotected["notes"]
  return Result.succeed({
    type,
    id,
    time: time as number,
    files: files.success,
    fingerprint: bytes === undefined ? undefined : Digest.toFingerprint(bytes),
    notes: typeof notes === "string" ? notes : undefined,
    verified: parseVerified(unprotected["verify_state"]),
    signature,
    signed: signedTexts(parsed, type, id, time as number, files.success),
  })
}

const parseFile = (listed: unknown): Result.Result<File, string> => {
  if (!isRecord(listed)) return Result.fail(`an entry of "files" is no object`)
  const { "crypt-mode": mode = "none", csum, filename: name, size } = listed
  if (typeof name !== "string") return Result.fail(`an entry of "files" has no "filename"`)
  if (!Number.isSafeInteger(size) || (size as number) < 0) return Result.fail(`${name} has no "size" that can be`)
  const checksum = typeof csum === "string" ? Digest.fromHex(csum) : undefined
  if (checksum === undefined) return Result.fail(`${name} has no "csum" of 64 hexadecimal digits`)
  if (mode !== "none" && mode !== "encrypt" && mode !== "sign-only")
    return Result.fail(`${name} has no known crypt-mode`)
  return Result.succeed({ name, storage: SnapshotFile.storage(name), size: size as number, checksum, cryptMode: mode })
}

const parseVerified = (value: unknown): VerifyState | undefined => {
  if (!isRecord(value) || typeof value["state"] !== "string") return undefined
  return { state: value["state"], upid: typeof value["upid"] === "string" ? value["upid"] : undefined }
}

const signedTexts = (
  parsed: Record<string, unknown>,
  type: string,
  id: string,
  time: number,
  files: ReadonlyArray<File>,
): ReadonlyArray<string> => {
  const { signature: _, unprotected: __, ...covered } = parsed
  const known = {
    "backup-type": type,
    "backup-id": id,
    "backup-time": time,
    files: files.map(({ checksum, cryptMode, name, size }) => ({
      filename: name,
      size,
      csum: Digest.toHex(checksum),
      "crypt-mode": cryptMode,
    })),
  }
  const texts = [known, covered].map(CanonicalJson.format).filter(Result.isSuccess)
  return [...new Set(texts.map(({ success }) => success))]
}

/** A manifest to be written: whatever a signature may cover, without one. */
export interface Fields {
  readonly type: SnapshotId.BackupType
  readonly id: string
  readonly time: number
  readonly files: ReadonlyArray<Omit<File, "storage">>
  readonly fingerprint?: string | undefined
  readonly notes?: string | undefined
}

/** The JSON text of a manifest, and what its signature has to cover. */
export const encode = (fields: Fields, signature?: Uint8Array): string =>
  JSON.stringify(
    {
      "backup-type": fields.type,
      "backup-id": fields.id,
      "backup-time": fields.time,
      files: fields.files.map(({ checksum, cryptMode, name, size }) => ({
        filename: name,
        size,
        csum: Digest.toHex(checksum),
        "crypt-mode": cryptMode,
      })),
      unprotected: {
        ...(fields.fingerprint === undefined ? {} : { "key-fingerprint": fields.fingerprint }),
        ...(fields.notes === undefined ? {} : { notes: fields.notes }),
      },
      signature: signature === undefined ? null : Digest.toHex(signature),
    },
    undefined,
    2,
  )

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null && !Array.isArray(value)

const parseJson = (text: string): unknown => {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
