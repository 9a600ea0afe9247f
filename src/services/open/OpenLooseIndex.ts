/**
 * Opens an index file whose chunks are in datastores elsewhere.
 */
import * as path from "node:path"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import type { Reference } from "../../domain/datastore/Reference.ts"
import type { BlobStore } from "../blobs/BlobStore.ts"
import * as ChunkStore from "../chunks/ChunkStore.ts"
import * as FolderBlobStore from "../blobs/FolderBlobStore.ts"
import * as LooseIndexes from "../repository/LooseIndexes.ts"
import * as FarPlace from "./FarPlace.ts"
import type { Failure, OpenedRepository, RepositoryOptions } from "./Location.ts"

/** A repository in which the index is all there is, what is meant there, and the folder it is in. */
export const open = Effect.fnUntraced(function* (
  file: string,
  stores: ReadonlyArray<BlobStore>,
  options: RepositoryOptions,
): Effect.fn.Return<
  OpenedRepository & { readonly reference: Reference; readonly folder: string },
  Failure,
  Scope.Scope
> {
  const { cache, over } = yield* FarPlace.make(options, true)
  const folder = FolderBlobStore.make(path.dirname(path.resolve(file)))
  const [first = folder, ...others] = stores.map(over)
  const chunks = ChunkStore.make({ stores: [first, ...others], cache, verify: options.verifyChunks })
  const opened = LooseIndexes.make(folder, path.basename(file), { ...options, keys: yield* options.keys, chunks })
  return { ...opened, cache, folder: folder.name }
})
