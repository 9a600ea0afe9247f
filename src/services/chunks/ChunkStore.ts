/**
 * Digest in, content out: checked, decrypted and decompressed (datastore §2.6), of one datastore or of several that are
 * copies of each other. Where one lacks a chunk or has it damaged, the next is asked.
 *
 * What a copy gives is always compared by digest. A chunk is lost if all stores lack it or have it damaged; where one of
 * them could not be read, that is what is said, and nothing is lost yet.
 */
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Digest from "../../domain/datastore/Digest.ts"
import type { BlobStore } from "../blobs/BlobStore.ts"
import type { ChunkCache } from "../bytes/ChunkCache.ts"
import type * as ChunkDecoder from "./ChunkDecoder.ts"
import { ChunkFault, isLoss } from "./ChunkFault.ts"
import type { Healed } from "./Healed.ts"
import * as StoredChunk from "./StoredChunk.ts"

export { chunkPath } from "./StoredChunk.ts"

/** A store of chunks. */
export interface ChunkStore {
  /**
   * What `use` makes of a chunk's content. The content's memory is the cache's: it must not be written to, nor be kept.
   */
  readonly read: <A>(wanted: ChunkDecoder.Wanted, use: (content: Uint8Array) => A) => Effect.Effect<A, ChunkFault>
  /** The content where it is at hand, for this turn. */
  readonly held: (wanted: ChunkDecoder.Wanted) => Uint8Array | undefined
  /** Says that a chunk will be wanted, by somebody who can give that up. */
  readonly prefetch: (wanted: ChunkDecoder.Wanted, owner?: object) => void
  /** Checks a chunk of the first store, past the cache: for those who verify. Without its key steps 1 to 3 of §2.6. */
  readonly check: (wanted: ChunkDecoder.Wanted) => Effect.Effect<StoredChunk.Proof, ChunkFault>
  /**
   * Looks for a chunk in the copies, because of what is wrong with it in the first store. Fails with that if there is no
   * copy, and otherwise with what is wrong in all of them.
   */
  readonly findCopy: (wanted: ChunkDecoder.Wanted, fault: ChunkFault) => Effect.Effect<Copy, ChunkFault>
  /** Where its chunks are kept. */
  readonly cache: ChunkCache
}

/** Where a chunk can be had. */
export interface Copy extends StoredChunk.Sound {
  /** Name of the copy. */
  readonly from: string
}

/** What a store of chunks is made of. */
export interface Options {
  /** The datastore, then its copies. */
  readonly stores: readonly [BlobStore, ...ReadonlyArray<BlobStore>]
  readonly cache: ChunkCache
  /** Whether digests of the first store are compared; true unless given. Lengths and checksums always are. */
  readonly verify?: boolean | undefined
  /** Is told of every chunk that a copy had, once. */
  readonly onHealed?: ((healed: Healed) => Effect.Effect<void>) | undefined
}

/** Makes a store of chunks. */
export const make = ({ cache, onHealed, stores, verify = true }: Options): ChunkStore => {
  const [first, ...copies] = stores
  /** Digests of chunks that were told of. */
  const told = new Set<string>()

  /** Unverified chunks are not for those who verify, nor those of one store for the readers of another. */
  const scope = verify ? "" : first.name
  const keyOf = ({ digest, encrypted, key }: ChunkDecoder.Wanted): string =>
    // Also by what the manifest says: a chunk of another kind must not pass because somebody else may read it.
    `${Digest.toHex(digest)}${encrypted ? (key?.fingerprint ?? "locked") : ""}${scope}`

  /** What the first of the copies gives that has it. */
  const fromCopies = <A>(
    fault: ChunkFault,
    take: (copy: BlobStore) => Effect.Effect<A, ChunkFault>,
  ): Effect.Effect<A, ChunkFault> => {
    // A missing key opens no copy.
    if (copies.length === 0 || (!isLoss(fault) && fault.check !== "IO")) return Effect.fail(fault)
    const from = (at: number, faults: ReadonlyArray<ChunkFault>): Effect.Effect<A, ChunkFault> => {
      const copy = copies[at]
      if (copy === undefined) return Effect.fail(together(fault, faults))
      return Effect.catch(take(copy), (other) => from(at + 1, [...faults, other]))
    }
    return from(0, [])
  }

  const tell = (
    wanted: ChunkDecoder.Wanted,
    { check, detail, file }: ChunkFault,
    from: string,
  ): Effect.Effect<void> => {
    const digest = Digest.toHex(wanted.digest)
    if (onHealed === undefined || told.has(digest)) return Effect.void
    told.add(digest)
    return onHealed({ kind: "chunk", file, check, detail, from })
  }

  const load = (wanted: ChunkDecoder.Wanted): Effect.Effect<Uint8Array, ChunkFault> =>
    Effect.catch(StoredChunk.content(first, wanted, verify), (fault) =>
      fromCopies(fault, (copy) =>
        Effect.tap(StoredChunk.content(copy, wanted, true), () => tell(wanted, fault, copy.name)),
      ),
    )

  /** A chunk that is there may have another length than an index says. */
  const ofLength =
    <A>(wanted: ChunkDecoder.Wanted, use: (content: Uint8Array) => A) =>
    (content: Uint8Array): Exit.Exit<A, ChunkFault> =>
      content.length === wanted.length
        ? Exit.succeed(use(content))
        : Exit.fail(
            new ChunkFault({
              check: "LengthMismatch",
              file: StoredChunk.fileOf(first, wanted),
              detail: `has ${content.length} bytes of content, not the ${wanted.length} of the index`,
              isTransient: false,
            }),
          )

  return {
    cache,
    held: (wanted) => {
      const content = cache.held(keyOf(wanted))
      return content?.length === wanted.length ? content : undefined
    },
    read: (wanted, use) =>
      Effect.suspend(() =>
        Effect.flatten(cache.get(keyOf(wanted), wanted.length, load(wanted), ofLength(wanted, use))),
      ),
    prefetch: (wanted, owner) => cache.prefetch(keyOf(wanted), wanted.length, load(wanted), owner),
    check: (wanted) => Effect.map(StoredChunk.sound(first.uncached ?? first, wanted), ({ proof }) => proof),
    findCopy: (wanted, fault) =>
      fromCopies(fault, (copy) =>
        Effect.map(StoredChunk.sound(copy.uncached ?? copy, wanted), (sound) => ({ ...sound, from: copy.name })),
      ),
  }
}

/** What is wrong with a chunk in the first store and in all copies. It is lost only if none of them says otherwise. */
const together = (fault: ChunkFault, others: ReadonlyArray<ChunkFault>): ChunkFault => {
  const unsure = [fault, ...others].find((one) => !isLoss(one))
  const copies = others.map((other) => `in the copy ${other.file} it ${other.detail}`)
  return new ChunkFault({
    check: (unsure ?? fault).check,
    file: fault.file,
    detail: [fault.detail, ...copies].join("; "),
    isTransient: unsure?.isTransient ?? false,
  })
}
