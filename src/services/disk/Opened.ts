/**
 * An entry of a tree on disk that is being looked at.
 */
import * as Bytes from "../../domain/Bytes.ts"
import type * as Syscalls from "../posix/ReadSyscalls.ts"
import type { UsedDescriptor } from "../posix/UsedDescriptor.ts"

/** An entry, open if it is a file or a directory. */
export interface Opened {
  /** The directory it was found in; the root has none. */
  readonly parent: Opened | undefined
  /** Empty for the root. */
  readonly name: Uint8Array
  readonly status: Syscalls.Status
  /** -1 for what is neither file nor directory, and for a directory that is not open at the moment. */
  fd: number
  /** What its file system can keep (§5). */
  readonly features: bigint
  /** Whether it is on a file system that makes contents up when they are read, so that sizes mean nothing, as proc. */
  readonly isPseudo: boolean
  /** Its descriptor as threads use it, once one has read it. */
  used: UsedDescriptor | undefined
  isClosed: boolean
}

const SLASH = Bytes.fromText("/")

/** Path of an entry relative to the root, without a slash at either end; empty for the root. */
export const pathOf = (entry: Opened): Uint8Array => {
  const names: Array<Uint8Array> = []
  for (let at: Opened | undefined = entry; at?.parent !== undefined; at = at.parent) {
    if (names.length > 0) names.push(SLASH)
    names.push(at.name)
  }
  return Bytes.concat(names.toReversed())
}

/** Path of a name in a directory, as `pathOf`. */
export const pathIn = (directory: Opened, name: Uint8Array): Uint8Array =>
  directory.parent === undefined ? name : Bytes.concat([pathOf(directory), SLASH, name])
