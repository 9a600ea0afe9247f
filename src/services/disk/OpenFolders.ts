/**
 * The descriptors of the directories of a tree that is being walked: few at a time, however deep the tree is.
 *
 * Guarantees: a directory that has given its descriptor up is opened again where it is needed, and only if it is the same
 * one still; no link is followed. On the way back up that takes one step a level.
 */
import * as Bytes from "../../domain/Bytes.ts"
import * as Errno from "../../domain/Errno.ts"
import { S_IFDIR, S_IFMT } from "../../domain/pxar/Entry.ts"
import * as Syscalls from "../posix/ReadSyscalls.ts"
import type { Opened } from "./Opened.ts"

/** Most directories below the root that have a descriptor at a time. */
const MAX_OPEN = 64
const ABOVE = Bytes.fromText("..\0")

export class OpenFolders {
  /** Directories that have a descriptor, but for the root, in the order in which they got it. */
  private readonly folders = new Set<Opened>()

  /** Gives a directory a descriptor; the one that has had its own longest gives it up where there are many. */
  keep(directory: Opened, fd: number): void {
    directory.fd = fd
    this.folders.add(directory)
    if (this.folders.size <= MAX_OPEN) return
    for (const longest of this.folders) {
      this.folders.delete(longest)
      Syscalls.close(longest.fd)
      longest.fd = -1
      return
    }
  }

  /** Forgets a directory that is about to be closed. The one above it is open then, if that takes but one step. */
  leave(directory: Opened): void {
    this.folders.delete(directory)
    const { fd, parent } = directory
    if (fd >= 0 && parent !== undefined && parent.fd < 0 && !parent.isClosed) {
      this.take(parent, Syscalls.openAt(fd, ABOVE, true))
    }
  }

  /** The descriptor of a directory, or a negative errno: -ELOOP if another one is in its place. */
  reach(directory: Opened): number {
    if (directory.fd >= 0) return directory.fd
    const path: Array<Opened> = []
    let at: Opened = directory
    while (at.fd < 0 && at.parent !== undefined) {
      path.push(at)
      at = at.parent
    }
    let { fd } = at
    for (let next = path.pop(); next !== undefined; next = path.pop()) {
      fd = this.take(next, Syscalls.openAt(fd, terminated(next.name), true))
      if (fd < 0) return fd
    }
    return fd
  }

  /** Takes `fd` for a directory if it is still the same one. */
  private take(directory: Opened, fd: number): number {
    if (fd < 0) return fd
    const status = Syscalls.statusOf(fd)
    if (typeof status !== "number" && Syscalls.identityOf(status) === Syscalls.identityOf(directory.status)) {
      this.keep(directory, fd)
      return fd
    }
    Syscalls.close(fd)
    return -Errno.code.ELOOP
  }
}

export const isDirectory = ({ status }: Opened): boolean => (status.mode & S_IFMT) === S_IFDIR

/** A name with a NUL behind it. */
export const terminated = (name: Uint8Array): Uint8Array => {
  const bytes = new Uint8Array(name.length + 1)
  bytes.set(name)
  return bytes
}
