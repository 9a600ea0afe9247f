/**
 * Where an entry is in the archive: enough to decode it again without its parent, and to open it if it is a directory
 * (§4.7). This is what a file system remembers of a name that the kernel holds.
 */
import type { Entry } from "./Entry.ts"
import * as NodeId from "./NodeId.ts"

/** What tells a node apart from all others of a tree. */
export interface Key {
  readonly id: NodeId.NodeId
  /** Number of the archive that it is in, in a tree of many; absent in a tree of one, and outside of all archives. */
  readonly archive?: number | undefined
}

/** One entry of an archive. */
export interface Node extends Key {
  /** The directory through which the node was reached; the root is its own parent. */
  readonly parent: NodeId.NodeId
  /** Position of the FILENAME header through which the node was reached, a hard link's own; 0 for the root. */
  readonly nameStart: number
  /** Entry range start: position of the ENTRY header, for the root 0. */
  readonly start: number
  /** Entry range end. For a directory its end offset. */
  readonly bound: number
  /** Where a directory's children begin (F of §4.3); 0 for the others. */
  readonly contentsStart: number
}

/** The node of an entry that was read with this bound. */
export const fromEntry = (entry: Entry, parent: NodeId.NodeId, nameStart: number, bound: number): Node =>
  entry.body._tag === "Directory"
    ? {
        id: NodeId.ofDirectory(bound),
        parent,
        nameStart,
        start: entry.start,
        bound,
        contentsStart: entry.body.contentsStart,
      }
    : { id: NodeId.ofEntry(entry.start), parent, nameStart, start: entry.start, bound, contentsStart: 0 }

/** The root of a tree. */
export const ROOT: Key = { id: NodeId.ROOT }

/** Stands as the parent of what is in the root of a tree of many archives, where the archive does not tell. */
export const ABOVE: NodeId.NodeId = 0

/** The folder through which a node was reached. The root of an archive of many is the folder that has the archive's number. */
export const parentOf = ({ archive, parent }: Node): Key => {
  if (parent === ABOVE) return ROOT
  if (archive === undefined) return { id: parent }
  return parent === NodeId.ROOT ? { id: archive } : { id: parent, archive }
}
