/**
 * What is in the place of an entry that is to be extracted, and whether it makes way.
 */
import * as Bytes from "../../domain/Bytes.ts"
import type { Entry } from "../../domain/pxar/Entry.ts"
import { S_IFLNK, S_IFMT } from "../../domain/pxar/Entry.ts"
import * as NameSyscalls from "../posix/NameSyscalls.ts"
import type { Status } from "../posix/ReadSyscalls.ts"
import type { Restore } from "./ExtractAttributes.ts"

/**
 * What happens to what is there already, and is no folder:
 *
 * - `refuse`: it stays, and is a problem;
 * - `never`: it stays, and is a problem if it is not the same as in the archive;
 * - `if-changed`: it is replaced unless it is the same;
 * - `if-newer`: it is replaced if the archive's was modified later;
 * - `always`: it is replaced.
 */
export type Overwrite = "refuse" | "never" | "if-changed" | "if-newer" | "always"

/** Whether the same run again is meant to complete the first: folders that are there are then extracted into. */
export const completes = (overwrite: Overwrite): boolean => overwrite !== "refuse" && overwrite !== "always"

/** What becomes of something that is there: it is replaced, stays because that is right, or is in the way. */
export type Decision = "Replace" | "Keep" | "Newer" | "InTheWay"

export interface Policy {
  readonly overwrite: Overwrite
  readonly restore: Restore
  /** Whether owners can be restored. */
  readonly isRoot: boolean
}

/** What becomes of `name`, which is no folder and whose status is `status`, when `entry` is to be extracted. */
export const decide = (
  { isRoot, overwrite, restore }: Policy,
  directory: number,
  name: Uint8Array,
  status: Status,
  entry: Entry,
): Decision => {
  switch (overwrite) {
    case "refuse":
      return "InTheWay"
    case "always":
      return "Replace"
    case "if-newer": {
      const age = compareTimes(status, entry)
      return age < 0 ? "Replace" : age > 0 ? "Newer" : "Keep"
    }
    case "never":
    case "if-changed":
      if (isSame(directory, name, status, entry, restore, isRoot)) return "Keep"
      return overwrite === "never" ? "InTheWay" : "Replace"
  }
}

/** Negative if what is on disk was modified before the entry. A disk that keeps whole seconds is believed. */
const compareTimes = (status: Status, entry: Entry): number => {
  if (status.mtimeSeconds !== entry.mtimeSeconds) return status.mtimeSeconds < entry.mtimeSeconds ? -1 : 1
  return status.mtimeNanos === 0 ? 0 : status.mtimeNanos - entry.mtimeNanos
}

/**
 * Whether what is on disk looks as the entry would when it is extracted: kind, size, target or device number, time, and
 * of owner and mode what can be restored. Contents and extended attributes are not read.
 */
const isSame = (
  directory: number,
  name: Uint8Array,
  status: Status,
  entry: Entry,
  restore: Restore,
  isRoot: boolean,
): boolean => {
  if ((status.mode & S_IFMT) !== (entry.mode & S_IFMT) || compareTimes(status, entry) !== 0) return false
  if (restore.owner && isRoot && (status.uid !== entry.uid || status.gid !== entry.gid)) return false
  const isLink = (status.mode & S_IFMT) === S_IFLNK
  // The bits of the group can be the mask of an ACL, and set-id bits were left out for others than the owner.
  if (restore.permissions && !isLink && ((status.mode ^ entry.mode) & 0o707) !== 0) return false
  const { body } = entry
  switch (body._tag) {
    case "File":
      return status.size === body.content.length
    case "Symlink": {
      const target = NameSyscalls.readLink(directory, name)
      return typeof target !== "number" && Bytes.equals(target, body.target)
    }
    case "Device":
      return BigInt(status.major) === body.major && BigInt(status.minor) === body.minor
    default:
      return true
  }
}
