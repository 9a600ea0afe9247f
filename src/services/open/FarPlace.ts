/**
 * How chunks of a place are fetched and kept, by how far away it is: memory and read-ahead, the disk cache, what is counted.
 *
 * A folder of this machine needs little of it. Far away much is read ahead, and what was fetched is kept on disk unless
 * that is not wanted.
 */
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import * as ChunkCache from "../bytes/ChunkCache.ts"
import type { BlobStore } from "../blobs/BlobStore.ts"
import * as BlobStoreWrappers from "../blobs/BlobStoreWrappers.ts"
import * as DiskCache from "../blobs/DiskCache.ts"

/** What is kept, and where. */
export interface Options {
  /** Bytes of decoded chunks that are kept in memory; 256 MiB far away and 128 MiB otherwise unless given. */
  readonly chunkCache?: number | undefined
  /** Folder of the disk cache; below the user's cache folder unless given. */
  readonly cacheDir?: string | undefined
  /** Bytes of the disk cache; 10 GiB unless given. */
  readonly cacheLimit?: number | undefined
  /** Whether nothing is kept on disk. */
  readonly noCache?: boolean | undefined
  /** Of the environment: where the user's cache folder is. */
  readonly env: Readonly<Record<string, string | undefined>>
}

/** Where chunks of a place are kept, and how its stores are asked. */
export interface FarPlace {
  readonly cache: ChunkCache.ChunkCache
  /** A store of the place, counted and behind the disk cache. */
  readonly over: (store: BlobStore) => BlobStore
}

/** Prepares for a place. Only a folder that was named must be usable: without another one nothing is kept on disk. */
export const make = Effect.fnUntraced(function* (
  options: Options,
  isFar: boolean,
): Effect.fn.Return<FarPlace, DiskCache.DiskCacheError, Scope.Scope> {
  const cache = yield* ChunkCache.make(options.chunkCache, { isFar })
  const disk = yield* diskCache(options, isFar)
  const counted = (store: BlobStore) => BlobStoreWrappers.metered(store, cache.traffic)
  return { cache, over: (store) => disk?.over(counted(store), cache.traffic) ?? counted(store) }
})

const diskCache = (
  { cacheDir, cacheLimit, env, noCache = false }: Options,
  isFar: boolean,
): Effect.Effect<DiskCache.DiskCache | undefined, DiskCache.DiskCacheError, Scope.Scope> => {
  if (noCache || cacheLimit === 0) return Effect.undefined
  if (cacheDir !== undefined) return DiskCache.make({ folder: cacheDir, limit: cacheLimit })
  const folder = isFar ? DiskCache.defaultFolder(env) : undefined
  if (folder === undefined) return Effect.undefined
  return Effect.catch(DiskCache.make({ folder, limit: cacheLimit }), (error) =>
    Effect.as(Effect.logWarning(error.message), undefined),
  )
}
