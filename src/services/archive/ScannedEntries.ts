/**
 * `AtHand` of one archive: its tables and blocks, scanned straight.
 */
import * as Exit from "effect/Exit"
import { EntryScan } from "../../domain/pxar/EntryScan.ts"
import * as GoodbyeTable from "../../domain/pxar/GoodbyeTable.ts"
import type { Window } from "../../domain/pxar/Item.ts"
import type { Limits } from "../../domain/pxar/Limits.ts"
import * as NodeId from "../../domain/pxar/NodeId.ts"
import * as SipHash from "../../domain/pxar/SipHash.ts"
import * as AtOnce from "../AtOnce.ts"
import type { ByteSource } from "../bytes/ByteSource.ts"
import type { AtHand } from "./AtHand.ts"
import type { BlockCache } from "./BlockCache.ts"
import type { FolderTable } from "./FolderTable.ts"
import type { FolderTables } from "./FolderTables.ts"
import type { PayloadReader } from "./PayloadReader.ts"

export interface Options {
  readonly source: ByteSource
  readonly blocks: BlockCache
  readonly tables: FolderTables
  readonly payload: PayloadReader
  readonly version: 1 | 2
  readonly limits: Limits
  readonly hash: (name: Uint8Array) => SipHash.Hash
  /** Where the archive ends, as far as it is whole. */
  readonly end: number
}

export const make = ({ blocks, end, hash, limits, payload, source, tables, version }: Options): AtHand => {
  const scan = new EntryScan(version, limits)
  let folder: FolderTable | undefined
  let window: Window | undefined
  let nameStart = 0
  let bound = 0

  const enter: AtHand["enter"] = (directory) => {
    const loaded = tables.get(directory)
    if (!AtOnce.hasEnded(loaded) || !Exit.isSuccess(loaded)) return -1
    // Tables that had to be made anew, and names that share a hash, are the reader's.
    const { isRepaired, table } = loaded.value
    if (isRepaired || table.hasEqualHashes || table.isExact) return -1
    folder = loaded.value
    return table.count
  }

  /** Scans the child in a slot, up to the checks of its name against the slot. */
  const inSlot = (table: GoodbyeTable.Table, slot: number): boolean => {
    nameStart = GoodbyeTable.startAt(table, slot)
    if (nameStart < table.contentsStart || nameStart >= table.start) return false
    bound = GoodbyeTable.boundOf(table, nameStart)
    window = blocks.window(nameStart, bound - nameStart)
    if (window === undefined || !scan.child(window, nameStart, bound)) return false
    // D6 and D7.
    const size = GoodbyeTable.sizeAt(table, slot)
    if (scan.isFolder) return nameStart + size === bound
    const exact = scan.end - nameStart
    return size === exact || (scan.isFile && scan.isInPayload && size === exact + scan.size)
  }

  const readAt = (isInPayload: boolean, start: number, length: number, offset: number, target: Uint8Array): boolean => {
    if (isInPayload) return payload.readAtOnce(start, length, offset, target)
    const from = start + offset
    if (from + target.length > end) return false
    if (blocks.copy(target, from)) return true
    const read = source.read(target, from)
    return AtOnce.hasEnded(read) && Exit.isSuccess(read)
  }

  return {
    scan,
    window: () => window as Window,
    nameStart: () => nameStart,
    bound: () => bound,
    enter,
    lookup: (name) => {
      if (folder === undefined) return undefined
      const { table } = folder
      const wanted = hash(name)
      const slot = GoodbyeTable.slotOf(table, wanted)
      if (slot === undefined) return GoodbyeTable.slotNear(table, wanted) === undefined ? "absent" : undefined
      if (!inSlot(table, slot) || scan.nameLength !== name.length) return undefined
      const { bytes } = window as Window
      for (let index = 0; index < name.length; index++) {
        if (bytes[scan.nameAt + index] !== name[index]) return undefined
      }
      return "found"
    },
    indexOf: (start) => folder?.indexFrom(start) ?? 0,
    child: (index) => {
      if (folder === undefined || !folder.isInOrder) return false
      const slot = folder.slotAt(index)
      if (!inSlot(folder.table, slot) || (!scan.isFolder && scan.end < bound)) return false
      const { bytes } = window as Window
      const name = bytes.subarray(scan.nameAt, scan.nameAt + scan.nameLength)
      // D8.
      return SipHash.compare(hash(name), GoodbyeTable.hashAt(folder.table, slot)) === 0
    },
    entry: (node) => {
      if (node.id === NodeId.ROOT) return false
      window = blocks.window(node.start, node.bound - node.start)
      return window !== undefined && scan.entry(window, node.start, node.bound)
    },
    content: (offset, target) => readAt(scan.isInPayload, scan.contentStart, scan.size, offset, target),
    bytesOf: ({ length, source, start }, offset, target) => readAt(source === "payload", start, length, offset, target),
  }
}
