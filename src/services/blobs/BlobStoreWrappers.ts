/**
 * What can be put around any store of blobs: tries again, counts, and for tests delay and faults. A wrapper changes no
 * bytes and no names.
 */
import * as Clock from "effect/Clock"
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Schedule from "effect/Schedule"
import * as Traffic from "../bytes/Traffic.ts"
import type { BlobError, BlobStore, Item } from "./BlobStore.ts"

/** How often and how long after a failure that may pass it is tried again. */
export interface RetryOptions {
  /** Most further tries; 3 unless given. */
  readonly times?: number | undefined
  /** Before the first further try; doubled each time. 100 ms unless given. */
  readonly delay?: Duration.Input | undefined
}

/** Tries again where that may help. */
export const retrying = (store: BlobStore, { delay = "100 millis", times = 3 }: RetryOptions = {}): BlobStore => {
  const again = <A>(effect: Effect.Effect<A, BlobError>) =>
    Effect.retry(effect, { schedule: Schedule.exponential(delay), times, while: (error) => error.isTransient })
  return {
    name: store.name,
    list: (folder) => again(store.list(folder)),
    read: (blob, limit) => again(store.read(blob, limit)),
  }
}

/** What was asked of a store. */
export interface Counts {
  lists: number
  reads: number
  /** Bytes of all blobs read. */
  bytes: number
  /** Names of the blobs read, with repetitions, in order. */
  readonly blobs: Array<string>
}

/** Counts what is asked of a store. */
export const counting = (store: BlobStore): { readonly store: BlobStore; readonly counts: Counts } => {
  const counts: Counts = { lists: 0, reads: 0, bytes: 0, blobs: [] }
  return {
    counts,
    store: {
      name: store.name,
      list: (folder) =>
        Effect.suspend(() => {
          counts.lists++
          return store.list(folder)
        }),
      read: (blob, limit) =>
        Effect.suspend(() => {
          counts.reads++
          counts.blobs.push(blob)
          return Effect.tap(store.read(blob, limit), (bytes) => {
            counts.bytes += bytes.length
            return Effect.void
          })
        }),
    },
  }
}

/** Counts reads and their bytes as traffic of a place, and logs each with `--debug`. */
export const metered = (store: BlobStore, traffic: Traffic.Traffic): BlobStore => ({
  ...store,
  read: (blob, limit) => Traffic.counted(traffic, `${store.name}/${blob}`, store.read(blob, limit)),
})

/** Lists that are remembered at most. */
const MOST_LISTS = 64

/** Answers with the list that was just got, for so many milliseconds: who looks for a backup and opens it asks twice. */
export const remembering = (store: BlobStore, milliseconds: number): BlobStore => {
  const lists = new Map<string, { readonly until: number; readonly items: ReadonlyArray<Item> }>()
  return {
    ...store,
    list: (folder) =>
      Effect.flatMap(Clock.currentTimeMillis, (now) => {
        const known = lists.get(folder)
        if (known !== undefined && now < known.until) return Effect.succeed(known.items)
        return Effect.tap(store.list(folder), (items) =>
          Effect.map(Clock.currentTimeMillis, (then) => {
            lists.delete(folder)
            lists.set(folder, { until: then + milliseconds, items })
            const [oldest] = lists.keys()
            if (lists.size > MOST_LISTS && oldest !== undefined) lists.delete(oldest)
          }),
        )
      }),
  }
}

/** Runs `before` ahead of every request with the name it is for: it can wait, or fail in the store's place. */
export const intercepted = (store: BlobStore, before: (name: string) => Effect.Effect<void, BlobError>): BlobStore => ({
  name: store.name,
  list: (folder) => Effect.andThen(before(folder), store.list(folder)),
  read: (blob, limit) => Effect.andThen(before(blob), store.read(blob, limit)),
})
