/**
 * So many bytes a second, for all who share it: who takes bytes waits until they are due.
 *
 * After a pause no more than a quarter of a second's bytes come at once.
 */

export interface RateLimit {
  /** Takes bytes; the milliseconds to wait before the next are taken. */
  readonly take: (bytes: number, now: number) => number
}

/** Milliseconds' worth of bytes that may come at once. */
const BURST = 250

/** At most `bytesPerSecond`, a positive number. */
export const make = (bytesPerSecond: number): RateLimit => {
  /** When all that was taken is paid for. */
  let paid = 0
  return {
    take: (bytes, now) => {
      paid = Math.max(paid, now - BURST) + (bytes * 1000) / bytesPerSecond
      return Math.max(0, paid - now)
    },
  }
}
