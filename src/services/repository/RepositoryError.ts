/**
 * What a repository, or something in it, cannot be used for: a failed check of datastore §8, or a store that failed.
 */
import * as Schema from "effect/Schema"
import type { ErrorId } from "../../domain/ErrorId.ts"
import type { DatastoreFault } from "../../domain/datastore/DatastoreFault.ts"
import type { BlobError } from "../blobs/BlobStore.ts"

/** A repository, or something in it, cannot be used. */
export class RepositoryError extends Schema.TaggedError<RepositoryError>()("RepositoryError", {
  /** The file or folder concerned, with the repository it is in. */
  path: Schema.String,
  /** The check of datastore §8 that failed; `IO` where the store failed, which says nothing of its bytes; `Ambiguous`. */
  check: Schema.String,
  /** What is wrong, and what can be done. */
  detail: Schema.String,
  /** Of a failure of what the repository stands on: its own id, where that says more than `IO`. */
  below: Schema.optional(Schema.String),
}) {
  static readonly ids = {
    NotADatastore: "PXF-REPOSITORY-NOT-A-DATASTORE",
    Unfinished: "PXF-REPOSITORY-UNFINISHED",
    NotFound: "PXF-REPOSITORY-NOT-FOUND",
    Ambiguous: "PXF-REPOSITORY-AMBIGUOUS",
    Damaged: "PXF-REPOSITORY-DAMAGED",
    KeyRequired: "PXF-REPOSITORY-KEY-REQUIRED",
    WrongKey: "PXF-REPOSITORY-WRONG-KEY",
    BadSignature: "PXF-REPOSITORY-BAD-SIGNATURE",
    Unsigned: "PXF-REPOSITORY-UNSIGNED",
    IO: "PXF-REPOSITORY-READ",
  } as const satisfies Record<string, ErrorId>
  /** See docs/errors.md. */
  get id(): ErrorId {
    return (this.below as ErrorId | undefined) ?? idOfCheck[this.check] ?? RepositoryError.ids.Damaged
  }
  override get message(): string {
    return `${this.path}: ${this.detail}`
  }
}

const { ids } = RepositoryError

/** Of the checks after which there is something else to do than to look for another copy. */
const idOfCheck: Readonly<Record<string, ErrorId>> = {
  NotADatastore: ids.NotADatastore,
  SnapshotUnfinished: ids.Unfinished,
  ArchiveNotFound: ids.NotFound,
  SplitIncomplete: ids.NotFound,
  Ambiguous: ids.Ambiguous,
  KeyRequired: ids.KeyRequired,
  WrongKey: ids.WrongKey,
  PassphraseWrong: ids.KeyRequired,
  PassphraseTooShort: ids.KeyRequired,
  // Of a key file that is wanted, and is told as part of the backup that wants it.
  Unreadable: ids.KeyRequired,
  KeyFileInvalid: ids.KeyRequired,
  KeyFingerprintMismatch: ids.KeyRequired,
  BadSignature: ids.BadSignature,
  Unsigned: ids.Unsigned,
  IO: ids.IO,
}

/** A failed check. */
export const fromFault = (path: string, { check, detail }: DatastoreFault): RepositoryError =>
  new RepositoryError({ path, check, detail })

/** A store that failed. */
export const fromBlob = (error: BlobError): RepositoryError =>
  new RepositoryError({ path: `${error.store}/${error.blob}`, check: "IO", detail: error.detail })
