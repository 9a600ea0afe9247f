/**
 * A folder that an extraction is in, or has made.
 */
import * as Bytes from "../../domain/Bytes.ts"
import type { Identity } from "./Identity.ts"
import type { InodeSet } from "./InodeSet.ts"

export interface Folder {
  /** The target folder itself has none. */
  readonly parent: Folder | undefined
  /** In the archive. */
  readonly name: Uint8Array
  /** On disk: hidden for one that takes another's place when it is whole. */
  diskName: Uint8Array
  /** Length of its path in the archive (see `ExtractPath`). */
  readonly pathLength: number
  /** Whether it may be there already: its attributes are then replaced if it is selected. */
  readonly selected: boolean
  /** Whether it is a folder of the archive that is left out of paths: what is in it goes into the target. */
  readonly isPassed: boolean
  /** -1 for one that is not open. */
  fd: number
  /** `Absent`: it is not there, and will not be made. */
  state: "Pending" | "Made" | "Absent" | "Failed"
  /** Whether this run made it. */
  created: boolean
  /** Whether it takes another's place when it is whole. */
  aside: boolean
  /** Whether a symbolic link on disk stands for it. */
  isLink: boolean
  /** Whether what is made in it gets an ACL from it. */
  inheritsAcl: boolean
  /** Which file it is, from when it was entered first. */
  identity: Identity | undefined
  /** What this run has put into it, or left there as it is; `undefined` if that is everything in it. */
  written: InodeSet | undefined
  /** How many problems with reading the archive there were when it was begun. */
  unreadableBefore: number
  /** The mode it had before it was made writable. */
  lockedMode: number | undefined
  /** The chattr flags it had before it was made to take files again (`+i`, `+a`). */
  lockedFlags: number | undefined
}

const none = {
  aside: false,
  isLink: false,
  inheritsAcl: false,
  identity: undefined,
  written: undefined,
  unreadableBefore: 0,
  lockedMode: undefined,
  lockedFlags: undefined,
} as const

/** The target folder. */
export const root = (
  fd: number,
  given: Pick<
    Folder,
    "selected" | "isPassed" | "created" | "inheritsAcl" | "identity" | "written" | "lockedMode" | "lockedFlags"
  >,
): Folder => ({
  ...none,
  ...given,
  parent: undefined,
  name: Bytes.empty,
  diskName: Bytes.empty,
  pathLength: 0,
  fd,
  state: "Made",
})

/** A folder that is not made yet. */
export const child = (parent: Folder, name: Uint8Array, selected: boolean, pathLength: number): Folder => ({
  ...none,
  parent,
  name,
  diskName: name,
  pathLength,
  selected,
  isPassed: false,
  fd: -1,
  state: "Pending",
  created: false,
})

/** A folder of the archive for which the target stands. */
export const passed = (root: Folder, name: Uint8Array, selected: boolean, pathLength: number): Folder => ({
  ...root,
  name,
  selected,
  pathLength,
  isPassed: true,
  created: false,
  lockedMode: undefined,
  lockedFlags: undefined,
})
