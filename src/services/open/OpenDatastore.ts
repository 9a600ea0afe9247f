/**
 * Opens the repository in a datastore.
 */
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import type { BlobStore } from "../blobs/BlobStore.ts"
import * as BlobStoreWrappers from "../blobs/BlobStoreWrappers.ts"
import * as SharedReads from "../blobs/SharedReads.ts"
import * as ChunkStore from "../chunks/ChunkStore.ts"
import * as DatastoreRepository from "../repository/DatastoreRepository.ts"
import * as FarPlace from "./FarPlace.ts"
import type { Failure, OpenedRepository, RepositoryOptions } from "./Location.ts"

/** Milliseconds for which a list of what is far away is good. */
const FRESH = 1000

/** The repository whose blobs are in `store`; the copies of it heal it, in their order, and others have chunks of it. */
export const open = Effect.fnUntraced(function* (
  store: BlobStore,
  copies: ReadonlyArray<BlobStore>,
  others: ReadonlyArray<BlobStore>,
  options: RepositoryOptions & Pick<DatastoreRepository.Options, "first">,
  isFar: boolean,
): Effect.fn.Return<OpenedRepository, Failure, Scope.Scope> {
  const { cache, over } = yield* FarPlace.make(options, isFar)
  const { onHealed, verifyChunks: verify } = options
  const files = options.givesOut === true ? yield* SharedReads.make(over(store)) : undefined
  const stores = [files ?? over(store), ...[...others, ...copies].map(over)] as const
  const chunks = ChunkStore.make({ stores, cache, verify, onHealed })
  return {
    cache,
    files,
    repository: yield* DatastoreRepository.open(isFar ? BlobStoreWrappers.remembering(store, FRESH) : store, {
      ...options,
      keys: yield* options.keys,
      chunks,
      copies,
    }),
  }
})
