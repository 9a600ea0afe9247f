/**
 * Chunks that were fetched from far away, kept in a folder: as they were stored, so that encrypted ones stay encrypted.
 *
 * Several processes may use one folder, for any number of datastores: an entry is named by the chunk's digest, written
 * beside its place and renamed, and deleted in the order of last use when the folder is larger than its limit. Nothing
 * that is read from it is believed without the checks that every chunk passes; an entry that fails them is deleted, and
 * the chunk is fetched again. Losing the folder, or being unable to write into it, costs speed and nothing else.
 */
import * as fs from "node:fs"
import * as path from "node:path"
import * as Effect from "effect/Effect"
import * as FiberSet from "effect/FiberSet"
import * as Schema from "effect/Schema"
import type * as Scope from "effect/Scope"
import * as Semaphore from "effect/Semaphore"
import type { ErrorId } from "../../domain/ErrorId.ts"
import * as OwnMemory from "../bytes/OwnMemory.ts"
import type { Traffic } from "../bytes/Traffic.ts"
import { type BlobStore, chunkDigestOf } from "./BlobStore.ts"
import * as CacheFolder from "./CacheFolder.ts"

/** The folder of the cache cannot be used. */
export class DiskCacheError extends Schema.TaggedError<DiskCacheError>()("DiskCacheError", {
  path: Schema.String,
  detail: Schema.String,
}) {
  static readonly ids = { Any: "PXF-CACHE-FOLDER" } as const satisfies Record<string, ErrorId>
  /** See docs/errors.md. */
  get id(): ErrorId {
    return DiskCacheError.ids.Any
  }
  override get message(): string {
    return `${this.path}: cannot keep chunks here: ${this.detail}`
  }
}

/** Where chunks are kept, and how many. */
export interface Options {
  /** Made if it is not there, for this user alone; one that others can write to is refused. */
  readonly folder: string
  /** Bytes of all entries; `DEFAULT_LIMIT` unless given. */
  readonly limit?: number | undefined
}

/** 10 GiB. */
export const DEFAULT_LIMIT = 10 * 1024 * 1024 * 1024

/** A folder of chunks that is in use. */
export interface DiskCache {
  /** A store whose chunks are looked for in the folder first; all else is the store's own. */
  readonly over: (store: BlobStore, traffic?: Traffic) => BlobStore
}

/** Bytes that wait to be written at most: beyond that chunks are not kept. */
const MAX_PENDING = 64 * 1024 * 1024
/** Files written at once. */
const WRITERS = 2
/** Only what was last used so long ago is marked as used again, in milliseconds. */
const TOUCH_AFTER = 60_000

/** Opens a folder of chunks. Writes under way are waited for by the scope. */
export const make = Effect.fnUntraced(function* ({
  folder,
  limit = DEFAULT_LIMIT,
}: Options): Effect.fn.Return<DiskCache, DiskCacheError, Scope.Scope> {
  yield* Effect.tryPromise({
    try: () => CacheFolder.create(folder),
    catch: (error) => new DiskCacheError({ path: folder, detail: (error as Error).message }),
  })
  const run = yield* FiberSet.makeRuntime<never, void, never>()
  const writers = yield* Semaphore.make(WRITERS)
  let pending = 0
  let written = 0
  let isPruning = false
  let hasFailed = false

  const failed = (error: unknown): Effect.Effect<void> => {
    if (hasFailed) return Effect.void
    hasFailed = true
    return Effect.logWarning(`${folder}: chunks are not kept: ${(error as Error).message}`)
  }

  /** Other processes write, too: what is there is counted anew. */
  const prune: Effect.Effect<void> = Effect.suspend(() => {
    if (isPruning || written < limit / 20) return Effect.void
    isPruning = true
    written = 0
    const pruned = Effect.catch(
      Effect.tryPromise(() => CacheFolder.prune(folder, limit)),
      ({ cause }) => failed(cause),
    )
    return Effect.andThen(pruned, () => {
      isPruning = false
      // What was written meanwhile was told to wait.
      return prune
    })
  })

  const keep = (digest: string, stored: Uint8Array): void => {
    if (pending + stored.length > MAX_PENDING || stored.length > limit) return
    pending += stored.length
    // It is read by a thread while the caller goes on.
    OwnMemory.share(stored)
    const write = Effect.catch(
      Effect.tryPromise(() => CacheFolder.write(folder, digest, stored)),
      ({ cause }) => failed(cause),
    )
    const counted = Effect.sync(() => {
      pending -= stored.length
      written += stored.length
    })
    // What was fetched is kept also by a program that ends now.
    run(
      Effect.uninterruptible(Effect.andThen(Semaphore.withPermits(writers, 1)(write), Effect.andThen(counted, prune))),
    )
  }

  /** What is there is counted when the first chunk is written. */
  written = limit

  return {
    over: (store, traffic) => ({
      name: store.name,
      list: store.list,
      uncached: store,
      read: (blob, limit) => {
        const digest = chunkDigestOf(blob)
        if (digest === undefined) return store.read(blob, limit)
        return Effect.flatMap(
          Effect.promise(() => CacheFolder.read(folder, digest, limit, TOUCH_AFTER)),
          (kept) => {
            if (kept !== undefined) {
              if (traffic !== undefined) traffic.fromDisk += kept.length
              return Effect.succeed(kept)
            }
            return Effect.tap(store.read(blob, limit), (stored) =>
              Effect.sync(() => {
                if (stored.length > 0) keep(digest, stored)
              }),
            )
          },
        )
      },
      forget: (blob) =>
        Effect.promise(() => {
          const digest = chunkDigestOf(blob)
          return digest === undefined ? Promise.resolve(false) : CacheFolder.remove(folder, digest)
        }),
    }),
  }
})

/** The folder for those who name none: below `XDG_CACHE_HOME`, or `~/.cache`; `undefined` where there is no home. */
export const defaultFolder = (env: Readonly<Record<string, string | undefined>>): string | undefined => {
  const { HOME, XDG_CACHE_HOME } = env
  if (XDG_CACHE_HOME?.startsWith("/") === true) return path.join(XDG_CACHE_HOME, "pxar-fuse")
  return HOME?.startsWith("/") === true ? path.join(HOME, ".cache", "pxar-fuse") : undefined
}

/** What is in a folder, or was deleted from it. */
export interface Amount {
  readonly chunks: number
  readonly bytes: number
}

const maintained = <A>(folder: string, use: () => Promise<A>): Effect.Effect<A, DiskCacheError> =>
  Effect.tryPromise({
    try: use,
    catch: (error) => new DiskCacheError({ path: folder, detail: (error as Error).message }),
  })

/** What is kept in a folder; nothing if it is not there. */
export const info = (folder: string): Effect.Effect<Amount, DiskCacheError> =>
  maintained(folder, () => CacheFolder.info(folder))

/** Deletes what was used longest ago until at most `limit` bytes are kept; says what was deleted. */
export const prune = (folder: string, limit: number): Effect.Effect<Amount, DiskCacheError> =>
  maintained(folder, () =>
    fs.existsSync(folder) ? CacheFolder.prune(folder, limit) : Promise.resolve(CacheFolder.none),
  )
