/**
 * A tree of entries as `TreeDiff` compares it, whether it stands in an archive or on disk.
 */
import type * as Effect from "effect/Effect"
import type { Entry } from "../../domain/pxar/Entry.ts"
import type { ArchiveError } from "../archive/ArchiveError.ts"
import type { SourceTreeError } from "../disk/DiskTree.ts"
import type { PlainFiles } from "./PlainFiles.ts"

/** Why something in a tree cannot be read. */
export type TreeError = ArchiveError | SourceTreeError

/** What a tree cannot tell of an entry: that is not compared. */
export interface Unknown {
  /** Extended attributes, ACLs and capabilities: all of them, or those of `trusted.*` only. */
  readonly attributes: "all" | "trusted" | "none"
  /** Feature flags and project quota id. */
  readonly flags: boolean
}

/** Everything is known. */
export const allKnown: Unknown = { attributes: "none", flags: false }

/** An entry. */
export interface Item {
  /** For a hard link its target's. On disk nothing has a position in an archive: all of those are 0. */
  readonly entry: Entry
  /** The same for all names of one file; `undefined` for what has one name only. */
  readonly group: string | undefined
  readonly unknown: Unknown
}

/** The names in a folder, ascending by their bytes, each once. */
export interface Listing<I> {
  readonly count: number
  /** The name number `index`. */
  readonly nameAt: (index: number) => Uint8Array
  /** The entry with the name number `index`. It must be closed. */
  readonly open: (index: number) => Effect.Effect<I, TreeError>
  /**
   * The same entries as plain files, where they can be looked at so.
   *
   * @internal
   */
  readonly plain?: PlainFiles | undefined
  /** Children whose names cannot be read. */
  readonly errors: ReadonlyArray<TreeError>
}

/** A tree. */
export interface ComparedTree<I extends Item> {
  readonly name: string
  readonly root: Effect.Effect<I, TreeError>
  /** Lists a folder; its entries can be opened until it is closed. */
  readonly list: (directory: I) => Effect.Effect<Listing<I>, TreeError>
  /** Fills `target` with a file's bytes from `offset` on; the range must lie within the file. */
  readonly read: (file: I, offset: number, target: Uint8Array) => Effect.Effect<void, TreeError>
  /** Gives back what holds an entry open. */
  readonly close: (item: I) => Effect.Effect<void>
}
