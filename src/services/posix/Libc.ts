/**
 * The one binding to libc.
 *
 * Nothing is loaded by the import: koffi and libc are loaded by the first call of a function, and each function is bound
 * by its own first call. Every function returns its value, or a negative errno of which `domain/Errno.ts` has the
 * numbers, and throws nothing. All of them wait for the disk if they must.
 *
 * Memory: what is passed in belongs to the caller and is used during the call only. Structures are those of 64-bit
 * little-endian Linux; paths and names are bytes that end in a NUL.
 */
import * as fs from "node:fs"
import { createRequire } from "node:module"
import * as path from "node:path"
import type koffiModule from "koffi"
import { once } from "./Once.ts"

type Koffi = typeof koffiModule

/**
 * koffi itself, loaded by the first call: for structures, addresses and calls on threads. Throws where it has no binary.
 *
 * Its binary is taken without koffi's own JavaScript, which wraps what koffi has deprecated and takes 8 ms of CPU to load, not 1. The package
 * of a kind of machine has one binary for glibc and one for musl; what that package itself loads is the right one.
 */
export const koffi: () => Koffi = once(() => {
  const binary = `@koromix/koffi-linux-${process.arch}`
  try {
    return opened(`${binary}/linux_${process.arch}/koffi.node`) as Koffi
  } catch {
    return createRequire(import.meta.url)(binary) as Koffi
  }
})

/** A binary in a package. Node's own way from a name to a file takes 1.5 ms of CPU more. */
const opened = (file: string): unknown => {
  let folder = import.meta.dirname
  while (!fs.existsSync(path.join(folder, "node_modules", file)) && folder !== "/") folder = path.dirname(folder)
  const module = { exports: {} }
  process.dlopen(module, path.join(folder, "node_modules", file))
  return module.exports
}

/** libc, as koffi has it. */
export const libc: () => ReturnType<Koffi["load"]> = once(() => koffi().load(null))

/** `result`, or the negative errno of the call that has just returned it. */
export const orErrno = (result: number): number => (result < 0 ? -koffi().errno() : result)

type Argument = number | bigint | Uint8Array | null
type Call = (...args: ReadonlyArray<Argument>) => number

const bind = (declaration: string): Call => libc().func(declaration) as unknown as Call

/** A function of libc by its declaration in C. */
const define = <Arguments extends ReadonlyArray<Argument>>(declaration: string): ((...args: Arguments) => number) => {
  let call: Call | undefined
  return (...args) => {
    call ??= bind(declaration)
    return orErrno(call(...args))
  }
}

/** In place of the descriptor of a folder: the folder that this process is in. */
export const AT_FDCWD = -100
export const AT_SYMLINK_NOFOLLOW = 0x100
export const AT_NO_AUTOMOUNT = 0x800
export const AT_EMPTY_PATH = 0x1000
export const O_CLOEXEC = 0o2000000
export const O_PATH = 0o10000000

type Bytes = Uint8Array

// Descriptors.
export const openat = define<[directory: number, path: Bytes, flags: number, mode: number]>(
  "int openat(int, const uint8_t *, int, uint)",
)
/** openat2(2), by number, which is the same on all architectures. Since Linux 5.6. */
export const openat2 = (directory: number, path: Uint8Array, how: Uint8Array): number =>
  syscallOpen(437, directory, path, how, how.length)
const syscallOpen = define<[number: number, directory: number, path: Bytes, how: Bytes, size: number]>(
  "long syscall(long, int, const uint8_t *, const uint8_t *, size_t)",
)
export const close = define<[fd: number]>("int close(int)")
export const dup2 = define<[from: number, to: number]>("int dup2(int, int)")
export const lseek = define<[fd: number, offset: number, whence: number]>("int64_t lseek(int, int64_t, int)")
export const fcntl = define<[fd: number, command: number, value: number]>("int fcntl(int, int, int)")
export const flock = define<[fd: number, operation: number]>("int flock(int, int)")
/** close_range(2), by number, which is the same on all architectures: not every libc has it by name. */
export const closeRange = (first: number, last: number, flags: number): number => syscall3(436, first, last, flags)
const syscall3 = define<[number: number, first: number, last: number, flags: number]>(
  "long syscall(long, uint, uint, uint)",
)

