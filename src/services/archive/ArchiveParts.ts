/**
 * The parts of an archive that are read one by one, and what their bytes say (§4).
 *
 * Pure: a part says where to read and how to decode, with every check of §7. Reading is up to `BlockCache`.
 */
import type { Begun } from "../../domain/pxar/AttributeDecoder.ts"
import type { Child, Entry, HardLink } from "../../domain/pxar/Entry.ts"
import * as EntryDecoder from "../../domain/pxar/EntryDecoder.ts"
import * as FormatError from "../../domain/pxar/FormatError.ts"
import * as GoodbyeTable from "../../domain/pxar/GoodbyeTable.ts"
import * as Item from "../../domain/pxar/Item.ts"
import type { Window } from "../../domain/pxar/Item.ts"
import * as ItemType from "../../domain/pxar/ItemType.ts"
import type { Limits } from "../../domain/pxar/Limits.ts"
import * as Node from "../../domain/pxar/Node.ts"
import * as NodeId from "../../domain/pxar/NodeId.ts"
import type { Hash } from "../../domain/pxar/SipHash.ts"
import type { Found } from "./ArchiveTree.ts"
import type { Part } from "./BlockCache.ts"

/** A child as it stands in the directory, hard links not followed. */
export interface RawChild extends Child {
  /** Where the child must have ended (§4.3). */
  readonly bound: number
}

/** A child of `directory` whose entry, or its link's, ends at `bound`. */
export const found = (
  directory: Node.Node,
  { name, nameStart }: RawChild,
  entry: Entry,
  bound: number,
  link: HardLink | undefined,
): Found => ({
  _tag: "Found",
  name,
  node: Node.fromEntry(entry, directory.id, nameStart, bound),
  entry,
  link,
  nameStart,
})

/** The file that a hard link names. */
export interface Target {
  readonly entry: Entry
  readonly end: number
}

export interface Options {
  /** Size of the archive in bytes. */
  readonly size: number
  readonly version: 1 | 2
  /** Position of the root's ENTRY header. */
  readonly rootStart: number
  readonly limits: Limits
  readonly hash: (name: Uint8Array) => Hash
}

export interface ArchiveParts {
  readonly entry: (node: Node.Node) => Part<Entry>
  readonly tail: (directory: Node.Node) => Part<GoodbyeTable.Tail>
  readonly table: (directory: Node.Node, tail: GoodbyeTable.Tail) => Part<GoodbyeTable.Table>
  /** The header of the table alone, with the same checks. */
  readonly tableHeader: (directory: Node.Node, tail: GoodbyeTable.Tail) => Part<void>
  readonly child: (table: GoodbyeTable.Table, slot: number) => Part<RawChild>
  /** The name alone in a slot: it can be told also of a child that is damaged. */
  readonly nameInSlot: (table: GoodbyeTable.Table, slot: number) => Part<Uint8Array>
  readonly name: (node: Node.Node) => Part<Uint8Array>
  /** What the hard link of the child that begins at `nameStart` names; it must lie before that (§4.6). */
  readonly target: (link: HardLink, nameStart: number) => Part<Target>
}

export const make = ({ hash, limits, rootStart, size, version }: Options): ArchiveParts => {
  const readTarget = (window: Window, link: HardLink, limit: number, begun: Begun): Target => {
    const start = EntryDecoder.skipName(window, link.target, limit)
    if (EntryDecoder.peekType(window, start, limit) === ItemType.HARDLINK) throw FormatError.hardLinkChain(start)
    const entry = EntryDecoder.readEntry(window, start, limit, version, limits, begun)
    if (entry.body._tag !== "File") {
      throw FormatError.malformed("L3", start, "hard link to something that is no file")
    }
    return { entry, end: entry.end }
  }

  const checkOwner = (directory: Node.Node, tail: GoodbyeTable.Tail): void => {
    if (tail.directoryStart !== directory.start) {
      throw FormatError.malformed("D3", tail.end - 16, "goodbye table of another directory")
    }
  }

  return {
    entry: ({ bound, id, start }) => {
      const position = id === NodeId.ROOT ? rootStart : start
      return {
        position,
        extent: bound - position,
        decode: (window, begun) => EntryDecoder.readEntry(window, position, bound, version, limits, begun),
      }
    },
    tail: ({ bound, start }) => ({
      position: bound - GoodbyeTable.ITEM_SIZE,
      extent: GoodbyeTable.ITEM_SIZE,
      decode: (window) => GoodbyeTable.readTail(window, bound, start, limits),
    }),
    table: (directory, tail) => ({
      position: tail.start,
      extent: 0,
      decode: (window) => {
        checkOwner(directory, tail)
        return GoodbyeTable.readTable(window, tail, directory.contentsStart)
      },
    }),
    tableHeader: (directory, tail) => ({
      position: tail.start,
      extent: Item.HEADER_SIZE,
      decode: (window) => {
        checkOwner(directory, tail)
        GoodbyeTable.readHeader(window, tail)
      },
    }),
    child: (table, slot) => {
      const position = GoodbyeTable.startAt(table, slot)
      const bound = GoodbyeTable.boundAt(table, slot)
      return {
        position,
        extent: bound - position,
        decode: (window, begun) => {
          const read = EntryDecoder.readChild(window, position, bound, version, limits, false, begun)
          const { entry, name, nameStart } = read
          const child = { name, nameStart, entry, bound }
          GoodbyeTable.checkChild(table, slot, child, bound, hash(name))
          return child
        },
      }
    },
    nameInSlot: (table, slot) => {
      const position = GoodbyeTable.startAt(table, slot)
      const bound = GoodbyeTable.boundAt(table, slot)
      return {
        position,
        extent: bound - position,
        decode: (window) => EntryDecoder.readName(window, position, bound).name,
      }
    },
    name: ({ nameStart }) => ({
      position: nameStart,
      extent: 0,
      decode: (window) => EntryDecoder.readName(window, nameStart, size).name,
    }),
    // The target's own bound is unknown.
    target: (link, nameStart) => ({
      position: link.target,
      extent: 0,
      decode: (window, begun) => readTarget(window, link, nameStart, begun),
    }),
  }
}
