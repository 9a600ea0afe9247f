/**
 * The system calls of reading a tree of files by descriptor.
 *
 * Every function returns its value or a negative errno and throws nothing; all wait for the disk if they must. Memory:
 * paths, names and targets belong to the caller and are used during the call only; what is returned is the caller's
 * own copy. Paths and names end in a NUL, which is part of their bytes. Descriptors that are returned belong to the
 * caller and are close-on-exec.
 *
 * Structures are those of 64-bit little-endian Linux.
 */
import { constants } from "node:fs"
import * as Errno from "../../domain/Errno.ts"
import * as Bytes from "../../domain/Bytes.ts"
import * as Libc from "./Libc.ts"
import { AT_EMPTY_PATH, AT_FDCWD, AT_NO_AUTOMOUNT, AT_SYMLINK_NOFOLLOW, O_CLOEXEC } from "./Libc.ts"

const STATX_BASIC_STATS = 0x7ff
const FS_IOC_GETFLAGS = 0x8008_6601
const FS_IOC_FSGETXATTR = 0x801c_581f
const { EOPNOTSUPP, EPERM } = Errno.code

/** Largest list of names, and largest value, of extended attributes (xattr(7)). */
const XATTR_MAX = 65_536
/** Longest target of a symbolic link, with room to notice a longer one. */
const LINK_MAX = 4097
/** Bytes of directory entries read at a time. */
const DIRENTS_SIZE = 64 * 1024

const noName = Uint8Array.of(0)

/** Opens for reading; leaves the access time alone where that is permitted. */
const openForReading = (directory: number, path: Uint8Array, flags: number): number => {
  const fd = Libc.openat(directory, path, flags | constants.O_RDONLY | constants.O_NOATIME | O_CLOEXEC, 0)
  return fd === -EPERM ? Libc.openat(directory, path, flags | constants.O_RDONLY | O_CLOEXEC, 0) : fd
}

/** Opens a directory by its path, following symbolic links. */
export const openDirectory = (path: Uint8Array): number => openForReading(AT_FDCWD, path, constants.O_DIRECTORY)

/** Opens `name` in `directory`, without following a link and without waiting for the other end of a FIFO. */
export const openAt = (directory: number, name: Uint8Array, isDirectory: boolean): number =>
  openForReading(
    directory,
    name,
    constants.O_NOFOLLOW | (isDirectory ? constants.O_DIRECTORY : constants.O_NOCTTY | constants.O_NONBLOCK),
  )

/** Closes a descriptor. */
export const close = (fd: number): number => Libc.close(fd)

/** What statx(2) says of a file. */
export interface Status {
  readonly mode: number
  readonly nlink: number
  readonly uid: number
  readonly gid: number
  /** Bytes. */
  readonly size: number
  /** Units of 512 bytes on disk. */
  readonly blocks: number
  readonly mtimeSeconds: bigint
  readonly mtimeNanos: number
  /** Halves of the inode number. */
  readonly inodeLow: number
  readonly inodeHigh: number
  /** The device of the file system, as one number. */
  readonly device: number
  /** Of a device node. */
  readonly major: number
  readonly minor: number
}

const statusBytes = new Uint8Array(256)
const statusView = Bytes.dataView(statusBytes)

/** Status of `name` in `directory`, links not followed. */
export const statusAt = (directory: number, name: Uint8Array): Status | number => {
  const flags = AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT
  const result = Libc.statx(directory, name, flags, STATX_BASIC_STATS, statusBytes)
  return result < 0 ? result : decodeStatus()
}

/** Status of an open file. */
export const statusOf = (fd: number): Status | number => {
  const result = Libc.statx(fd, noName, AT_EMPTY_PATH, STATX_BASIC_STATS, statusBytes)
  return result < 0 ? result : decodeStatus()
}

const decodeStatus = (): Status => ({
  mode: statusView.getUint16(28, true),
  nlink: statusView.getUint32(16, true),
  uid: statusView.getUint32(20, true),
  gid: statusView.getUint32(24, true),
  size: Bytes.getU64(statusView, 40),
  blocks: Bytes.getU64(statusView, 48),
  mtimeSeconds: statusView.getBigInt64(112, true),
  mtimeNanos: statusView.getUint32(120, true),
  inodeLow: statusView.getUint32(32, true),
  inodeHigh: statusView.getUint32(36, true),
  device: statusView.getUint32(136, true) * 0x1_0000_0000 + statusView.getUint32(140, true),
  major: statusView.getUint32(128, true),
  minor: statusView.getUint32(132, true),
})

