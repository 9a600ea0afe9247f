/**
 * The goodbye table of a directory: the hash-ordered index at its end (§3, §4.2, §4.3).
 *
 * A loaded table has passed D1, D2 and D10. Its items are judged one by one: one that leads nowhere (D4), or where
 * another leads (D5), or that is out of order (D8) makes the table unsound and costs nobody else; `problemOf` says what
 * is wrong with it. D6, D7 and the name's part of D8 concern a child and are checked by `checkChild` when it is read.
 * Kept as the raw 24 bytes an item plus 8 for the sorted starts, so that a folder of a million entries costs 32 MB and
 * no object each.
 */
import * as Bytes from "../Bytes.ts"
import * as Work from "../Work.ts"
import type { Child } from "./Entry.ts"
import { type FormatError, limit, malformed } from "./FormatError.ts"
import type { Window } from "./Item.ts"
import { HEADER_SIZE, readItem, requireBytes } from "./Item.ts"
import * as ItemType from "./ItemType.ts"
import type { Limits } from "./Limits.ts"
import type { Hash } from "./SipHash.ts"
import * as SipHash from "./SipHash.ts"
import * as TableItems from "./TableItems.ts"
import { ITEM_SIZE } from "./TableItems.ts"

export { ITEM_SIZE } from "./TableItems.ts"

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

/** A directory's children. Slots are numbered 0…count−1. */
export interface Table extends Tail {
  /** The items, `ITEM_SIZE` bytes each. */
  readonly items: DataView
  /** FILENAME positions of the children, ascending, each once; those of items that lead nowhere are not among them. */
  readonly starts: Float64Array
  /** First byte that a child can have: F of §4.3, or the directory's start where that is not known. */
  readonly contentsStart: number
  /** Whether any two children have the same hash. */
  readonly hasEqualHashes: boolean
  /** Whether the hashes are in heap order (D8). If not, `candidates` and `slotOf` find no more than some of them. */
  readonly ordered: boolean
  /** Whether the sizes are those of the children, each of which then ends where its item says (see `TableRepair`). */
  readonly isExact: boolean
}

/** Whether every item leads to a place of its own, the first one to the first byte, and can be found by its hash. */
export const isSound = (table: Table): boolean =>
  table.ordered && table.starts.length === table.count && (table.starts[0] ?? table.start) === table.contentsStart

/** No child is smaller: a FILENAME of one byte and a HARDLINK of one (§1.5). */
const MIN_CHILD_SIZE = HEADER_SIZE + 2 + HEADER_SIZE + 9

/** Memory in bytes that a table with `count` children holds. */
export const memorySize = (count: number): number => 200 + count * (ITEM_SIZE + 8)

/**
 * Loads the table described by `tail` from a window that holds the whole GOODBYE item. `contentsStart` is the first
 * byte after the directory's own attributes (F of §4.3), or its start where that is not known.
 */
export const readTable = (window: Window, tail: Tail, contentsStart: number): Table => {
  readHeader(window, tail)
  requireBytes(window, tail.end)
  const from = tail.start + HEADER_SIZE - window.base
  const items = Bytes.dataView(window.bytes.slice(from, from + tail.count * ITEM_SIZE))
  return Work.finish(fromItems(items, tail, contentsStart))
}

/** Checks the header of the table that `tail` describes (D2). */
export const readHeader = (window: Window, tail: Tail): void => {
  const goodbye = readItem(window, tail.start, tail.end)
  if (goodbye.type !== ItemType.GOODBYE || goodbye.end !== tail.end) {
    throw malformed("D2", tail.start, "no GOODBYE item where the tail of the directory points")
  }
}

/** The table with these items, `ITEM_SIZE` bytes each. */
export function* fromItems(items: DataView, tail: Tail, contentsStart: number): Work.Work<Table> {
  const starts = yield* TableItems.starts(items, tail, contentsStart)
  return { ...tail, items, starts, contentsStart, isExact: false, ...(yield* TableItems.heapOrder(items, tail.count)) }
}

/** What is wrong with the place to which an item leads (D4), whatever is there. */
export const problemOf = (table: Table, slot: number): FormatError | undefined => {
  const offset = Bytes.getU64(table.items, slot * ITEM_SIZE + 8)
  return offset === 0 || offset > table.start - table.contentsStart
    ? malformed("D4", itemPosition(table, slot) + 8, `child ${offset} bytes before the goodbye table`)
    : undefined
}

/** Position of the item in a slot. */
export const itemPosition = (tail: Tail, slot: number): number => tail.start + HEADER_SIZE + slot * ITEM_SIZE

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

/**
 * The slots in the order in which the children stand in the archive, none that leads nowhere. Of those that lead to one
 * place it is the first whose size can be that of a child: some writers keep an item for a file that they could not open.
 */
export function* slotsInArchiveOrder(table: Table): Work.Work<Uint32Array> {
  const { count, starts } = table
  const slots = new Uint32Array(starts.length)
  if (starts.length === count) {
    yield* Work.pieces(count, (from, to) => {
      for (let slot = from; slot < to; slot++) slots[rankOf(table, startAt(table, slot)) - 1] = slot
    })
    return slots
  }
  slots.fill(count)
  yield* Work.pieces(count, (from, to) => {
    for (let slot = from; slot < to; slot++) {
      if (problemOf(table, slot) !== undefined) continue
      const rank = rankOf(table, startAt(table, slot)) - 1
      const other = slots[rank] as number
      if (other === count || (sizeAt(table, other) < MIN_CHILD_SIZE && sizeAt(table, slot) >= MIN_CHILD_SIZE)) {
        slots[rank] = slot
      }
    }
  })
  return slots
}

/** Number of the child that starts at `start` in the order of the archive, if there is one. */
export const rankAt = (table: Table, start: number): number | undefined => {
  const rank = rankOf(table, start) - 1
  return table.starts[rank] === start ? rank : undefined
}

/** Whether an item leads to `start`. */
export const hasStart = (table: Table, start: number): boolean => rankAt(table, start) !== undefined

/** Where the child that starts at `start` must have ended: the next child's start, or the table (§4.3). */
export const boundOf = (table: Table, start: number): number => {
  const rank = rankOf(table, start)
  return rank === table.starts.length ? table.start : (table.starts[rank] as number)
}

/** Where the child in a slot must have ended. */
export const boundAt = (table: Table, slot: number): number => {
  const start = startAt(table, slot)
  return table.isExact ? start + sizeAt(table, slot) : boundOf(table, start)
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

/**
 * A slot that `name`'s hash leads to but for one byte of the hash: where a single bit or byte of the table is wrong, the
 * search still passes the item. Other names come that close once in 2^56.
 */
export const slotNear = (table: Table, hash: Hash): number | undefined => {
  let slot = 0
  while (slot < table.count) {
    const low = table.items.getUint32(slot * ITEM_SIZE, true) ^ hash.low
    const high = table.items.getUint32(slot * ITEM_SIZE + 4, true) ^ hash.high
    if ((low === 0 && isInOneByte(high)) || (high === 0 && isInOneByte(low))) return slot
    slot = compareHashAt(table, slot, hash) > 0 ? 2 * slot + 1 : 2 * slot + 2
  }
  return undefined
}

const isInOneByte = (bits: number): boolean =>
  (bits & ~0xff) === 0 || (bits & ~0xff00) === 0 || (bits & ~0xff_0000) === 0 || (bits & 0xff_ffff) === 0

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
