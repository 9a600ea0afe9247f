/**
 * The decoded chunks of a process, or pieces of what is not in chunks: at most `capacity` bytes, dropped in the order of
 * last use.
 *
 * A chunk that many want at once is loaded once. What somebody waits for goes before what is read ahead, and both
 * together have at most a quarter of the capacity under way, one chunk at least. A reader that is interrupted leaves the
 * load to the others; what nobody waits for any more and has not begun is dropped, and so is what was to be read ahead
 * for a reader that is gone. Loads that have begun are never broken off. Failures are not kept. What is under way counts
 * as kept: with it, too, the cache has no more than its capacity, but for what is larger. The memory of what is dropped
 * is given back at once (`OwnMemory`).
 */
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as FiberSet from "effect/FiberSet"
import type * as Scope from "effect/Scope"
import * as ForwardReaders from "./ForwardReaders.ts"
import * as OwnMemory from "./OwnMemory.ts"
import * as Traffic from "./Traffic.ts"

/** The chunks that are kept, and those under way. */
export interface ChunkCache {
  /** Bytes of chunks that are kept and under way at most. */
  readonly capacity: number
  /** Whether a round trip is dear: much is read ahead. */
  readonly isFar: boolean
  /** Bytes to read ahead at most, for all readers together. */
  readonly window: number
  /** Those who read what is kept here. */
  readonly readers: ForwardReaders.ForwardReaders
  /** What was asked for and fetched. */
  readonly traffic: Traffic.Traffic
  /** A chunk that is there, for this turn: its memory is the cache's, which may drop it in the next. */
  readonly held: (key: string) => Uint8Array | undefined
  /**
   * What `use` makes of a chunk of `length` bytes, which is loaded if it is not there. The chunk's memory is the cache's: it
   * must not be written to, nor be kept.
   */
  readonly get: <A, E>(key: string, length: number, load: Load<E>, use: (chunk: Uint8Array) => A) => Effect.Effect<A, E>
  /** Loads a chunk when there is room and time for it, for a reader or anything else that can be given up. */
  readonly prefetch: <E>(key: string, length: number, load: Load<E>, owner?: object) => void
  /** Whether a chunk is on its way, or is to be read ahead. */
  readonly isUnderWay: (key: string) => boolean
  /** Gives up what was to be read ahead for somebody and has not begun. */
  readonly giveUp: (owner: object) => void
  /** What is kept and under way. */
  readonly memory: () => { readonly chunks: number; readonly bytes: number; readonly loading: number }
}

/** Gets and decodes a chunk. Loads of one key must fail alike. */
export type Load<E> = Effect.Effect<Uint8Array, E>

/** For the chunks of a folder: 32 of the usual size. */
export const DEFAULT_CAPACITY = 128 * 1024 * 1024
/** For those of a place far away. */
export const FAR_CAPACITY = 256 * 1024 * 1024

/** How chunks are loaded. */
export interface Options {
  /** Whether the chunks are far away, so that much is read ahead; false unless given. */
  readonly isFar?: boolean | undefined
  /** Loads under way at most, 1 to 64; unless given 16, and 64 of small chunks that are far away. */
  readonly requests?: number | undefined
}

/** Loads under way at most. */
const DEFAULT_REQUESTS = 16
const MAX_REQUESTS = 64
/** Chunks are small if all that are under way have at most this part of the capacity: then it takes many to fill a line. */
const SMALL = 1 / 16
/** Bytes to read ahead from a folder: two chunks of the usual size. */
const NEAR_WINDOW = 8 * 1024 * 1024
/** Chunks to be read ahead at most; the oldest wish is dropped. */
const MAX_AHEAD = 1024

interface Flight {
  readonly key: string
  readonly length: number
  readonly load: Effect.Effect<Uint8Array, unknown>
  readonly done: Deferred.Deferred<Uint8Array, unknown>
  readonly owner: object | undefined
  isRunning: boolean
  /** Readers that wait for it. */
  waiting: number
}

interface Kept {
  readonly chunk: Uint8Array
  /** That brought it. */
  readonly flight: Flight
}

/**
 * Makes an empty cache of so many bytes: `FAR_CAPACITY` or `DEFAULT_CAPACITY` unless given. Loads under way end with the
 * scope.
 */
