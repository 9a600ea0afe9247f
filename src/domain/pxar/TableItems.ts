/**
 * What is worked out from the items of a goodbye table when it is loaded: where its children begin, and whether their
 * hashes are in order. In pieces, because a folder can have millions of children (see `Work`).
 */
import * as Bytes from "../Bytes.ts"
import * as Work from "../Work.ts"

/** Size in bytes of one table item, and of the tail. */
export const ITEM_SIZE = 24

/** The places to which `count` items of the table at `start` lead, ascending, each once; none before `contentsStart`. */
export function* starts(
  items: DataView,
  { count, start }: { readonly count: number; readonly start: number },
  contentsStart: number,
): Work.Work<Float64Array> {
  const all = new Float64Array(count)
  let found = 0
  yield* Work.pieces(count, (from, to) => {
    for (let slot = from; slot < to; slot++) {
      const offset = Bytes.getU64(items, slot * ITEM_SIZE + 8)
      if (offset > 0 && offset <= start - contentsStart) all[found++] = start - offset
    }
  })
  const sorted = yield* Work.sort(found === count ? all : all.slice(0, found))
  let different = 0
  yield* Work.pieces(found, (from, to) => {
    for (let i = from; i < to; i++) {
      if (i === 0 || sorted[i] !== sorted[different - 1]) sorted[different++] = sorted[i] as number
    }
  })
  return different === count ? sorted : sorted.slice(0, different)
}

/** What the order of the hashes is like (D8). */
export interface HeapOrder {
  readonly ordered: boolean
  readonly hasEqualHashes: boolean
}

/** Walks the items in ascending order (D8): whether they are, and whether there are equal hashes. */
export function* heapOrder(items: DataView, count: number): Work.Work<HeapOrder> {
  let previousLow = -1
  let previousHigh = -1
  let hasEqualHashes = false
  let ordered = true
  let slot = firstInOrder(count)
  yield* Work.pieces(count, (from, to) => {
    for (let visited = from; visited < to && ordered; visited++) {
      const low = items.getUint32(slot * ITEM_SIZE, true)
      const high = items.getUint32(slot * ITEM_SIZE + 4, true)
      ordered = high > previousHigh || (high === previousHigh && low >= previousLow)
      hasEqualHashes ||= high === previousHigh && low === previousLow
      previousLow = low
      previousHigh = high
      slot = nextInOrder(slot, count)
    }
  })
  return ordered ? { ordered, hasEqualHashes } : { ordered, hasEqualHashes: true }
}

/** The slot of the smallest hash in a table of `count` children (§3.5). */
export const firstInOrder = (count: number): number => {
  let slot = 0
  while (2 * slot + 1 < count) slot = 2 * slot + 1
  return slot
}

/** The slot that comes behind another in ascending order: a walk of the complete tree without recursion. */
export const nextInOrder = (slot: number, count: number): number => {
  let next = 2 * slot + 2
  if (next < count) {
    while (2 * next + 1 < count) next = 2 * next + 1
    return next
  }
  next = slot
  while (next !== 0 && next % 2 === 0) next = (next - 2) / 2
  return (next - 1) / 2
}
