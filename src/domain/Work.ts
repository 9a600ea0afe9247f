/**
 * Work that is done in pieces: computations whose size the bytes of an archive decide.
 *
 * A generator that yields after each piece, so that whoever runs it can let others have a turn. Run to its end at once it
 * costs next to nothing more than a plain function.
 */

/** Gives its result at the end; nothing in between. */
export type Work<A> = Generator<void, A>

/** Items of a piece: some hundred microseconds of what is done to one. */
export const PIECE = 8192

/** Does all of it now. */
export const finish = <A>(work: Work<A>): A => {
  for (;;) {
    const step = work.next()
    if (step.done === true) return step.value
  }
}

/** Numbers 0 to `count`, in pieces. */
export function* pieces(count: number, piece: (from: number, to: number) => void): Work<void> {
  for (let from = 0; from < count; from += PIECE) {
    piece(from, Math.min(count, from + PIECE))
    if (from + PIECE < count) yield
  }
}

/** Sorts in place of `Array.prototype.sort`, which is stable and cannot be left: the result is another array. */
export function* sort<A extends Float64Array | Uint32Array>(
  array: A,
  compare: (a: number, b: number) => number = ascending,
): Work<A> {
  const { length } = array
  if (length <= PIECE) return sortRun(array, compare)
  yield* pieces(length, (from, to) => void sortRun(array.subarray(from, to) as A, compare))
  let source = array
  let target = array.slice() as A
  for (let width = PIECE; width < length; width *= 2) {
    for (let from = 0; from < length; from += 2 * width) yield* merge(source, target, from, width, compare)
    const merged = target
    target = source
    source = merged
  }
  return source
}

const ascending = (a: number, b: number): number => a - b

const sortRun = <A extends Float64Array | Uint32Array>(array: A, compare: (a: number, b: number) => number): A =>
  (compare === ascending ? array.sort() : array.sort(compare)) as A

/** Merges the two runs of `width` that begin at `start`, the second of which may be shorter or missing. */
function* merge<A extends Float64Array | Uint32Array>(
  source: A,
  target: A,
  start: number,
  width: number,
  compare: (a: number, b: number) => number,
): Work<void> {
  const middle = Math.min(source.length, start + width)
  const end = Math.min(source.length, start + 2 * width)
  let [left, right] = [start, middle]
  yield
  yield* pieces(end - start, (from, to) => {
    for (let at = start + from; at < start + to; at++) {
      const takeLeft = left < middle && (right >= end || compare(source[left] as number, source[right] as number) <= 0)
      target[at] = source[takeLeft ? left++ : right++] as number
    }
  })
}
