/**
 * Where an entry is in the archive: enough to decode it again without its parent, and to open it if it is a directory
 * (§4.7). This is what a file system remembers of a name that the kernel holds.
 */
import type { Entry } from "./Entry.ts"
import * as NodeId from "./NodeId.ts"

/** One entry of an archive. */
export interface Node {
  readonly id: NodeId.NodeId
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
