/**
 * The goodbye table of a directory: the hash-ordered index at its end (§3, §4.2, §4.3).
 *
 * A loaded table has passed D1, D2, D4, D5, D10 and the heap order of D8; D6, D7 and the name's part of D8 concern a
 * child and are checked by `checkChild` when it is read. Kept as the raw 24 bytes an item plus 8 for the sorted
 * starts, so that a folder of a million entries costs 32 MB and no object each.
 */
import * as Bytes from "../Bytes.ts"
import type { Child } from "./Entry.ts"
import { limit, malformed } from "./FormatError.ts"
import type { Window } from "./Item.ts"
import { HEADER_SIZE, readItem, requireBytes } from "./Item.ts"
import * as ItemType from "./ItemType.ts"
import type { Limits } from "./Limits.ts"
import type { Hash } from "./SipHash.ts"
import * as SipHash from "./SipHash.ts"

/** Size in bytes of one table item, and of the tail. */
export const ITEM_SIZE = 24

/** Size of the smallest GOODBYE item, that of an empty directory (§3.4). */
export const MIN_SIZE = HEADER_SIZE + ITEM_SIZE

/** What the tail of a directory says (§3.4); passed D1, D10. */
export interface Tail {
  /** Position of the GOODBYE header, G. */
  readonly start: number
  /** Position after the tail, which is the end of the directory. */
  readonly end: number
  /** Start of the directory, E: of its ENTRY header; 0 for the root. */
  readonly directoryStart: number
  /** Number of children. */
  readonly count: number
}

/** Reads the tail that ends at `end`, the end offset of a directory whose bytes begin at or after `floor`. */
export const readTail = (window: Window, end: number, floor: number, limits: Limits): Tail => {
  const at = end - ITEM_SIZE
  if (at < floor) throw malformed("D1", end, "no room for the tail of a directory")
  requireBytes(window, end)
  const offset = at - window.base
  const { view } = window
  if (
    view.getUint32(offset, true) !== ItemType.GOODBYE_TAIL_MARKER.low ||
    view.getUint32(offset + 4, true) !== ItemType.GOODBYE_TAIL_MARKER.high
  ) {
    throw malformed("D1", at, "no tail marker at the end of the directory")
  }
  const size = Bytes.getU64(view, offset + 16)
  if (size < MIN_SIZE || size > end - floor) throw malformed("D1", at + 16, `goodbye table of size ${size}`)
  if ((size - MIN_SIZE) % ITEM_SIZE !== 0) {
    throw malformed("D2", at + 16, `goodbye table of size ${size}, not a whole number of items`)
  }
  const count = (size - MIN_SIZE) / ITEM_SIZE
  if (count > limits.directoryEntries) {
    throw limit("D10", at + 16, `directory of ${count} entries, more than ${limits.directoryEntries}`)
  }
  const start = end - size
  const back = Bytes.getU64(view, offset + 8)
  if (back > start - floor) throw malformed("D1", at + 8, `directory start ${back} bytes before its goodbye table`)
  return { start, end, directoryStart: start - back, count }
}

/** A directory's children. Slots are numbered 0…count−1, the order of listings (§9.4). */
export interface Table extends Tail {
  /** The items, `ITEM_SIZE` bytes each. */
  readonly items: DataView
  /** FILENAME positions of the children, ascending. */
  readonly starts: Float64Array
  /** Whether any two children have the same hash. */
  readonly hasEqualHashes: boolean
}

/** Memory in bytes that a table with `count` children holds. */
export const memorySize = (count: number): number => 200 + count * (ITEM_SIZE + 8)

/**
 * Loads the table described by `tail` from a window that holds the whole GOODBYE item. `contentsStart` is the first
 * byte after the directory's own attributes (F of §4.3), or its start where that is not known.
 */
export const readTable = (window: Window, tail: Tail, contentsStart: number): Table => {
  const goodbye = readItem(window, tail.start, tail.end)
  if (goodbye.type !== ItemType.GOODBYE || goodbye.end !== tail.end) {
    throw malformed("D2", tail.start, "no GOODBYE item where the tail of the directory points")
  }
  requireBytes(window, tail.end)
  const from = tail.start + HEADER_SIZE - window.base
  const items = Bytes.dataView(window.bytes.slice(from, from + tail.count * ITEM_SIZE))
  const starts = new Float64Array(tail.count)
  for (let slot = 0; slot < tail.count; slot++) {
    const offset = Bytes.getU64(items, slot * ITEM_SIZE + 8)
    if (offset === 0 || offset > tail.start - contentsStart) {
      throw malformed("D4", itemPosition(tail, slot) + 8, `child ${offset} bytes before the goodbye table`)
    }
    starts[slot] = tail.start - offset
  }
  starts.sort()
  for (let i = 1; i < starts.length; i++) {
    if (starts[i] === starts[i - 1]) throw malformed("D5", tail.start, `two children at ${starts[i]}`)
  }
  return { ...tail, items, starts, hasEqualHashes: checkHeapOrder(items, tail) }
}

const itemPosition = (tail: Tail, slot: number): number => tail.start + HEADER_SIZE + slot * ITEM_SIZE

/** The hash in a slot. */
export const hashAt = (table: Table, slot: number): Hash => ({
  low: table.items.getUint32(slot * ITEM_SIZE, true),
  high: table.items.getUint32(slot * ITEM_SIZE + 4, true),
})