/** What most files have, as numbers. */
export interface BriefStatus {
  mode: number
  nlink: number
  uid: number
  gid: number
  /** Bytes. */
  size: number
  /** Halves of the seconds since the epoch. */
  mtimeLow: number
  mtimeHigh: number
  mtimeNanos: number
}

/** Of no file. */
export const briefStatus = (): BriefStatus => ({
  mode: 0,
  nlink: 0,
  uid: 0,
  gid: 0,
  size: 0,
  mtimeLow: 0,
  mtimeHigh: 0,
  mtimeNanos: 0,
})

/** Fills in the status of an open file; returns 0. */
export const statusInto = (fd: number, status: BriefStatus): number => {
  const result = Libc.statx(fd, noName, AT_EMPTY_PATH, STATX_BASIC_STATS, statusBytes)
  if (result < 0) return result
  status.mode = statusView.getUint16(28, true)
  status.nlink = statusView.getUint32(16, true)
  status.uid = statusView.getUint32(20, true)
  status.gid = statusView.getUint32(24, true)
  status.size = Bytes.getU64(statusView, 40)
  status.mtimeLow = statusView.getUint32(112, true)
  status.mtimeHigh = statusView.getUint32(116, true)
  status.mtimeNanos = statusView.getUint32(120, true)
  return 0
}

/** A text that is the same for all names of one file and for no other file. */
export const identityOf = ({ device, inodeHigh, inodeLow }: Status): string => `${device}:${inodeHigh}:${inodeLow}`

/** Sets an open directory back to its first entry. */
export const rewind = (fd: number): number => Libc.lseek(fd, 0, 0)

const dirents = new Uint8Array(DIRENTS_SIZE)
const direntsView = Bytes.dataView(dirents)

/**
 * Calls `each` with the NUL-terminated name (a view, valid during the call) and the type (`DT_*`) of some entries of a
 * directory, `.` and `..` included. Returns 0 when there are no more.
 */
export const readEntries = (fd: number, each: (name: Uint8Array, type: number) => void): number => {
  const size = Libc.getdents64(fd, dirents, DIRENTS_SIZE)
  for (let at = 0; at < size; at += direntsView.getUint16(at + 16, true)) {
    const name = at + 19
    each(dirents.subarray(name, dirents.indexOf(0, name) + 1), dirents[at + 18] as number)
  }
  return size
}

const linkTarget = new Uint8Array(LINK_MAX)

/** Target of the symbolic link `name` in `directory`. */
export const readLinkAt = (directory: number, name: Uint8Array): Uint8Array | number => {
  const size = Libc.readlinkat(directory, name, linkTarget, LINK_MAX)
  return size < 0 ? size : linkTarget.slice(0, size)
}

const attribute = new Uint8Array(XATTR_MAX)

/** Names of the extended attributes of an open file, each with a NUL. */
export const listXattrs = (fd: number): Uint8Array | number => {
  const size = Libc.flistxattr(fd, attribute, XATTR_MAX)
  return size < 0 ? size : size === 0 ? Bytes.empty : attribute.slice(0, size)
}

/** Whether an open file has extended attributes, or that cannot be told. */
export const mayHaveXattrs = (fd: number): boolean => {
  const size = Libc.flistxattr(fd, attribute, 0)
  return size !== 0 && size !== -EOPNOTSUPP
}

/** Value of an extended attribute of an open file. */
export const getXattr = (fd: number, name: Uint8Array): Uint8Array | number => {
  const size = Libc.fgetxattr(fd, name, attribute, XATTR_MAX)
  return size < 0 ? size : attribute.slice(0, size)
}

const argument = new Uint8Array(32)
const argumentView = Bytes.dataView(argument)

/** The chattr bits (`FS_*_FL`) of an open file, unsigned. */
export const getFlags = (fd: number): number => {
  const result = Libc.ioctl(fd, FS_IOC_GETFLAGS, argument)
  return result < 0 ? result : argumentView.getUint32(0, true)
}

/** The project quota id of an open file. */
export const getProjectId = (fd: number): number => {
  const result = Libc.ioctl(fd, FS_IOC_FSGETXATTR, argument)
  return result < 0 ? result : argumentView.getUint32(12, true)
}

const fileSystem = new Uint8Array(256)
const fileSystemView = Bytes.dataView(fileSystem)

/** `f_type` of the file system of an open file, unsigned 32 bits. */
export const fileSystemType = (fd: number): number => {
  const result = Libc.fstatfs(fd, fileSystem)
  return result < 0 ? result : fileSystemView.getUint32(0, true)
}

/** Reads from `offset` on into `target`; returns the number of bytes, 0 at the end. */
export const readAt = (fd: number, target: Uint8Array, offset: number): number =>
  Libc.pread(fd, target, target.length, offset)
