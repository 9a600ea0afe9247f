/**
 * Digest in, content out: checked, decrypted and decompressed (datastore §2.6), of one datastore or of several that are
 * copies of each other. Where one lacks a chunk or has it damaged, the next is asked.
 */
import * as Effect from "effect/Effect"
import * as DataBlob from "../../domain/datastore/DataBlob.ts"
import * as Digest from "../../domain/datastore/Digest.ts"
import type { BlobError, BlobStore } from "./BlobStore.ts"
import type { ChunkCache } from "./ChunkCache.ts"
import * as ChunkDecoder from "./ChunkDecoder.ts"
import { ChunkFault } from "./ChunkFault.ts"

/** A store of chunks. */
export interface ChunkStore {
  /** A chunk's content. Its memory belongs to the cache and must not be written to. */
  readonly read: (wanted: ChunkDecoder.Wanted) => Effect.Effect<Uint8Array, ChunkFault>
  /** The same where it is at hand. */
  readonly held: (wanted: ChunkDecoder.Wanted) => Uint8Array | undefined
  /** Says that a chunk will be wanted. */
  readonly prefetch: (wanted: ChunkDecoder.Wanted) => void
  /** A chunk's content from the store itself, past the cache: for those who verify. */
  readonly check: (wanted: ChunkDecoder.Wanted) => Effect.Effect<Uint8Array, ChunkFault>
  /** What can be told of a chunk without its key (datastore §2.6, steps 1 to 3). Past the cache. */
  readonly checkStored: (wanted: ChunkDecoder.Wanted) => Effect.Effect<void, ChunkFault>
  /** How many chunks a reader that goes forward should have read ahead. */
  readonly depth: number
}

/** What a store of chunks is made of. */
export interface Options {
  /** The datastore, then its copies. */
  readonly stores: readonly [BlobStore, ...ReadonlyArray<BlobStore>]
  readonly cache: ChunkCache
  /** Whether digests are compared; true unless given. Lengths and checksums always are. */
  readonly verify?: boolean | undefined
  /** How many chunks are read ahead; 2 unless given, which is enough for a folder. */
  readonly depth?: number | undefined
}

/** Where a chunk is in a datastore (datastore §1.2). */
export const chunkPath = (digest: Uint8Array): string => {
  const hex = Digest.toHex(digest)
  return `.chunks/${hex.slice(0, 4)}/${hex}`
}

/** Makes a store of chunks. */
export const make = ({ cache, depth = 2, stores, verify = true }: Options): ChunkStore => {
  const [first, ...copies] = stores

  /** Unverified chunks are not for those who verify, nor those of one store for the readers of another. */
  const scope = verify ? "" : first.name
  const keyOf = ({ digest, encrypted, key }: ChunkDecoder.Wanted): string =>
    // Also by what the manifest says: a chunk of another kind must not pass because somebody else may read it.
    `${Digest.toHex(digest)}${encrypted ? (key?.fingerprint ?? "locked") : ""}${scope}`

  const load = (wanted: ChunkDecoder.Wanted): Effect.Effect<Uint8Array, ChunkFault> =>
    copies.reduce(
      (loaded, copy) => Effect.catch(loaded, (fault) => Effect.mapError(loadFrom(copy, wanted, verify), () => fault)),
      loadFrom(first, wanted, verify),
    )

  /** A chunk that is there may have another length than an index says. */
  const ofLength = (wanted: ChunkDecoder.Wanted, content: Uint8Array): Effect.Effect<Uint8Array, ChunkFault> =>
    content.length === wanted.length
      ? Effect.succeed(content)
      : Effect.fail(
          new ChunkFault({
            check: "LengthMismatch",
            file: fileOf(first, wanted),
            detail: `has ${content.length} bytes of content, not the ${wanted.length} of the index`,
            isTransient: false,
          }),
        )

  return {
    depth,
    held: (wanted) => {
      const content = cache.held(keyOf(wanted))
      return content?.length === wanted.length ? content : undefined
    },
    read: (wanted) =>
      Effect.suspend(() =>
        Effect.flatMap(cache.get(keyOf(wanted), wanted.length, load(wanted)), (content) => ofLength(wanted, content)),
      ),
    prefetch: (wanted) => cache.prefetch(keyOf(wanted), wanted.length, load(wanted)),
    check: (wanted) => loadFrom(first, wanted, true),
    checkStored: (wanted) =>
      Effect.flatMap(readStored(first, wanted), (stored) => {
        const found = ChunkDecoder.checkStored(stored, wanted.encrypted)
        return found === undefined ? Effect.void : Effect.fail(damaged(first, wanted, found))
      }),
  }
}

