/**
 * What an archive tells at once: from the blocks and tables that are held, or from what the system has cached.
 *
 * Every function answers `undefined` (or false) for what is not at hand, or has anything the matter with it: the
 * reader's operation of the same name then waits, or says what is wrong. A listing of cached folders thus costs no
 * effect for each child.
 */
import * as Bytes from "../../domain/Bytes.ts"
import type { Content, Entry } from "../../domain/pxar/Entry.ts"
import * as GoodbyeTable from "../../domain/pxar/GoodbyeTable.ts"
import type * as Node from "../../domain/pxar/Node.ts"
import * as NodeId from "../../domain/pxar/NodeId.ts"
import type { Hash } from "../../domain/pxar/SipHash.ts"
import * as ArchiveParts from "./ArchiveParts.ts"
import type { Found, RawChild } from "./ArchiveParts.ts"
import type { BlockCache } from "./BlockCache.ts"
import type { Source } from "../bytes/ByteSource.ts"
import type { PayloadReader } from "./PayloadReader.ts"
import type { TableCache } from "./TableCache.ts"

export interface CachedReader {
  readonly entry: (node: Node.Node) => Entry | undefined
  readonly table: (directory: Node.Node) => GoodbyeTable.Table | undefined
  /** The child in a slot, its hard link followed. */
  readonly child: (directory: Node.Node, table: GoodbyeTable.Table, slot: number) => Found | undefined
  /** `"absent"` if there is no such name. */
  readonly lookup: (directory: Node.Node, name: Uint8Array) => Found | "absent" | undefined
  /** Fills `target`; false if that is not possible at once. */
  readonly content: (content: Content, offset: number, target: Uint8Array) => boolean
}

/** What the reader is made of. */
export interface Members {
  readonly source: Source
  readonly parts: ArchiveParts.ArchiveParts
  readonly blocks: BlockCache
  readonly tables: TableCache
  readonly payload: PayloadReader
  readonly rootTail: GoodbyeTable.Tail
  readonly hash: (name: Uint8Array) => Hash
}

export const make = ({ blocks, hash, parts, payload, rootTail, source, tables }: Members): CachedReader => {
  const table: CachedReader["table"] = (directory) => {
    const held = tables.get(directory.bound)
    if (held !== undefined) return held
    const tail = directory.id === NodeId.ROOT ? rootTail : blocks.decodeCached(parts.tail(directory))
    const read = tail && blocks.decodeCached(parts.table(directory, tail))
    if (read !== undefined) tables.set(directory.bound, read)
    return read
  }

  const resolve = (directory: Node.Node, child: RawChild): Found | undefined => {
    const { bound, entry, nameStart } = child
    if (entry._tag === "Entry") return ArchiveParts.found(directory, child, entry, bound, undefined)
    const target = blocks.decodeCached(parts.target(entry, nameStart))
    return target && ArchiveParts.found(directory, child, target.entry, target.end, entry)
  }

  /** A slot whose hash no other has: the reader compares the names of those. */
  const inSlot = (directory: Node.Node, table: GoodbyeTable.Table, slot: number): Found | undefined => {
    if (GoodbyeTable.sharesHash(table, slot)) return undefined
    const child = blocks.decodeCached(parts.child(table, slot))
    return child && resolve(directory, child)
  }

  return {
    table,
    entry: (node) => blocks.decodeCached(parts.entry(node)),
    child: inSlot,
    lookup: (directory, name) => {
      const inTable = table(directory)
      if (inTable === undefined) return undefined
      const slot = GoodbyeTable.slotOf(inTable, hash(name))
      if (slot === undefined) return "absent"
      const found = inSlot(directory, inTable, slot)
      return found !== undefined && Bytes.equals(found.name, name) ? found : undefined
    },
    content: (content, offset, target) =>
      content.source === "payload"
        ? payload.readCached(content, offset, target)
        : source.readCached?.(target, content.start + offset) === true,
  }
}
