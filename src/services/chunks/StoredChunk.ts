/**
 * A chunk as it lies in one datastore: read, and checked as far as can be (datastore §1.2, §2.6). Who has several stores
 * asks them one after the other (`ChunkStore`).
 */
import * as Effect from "effect/Effect"
import * as DataBlob from "../../domain/datastore/DataBlob.ts"
import * as Digest from "../../domain/datastore/Digest.ts"
import type { BlobError, BlobStore } from "../blobs/BlobStore.ts"
import * as ChunkDecoder from "./ChunkDecoder.ts"
import { ChunkFault, isLoss } from "./ChunkFault.ts"
import * as OwnMemory from "../bytes/OwnMemory.ts"

/** What vouches for the bytes of a chunk: its digest, or without its key only the checksum that is stored with it. */
export type Proof = "digest" | "checksum"

/** A chunk that passed its checks. */
export interface Sound {
  /** As stored. */
  readonly stored: Uint8Array
  readonly proof: Proof
}

/** Where a chunk is in a datastore (datastore §1.2). */
export const chunkPath = (digest: Uint8Array): string => {
  const hex = Digest.toHex(digest)
  return `.chunks/${hex.slice(0, 4)}/${hex}`
}

/** The path of a chunk for messages, with its store. */
export const fileOf = (store: BlobStore, { digest }: ChunkDecoder.Wanted): string =>
  `${store.name}/${chunkPath(digest)}`

/** A chunk's content. With `verify` false all is checked but the digest. */
export const content = (
  store: BlobStore,
  wanted: ChunkDecoder.Wanted,
  verify: boolean,
): Effect.Effect<Uint8Array, ChunkFault> =>
  withoutCopies(
    store,
    wanted,
    Effect.flatMap(read(store, wanted), (stored) =>
      Effect.tap(decode(store, stored, wanted, verify), (content) =>
        Effect.sync(() => {
          if (content.buffer !== stored.buffer) OwnMemory.free(stored)
        }),
      ),
    ),
  )

/** A chunk that is as it should be, as far as can be told: by its digest, or without its key by steps 1 to 3. */
export const sound = (store: BlobStore, wanted: ChunkDecoder.Wanted): Effect.Effect<Sound, ChunkFault> =>
  withoutCopies(
    store,
    wanted,
    Effect.flatMap(read(store, wanted), (stored): Effect.Effect<Sound, ChunkFault> => {
      if (!wanted.encrypted || wanted.key !== undefined) {
        return Effect.as(decode(store, stored, wanted, true), { stored, proof: "digest" })
      }
      const found = ChunkDecoder.checkStored(stored, wanted.encrypted)
      return found === undefined
        ? Effect.succeed({ stored, proof: "checksum" })
        : Effect.fail(damaged(store, wanted, found))
    }),
  )

/** What is wrong may be a copy in a cache: it is dropped, and the chunk itself is looked at. */
const withoutCopies = <A>(
  store: BlobStore,
  wanted: ChunkDecoder.Wanted,
  looked: Effect.Effect<A, ChunkFault>,
): Effect.Effect<A, ChunkFault> =>
  Effect.catch(looked, (fault) =>
    store.forget === undefined || !isLoss(fault)
      ? Effect.fail(fault)
      : Effect.flatMap(store.forget(chunkPath(wanted.digest)), (was) => (was ? looked : Effect.fail(fault))),
  )

const decode = (
  store: BlobStore,
  stored: Uint8Array,
  wanted: ChunkDecoder.Wanted,
  verify: boolean,
): Effect.Effect<Uint8Array, ChunkFault> =>
  Effect.catch(ChunkDecoder.decodeChunk(stored, wanted, verify), ({ check, detail }) =>
    Effect.flatMap(besides(store, wanted), (more) =>
      Effect.fail(damaged(store, wanted, { check, detail: detail + more })),
    ),
  )

const damaged = (
  store: BlobStore,
  wanted: ChunkDecoder.Wanted,
  { check, detail }: Pick<ChunkFault, "check" | "detail">,
): ChunkFault => new ChunkFault({ check, file: fileOf(store, wanted), detail, isTransient: false })

/** A chunk as it is stored, with at least one byte. */
const read = (store: BlobStore, wanted: ChunkDecoder.Wanted): Effect.Effect<Uint8Array, ChunkFault> =>
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
