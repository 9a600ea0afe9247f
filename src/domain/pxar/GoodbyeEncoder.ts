/**
 * Writes goodbye tables (§3, §6.4): collects the children of an open directory in the order they are written and puts
 * them into a GOODBYE item in heap order.
 *
 * Holds 32 bytes a child, names not at all. The counterpart of `GoodbyeTable`. Among equal hashes, whose order the
 * format leaves open, the child written first comes first.
 */
import * as Bytes from "../Bytes.ts"
import type { ByteBuilder } from "../ByteBuilder.ts"
import { writeHeader } from "./EntryEncoder.ts"
import { heapOrder, ITEM_SIZE } from "./GoodbyeTable.ts"
import { HEADER_SIZE } from "./Item.ts"
import * as ItemType from "./ItemType.ts"
import type { Hash } from "./SipHash.ts"

/** The children of a directory that is being written. */
export interface Children {
  count: number
  /** Four numbers a child: both halves of the hash, position of the FILENAME header, goodbye size (§3.3). */
  columns: Float64Array
}

const COLUMNS = 4

/** No children yet. */
export const makeChildren = (): Children => ({ count: 0, columns: new Float64Array(COLUMNS * 8) })

/** Adds the child whose FILENAME header is at `start`, with the size that its table item shall have. */
export const addChild = (children: Children, hash: Hash, start: number, size: number): void => {
  const at = children.count * COLUMNS
  if (at === children.columns.length) {
    const columns = new Float64Array(2 * at)
    columns.set(children.columns)
    children.columns = columns
  }
  children.columns[at] = hash.high
  children.columns[at + 1] = hash.low
  children.columns[at + 2] = start
  children.columns[at + 3] = size
  children.count++
}

/** Size in bytes of the GOODBYE item for `count` children (§3.4). */
export const sizeOf = (count: number): number => HEADER_SIZE + ITEM_SIZE * (count + 1)

/**
 * Appends the GOODBYE item of a directory. `position` is that of its header (G), `directoryStart` the E of §3.4: the
 * position of the directory's ENTRY header, 0 for the root.
 */
export const writeGoodbye = (to: ByteBuilder, children: Children, position: number, directoryStart: number): void => {
  const { columns, count } = children
  const sorted = ascending(children)
  const ranks = heapOrder(count)
  let at = writeHeader(to, ItemType.GOODBYE, sizeOf(count) - HEADER_SIZE)
  const { view } = to
  for (let slot = 0; slot < count; slot++) {
    const child = (sorted[ranks[slot] as number] as number) * COLUMNS
    view.setUint32(at, columns[child + 1] as number, true)
    view.setUint32(at + 4, columns[child] as number, true)
    Bytes.setU64(view, at + 8, position - (columns[child + 2] as number))
    Bytes.setU64(view, at + 16, columns[child + 3] as number)
    at += ITEM_SIZE
  }
  view.setUint32(at, ItemType.GOODBYE_TAIL_MARKER.low, true)
  view.setUint32(at + 4, ItemType.GOODBYE_TAIL_MARKER.high, true)
  Bytes.setU64(view, at + 8, position - directoryStart)
  Bytes.setU64(view, at + 16, sizeOf(count))
}

/** Numbers of the children in ascending order of their hashes. */
const ascending = ({ columns, count }: Children): Uint32Array => {
  const numbers = new Uint32Array(count)
  for (let i = 0; i < count; i++) numbers[i] = i
  return numbers.sort(
    (a, b) =>
      (columns[a * COLUMNS] as number) - (columns[b * COLUMNS] as number) ||
      (columns[a * COLUMNS + 1] as number) - (columns[b * COLUMNS + 1] as number) ||
      a - b,
  )
}
