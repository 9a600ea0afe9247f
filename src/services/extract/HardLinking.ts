/**
 * What gives a file of an extraction another name: only to what it is meant for, also where somebody interferes.
 */
import * as Errno from "../../domain/Errno.ts"
import { S_IFMT, S_IFREG } from "../../domain/pxar/Entry.ts"
import * as NameSyscalls from "../posix/NameSyscalls.ts"
import * as ReadSyscalls from "../posix/ReadSyscalls.ts"
import * as Syscalls from "../posix/WriteSyscalls.ts"
import * as ExtractAttributes from "./ExtractAttributes.ts"
import { type Identity, isSame } from "./Identity.ts"

/** Whether `name` is the regular file that was written. */
export const isWritten = (directory: number, name: Uint8Array, identity: Identity): boolean => {
  const status = NameSyscalls.status(directory, name)
  return typeof status !== "number" && (status.mode & S_IFMT) === S_IFREG && isSame(status, identity)
}

/** Links to an immutable or append-only file, which takes no more names otherwise. */
export const linkProtected = (directory: number, from: Uint8Array, identity: Identity, link: () => number): number => {
  if (!isWritten(directory, from, identity)) return -Errno.code.EPERM
  const fd = Syscalls.openFile(directory, from)
  if (fd < 0) return fd
  const status = ReadSyscalls.statusOf(fd)
  const isTarget = typeof status !== "number" && isSame(status, identity)
  const result = isTarget ? ExtractAttributes.withoutProtection(fd, link) : -Errno.code.EPERM
  ReadSyscalls.close(fd)
  return result
}
