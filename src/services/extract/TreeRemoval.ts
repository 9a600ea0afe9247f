/**
 * Removes files and whole trees by descriptor.
 *
 * Guarantees: no link is followed, nothing outside the folder it is given is touched whatever others move meanwhile, and
 * nothing that is mounted below is entered. However deep a tree is two folders are open at a time. Folders
 * of one's own that may not be written to are made writable first.
 */
import * as Errno from "../../domain/Errno.ts"
import { S_IFDIR, S_IFMT } from "../../domain/pxar/Entry.ts"
import * as NameSyscalls from "../posix/NameSyscalls.ts"
import * as ReadSyscalls from "../posix/ReadSyscalls.ts"
import * as Syscalls from "../posix/WriteSyscalls.ts"
import { type Identity, isSame } from "./Identity.ts"

/** Removes `name` and all that is in it. 0, or why that was not possible; some of it can be gone then. */
export const remove = (directory: number, name: Uint8Array): number => {
  const status = NameSyscalls.status(directory, name)
  if (typeof status === "number") return status
  if ((status.mode & S_IFMT) !== S_IFDIR) return Syscalls.unlink(directory, name)
  const empty = NameSyscalls.removeFolder(directory, name)
  return empty === -Errno.code.ENOTEMPTY || empty === -Errno.code.EEXIST ? removeTree(directory, name) : empty
}

/** A folder on the way to the one that is being emptied. */
interface Level {
  /** Of the folder in the one above. */
  readonly name: Uint8Array
  readonly identity: Identity
}

/** Removes the folder `name` in the open folder `top`, which stays open. */
const removeTree = (top: number, name: Uint8Array): number => {
  const levels: Array<Level> = []
  const first = openWritable(top, name)
  if (first < 0) return first
  let fd = first
  const end = (result: number): number => {
    if (fd !== top) ReadSyscalls.close(fd)
    return result
  }
  const start = ReadSyscalls.statusOf(fd)
  if (typeof start === "number") return end(start)
  levels.push({ name, identity: start })
  for (;;) {
    const inner = empty(fd)
    if (typeof inner === "number" && inner < 0) return end(inner)
    if (typeof inner !== "number") {
      const next = openWritable(fd, inner)
      if (next < 0) return end(next)
      const status = ReadSyscalls.statusOf(next)
      ReadSyscalls.close(fd)
      fd = next
      if (typeof status === "number") return end(status)
      levels.push({ name: inner, identity: status })
      continue
    }
    const done = levels.pop() as Level
    const above = levels.at(-1)
    if (above === undefined) {
      ReadSyscalls.close(fd)
      fd = top
      return NameSyscalls.removeFolder(top, done.name)
    }
    const parent = Syscalls.openAbove(fd)
    if (parent < 0) return end(parent)
    ReadSyscalls.close(fd)
    fd = parent
    const status = ReadSyscalls.statusOf(fd)
    // Somebody has moved the folder: what is above it is not ours to empty.
    if (typeof status === "number" || !isSame(status, above.identity)) return end(-Errno.code.ELOOP)
    const removed = NameSyscalls.removeFolder(fd, done.name)
    if (removed < 0) return end(removed)
  }
}

/** Removes what is no folder from a folder. 0 if it is empty then, else the name of a folder in it, or an errno. */
const empty = (fd: number): Uint8Array | number => {
  for (;;) {
    const names = firstNames(fd)
    if (typeof names === "number") return names
    if (names.length === 0) return 0
    for (const name of names) {
      const result = removeEntry(fd, name)
      if (result === IS_FOLDER) return name
      if (result < 0) return result
    }
  }
}

/** Some names in a folder; none if it is empty. Read from the start: removing can shift what comes next. */
const firstNames = (fd: number): ReadonlyArray<Uint8Array> | number => {
  const names: Array<Uint8Array> = []
  let size = ReadSyscalls.rewind(fd)
  while (names.length === 0 && size >= 0) {
    size = ReadSyscalls.readEntries(fd, (terminated) => {
      const name = terminated.slice(0, -1)
      if (Syscalls.isName(name)) names.push(name)
    })
    if (size === 0) break
  }
  return size < 0 ? size : names
}

const IS_FOLDER = 1

const removeEntry = (fd: number, name: Uint8Array): number => {
  const result = Syscalls.unlink(fd, name)
  if (result !== -Errno.code.EISDIR && result !== -Errno.code.EPERM) return result
  const status = NameSyscalls.status(fd, name)
  if (typeof status === "number" || (status.mode & S_IFMT) !== S_IFDIR) return result
  const removed = NameSyscalls.removeFolder(fd, name)
  return removed === -Errno.code.ENOTEMPTY || removed === -Errno.code.EEXIST ? IS_FOLDER : removed
}

/** Opens a folder from which its owner may remove names. */
const openWritable = (directory: number, name: Uint8Array): number => {
  const fd = NameSyscalls.openUnmounted(directory, name)
  const node = fd >= 0 ? fd : fd === -Errno.code.EACCES ? Syscalls.openNode(directory, name) : fd
  if (node < 0) return node
  const status = ReadSyscalls.statusOf(node)
  if (typeof status !== "number" && (status.mode & S_IFMT) === S_IFDIR && (status.mode & 0o700) !== 0o700) {
    Syscalls.setMode(node, (status.mode & 0o7777) | 0o700)
  }
  if (node === fd) return fd
  ReadSyscalls.close(node)
  return NameSyscalls.openUnmounted(directory, name)
}
