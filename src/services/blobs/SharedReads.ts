/**
 * Chunks that several want of a store at once are fetched once: readers of archives, and those who are given chunks as
 * they are stored.
 *
 * A chunk that was fetched is held for those who come shortly after, up to a number of bytes, those used last. A reader
 * that is interrupted leaves the fetch to the others. Failures are not held. All but chunks is the store's own.
 */
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as FiberSet from "effect/FiberSet"
import type * as Scope from "effect/Scope"
import * as DataBlob from "../../domain/datastore/DataBlob.ts"
import { BlobError, type BlobStore, chunkDigestOf } from "./BlobStore.ts"

/** Bytes of chunks that are held: eight of the usual size. */
const CAPACITY = 32 * 1024 * 1024

/** Puts it around a store; fetches under way end with the scope. `capacity` in bytes. */
export const make = (store: BlobStore, capacity = CAPACITY): Effect.Effect<BlobStore, never, Scope.Scope> =>
  Effect.map(FiberSet.makeRuntime<never, void, never>(), (run): BlobStore => {
    const flights = new Map<string, Deferred.Deferred<Uint8Array, BlobError>>()
    // In order of use, the least recent first.
    const held = new Map<string, Uint8Array>()
    let bytes = 0

    const drop = (blob: string): void => {
      bytes -= held.get(blob)?.length ?? 0
      held.delete(blob)
    }

    const hold = (blob: string, stored: Uint8Array): void => {
      drop(blob)
      held.set(blob, stored)
      bytes += stored.length
      for (const oldest of held.keys()) {
        if (bytes <= capacity) return
        drop(oldest)
      }
    }

    const fetch = (blob: string): Effect.Effect<Uint8Array, BlobError> => {
      const known = flights.get(blob)
      if (known !== undefined) return Deferred.await(known)
      const flight = Deferred.makeUnsafe<Uint8Array, BlobError>()
      flights.set(blob, flight)
      run(
        Effect.onExit(store.read(blob, DataBlob.MAX_ENCODED_CHUNK), (exit) =>
          Effect.suspend(() => {
            flights.delete(blob)
            // Whoever reads frees what it was given: each has its own.
            if (exit._tag === "Success") hold(blob, exit.value.slice())
            return Deferred.done(flight, exit)
          }),
        ).pipe(Effect.asVoid, Effect.ignoreCause),
      )
      return Deferred.await(flight)
    }

    return {
      ...store,
      uncached: store.uncached ?? store,
      read: (blob, limit) =>
        Effect.suspend(() => {
          if (chunkDigestOf(blob) === undefined) return store.read(blob, limit)
          const known = held.get(blob)
          if (known !== undefined) hold(blob, known)
          return Effect.flatMap(known === undefined ? fetch(blob) : Effect.succeed(known), (stored) =>
            stored.length <= limit ? Effect.succeed(stored.slice()) : Effect.fail(tooLarge(store, blob, stored, limit)),
          )
        }),
      forget: (blob) =>
        Effect.suspend(() => {
          const was = held.has(blob)
          drop(blob)
          return Effect.map(store.forget?.(blob) ?? Effect.succeed(false), (beneath) => was || beneath)
        }),
    }
  })

const tooLarge = (store: BlobStore, blob: string, { length }: Uint8Array, limit: number): BlobError =>
  new BlobError({
    store: store.name,
    blob,
    reason: "TooLarge",
    detail: `has ${length} bytes, more than ${limit}`,
    isTransient: false,
  })
