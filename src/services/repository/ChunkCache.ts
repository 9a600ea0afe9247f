/**
 * The decoded chunks of a process: at most `capacity` bytes, dropped in the order of last use.
 *
 * A chunk that many want at once is loaded once. What somebody waits for goes before what is read ahead, and both
 * together have at most a quarter of the capacity under way, one chunk at least. A reader that is interrupted leaves the
 * load to the others; one that nobody waits for any more and that has not begun is dropped. Failures are not kept.
 */
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as FiberSet from "effect/FiberSet"
import type * as Scope from "effect/Scope"
import type { ChunkFault } from "./ChunkFault.ts"

/** The chunks that are kept, and those under way. */
export interface ChunkCache {
  /** Bytes of chunks that are kept at most. */
  readonly capacity: number
  /** A chunk that is there. Its memory must not be written to. */
  readonly held: (key: string) => Uint8Array | undefined
  /** A chunk of `length` bytes, loaded if it is not there. */
  readonly get: (key: string, length: number, load: Load) => Effect.Effect<Uint8Array, ChunkFault>
  /** Loads a chunk when there is room and time for it. */
  readonly prefetch: (key: string, length: number, load: Load) => void
  /** What is kept and under way. */
  readonly memory: () => { readonly chunks: number; readonly bytes: number; readonly loading: number }
}

/** Gets and decodes a chunk. */
export type Load = Effect.Effect<Uint8Array, ChunkFault>

/** For the chunks of a folder: 32 of the usual size. */
export const DEFAULT_CAPACITY = 128 * 1024 * 1024

/** Loads under way at most. */
const MAX_RUNNING = 16
/** Chunks to be read ahead at most; the oldest wish is dropped. */
const MAX_AHEAD = 64

interface Flight {
  readonly key: string
  readonly length: number
  readonly load: Load
  readonly done: Deferred.Deferred<Uint8Array, ChunkFault>
  isRunning: boolean
  /** Readers that wait for it. */
  waiting: number
}

/** Makes an empty cache. Loads under way end with the scope. */
export const make = (capacity: number = DEFAULT_CAPACITY): Effect.Effect<ChunkCache, never, Scope.Scope> =>
  Effect.map(FiberSet.makeRuntime<never, void, never>(), (run): ChunkCache => {
    // In order of use, the least recent first.
    const chunks = new Map<string, Uint8Array>()
    let bytes = 0
    const flights = new Map<string, Flight>()
    // In order of the wishes.
    const wanted = new Set<Flight>()
    const ahead = new Set<Flight>()
    let running = 0
    let loading = 0

    const held = (key: string): Uint8Array | undefined => {
      const chunk = chunks.get(key)
      if (chunk === undefined) return undefined
      chunks.delete(key)
      chunks.set(key, chunk)
      return chunk
    }

    const keep = (key: string, chunk: Uint8Array): void => {
      if (chunk.length > capacity) return
      for (const [oldest, { length }] of chunks) {
        if (bytes + chunk.length <= capacity) break
        chunks.delete(oldest)
        bytes -= length
      }
      chunks.set(key, chunk)
      bytes += chunk.length
    }

    const hasRoom = ({ length }: Flight): boolean =>
      running === 0 || (running < MAX_RUNNING && loading + length <= capacity / 4)

    const start = (flight: Flight): void => {
      flight.isRunning = true
      running++
      loading += flight.length
      run(
        Effect.onExit(flight.load, (exit) =>
          Effect.sync(() => {
            running--
            loading -= flight.length
            flights.delete(flight.key)
            if (exit._tag === "Success") keep(flight.key, exit.value)
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

    const enter = (key: string, length: number, load: Load, queue: Set<Flight>): Flight => {
      const flight: Flight = { key, length, load, done: Deferred.makeUnsafe(), isRunning: false, waiting: 0 }
      flights.set(key, flight)
      queue.add(flight)
      return flight
    }

    const leave = (flight: Flight): void => {
      flight.waiting--
      if (flight.waiting > 0 || flight.isRunning) return
      wanted.delete(flight)
      flights.delete(flight.key)
    }

    return {
      capacity,
      held,
      get: (key, length, load) =>
        Effect.suspend(() => {
          const chunk = held(key)
          if (chunk !== undefined) return Effect.succeed(chunk)
          const flight = flights.get(key) ?? enter(key, length, load, wanted)
          if (ahead.delete(flight)) wanted.add(flight)
          flight.waiting++
          startNext()
          return Effect.onInterrupt(Deferred.await(flight.done), () => Effect.sync(() => leave(flight)))
        }),
      prefetch: (key, length, load) => {
        if (length > capacity / 4 || chunks.has(key) || flights.has(key)) return
        enter(key, length, load, ahead)
        if (ahead.size > MAX_AHEAD) {
          const [oldest] = ahead
          if (oldest !== undefined) {
            ahead.delete(oldest)
            flights.delete(oldest.key)
          }
        }
        // Whoever asks goes on to what it waits for, which comes first.
        queueMicrotask(startNext)
      },
      memory: () => ({ chunks: chunks.size, bytes, loading }),
    }
  })
