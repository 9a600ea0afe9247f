/**
 * What was asked of a place and fetched from it, in numbers: for `status`, progress and `--debug`.
 */

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