// Contents.
export const read = define<[fd: number, target: Bytes, size: number]>("long read(int, uint8_t *, size_t)")
export const write = define<[fd: number, bytes: Bytes, size: number]>("long write(int, const uint8_t *, size_t)")
export const pread = define<[fd: number, target: Bytes, size: number, offset: number]>(
  "long pread(int, uint8_t *, size_t, int64_t)",
)
export const preadv2 = define<[fd: number, iov: Bytes, count: number, offset: number, flags: number]>(
  "long preadv2(int, const uint8_t *, int, int64_t, int)",
)
export const pwrite = define<[fd: number, bytes: Bytes, size: number, offset: number]>(
  "long pwrite(int, const uint8_t *, size_t, int64_t)",
)
export const ftruncate = define<[fd: number, size: number]>("int ftruncate(int, int64_t)")

/** Advice to the kernel about the contents of a file; returns a positive errno, unlike all others. */
export const posixFadvise = define<[fd: number, offset: number, length: number, advice: number]>(
  "int posix_fadvise(int, int64_t, int64_t, int)",
)
/** syncfs(2), on a thread of koffi's; `done` gets 0 or -1. */
export const syncfs = (fd: number, done: (error: unknown, result: number) => void): void =>
  libc().func("int syncfs(int)").async(fd, done)

// Many writes at once: by the numbers of the architecture, because libc has no names for them. `context` is 8 bytes.
export const ioSetup = define<[number: number, events: number, context: Bytes]>("long syscall(long, uint, uint8_t *)")
export const ioDestroy = (number: number, context: bigint): number => syscallContext(number, context)
const syscallContext = define<[number: number, context: bigint]>("long syscall(long, uint64_t)")
/** Waits for no event. */
export const ioEvents = (number: number, context: bigint, most: number, events: Uint8Array): number =>
  syscallEvents(number, context, 0, most, events, null)
const syscallEvents = define<[number: number, context: bigint, least: number, most: number, events: Bytes, time: null]>(
  "long syscall(long, uint64_t, long, long, uint8_t *, void *)",
)
/** On a thread of koffi's; `done` gets how many were begun, or -1. */
export const ioSubmit = (
  number: number,
  context: bigint,
  count: number,
  pointers: Uint8Array,
  done: (error: unknown, result: number) => void,
): void => submit()(number, context, count, pointers, done)
const submit = once(() => libc().func("long syscall(long, uint64_t, long, const uint8_t *)").async)

// What a file is.
export const statx = define<[directory: number, path: Bytes, flags: number, mask: number, status: Bytes]>(
  "int statx(int, const uint8_t *, int, uint, uint8_t *)",
)
export const fstatfs = define<[fd: number, status: Bytes]>("int fstatfs(int, uint8_t *)")
export const ioctl = define<[fd: number, request: number, argument: Bytes]>("int ioctl(int, ulong, uint8_t *)")
export const fchownat = define<[directory: number, path: Bytes, uid: number, gid: number, flags: number]>(
  "int fchownat(int, const uint8_t *, uint, uint, int)",
)
export const fchmod = define<[fd: number, mode: number]>("int fchmod(int, uint)")
export const chmod = define<[path: Bytes, mode: number]>("int chmod(const uint8_t *, uint)")
/** fchmodat2(2), by number, the same on all architectures: no libc of Debian 12 has it by name. Since Linux 6.6. */
export const fchmodat2 = (directory: number, path: Uint8Array, mode: number, flags: number): number =>
  syscallChmod(452, directory, path, mode, flags)
const syscallChmod = define<[number: number, directory: number, path: Bytes, mode: number, flags: number]>(
  "long syscall(long, int, const uint8_t *, uint, int)",
)
export const futimens = define<[fd: number, times: Bytes]>("int futimens(int, const uint8_t *)")
export const utimensat = define<[directory: number, path: Bytes, times: Bytes, flags: number]>(
  "int utimensat(int, const uint8_t *, const uint8_t *, int)",
)