export const make = (size?: number, options: Options = {}): Effect.Effect<ChunkCache, never, Scope.Scope> =>
  Effect.zipWith(FiberSet.makeRuntime<never, void, never>(), Traffic.Watched, (run, watched): ChunkCache => {
    const { isFar = false } = options
    const capacity = size ?? (isFar ? FAR_CAPACITY : DEFAULT_CAPACITY)
    const maxRunning = Math.min(MAX_REQUESTS, Math.max(1, options.requests ?? DEFAULT_REQUESTS))
    const maxSmall = isFar && options.requests === undefined ? MAX_REQUESTS : maxRunning
    const window = Math.min(capacity / 4, isFar ? Number.POSITIVE_INFINITY : NEAR_WINDOW)
    const traffic = Traffic.make()
    watched?.push(traffic)
    // In order of use, the least recent first.
    const chunks = new Map<string, Kept>()
    let bytes = 0
    const flights = new Map<string, Flight>()
    // In order of the wishes.
    const wanted = new Set<Flight>()
    const ahead = new Set<Flight>()
    let running = 0
    let loading = 0

    const held = (key: string): Uint8Array | undefined => {
      const kept = chunks.get(key)
      if (kept === undefined) return undefined
      chunks.delete(key)
      chunks.set(key, kept)
      return kept.chunk
    }

    /**
     * Drops what was used longest ago, until what is kept and what is under way have room: of the latter also what was
     * stored and the window of the decompressor, for which an eighth of the capacity is enough.
     */
    const makeRoom = (): void => {
      const room = capacity - loading - Math.min(2 * loading, capacity / 8)
      for (const [oldest, { chunk, flight }] of chunks) {
        if (bytes <= room) break
        chunks.delete(oldest)
        bytes -= chunk.length
        // Who waited for it may not have seen it yet.
        if (flight.waiting === 0) OwnMemory.free(chunk)
      }
    }

    const keep = (flight: Flight, chunk: Uint8Array): void => {
      if (chunk.length > capacity) return
      chunks.set(flight.key, { chunk, flight })
      bytes += chunk.length
      makeRoom()
    }

    const hasRoom = ({ length }: Flight): boolean =>
      running === 0 ||
      (running < maxRunning && loading + length <= capacity / 4) ||
      (running < maxSmall && loading + length <= capacity * SMALL)

    const start = (flight: Flight): void => {
      flight.isRunning = true
      running++
      loading += flight.length
      makeRoom()
      run(
        Effect.onExit(flight.load, (exit) =>
          Effect.sync(() => {
            running--
            loading -= flight.length
            flights.delete(flight.key)
            if (exit._tag === "Success") keep(flight, exit.value)
            Deferred.doneUnsafe(flight.done, exit)
            startNext()
          }),
        ).pipe(Effect.asVoid, Effect.ignore),
      )
    }

    /** Starts what there is room for. What somebody waits for is not overtaken by what is smaller. */
    const startNext = (): void => {
      for (const queue of [wanted, ahead]) {
        for (const flight of queue) {
          if (!hasRoom(flight)) return
          queue.delete(flight)
          start(flight)
        }
      }
    }

    const enter = (flight: Omit<Flight, "done" | "isRunning" | "waiting">, queue: Set<Flight>): Flight => {
      const entered: Flight = { ...flight, done: Deferred.makeUnsafe(), isRunning: false, waiting: 0 }
      flights.set(flight.key, entered)
      queue.add(entered)
      return entered
    }

    const leave = (flight: Flight): void => {
      flight.waiting--
      if (flight.waiting > 0 || flight.isRunning) return
      wanted.delete(flight)
      flights.delete(flight.key)
    }

    const dropWish = (flight: Flight): void => {
      ahead.delete(flight)
      flights.delete(flight.key)
    }

    return {
      capacity,
      isFar,
      window,
      readers: ForwardReaders.make({ window }),
      traffic,
      held: (key) => {
        const chunk = held(key)
        if (chunk !== undefined) traffic.hits++
        return chunk
      },
      get: <A, E>(key: string, length: number, load: Load<E>, use: (chunk: Uint8Array) => A): Effect.Effect<A, E> =>
        Effect.suspend((): Effect.Effect<A, E> => {
          const chunk = held(key)
          if (chunk !== undefined) {
            traffic.hits++
            return Effect.succeed(use(chunk))
          }
          const known = flights.get(key)
          if (known === undefined) traffic.misses++
          else traffic.waits++
          const flight = known ?? enter({ key, length, load, owner: undefined }, wanted)
          if (ahead.delete(flight)) wanted.add(flight)
          flight.waiting++
          startNext()
          const used = Effect.map(Deferred.await(flight.done as Deferred.Deferred<Uint8Array, E>), use)
          return Effect.onExit(used, () => Effect.sync(() => leave(flight)))
        }),
      prefetch: (key, length, load, owner) => {
        // What is there already must stay until it is read.
        if (length > capacity / 4 || held(key) !== undefined || flights.has(key)) return
        traffic.ahead++
        enter({ key, length, load, owner }, ahead)
        if (ahead.size > MAX_AHEAD) {
          const [oldest] = ahead
          if (oldest !== undefined) dropWish(oldest)
        }
        // Whoever asks goes on to what it waits for, which comes first.
        queueMicrotask(startNext)
      },
      isUnderWay: (key) => flights.has(key),
      giveUp: (owner) => {
        for (const flight of ahead) if (flight.owner === owner) dropWish(flight)
      },
      memory: () => ({ chunks: chunks.size, bytes, loading }),
    }
  })
