/**
 * The indexes of the archive that a reference means: what contents consist of, without reading any.
 */
import * as Effect from "effect/Effect"
import type { Reference } from "../../domain/datastore/Reference.ts"
import type { Repository } from "../repository/Repository.ts"
import type { RepositoryError } from "../repository/RepositoryError.ts"
import * as ResolveReference from "../repository/ResolveReference.ts"
import type { Streams } from "./ContentChunks.ts"
import * as Edition from "./Edition.ts"

/** `undefined` where the reference means no single archive. No key is needed. */
export const of = Effect.fnUntraced(function* (
  repository: Repository,
  reference: Reference,
): Effect.fn.Return<Streams | undefined, RepositoryError> {
  const resolved = yield* ResolveReference.resolve(repository, reference)
  if (resolved._tag !== "File" || resolved.file.kind !== "archive") return undefined
  return yield* Edition.streams(resolved.snapshot, resolved.file)
})
