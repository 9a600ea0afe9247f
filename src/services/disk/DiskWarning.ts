/**
 * What a source tree could not give in full, or gave differently than announced. The archive goes on without it; whether
 * that is good enough is the caller's decision.
 *
 * Plain values: a tree can produce thousands.
 */
import * as Data from "effect/Data"
import * as PathText from "../../domain/PathText.ts"

/** What is not stored as it was found. */
export type Kind =
  /** An entry that was listed is gone: left out. */
  | "Vanished"
  /** An entry, or what is in a folder, cannot be read: left out. */
  | "Unreadable"
  /** An entry was replaced by one of another kind while it was looked at: left out. */
  | "Replaced"
  /** An entry is of a kind, or has a value, that no archive can hold: left out. */
  | "Unfit"
  /** An attribute cannot be read or cannot be stored: left out. */
  | "Attribute"
  /** A file was shorter than its size: the rest is zeros. */
  | "Shrunk"
  /** A file was longer than its size: the rest is cut off. */
  | "Grown"
  /** A file is on a file system whose sizes mean nothing, and claims a size that cannot be: left out. */
  | "Unsized"
  /** Files of a file system whose sizes mean nothing are stored cut off, or filled up with zeros. */
  | "Pseudo"
  /** A file has holes of many bytes, which are stored as zeros. */
  | "Sparse"
  /** Reading a file failed in its middle: the rest is zeros. */
  | "Damaged"
  /** Another file system begins here: the folder is stored, its contents are not. */
  | "MountPoint"
  /** The archive that is being written: left out. */
  | "Itself"
  /** A line of a `.pxarexclude` file is no pattern, or the file cannot be used: ignored. */
  | "Pattern"
  /** A pattern has left out nothing; its text is the path. */
  | "Unused"

/** One thing that is not stored as it was found. */
export class DiskWarning extends Data.TaggedClass("DiskWarning")<{
  readonly kind: Kind
  /** Relative to the root, without a slash at either end; empty for the root. */
  readonly path: Uint8Array
  readonly detail: string
}> {
  get message(): string {
    return `${this.path.length === 0 ? "." : PathText.print(this.path)}: ${this.detail}`
  }
}
