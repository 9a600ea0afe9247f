/**
 * A reader that shows another one's nodes under other ids, or its entries differently.
 */
import * as Effect from "effect/Effect"
import type { Entry } from "../../domain/pxar/Entry.ts"
import type * as Node from "../../domain/pxar/Node.ts"
import type * as ArchiveReader from "../archive/ArchiveReader.ts"

export interface Mapping {
  /** A node of the mapped reader, as the one below knows it. */
  readonly inside: (node: Node.Node) => Node.Node
  /** The inverse. */
  readonly outside: (node: Node.Node) => Node.Node
  /** What is shown of an entry. */
  readonly entry: (entry: Entry) => Entry
}

/** Children as they stand in the archive, which `child` gives, stay as they are. So does the root: that is the caller's. */
export const make = (
  reader: ArchiveReader.Tree,
  { entry, inside, outside }: Mapping,
): Omit<ArchiveReader.Tree, "root"> => {
  const { cached } = reader
  const found = (child: ArchiveReader.Found): ArchiveReader.Found => ({
    ...child,
    node: outside(child.node),
    entry: entry(child.entry),
  })
  return {
    ...reader,
    entry: (node) => Effect.map(reader.entry(inside(node)), entry),
    lookup: (directory, name) =>
      Effect.map(reader.lookup(inside(directory), name), (child) => (child === undefined ? undefined : found(child))),
    count: (directory) => reader.count(inside(directory)),
    slotsInArchiveOrder: (directory) => reader.slotsInArchiveOrder(inside(directory)),
    child: (directory, slot) => reader.child(inside(directory), slot),
    resolve: (directory, child) => Effect.map(reader.resolve(inside(directory), child), found),
    name: (node) => reader.name(inside(node)),
    nameAt: (directory, slot) => reader.nameAt(inside(directory), slot),
    release: (directory) => reader.release(inside(directory)),
    cached: {
      entry: (node) => {
        const atOnce = cached.entry(inside(node))
        return atOnce && entry(atOnce)
      },
      table: (directory) => cached.table(inside(directory)),
      child: (directory, table, slot) => {
        const child = cached.child(inside(directory), table, slot)
        return child && found(child)
      },
      lookup: (directory, name) => {
        const child = cached.lookup(inside(directory), name)
        return child === undefined || child === "absent" ? child : found(child)
      },
      content: cached.content,
    },
  }
}

/** For a mapping that leaves nodes as they are. */
export const sameNode = (node: Node.Node): Node.Node => node

/** For a mapping that leaves entries as they are. */
export const sameEntry = (entry: Entry): Entry => entry
