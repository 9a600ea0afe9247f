/**
 * What the records of a folder say (see `FolderRecords`): the same as a reader of the archive would say, by the same
 * decoders, or `Irregular`.
 */
import type { Entry } from "../../domain/pxar/Entry.ts"
import * as EntryDecoder from "../../domain/pxar/EntryDecoder.ts"
import * as Item from "../../domain/pxar/Item.ts"
import * as Limits from "../../domain/pxar/Limits.ts"
import * as SipHash from "../../domain/pxar/SipHash.ts"
import * as TableItems from "../../domain/pxar/TableItems.ts"
import * as EntryLook from "./EntryLook.ts"
import { type Records, SLOT } from "./FolderRecords.ts"
import type { Interned } from "./Interned.ts"
import { irregular } from "./Irregular.ts"

/** A child in numbers. */
export interface Child {
  readonly name: number
  readonly look: number
  /** Bytes of a file; 0 for what is none. */
  readonly size: number
  readonly seconds: number
  readonly nanos: number
}

/** The children of a folder. Each name is there once, and found by its hash (D8, D9 of §7). */
export const decode = (records: Records, interned: Interned): ReadonlyArray<Child> => {
  const window = Item.makeWindow(records.bytes, 0)
  const children: Array<Child> = []
  const hashes: Array<SipHash.Hash> = []
  let position = 0
  for (let at = 0; at < records.count; at++) {
    const { entry, name } = readChild(window, position)
    const { body } = entry
    hashes.push(SipHash.hash(name))
    children.push({
      name: interned.name(name),
      look: interned.look(EntryLook.encode(window, entry), EntryLook.kindOf(entry.mode)),
      size: body._tag === "File" ? body.content.length : 0,
      seconds: secondsOf(entry),
      nanos: entry.mtimeNanos,
    })
    position = body._tag === "File" && body.content.source === "archive" ? body.content.start : entry.end
  }
  checkTable(records, hashes)
  return children
}

/** The child whose record begins at `position`. A FIFO or socket ends where the next record begins: hence forward. */
const readChild = (window: Item.Window, position: number) => {
  const { entry, name } = EntryDecoder.readChild(window, position, END, 2, Limits.defaults, true)
  if (entry._tag === "HardLink") throw irregular(position, "a link in place of what it names")
  return { entry, name }
}

/** Items are within the archive: that has been checked. */
const END = Number.MAX_SAFE_INTEGER

/** Seconds that SQLite and JavaScript both have as they are. */
export const secondsOf = ({ mtimeSeconds, start }: Entry): number => {
  const seconds = Number(mtimeSeconds)
  if (!Number.isSafeInteger(seconds)) throw irregular(start, "a time out of the ordinary")
  return seconds
}

/** Hashes must be those of the names, ascend in the order of a search, and be different from each other (§3.5). */
const checkTable = ({ count, table }: Records, hashes: ReadonlyArray<SipHash.Hash>): void => {
  let before: SipHash.Hash | undefined
  let slot = TableItems.firstInOrder(count)
  for (let visited = 0; visited < count; visited++) {
    const at = slot * SLOT
    const found = { low: table.getUint32(at, true), high: table.getUint32(at + 4, true) }
    const own = hashes[table.getUint32(at + 8, true)] as SipHash.Hash
    const isNext = before === undefined || SipHash.compare(before, found) < 0
    if (!isNext || SipHash.compare(found, own) !== 0) {
      throw irregular(at, "a table that is not in order")
    }
    before = found
    slot = TableItems.nextInOrder(slot, count)
  }
}
