/**
 * The system calls of extracting: everything is created, and changed, by the descriptor of the folder it is in.
 *
 * Every function returns its value or a negative errno and throws nothing; all wait for the disk if they must. Names
 * are checked here once more (`-EINVAL`): not empty, not `.` or `..`, no slash, no NUL, at most 4096 bytes; so no call
 * reaches beyond the folder it was given. No call follows a symbolic link, but `openTarget`. Memory: what is passed in
 * belongs to the caller and is used during the call only; names are copied into a buffer of this file, which adds the
 * NUL. Descriptors that are returned belong to the caller and are close-on-exec.
 *
 * What changes an open file also takes a descriptor of `openNode`, which is open for nothing but its place: modes and
 * extended attributes then go through `/proc/self/fd`, and are refused with -ENOENT where there is no `/proc`.
 *
 * Structures are those of 64-bit little-endian Linux.
 */
import { constants } from "node:fs"
import * as Errno from "../../domain/Errno.ts"
import * as Bytes from "../../domain/Bytes.ts"
import * as Libc from "./Libc.ts"
import { AT_EMPTY_PATH, AT_FDCWD, O_CLOEXEC, O_PATH } from "./Libc.ts"

const UTIME_OMIT = 0x3fff_fffe
const FS_IOC_SETFLAGS = 0x4008_6602
const FS_IOC_FSGETXATTR = 0x801c_581f
const FS_IOC_FSSETXATTR = 0x401c_5820

const { EBADF, EINVAL, ENOENT } = Errno.code

/** Longest name or link target, without the NUL (§1.5). */
const MAX_NAME = 4096
/** Device numbers of Linux: 12 bits of major, 20 of minor. */
const MAX_MAJOR = 0xfffn
const MAX_MINOR = 0xf_ffffn

const nameBytes = new Uint8Array(MAX_NAME + 1)
const otherBytes = new Uint8Array(MAX_NAME + 1)
const attributeBytes = new Uint8Array(MAX_NAME + 1)
const noName = Uint8Array.of(0)
const argument = new Uint8Array(32)
const argumentView = Bytes.dataView(argument)

const DOT = 0x2e
const SLASH = 0x2f

/** Whether `name` can be that of an entry in a folder. */
export const isName = (name: Uint8Array): boolean =>
  name.length > 0 &&
  name.length <= MAX_NAME &&
  !(name[0] === DOT && (name.length === 1 || (name.length === 2 && name[1] === DOT))) &&
  !name.includes(SLASH) &&
  !name.includes(0)

/** Puts `bytes` and a NUL into `buffer`; `false` if they do not fit or hold a NUL. */
const terminate = (bytes: Uint8Array, buffer: Uint8Array): boolean => {
  if (bytes.length > MAX_NAME || bytes.includes(0)) return false
  buffer.set(bytes)
  buffer[bytes.length] = 0
  return true
}

const placeName = (name: Uint8Array, buffer: Uint8Array): boolean => isName(name) && terminate(name, buffer)

/** A name with the NUL behind it, valid until the next call; `undefined` if it can be none. */
export const terminatedName = (name: Uint8Array): Uint8Array | undefined =>
  placeName(name, nameBytes) ? nameBytes : undefined

/** Opens the folder at `path`, following symbolic links: for the path that a person gave. */
export const openTarget = (path: Uint8Array): number =>
  terminate(path, nameBytes)
    ? Libc.openat(AT_FDCWD, nameBytes, constants.O_RDONLY | constants.O_DIRECTORY | O_CLOEXEC, 0)
    : -EINVAL

const openIn = (directory: number, name: Uint8Array, flags: number, mode: number): number =>
  placeName(name, nameBytes)
    ? Libc.openat(directory, nameBytes, flags | constants.O_NOFOLLOW | O_CLOEXEC, mode)
    : -EINVAL

/** Opens the folder `name`. -ELOOP or -ENOTDIR: something else is there. */
export const openFolder = (directory: number, name: Uint8Array): number =>
  openIn(directory, name, constants.O_RDONLY | constants.O_DIRECTORY, 0)

const above = Uint8Array.of(DOT, DOT, 0)

/** Opens the folder that an open folder is in now. To be checked: folders can be moved. */
export const openAbove = (directory: number): number =>
  Libc.openat(directory, above, constants.O_RDONLY | constants.O_DIRECTORY | O_CLOEXEC, 0)

/** Opens the place of `name`, of whatever kind it is, also of a symbolic link; what is there is not touched. */
export const openNode = (directory: number, name: Uint8Array): number => openIn(directory, name, O_PATH, 0)

/** Opens the regular file `name` for reading. Not for anything that could be a device. */
export const openFile = (directory: number, name: Uint8Array): number =>
  openIn(directory, name, constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOCTTY, 0)

/** Creates the regular file `name` and opens it for writing. -EEXIST if there is anything of that name. */
export const createFile = (directory: number, name: Uint8Array, mode: number): number =>
  openIn(directory, name, constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | constants.O_NOCTTY, mode)

/** Creates the folder `name`. */
export const makeFolder = (directory: number, name: Uint8Array, mode: number): number =>
  placeName(name, nameBytes) ? Libc.mkdirat(directory, nameBytes, mode) : -EINVAL

