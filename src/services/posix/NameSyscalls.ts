/**
 * The system calls that give names to what was made aside, and take names away.
 *
 * Every function returns 0, its value or a negative errno and throws nothing. Names are checked as in `WriteSyscalls`
 * (`-EINVAL`), so no call reaches beyond the folder it was given, and no link is followed, but by
 * `openInRoot`, which the kernel keeps below a folder, and by `openFollowing`, which opens nothing to write to. Memory: what is passed in belongs to the caller and is used during the call only.
 * Descriptors that are returned belong to the caller and are close-on-exec.
 */
import { constants } from "node:fs"
import * as Bytes from "../../domain/Bytes.ts"
import * as Errno from "../../domain/Errno.ts"
import * as Libc from "./Libc.ts"
import { AT_EMPTY_PATH, AT_FDCWD, O_CLOEXEC, O_PATH } from "./Libc.ts"
import * as ReadSyscalls from "./ReadSyscalls.ts"
import { isName, openFolder, terminatedName } from "./WriteSyscalls.ts"

const AT_SYMLINK_FOLLOW = 0x400
const AT_REMOVEDIR = 0x200
const O_TMPFILE = 0o20000000 | constants.O_DIRECTORY
const RENAME_NOREPLACE = 1
const RENAME_EXCHANGE = 2
const RESOLVE_NO_XDEV = 0x01
const RESOLVE_NO_MAGICLINKS = 0x02
const RESOLVE_NO_SYMLINKS = 0x04
const RESOLVE_IN_ROOT = 0x10
const POSIX_FADV_DONTNEED = 4

const INVALID = -Errno.code.EINVAL

/** A copy of a name with the NUL that ends it; `undefined` if it can be none. */
const terminated = (name: Uint8Array): Uint8Array | undefined => {
  if (!isName(name)) return undefined
  const bytes = new Uint8Array(name.length + 1)
  bytes.set(name)
  return bytes
}

const here = Bytes.fromText(".\0")
const noName = Uint8Array.of(0)

/** Creates a regular file without a name in a folder, open for writing. -EOPNOTSUPP, -EISDIR: not on this file system. */
export const createUnnamed = (directory: number, mode: number): number =>
  Libc.openat(directory, here, O_TMPFILE | constants.O_WRONLY | O_CLOEXEC, mode)

/**
 * Gives a file of `createUnnamed` its first name. -EEXIST if there is anything of that name; -ENOENT if neither the
 * kernel permits it by descriptor nor `/proc` is there.
 */
export const linkUnnamed = (fd: number, directory: number, name: Uint8Array): number => {
  const path = terminatedName(name)
  if (path === undefined) return INVALID
  const result = Libc.linkat(fd, noName, directory, path, AT_EMPTY_PATH)
  if (result !== -Errno.code.ENOENT) return result
  // Before Linux 6.10 the way by descriptor takes a capability.
  return Libc.linkat(AT_FDCWD, Bytes.fromText(`/proc/self/fd/${fd}\0`), directory, path, AT_SYMLINK_FOLLOW)
}

const rename = (directory: number, from: Uint8Array, to: Uint8Array, flags: number): number => {
  const [fromPath, toPath] = [terminated(from), terminated(to)]
  if (fromPath === undefined || toPath === undefined) return INVALID
  return Libc.renameat2(directory, fromPath, directory, toPath, flags)
}

/** Renames within a folder; what has the new name, and is no folder, is gone at that moment and not before. */
export const renameOver = (directory: number, from: Uint8Array, to: Uint8Array): number =>
  rename(directory, from, to, 0)

/** Renames within a folder unless the new name exists (-EEXIST). -EINVAL: the file system cannot do that. */
export const renameNoReplace = (directory: number, from: Uint8Array, to: Uint8Array): number =>
  rename(directory, from, to, RENAME_NOREPLACE)

/** Two names of a folder change their places. -EINVAL: the file system cannot do that. */
export const exchange = (directory: number, one: Uint8Array, other: Uint8Array): number =>
  rename(directory, one, other, RENAME_EXCHANGE)

/** Removes an empty folder. */
export const removeFolder = (directory: number, name: Uint8Array): number => {
  const path = terminatedName(name)
  return path === undefined ? INVALID : Libc.unlinkat(directory, path, AT_REMOVEDIR)
}

/** Status of what has a name in a folder; a link is not followed. */
export const status = (directory: number, name: Uint8Array): ReadSyscalls.Status | number => {
  const path = terminatedName(name)
  return path === undefined ? INVALID : ReadSyscalls.statusAt(directory, path)
}

/** Target of the symbolic link `name` in a folder. */
export const readLink = (directory: number, name: Uint8Array): Uint8Array | number => {
  const path = terminatedName(name)
  return path === undefined ? INVALID : ReadSyscalls.readLinkAt(directory, path)
}

/**
 * Opens the folder at `path`, which is relative to the folder `root` and has no NUL. Links on the way are followed as if
 * `root` were the root of everything: none leads out of it. -ENOSYS before Linux 5.6.
 */
export const openInRoot = (root: number, path: Uint8Array): number =>
  openResolved(root, Bytes.concat([path, noName]), RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS)

/** Opens the folder `name`, or the one that a link of this name leads to, wherever that is. To look at, not to write to. */
export const openFollowing = (directory: number, name: Uint8Array): number => {
  const path = terminatedName(name)
  if (path === undefined) return INVALID
  return Libc.openat(directory, path, O_PATH | constants.O_DIRECTORY | O_CLOEXEC, 0)
}

/** Opens a folder in a folder if nothing is mounted there (-EXDEV), be it another part of the same file system. */
export const openUnmounted = (directory: number, name: Uint8Array): number => {
  const path = terminatedName(name)
  if (path === undefined) return INVALID
  const fd = openResolved(directory, path, RESOLVE_NO_XDEV | RESOLVE_NO_SYMLINKS)
  return fd === -Errno.code.ENOSYS ? openFolder(directory, name) : fd
}

const openResolved = (directory: number, path: Uint8Array, resolve: number): number => {
  const how = new Uint8Array(24)
  const view = Bytes.dataView(how)
  Bytes.setU64(view, 0, constants.O_RDONLY | constants.O_DIRECTORY | O_CLOEXEC)
  Bytes.setU64(view, 16, resolve)
  return Libc.openat2(directory, path, how)
}

/** Writes everything that waits for the file system of an open file to its disk, on a thread, and then calls `done`. */
export const syncFileSystem = (fd: number, done: () => void): void => {
  Libc.syncfs(fd, done)
}

/** Forgets what memory holds of an open file and the disk has: it is read from there then. */
export const dropCached = (fd: number): number => -Libc.posixFadvise(fd, 0, 0, POSIX_FADV_DONTNEED)
