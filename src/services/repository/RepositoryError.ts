/**
 * What a repository, or something in it, cannot be used for: a failed check of datastore §8, or a store that failed.
 */
import * as Schema from "effect/Schema"
import type { DatastoreFault } from "../../domain/datastore/DatastoreFault.ts"
import type { BlobError } from "./BlobStore.ts"

export class RepositoryError extends Schema.TaggedError<RepositoryError>()("RepositoryError", {
  /** The file or folder concerned, with the repository it is in. */
  path: Schema.String,
  /** The check of datastore §8 that failed; `IO` where the store failed, which says nothing of its bytes; `Ambiguous`. */
  check: Schema.String,
  /** What is wrong, and what can be done. */
  detail: Schema.String,
}) {
  override get message(): string {
    return `${this.path}: ${this.detail}`
  }
}

/** A failed check. */
export const fromFault = (path: string, { check, detail }: DatastoreFault): RepositoryError =>
  new RepositoryError({ path, check, detail })

/** A store that failed. */
export const fromBlob = (error: BlobError): RepositoryError =>
  new RepositoryError({ path: `${error.store}/${error.blob}`, check: "IO", detail: error.detail })
