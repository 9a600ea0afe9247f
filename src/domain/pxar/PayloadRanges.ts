/**
 * The parts of a payload archive that files refer to: whether any two of them overlap, and how many bytes they cover.
 *
 * Several files may share a payload and references need not ascend (§1.7), but in archives of today they do (§6.8):
 * then this is one sorted list. A reference that steps back begins another list, and lists of similar length are merged.
 * 16 bytes a reference, for at most `capacity` of them; whatever comes after that is not compared.
 */

/** What is known of a range that was added. */
export type Added =
  | "new"
  /** The very same range was there already. */
  | "known"
  /** It shares some of its bytes with another range. */
  | "overlaps"
  /** There was no room left to remember it. */
  | "unchecked"

/** Ranges in ascending order of their starts. */
interface Run {
  starts: Float64Array
  ends: Float64Array
  count: number
}

export class PayloadRanges {
  private readonly runs: Array<Run> = []
  private held = 0
  private coveredBytes = 0
  private readonly capacity: number

  constructor(capacity = 4_194_304) {
    this.capacity = capacity
  }

  /** Bytes in the ranges that were new. Those of a range that overlaps another one are left out. */
  get covered(): number {
    return this.coveredBytes
  }

  /** Adds the bytes of `[start, end)`, which are not none. */
  add(start: number, end: number): Added {
    let overlaps = false
    for (const run of this.runs) {
      const after = countUpTo(run, start)
      if (after > 0 && at(run.starts, after - 1) === start && at(run.ends, after - 1) === end) return "known"
      overlaps ||= (after > 0 && at(run.ends, after - 1) > start) || (after < run.count && at(run.starts, after) < end)
    }
    if (this.held === this.capacity) return overlaps ? "overlaps" : "unchecked"
    this.remember(start, end)
    if (overlaps) return "overlaps"
    this.coveredBytes += end - start
    return "new"
  }

  private remember(start: number, end: number): void {
    this.held++
    const run = this.runs.findLast((run) => at(run.starts, run.count - 1) < start)
    if (run !== undefined) return append(run, start, end)
    this.runs.push({ starts: Float64Array.of(start), ends: Float64Array.of(end), count: 1 })
    for (;;) {
      const last = this.runs.at(-1)
      const previous = this.runs.at(-2)
      if (last === undefined || previous === undefined || last.count * 2 < previous.count) return
      this.runs.splice(-2, 2, merge(previous, last))
    }
  }
}

const at = (column: Float64Array, index: number): number => column[index] as number

/** Number of ranges that start at or before `start`. */
const countUpTo = (run: Run, start: number): number => {
  if (at(run.starts, run.count - 1) <= start) return run.count
  let low = 0
  let high = run.count
  while (low < high) {
    const middle = (low + high) >>> 1
    if (at(run.starts, middle) <= start) low = middle + 1
    else high = middle
  }
  return low
}

const append = (run: Run, start: number, end: number): void => {
  if (run.count === run.starts.length) {
    const capacity = Math.max(64, run.count * 2)
    run.starts = longer(run.starts, capacity)
    run.ends = longer(run.ends, capacity)
  }
  run.starts[run.count] = start
  run.ends[run.count] = end
  run.count++
}

const longer = (column: Float64Array, capacity: number): Float64Array => {
  const copy = new Float64Array(capacity)
  copy.set(column)
  return copy
}

const merge = (left: Run, right: Run): Run => {
  const count = left.count + right.count
  const merged: Run = { starts: new Float64Array(count), ends: new Float64Array(count), count }
  let l = 0
  let r = 0
  for (let i = 0; i < count; i++) {
    const takeLeft = r === right.count || (l < left.count && at(left.starts, l) <= at(right.starts, r))
    const from = takeLeft ? left : right
    const index = takeLeft ? l++ : r++
    merged.starts[i] = at(from.starts, index)
    merged.ends[i] = at(from.ends, index)
  }
  return merged
}
