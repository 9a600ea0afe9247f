/**
 * What was asked of a place and fetched from it, in numbers: for `status`, progress and `--debug`.
 */

import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"

/** Counters, which only grow but for `inFlight`. */
export interface Traffic {
  /** Chunks that were at hand when somebody wanted them. */
  hits: number
  /** Chunks that were already under way when somebody wanted them. */
  waits: number
  /** Chunks that somebody had to wait for from the beginning. */
  misses: number
  /** Chunks that were asked for before anybody wanted them. */
  ahead: number
  /** Requests to the place. */
  requests: number
  /** Requests under way now. */
  inFlight: number
  /** Requests that failed. */
  failures: number
  /** Bytes that the place has sent. */
  fetched: number
  /** Bytes of blobs that the disk cache had. */
  fromDisk: number
  /** Bytes that readers were given. */
  read: number
}

/** Nothing so far. */
export const make = (): Traffic => ({
  hits: 0,
  waits: 0,
  misses: 0,
  ahead: 0,
  requests: 0,
  inFlight: 0,
  failures: 0,
  fetched: 0,
  fromDisk: 0,
  read: 0,
})

/** Counts a request to the place, and the bytes that it brings; `--debug` logs a line for it. */
export const counted = <E extends { readonly message: string }>(
  traffic: Traffic,
  what: string,
  request: Effect.Effect<Uint8Array, E>,
): Effect.Effect<Uint8Array, E> =>
  Effect.suspend(() => {
    traffic.requests++
    traffic.inFlight++
    return Effect.flatMap(Clock.currentTimeMillis, (start) =>
      Effect.onExit(request, (exit) =>
        Effect.flatMap(Clock.currentTimeMillis, (end) => {
          traffic.inFlight--
          if (exit._tag === "Success") traffic.fetched += exit.value.length
          else traffic.failures++
          const result = exit._tag === "Success" ? `${exit.value.length} bytes` : "failed"
          return Effect.logDebug(`fetched ${what}: ${result}, ${Math.round(end - start)} ms`)
        }),
      ),
    )
  })