/** Creates the device, FIFO or socket `name`; `mode` with type bits. -EINVAL for numbers that Linux does not have. */
export const makeNode = (directory: number, name: Uint8Array, mode: number, major: bigint, minor: bigint): number => {
  if (!placeName(name, nameBytes) || major > MAX_MAJOR || minor > MAX_MINOR) return -EINVAL
  const device = (major << 8n) | (minor & 0xffn) | ((minor & ~0xffn) << 12n)
  return Libc.mknodat(directory, nameBytes, mode, Number(device))
}

/** Creates the symbolic link `name`. `target` may be anything without a NUL. */
export const makeSymlink = (target: Uint8Array, directory: number, name: Uint8Array): number =>
  placeName(name, nameBytes) && terminate(target, otherBytes)
    ? Libc.symlinkat(otherBytes, directory, nameBytes)
    : -EINVAL

/** Gives the file `from` in `fromDirectory` one more name. A symbolic link there is not followed. */
export const makeLink = (fromDirectory: number, from: Uint8Array, directory: number, name: Uint8Array): number =>
  placeName(name, nameBytes) && placeName(from, otherBytes)
    ? Libc.linkat(fromDirectory, otherBytes, directory, nameBytes, 0)
    : -EINVAL

/** Removes the name of anything but a folder. */
export const unlink = (directory: number, name: Uint8Array): number =>
  placeName(name, nameBytes) ? Libc.unlinkat(directory, nameBytes, 0) : -EINVAL

/** Changes the owner; 2^32 − 1 leaves user or group as it is. Takes set-id bits and capabilities away. */
export const setOwner = (fd: number, uid: number, gid: number): number =>
  Libc.fchownat(fd, noName, uid, gid, AT_EMPTY_PATH)

/** Path of a descriptor for calls that take none that is open for nothing. Valid until the next call. */
const procPath = (fd: number): Uint8Array => {
  terminate(Bytes.fromText(`/proc/self/fd/${fd}`), nameBytes)
  return nameBytes
}

/** Changes the twelve permission bits. */
export const setMode = (fd: number, mode: number): number => {
  const result = Libc.fchmod(fd, mode)
  if (result !== -EBADF) return result
  const byPath = Libc.chmod(procPath(fd), mode)
  if (byPath !== -ENOENT) return byPath
  // Without /proc there is a call for it, if the kernel is new enough.
  return Libc.fchmodat2(fd, noName, mode, AT_EMPTY_PATH) === 0 ? 0 : -ENOENT
}

const times = new Uint8Array(32)
const timesView = Bytes.dataView(times)
timesView.setBigInt64(8, BigInt(UTIME_OMIT), true)

/** Changes the modification time; `nanos` counts forward from `seconds`, also before 1970. */
export const setModified = (fd: number, seconds: bigint, nanos: number): number => {
  timesView.setBigInt64(16, seconds, true)
  timesView.setUint32(24, nanos, true)
  const result = Libc.futimens(fd, times)
  return result === -EBADF ? Libc.utimensat(fd, noName, times, AT_EMPTY_PATH) : result
}

/** Sets an extended attribute under its full name. */
export const setXattr = (fd: number, name: Uint8Array, value: Uint8Array): number => {
  if (!terminate(name, attributeBytes)) return -EINVAL
  const result = Libc.fsetxattr(fd, attributeBytes, value, value.length, 0)
  return result === -EBADF ? Libc.setxattr(procPath(fd), attributeBytes, value, value.length, 0) : result
}

/** Length of the value of an extended attribute in bytes. */
export const xattrSize = (fd: number, name: Uint8Array): number =>
  terminate(name, attributeBytes) ? Libc.fgetxattr(fd, attributeBytes, null, 0) : -EINVAL

/** Removes an extended attribute. -ENODATA if there is none of that name. */
export const removeXattr = (fd: number, name: Uint8Array): number => {
  if (!terminate(name, attributeBytes)) return -EINVAL
  const result = Libc.fremovexattr(fd, attributeBytes)
  return result === -EBADF ? Libc.removexattr(procPath(fd), attributeBytes) : result
}

/** Sets all chattr bits (`FS_*_FL`) of an open file. */
export const setFlags = (fd: number, bits: number): number => {
  Bytes.setU64(argumentView, 0, bits)
  return Libc.ioctl(fd, FS_IOC_SETFLAGS, argument)
}

/** Sets the project quota id of an open file, in `[0, 2^32)`. */
export const setProjectId = (fd: number, id: number): number => {
  const result = Libc.ioctl(fd, FS_IOC_FSGETXATTR, argument)
  if (result < 0) return result
  argumentView.setUint32(12, id, true)
  return Libc.ioctl(fd, FS_IOC_FSSETXATTR, argument)
}

/** Writes `bytes` at `offset`; returns how many, which may be fewer. */
export const writeAt = (fd: number, bytes: Uint8Array, offset: number): number =>
  Libc.pwrite(fd, bytes, bytes.length, offset)

/** Makes the file `size` bytes long; what was not written is a hole. */
export const setSize = (fd: number, size: number): number => Libc.ftruncate(fd, size)
