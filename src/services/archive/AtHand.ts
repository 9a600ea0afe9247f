/**
 * What an archive tells at once of its usual entries, as numbers: the lean path of a session below its replies.
 *
 * Every question is answered from memory or the page cache, in this call, or not at all: whatever waits, is damaged, or is
 * no usual entry (see `EntryScan`) is left to the reader, whose answers these are. It makes no objects, logs nothing and
 * does not fail. What it says of an entry is in `scan` until the next question.
 */
import type { Content } from "../../domain/pxar/Entry.ts"
import type { EntryScan } from "../../domain/pxar/EntryScan.ts"
import type { Window } from "../../domain/pxar/Item.ts"
import type * as Node from "../../domain/pxar/Node.ts"

export interface AtHand {
  /** What was found last. */
  readonly scan: EntryScan
  /** The window that it stands in; positions are the archive's. */
  readonly window: () => Window
  /** Position of the FILENAME header of the child found last. */
  readonly nameStart: () => number
  /** Where the child found last must have ended (§4.3). */
  readonly bound: () => number
  /** Enters a folder: `lookup` and `child` are about it. The number of its children; −1: ask the reader. */
  readonly enter: (directory: Node.Node) => number
  /** Finds a child by name. `undefined`: ask the reader. */
  readonly lookup: (name: Uint8Array) => "found" | "absent" | undefined
  /** Number of the child whose FILENAME header is at this position, in the order of the archive. */
  readonly indexOf: (nameStart: number) => number
  /** Finds the child number `index` in the order of the archive. False: ask the reader. */
  readonly child: (index: number) => boolean
  /** Finds the entry of a node that is not the root. False: ask the reader. */
  readonly entry: (node: Node.Node) => boolean
  /** Fills `target` with bytes of the file found last. False: ask the reader; `target` may then hold anything. */
  readonly content: (offset: number, target: Uint8Array) => boolean
  /** The same of a file of the archive whose entry said where its bytes are; the range must lie within the file. */
  readonly bytesOf: (content: Content, offset: number, target: Uint8Array) => boolean
}