// Names.
export const mkdirat = define<[directory: number, name: Bytes, mode: number]>("int mkdirat(int, const uint8_t *, uint)")
export const symlinkat = define<[target: Bytes, directory: number, name: Bytes]>(
  "int symlinkat(const uint8_t *, int, const uint8_t *)",
)
export const readlinkat = define<[directory: number, name: Bytes, target: Bytes, size: number]>(
  "long readlinkat(int, const uint8_t *, uint8_t *, size_t)",
)
export const linkat = define<[fromDirectory: number, from: Bytes, toDirectory: number, to: Bytes, flags: number]>(
  "int linkat(int, const uint8_t *, int, const uint8_t *, int)",
)
export const unlinkat = define<[directory: number, name: Bytes, flags: number]>(
  "int unlinkat(int, const uint8_t *, int)",
)
/** renameat2(2), by number, because not every libc has it by name. */
export const renameat2 = (
  fromDirectory: number,
  from: Uint8Array,
  toDirectory: number,
  to: Uint8Array,
  flags: number,
): number => syscallRename(process.arch === "x64" ? 316 : 276, fromDirectory, from, toDirectory, to, flags)
const syscallRename = define<
  [number: number, fromDirectory: number, from: Bytes, toDirectory: number, to: Bytes, flags: number]
>("long syscall(long, int, const uint8_t *, int, const uint8_t *, uint)")
/** getdents64(2), by number, because glibc has it by name since 2.30 only. */
export const getdents64 = (fd: number, target: Uint8Array, size: number): number =>
  syscallRead(process.arch === "x64" ? 217 : 61, fd, target, size)
const syscallRead = define<[number: number, fd: number, target: Bytes, size: number]>(
  "long syscall(long, int, uint8_t *, size_t)",
)

const MKNODAT = "int mknodat(int, const uint8_t *, uint, uint64_t)"
const mknodatByName = define<[directory: number, name: Bytes, mode: number, device: number]>(MKNODAT)
const xmknodat = define<[version: number, directory: number, name: Bytes, mode: number, device: Bytes]>(
  "int __xmknodat(int, int, const uint8_t *, uint, const uint8_t *)",
)
/** mknodat(2). Before 2.33 glibc had it under another name, with a version before the arguments. */
export const mknodat = (directory: number, name: Uint8Array, mode: number, device: number): number => {
  if (hasMknodat()) return mknodatByName(directory, name, mode, device)
  return xmknodat(0, directory, name, mode, new Uint8Array(BigUint64Array.of(BigInt(device)).buffer))
}

const hasMknodat = once(() => {
  try {
    bind(MKNODAT)
    return true
  } catch {
    return false
  }
})

// Extended attributes.
export const flistxattr = define<[fd: number, target: Bytes, size: number]>("long flistxattr(int, uint8_t *, size_t)")
export const fgetxattr = define<[fd: number, name: Bytes, target: Bytes | null, size: number]>(
  "long fgetxattr(int, const uint8_t *, uint8_t *, size_t)",
)
export const fsetxattr = define<[fd: number, name: Bytes, value: Bytes, size: number, flags: number]>(
  "int fsetxattr(int, const uint8_t *, const uint8_t *, size_t, int)",
)
export const setxattr = define<[path: Bytes, name: Bytes, value: Bytes, size: number, flags: number]>(
  "int setxattr(const uint8_t *, const uint8_t *, const uint8_t *, size_t, int)",
)
export const fremovexattr = define<[fd: number, name: Bytes]>("int fremovexattr(int, const uint8_t *)")
export const removexattr = define<[path: Bytes, name: Bytes]>("int removexattr(const uint8_t *, const uint8_t *)")

// Waiting, and sockets.
export const poll = define<[descriptors: Bytes, count: number, milliseconds: number]>("int poll(uint8_t *, ulong, int)")
export const epollCreate = define<[flags: number]>("int epoll_create1(int)")
export const epollControl = define<[epoll: number, operation: number, fd: number, event: Bytes]>(
  "int epoll_ctl(int, int, int, uint8_t *)",
)
export const socket = define<[domain: number, type: number, protocol: number]>("int socket(int, int, int)")
export const socketpair = define<[domain: number, type: number, protocol: number, pair: Bytes]>(
  "int socketpair(int, int, int, uint8_t *)",
)
export const sendto = define<
  [fd: number, bytes: Bytes, size: number, flags: number, address: Bytes, addressSize: number]
>("long sendto(int, const uint8_t *, size_t, int, const uint8_t *, uint)")