/** Position of the FILENAME header of the child in a slot. */
export const startAt = (table: Table, slot: number): number =>
  table.start - Bytes.getU64(table.items, slot * ITEM_SIZE + 8)

/** The goodbye size of the child in a slot; unreliable as a bound for files of a split archive (§3.3). */
export const sizeAt = (table: Table, slot: number): number => Bytes.getU64(table.items, slot * ITEM_SIZE + 16)

/** All slots in the order in which the children stand in the archive. */
export const slotsInArchiveOrder = (table: Table): Uint32Array => {
  const slots = new Uint32Array(table.count)
  for (let slot = 0; slot < table.count; slot++) slots[rankOf(table, startAt(table, slot)) - 1] = slot
  return slots
}

/** Where the child that starts at `start` must have ended: the next child's start, or the table (§4.3). */
export const boundOf = (table: Table, start: number): number => {
  const rank = rankOf(table, start)
  return rank === table.starts.length ? table.start : (table.starts[rank] as number)
}

/** Number of children that start at or before `start`. */
const rankOf = (table: Table, start: number): number => {
  let low = 0
  let high = table.starts.length
  while (low < high) {
    const middle = (low + high) >>> 1
    if ((table.starts[middle] as number) <= start) low = middle + 1
    else high = middle
  }
  return low
}

/** The first slot with this hash, in the order of §3.6. */
export const slotOf = (table: Table, hash: Hash): number | undefined => {
  let slot = 0
  while (slot < table.count) {
    const order = compareHashAt(table, slot, hash)
    if (order === 0) return slot
    slot = order > 0 ? 2 * slot + 1 : 2 * slot + 2
  }
  return undefined
}

/** The slots with this hash, in the order of §3.6. Several names can share a hash: compare the stored name. */
export function* candidates(table: Table, hash: Hash): Generator<number> {
  const stack = [0]
  for (let slot = stack.pop(); slot !== undefined; slot = stack.pop()) {
    if (slot >= table.count) continue
    const order = compareHashAt(table, slot, hash)
    if (order === 0) {
      yield slot
      stack.push(2 * slot + 2, 2 * slot + 1)
    } else {
      stack.push(order > 0 ? 2 * slot + 1 : 2 * slot + 2)
    }
  }
}

/** Whether another slot has the hash of this one. */
export const sharesHash = (table: Table, slot: number): boolean => {
  if (!table.hasEqualHashes) return false
  let found = 0
  for (const _ of candidates(table, hashAt(table, slot))) if (++found > 1) return true
  return false
}

/** Order of the hash in a slot relative to `hash`. */
const compareHashAt = (table: Table, slot: number, hash: Hash): number =>
  table.items.getUint32(slot * ITEM_SIZE + 4, true) - hash.high ||
  table.items.getUint32(slot * ITEM_SIZE, true) - hash.low

/** Walks the items in ascending order (D8); says whether there are equal hashes. */
const checkHeapOrder = (items: DataView, tail: Tail): boolean => {
  const { count } = tail
  let previousLow = -1
  let previousHigh = -1
  let equal = false
  // In-order walk of the complete tree without recursion.
  let slot = 0
  while (2 * slot + 1 < count) slot = 2 * slot + 1
  for (let visited = 0; visited < count; visited++) {
    const low = items.getUint32(slot * ITEM_SIZE, true)
    const high = items.getUint32(slot * ITEM_SIZE + 4, true)
    if (high < previousHigh || (high === previousHigh && low < previousLow)) {
      throw malformed("D8", itemPosition(tail, slot), "goodbye table out of order")
    }
    equal ||= high === previousHigh && low === previousLow
    previousLow = low
    previousHigh = high
    if (2 * slot + 2 < count) {
      slot = 2 * slot + 2
      while (2 * slot + 1 < count) slot = 2 * slot + 1
    } else {
      while (slot !== 0 && slot % 2 === 0) slot = (slot - 2) / 2
      slot = (slot - 1) / 2
    }
  }
  return equal
}

/** Checks of a child against its slot: D6, D7 and the hash of its name (D8). */
export const checkChild = (
  table: Table,
  slot: number,
  child: Child,
  bound: number,
  hash: Hash = SipHash.hash(child.name),
): void => {
  const position = itemPosition(table, slot)
  if (compareHashAt(table, slot, hash) !== 0) {
    throw malformed("D8", position, "hash in the goodbye table is not that of the name")
  }
  const size = sizeAt(table, slot)
  const { entry, nameStart } = child
  if (entry._tag === "Entry" && entry.body._tag === "Directory") {
    if (nameStart + size !== bound) {
      throw malformed("D6", position + 16, `directory of size ${size} does not end at its bound ${bound}`)
    }
    return
  }
  const exact = entry.end - nameStart
  const counted =
    entry._tag === "Entry" && entry.body._tag === "File" && entry.body.content.source === "payload"
      ? exact + entry.body.content.length
      : exact
  if (size !== exact && size !== counted) {
    throw malformed("D7", position + 16, `entry of ${exact} bytes with the size ${size} in the goodbye table`)
  }
}

/**
 * For each slot of a table of `count` children its rank in the ascending order of the hashes (§3.5).
 */
export const heapOrder = (count: number): Uint32Array => {
  const ranks = new Uint32Array(count)
  let next = 0
  const visit = (slot: number): void => {
    if (slot >= count) return
    visit(2 * slot + 1)
    ranks[slot] = next++
    visit(2 * slot + 2)
  }
  visit(0)
  return ranks
}