const fileOf = (store: BlobStore, wanted: ChunkDecoder.Wanted): string => `${store.name}/${chunkPath(wanted.digest)}`

const damaged = (
  store: BlobStore,
  wanted: ChunkDecoder.Wanted,
  { check, detail }: Pick<ChunkFault, "check" | "detail">,
): ChunkFault => new ChunkFault({ check, file: fileOf(store, wanted), detail, isTransient: false })

const loadFrom = (
  store: BlobStore,
  wanted: ChunkDecoder.Wanted,
  verify: boolean,
): Effect.Effect<Uint8Array, ChunkFault> =>
  Effect.flatMap(readStored(store, wanted), (stored) =>
    Effect.catch(ChunkDecoder.decodeChunk(stored, wanted, verify), (fault) =>
      Effect.flatMap(besides(store, wanted), (more) =>
        Effect.fail(damaged(store, wanted, { check: fault.check, detail: fault.detail + more })),
      ),
    ),
  )

const readStored = (store: BlobStore, wanted: ChunkDecoder.Wanted): Effect.Effect<Uint8Array, ChunkFault> =>
  Effect.catch(store.read(chunkPath(wanted.digest), DataBlob.MAX_ENCODED_CHUNK), (error) =>
    Effect.flatMap(notRead(store, wanted, error), Effect.fail),
  ).pipe(
    Effect.filterOrFail(
      (stored) => stored.length > 0,
      () =>
        damaged(store, wanted, {
          check: "ChunkEmpty",
          detail: "is empty: the local cache of a datastore in a bucket looks so, or a server that crashed",
        }),
    ),
  )

const notRead = (store: BlobStore, wanted: ChunkDecoder.Wanted, error: BlobError): Effect.Effect<ChunkFault> => {
  if (error.reason === "NotFound") {
    return Effect.map(besides(store, wanted), (more) =>
      damaged(store, wanted, { check: "ChunkMissing", detail: `is missing${more}` }),
    )
  }
  if (error.reason === "TooLarge") {
    return Effect.succeed(damaged(store, wanted, { check: "LengthMismatch", detail: error.detail }))
  }
  const { detail, isTransient } = error
  return Effect.succeed(new ChunkFault({ check: "IO", file: fileOf(store, wanted), detail, isTransient }))
}

/** Says whether files beside a chunk tell that a server has found it damaged (datastore §1.2). */
const besides = (store: BlobStore, wanted: ChunkDecoder.Wanted): Effect.Effect<string> => {
  const path = chunkPath(wanted.digest)
  const slash = path.lastIndexOf("/")
  return Effect.match(store.list(path.slice(0, slash)), {
    // What was asked for has failed already; whatever keeps the folder from being listed says nothing more.
    onFailure: () => "",
    onSuccess: (items) => {
      const bad = items.map(({ name }) => name).filter((name) => isBad(name, path.slice(slash + 1)))
      return bad.length === 0
        ? ""
        : `; a server has found it damaged and has put it aside as ${bad.toSorted().join(", ")}`
    },
  })
}

const isBad = (name: string, digest: string): boolean =>
  name.startsWith(`${digest}.`) && /^\.\d\.bad$/.test(name.slice(64))
