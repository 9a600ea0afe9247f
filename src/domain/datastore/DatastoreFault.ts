/**
 * What can be wrong with a datastore, a key or an address of a backup (datastore §8).
 *
 * A plain value, as `FormatError` is for archives: decoders of this room return it in a `Result`, and the services add
 * the file concerned and what the user can do. I/O errors are none of these: they are the store's.
 */
import * as Data from "effect/Data"

/** Failure classes of datastore §8. */
export type Check =
  | "NotADatastore"
  | "SnapshotUnfinished"
  | "ManifestInvalid"
  | "ManifestPathMismatch"
  | "UnsafeName"
  | "ArchiveNotFound"
  | "SplitIncomplete"
  | "IndexBadMagic"
  | "IndexBadSize"
  | "IndexEmpty"
  | "IndexNotMonotonic"
  | "IndexCsumMismatch"
  | "IndexSizeMismatch"
  | "IndexHeaderCsum"
  | "BlobCsumMismatch"
  | "ChunkMissing"
  | "ChunkEmpty"
  | "ChunkBadHeader"
  | "CryptModeMismatch"
  | "CrcMismatch"
  | "KeyRequired"
  | "DecryptFailed"
  | "DecompressFailed"
  | "LengthMismatch"
  | "DigestMismatch"
  | "WrongKey"
  | "BadSignature"
  | "Unsigned"
  | "KeyFileInvalid"
  | "KeyFingerprintMismatch"
  | "PassphraseTooShort"
  | "PassphraseWrong"
  | "MasterKeyRefused"

/** A failed check. */
export class DatastoreFault extends Data.TaggedClass("DatastoreFault")<{
  readonly check: Check
  readonly detail: string
}> {
  get message(): string {
    return `${this.detail} (${this.check})`
  }
}

/** A failed check. */
export const fault = (check: Check, detail: string): DatastoreFault => new DatastoreFault({ check, detail })
