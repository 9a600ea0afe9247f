/**
 * A tree of entries by node: that of one archive, or of many that are shown as one.
 *
 * It shows nothing of how an archive is laid out. Every operation returns an effect that has ended when what it takes is
 * at hand (see `AtOnce`), and can be interrupted where it waits. It keeps no record of who uses which node: that is the
 * lookup registry's.
 */
import * as Context from "effect/Context"
import type * as Effect from "effect/Effect"
import type { Entry, HardLink } from "../../domain/pxar/Entry.ts"
import type { Inode } from "../../domain/pxar/Inode.ts"
import type { Ids } from "../../domain/pxar/LookupTable.ts"
import type * as Node from "../../domain/pxar/Node.ts"
import type { Extent } from "../bytes/Extent.ts"
import type { ArchiveError } from "./ArchiveError.ts"
import type { AtHand } from "./AtHand.ts"

export type { Extent, Ids }

/** What reading gives, or why it cannot. */
export type Read<A> = Effect.Effect<A, ArchiveError>

/** A child that can be read, its hard link followed. */
export interface Found {
  readonly _tag: "Found"
  readonly name: Uint8Array
  readonly node: Node.Node
  readonly entry: Entry
  /** The child's own item where that is a hard link; `node` and `entry` are then its target's. */
  readonly link: HardLink | undefined
  /** Position of the child's own FILENAME header. */
  readonly nameStart: number
}

/** A folder of which nothing but the name is told, because an archive would have to be opened for more: look it up. */
export interface Unopened {
  readonly _tag: "Unopened"
  readonly name: Uint8Array
  readonly node: Node.Node
}

/** A child that cannot be read, or is hidden by another of the same name (D9). */
export interface Unreadable {
  readonly _tag: "Unreadable"
  /** `undefined` if even that cannot be read. */
  readonly name: Uint8Array | undefined
  /** The item itself where that is a hard link whose target cannot be read. */
  readonly link: HardLink | undefined
  readonly error: ArchiveError
}

/** A child in a listing. */
export type Listed = Found | Unopened | Unreadable

/** Takes a child of a listing; `next` is the number from which the listing goes on behind it. False ends the listing. */
export type Add = (child: Listed, next: number) => boolean

/** Where and why reading an archive from the front came to an end. */
export interface Cut {
  readonly error: ArchiveError
  /** What is cut there, or goes on: a file, or a folder. */
  readonly path: Uint8Array
}

/** What is in an archive, or in several that are shown as one tree. */
export interface ArchiveTree {
  /** Name of the archive, for messages. */
  readonly archive: string
  /** Bytes of the archive and, if there is one, of its payload archive. */
  readonly size: number
  readonly root: Node.Node
  /** Where the archive is cut: what follows is not there. Absent if nothing is missing, or is not known to be. */
  readonly cut?: Cut | undefined
  /** Whether nodes are told apart by their own ids, or only together with the number of their archive. */
  readonly ids: Ids
  /** The inode number that is shown of a node; the same for as long as the tree is there. */
  readonly inode: (node: Node.Key) => Inode
  /** Whether it can be walked only once, in the order of the archive, each child before the next one is asked for. */
  readonly comesOnce?: boolean | undefined
  /** The entry of a node. */
  readonly entry: (node: Node.Node) => Read<Entry>
  /** Finds a child by name; `undefined` if there is none. */
  readonly lookup: (directory: Node.Node, name: Uint8Array) => Read<Found | undefined>
  /** Number of children of a directory, with those that cannot be read. */
  readonly count: (directory: Node.Node) => Read<number>
  /**
   * Hands the children of a directory over, in the order of the archive, from number `from` on until `add` returns false.
   * The numbers, 0 to `count`, are the same for as long as the tree is there. Fails if the directory's own table cannot
   * be read; a bad child costs itself alone. Of a large directory others have a turn now and then.
   */
  readonly list: (directory: Node.Node, from: number, add: Add) => Read<void>
  /** The name of a node; empty for the root. */
  readonly name: (node: Node.Node) => Read<Uint8Array>
  /**
   * Fills `target` with a file's bytes from `offset` on; the range must lie within the file. While it waits `target` is
   * the source's (see `ByteSource`).
   */
  readonly content: (node: Node.Node, offset: number, target: Uint8Array) => Read<void>
  /**
   * The run of bytes of a file that `offset`, in `[0, size)`, is in; `size` is that of the file. Absent where no file has
   * holes.
   */
  readonly extent?: ((node: Node.Node, offset: number, size: number) => Read<Extent>) | undefined
  /** Drops what is kept in memory for a directory that nobody uses any more. */
  readonly release: (directory: Node.Node) => Effect.Effect<void>
  /** Whether names can appear in a folder, or go; absent where that is so of none. An archive does not change. */
  readonly isLive?: ((folder: Node.Key) => boolean) | undefined
  /**
   * What `tree` tells at once, if it is this tree itself: one that shows another one differently has nothing at hand.
   *
   * @internal
   */
  readonly atHand?: ((tree: ArchiveTree) => AtHand | undefined) | undefined
  /** Bytes that the caches hold. */
  readonly memory: Effect.Effect<Memory>
}

/** Bytes of metadata in blocks, and of goodbye tables. */
export interface Memory {
  readonly blocks: number
  readonly tables: number
}

/** The tree of a program that serves one. */
export const ArchiveTree: Context.Service<ArchiveTree, ArchiveTree> = Context.Service(
  "pxar-fuse/services/archive/ArchiveTree",
)
