/**
 * Writes goodbye tables (§3, §6.4): collects the children of an open directory in the order they are written and puts
 * them into a GOODBYE item in heap order.
 *
 * Holds 32 bytes a child, names not at all. The counterpart of `GoodbyeTable`. Among equal hashes, whose order the
 * format leaves open, the child written first comes first.
 */
import * as Bytes from "../Bytes.ts"
import type { ByteBuilder } from "../ByteBuilder.ts"
import * as Work from "../Work.ts"
import { writeHeader } from "./EntryEncoder.ts"
import { fromItems, type Table, type Tail } from "./GoodbyeTable.ts"
import { HEADER_SIZE } from "./Item.ts"
import * as ItemType from "./ItemType.ts"
import type { Hash } from "./SipHash.ts"
import { firstInOrder, ITEM_SIZE, nextInOrder } from "./TableItems.ts"

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

/** Position of the FILENAME header of a child, by its number. */
export const startOf = (children: Children, number: number): number => children.columns[number * COLUMNS + 2] as number

/** Hash of a child's name, by its number. */
export const hashOf = ({ columns }: Children, number: number): Hash => ({
  high: columns[number * COLUMNS] as number,
  low: columns[number * COLUMNS + 1] as number,
})

/** Numbers of the children whose hashes others have too, those of one hash together. */
export function* equalHashes(children: Children): Work.Work<ReadonlyArray<Uint32Array>> {
  const { columns, count } = children
  const sorted = yield* ascending(children)
  const groups: Array<Uint32Array> = []
  const isSame = (a: number, b: number): boolean =>
    columns[a * COLUMNS] === columns[b * COLUMNS] && columns[a * COLUMNS + 1] === columns[b * COLUMNS + 1]
  let first = 0
  yield* Work.pieces(count, (from, to) => {
    for (let next = from + 1; next <= to; next++) {
      if (next < count && isSame(sorted[first] as number, sorted[next] as number)) continue
      if (next - first > 1) groups.push(sorted.subarray(first, next))
      first = next
    }
  })
  return groups
}

/** The children but for those with these numbers. */
export function* without({ columns, count }: Children, numbers: ReadonlySet<number>): Work.Work<Children> {
  const kept: Children = { count: 0, columns: new Float64Array((count - numbers.size) * COLUMNS) }
  yield* Work.pieces(count, (from, to) => {
    for (let child = from; child < to; child++) {
      if (numbers.has(child)) continue
      for (let column = 0; column < COLUMNS; column++) {
        kept.columns[kept.count * COLUMNS + column] = columns[child * COLUMNS + column] as number
      }
      kept.count++
    }
  })
  return kept
}

/** Size in bytes of the GOODBYE item for `count` children (§3.4). */
export const sizeOf = (count: number): number => HEADER_SIZE + ITEM_SIZE * (count + 1)

/**
 * Appends the GOODBYE item of a directory. `position` is that of its header (G), `directoryStart` the E of §3.4: the
 * position of the directory's ENTRY header, 0 for the root. Nobody else may append meanwhile.
 */
export function* writingGoodbye(
  to: ByteBuilder,
  children: Children,
  position: number,
  directoryStart: number,
): Work.Work<void> {
  const { count } = children
  const items = writeHeader(to, ItemType.GOODBYE, sizeOf(count) - HEADER_SIZE)
  const { view } = to
  yield* writeItems(view, items, children, position)
  const at = items + count * ITEM_SIZE
  view.setUint32(at, ItemType.GOODBYE_TAIL_MARKER.low, true)
  view.setUint32(at + 4, ItemType.GOODBYE_TAIL_MARKER.high, true)
  Bytes.setU64(view, at + 8, position - directoryStart)
  Bytes.setU64(view, at + 16, sizeOf(count))
}

/** The same at once. */
export const writeGoodbye = (to: ByteBuilder, children: Children, position: number, directoryStart: number): void =>
  Work.finish(writingGoodbye(to, children, position, directoryStart))

/** Writes the items in heap order from byte `at` of `view` on. */
function* writeItems(view: DataView, at: number, children: Children, position: number): Work.Work<void> {
  const { columns, count } = children
  const sorted = yield* ascending(children)
  let slot = firstInOrder(count)
  yield* Work.pieces(count, (from, to) => {
    for (let rank = from; rank < to; rank++) {
      const child = (sorted[rank] as number) * COLUMNS
      const item = at + slot * ITEM_SIZE
      view.setUint32(item, columns[child + 1] as number, true)
      view.setUint32(item + 4, columns[child] as number, true)
      Bytes.setU64(view, item + 8, position - (columns[child + 2] as number))
      Bytes.setU64(view, item + 16, columns[child + 3] as number)
      slot = nextInOrder(slot, count)
    }
  })
}

/** The table of these children as if it had been read: each size must be the exact one. `contentsStart` is F of §4.3. */
export function* toTable(children: Children, tail: Omit<Tail, "count">, contentsStart: number): Work.Work<Table> {
  const items = Bytes.dataView(new Uint8Array(children.count * ITEM_SIZE))
  yield* writeItems(items, 0, children, tail.start)
  return { ...(yield* fromItems(items, { ...tail, count: children.count }, contentsStart)), isExact: true }
}

/** Numbers of the children in ascending order of their hashes. */
function* ascending({ columns, count }: Children): Work.Work<Uint32Array> {
  const numbers = new Uint32Array(count)
  for (let i = 0; i < count; i++) numbers[i] = i
  return yield* Work.sort(
    numbers,
    (a, b) =>
      (columns[a * COLUMNS] as number) - (columns[b * COLUMNS] as number) ||
      (columns[a * COLUMNS + 1] as number) - (columns[b * COLUMNS + 1] as number) ||
      a - b,
  )
}
