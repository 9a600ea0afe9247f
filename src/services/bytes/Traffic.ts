/**
 * What was asked of a place and fetched from it, in numbers: for `status`, progress and `--debug`.
 */

import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
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
  /** Bytes of the last seconds, which fade, and when that was: see `rate`. */
  recent: number
  recentAt: number
}

/** Those who want to show the traffic of all places give a list here, to which each place is added. */
export const Watched: Context.Reference<Array<Traffic> | undefined> = Context.Reference<Array<Traffic> | undefined>(
  "pxar-fuse/services/bytes/Traffic/Watched",
  { defaultValue: () => undefined },
)

/** Bytes a second that a place sends, over the last few seconds. */
export const rate = ({ recent, recentAt }: Traffic, now: number): number =>
  (recent / MEMORY) * 1000 * Math.exp((recentAt - now) / MEMORY)

/** What is longer ago than this counts for little, in milliseconds. */
const MEMORY = 3000

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
  recent: 0,
  recentAt: 0,
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
          if (exit._tag === "Success") {
            traffic.fetched += exit.value.length
            traffic.recent = traffic.recent * Math.exp((traffic.recentAt - end) / MEMORY) + exit.value.length
            traffic.recentAt = end
          } else traffic.failures++
          const result = exit._tag === "Success" ? `${exit.value.length} bytes` : "failed"
          return Effect.logDebug(`fetched ${what}: ${result}, ${Math.round(end - start)} ms`)
        }),
      ),
    )
  })
