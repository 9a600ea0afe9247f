/**
 * More system calls that Node does not have. They block: see `Syscalls.ts`.
 *
 * A call that fails throws `CallFailed` with the errno's name as its `code`.
 */
import koffi from "koffi"
import { CallFailed } from "./Syscalls.ts"

const libc = koffi.load(null)
const AT_FDCWD = -100
const AT_SYMLINK_NOFOLLOW = 0x100

type Path = string | Uint8Array

const text = (path: Path): Buffer => Buffer.concat([Buffer.from(path as string), Buffer.alloc(1)])

const define = (signature: string) => {
  const call = libc.func(signature) as (...args: ReadonlyArray<unknown>) => number
  const name = /(\w+)\(/.exec(signature)?.[1] ?? signature
  return (...args: ReadonlyArray<unknown>): number => {
    const result = Number(call(...args))
    if (result < 0) throw new CallFailed(name, koffi.errno())
    return result
  }
}

const seekCall = define("long lseek(int, long, int)")
export const SEEK_SET = 0
export const SEEK_DATA = 3
export const SEEK_HOLE = 4
export const seek = (descriptor: number, offset: number, whence: number): number => seekCall(descriptor, offset, whence)

const getdents = define("long getdents64(int, uint8_t *, size_t)")

export interface Entry {
  readonly name: string
  readonly ino: bigint
  readonly type: number
  /** Where a listing continues after this entry. */
  readonly next: number
}

/** The next entries of an open folder; none at its end. */
export const entries = (descriptor: number, size: number): ReadonlyArray<Entry> => {
  const buffer = Buffer.alloc(size)
  const count = getdents(descriptor, buffer, size)
  const all: Array<Entry> = []
  for (let at = 0; at < count; at += buffer.readUInt16LE(at + 16)) {
    all.push({
      name: buffer.toString("latin1", at + 19, buffer.indexOf(0, at + 19)),
      ino: buffer.readBigUInt64LE(at),
      next: Number(buffer.readBigInt64LE(at + 8)),
      type: buffer.readUInt8(at + 18),
    })
  }
  return all
}

const preadCall = define("long pread(int, void *, size_t, long)")
const posixMemalign = define("int posix_memalign(_Out_ void **, size_t, size_t)")
const mmapCall = libc.func("void *mmap(void *, size_t, int, int, int, long)") as (
  ...args: ReadonlyArray<unknown>
) => unknown
const munmap = define("int munmap(void *, size_t)")
const memcpy = libc.func("void *memcpy(_Out_ uint8_t *, void *, size_t)") as (
  ...args: ReadonlyArray<unknown>
) => unknown
const free = libc.func("void free(void *)") as (pointer: unknown) => void

const copyOf = (pointer: unknown, length: number): Buffer => {
  const copy = Buffer.alloc(length)
  if (length > 0) memcpy(copy, pointer, length)
  return copy
}

/** `pread(2)` into memory that begins at a page, as O_DIRECT wants it. */
export const readAligned = (descriptor: number, offset: number, length: number): Buffer => {
  const out: [unknown] = [null]
  posixMemalign(out, 4096, length)
  try {
    return copyOf(out[0], preadCall(descriptor, out[0], length, offset))
  } finally {
    free(out[0])
  }
}

/** A file's bytes through `mmap(2)`. */
export const mapped = (descriptor: number, length: number): Buffer => {
  const [PROT_READ, MAP_PRIVATE] = [1, 2]
  const pointer = mmapCall(null, length, PROT_READ, MAP_PRIVATE, descriptor, 0)
  if (koffi.address(pointer) === 0xffff_ffff_ffff_ffffn) throw new CallFailed("mmap", koffi.errno())
  const copy = copyOf(pointer, length)
  munmap(pointer, length)
  return copy
}

const statxCall = define("int statx(int, const uint8_t *, int, unsigned int, uint8_t *)")
/** `struct statx` of a path, symbolic links not followed. */
export const statx = (path: Path): Buffer => {
  const buffer = Buffer.alloc(256)
  statxCall(AT_FDCWD, text(path), AT_SYMLINK_NOFOLLOW, 0xfff, buffer)
  return buffer
}

const toHandle = define("int name_to_handle_at(int, const uint8_t *, uint8_t *, _Out_ int *, int)")
const openHandle = define("int open_by_handle_at(int, uint8_t *, int)")
/** `struct file_handle` of a path. */
export const handleOf = (path: Path): Buffer => {
  const handle = Buffer.alloc(8 + 128)
  handle.writeUInt32LE(128, 0)
  toHandle(AT_FDCWD, text(path), handle, [0], 0)
  return handle
}
export const openByHandle = (mount: number, handle: Buffer): number => openHandle(mount, handle, 0)

const setxattrCall = define("int lsetxattr(const uint8_t *, const uint8_t *, const uint8_t *, size_t, int)")
const removexattrCall = define("int lremovexattr(const uint8_t *, const uint8_t *)")
const mknodCall = define("int mknod(const uint8_t *, unsigned int, unsigned long)")
const renameCall = define("int renameat2(int, const uint8_t *, int, const uint8_t *, unsigned int)")
const flockCall = define("int flock(int, int)")

export const setxattr = (path: Path, name: string): number =>
  setxattrCall(text(path), text(name), Buffer.from("value"), 5, 0)
export const removexattr = (path: Path, name: string): number => removexattrCall(text(path), text(name))
export const mknod = (path: Path, mode: number): number => mknodCall(text(path), mode, 0)
export const exchange = (one: Path, other: Path): number => renameCall(AT_FDCWD, text(one), AT_FDCWD, text(other), 2)
export const flock = (descriptor: number, operation: number): number => flockCall(descriptor, operation)
