/**
 * Sorts many numbers without holding up others: a merge sort that gives them a turn now and then. It is stable.
 */
import * as Effect from "effect/Effect"

/** Comparisons between two turns. */
const TURN = 32_768

/** A run that is sorted at once. */
const RUN = 1024

/** The numbers in the order of `compare`. */
export const sort = Effect.fnUntraced(function* (
  numbers: Uint32Array,
  compare: (left: number, right: number) => number,
): Effect.fn.Return<Uint32Array> {
  let from = numbers.slice()
  for (let start = 0; start < from.length; start += RUN) {
    from.subarray(start, start + RUN).sort(compare)
    if ((start / RUN) % 8 === 7) yield* Effect.yieldNow
  }
  let to = new Uint32Array(from.length)
  for (let width = RUN; width < from.length; width *= 2) {
    for (let start = 0; start < from.length; start += 2 * width) {
      const middle = Math.min(start + width, from.length)
      const end = Math.min(start + 2 * width, from.length)
      // Names of an archive are in order already more often than not.
      if (middle >= end || compare(from[middle - 1] as number, from[middle] as number) <= 0) {
        to.set(from.subarray(start, end), start)
        continue
      }
      let [left, right] = [start, middle]
      for (let at = start; at < end; at++) {
        const takesLeft = left < middle && (right >= end || compare(from[left] as number, from[right] as number) <= 0)
        to[at] = from[takesLeft ? left++ : right++] as number
        if (at % TURN === 0) yield* Effect.yieldNow
      }
    }
    ;[from, to] = [to, from]
  }
  return from
})
