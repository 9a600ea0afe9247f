/**
 * The kernel's half of the protocol for tests: messages and replies as bytes.
 *
 * Laid out by hand after `/usr/include/linux/fuse.h` (7.38; the numbers are what gcc gives as `offsetof` and `sizeof`).
 * It shares nothing with `src`, so that it can serve as an oracle.
 */
import { assert } from "@effect/vitest"

/** Opcodes by name, as in `enum fuse_opcode`; the last two are of newer headers (7.39, 7.45). */
export const Op = {
  LOOKUP: 1,
  FORGET: 2,
  GETATTR: 3,
  SETATTR: 4,
  READLINK: 5,
  SYMLINK: 6,
  MKNOD: 8,
  MKDIR: 9,
  UNLINK: 10,
  RMDIR: 11,
  RENAME: 12,
  LINK: 13,
  OPEN: 14,
  READ: 15,
  WRITE: 16,
  STATFS: 17,
  RELEASE: 18,
  FSYNC: 20,
  SETXATTR: 21,
  GETXATTR: 22,
  LISTXATTR: 23,
  REMOVEXATTR: 24,
  FLUSH: 25,
  INIT: 26,
  OPENDIR: 27,
  READDIR: 28,
  RELEASEDIR: 29,
  FSYNCDIR: 30,
  GETLK: 31,
  SETLK: 32,
  SETLKW: 33,
  ACCESS: 34,
  CREATE: 35,
  INTERRUPT: 36,
  BMAP: 37,
  DESTROY: 38,
  IOCTL: 39,
  POLL: 40,
  NOTIFY_REPLY: 41,
  BATCH_FORGET: 42,
  FALLOCATE: 43,
  READDIRPLUS: 44,
  RENAME2: 45,
  LSEEK: 46,
  COPY_FILE_RANGE: 47,
  SETUPMAPPING: 48,
  REMOVEMAPPING: 49,
  SYNCFS: 50,
  TMPFILE: 51,
  STATX: 52,
  COPY_FILE_RANGE_64: 53,
} as const

/** errno values of `asm-generic/errno*.h`. */
export const Errno = {
  ENOENT: 2,
  EINTR: 4,
  EIO: 5,
  EBADF: 9,
  ENOTDIR: 20,
  EISDIR: 21,
  EINVAL: 22,
  ENOTTY: 25,
  EROFS: 30,
  ERANGE: 34,
  ENOSYS: 38,
  ELOOP: 40,
  ENODATA: 61,
  EPROTO: 71,
  EOPNOTSUPP: 95,
} as const

export type Int = number | bigint

/** Bytes of hex digits; white space, and all from `#` to the end of a line, is for the reader. */
export const hex = (text: string): Buffer => {
  const digits = text.replaceAll(/#.*$/gm, "").replaceAll(/\s+/g, "")
  const bytes = Buffer.from(digits, "hex")
  assert.strictEqual(bytes.length * 2, digits.length, `not hex: ${digits}`)
  return bytes
}

export const u16 = (...values: ReadonlyArray<number>): Buffer =>
  Buffer.concat(values.map((value) => Uint8Array.of(value & 0xff, value >> 8)))

export const u32 = (...values: ReadonlyArray<number>): Buffer => {
  const bytes = Buffer.alloc(4 * values.length)
  for (const [index, value] of values.entries()) bytes.writeUInt32LE(value >>> 0, 4 * index)
  return bytes
}

/** Unsigned, or two's complement. */
export const u64 = (...values: ReadonlyArray<Int>): Buffer => {
  const bytes = Buffer.alloc(8 * values.length)
  for (const [index, value] of values.entries()) bytes.writeBigUInt64LE(BigInt.asUintN(64, BigInt(value)), 8 * index)
  return bytes
}

const none = Buffer.alloc(0)

/** `struct fuse_in_header` (40 bytes), from uid 1000, gid 100, pid 4242, and what follows it. */
export const request = (opcode: number, unique: Int, node: Int, ...body: ReadonlyArray<Uint8Array>): Buffer => {
  const rest = Buffer.concat(body)
  return Buffer.concat([u32(40 + rest.length, opcode), u64(unique, node), u32(1000, 100, 4242, 0), rest])
}

/** A name with its NUL. */
export const name = (text: string | Uint8Array): Buffer => Buffer.concat([Buffer.from(text as string), Buffer.alloc(1)])

export const lookup = (unique: Int, node: Int, child: string | Uint8Array): Buffer =>
  request(Op.LOOKUP, unique, node, name(child))

/** `struct fuse_forget_in` */
export const forget = (unique: Int, node: Int, count: Int): Buffer => request(Op.FORGET, unique, node, u64(count))

/** `struct fuse_batch_forget_in` and its `struct fuse_forget_one`s */
export const batchForget = (unique: Int, ...all: ReadonlyArray<readonly [node: Int, count: Int]>): Buffer =>
  request(Op.BATCH_FORGET, unique, 0, u32(all.length, 0), ...all.map(([node, count]) => u64(node, count)))

/** `struct fuse_getattr_in` */
export const getattr = (unique: Int, node: Int): Buffer => request(Op.GETATTR, unique, node, u32(0, 0), u64(0))

export const readlink = (unique: Int, node: Int): Buffer => request(Op.READLINK, unique, node)

/** `struct fuse_open_in` */
export const open = (unique: Int, node: Int, flags = 0): Buffer => request(Op.OPEN, unique, node, u32(flags, 0))
export const opendir = (unique: Int, node: Int, flags = 0): Buffer => request(Op.OPENDIR, unique, node, u32(flags, 0))

/** `struct fuse_read_in` */
const readIn = (offset: Int, size: number): Buffer => Buffer.concat([u64(0, offset), u32(size, 0), u64(0), u32(0, 0)])

export const read = (unique: Int, node: Int, offset: Int, size: number): Buffer =>
  request(Op.READ, unique, node, readIn(offset, size))
export const readdir = (unique: Int, node: Int, offset: Int, size: number): Buffer =>
  request(Op.READDIR, unique, node, readIn(offset, size))
export const readdirplus = (unique: Int, node: Int, offset: Int, size: number): Buffer =>
  request(Op.READDIRPLUS, unique, node, readIn(offset, size))

/** `struct fuse_getxattr_in` */
export const getxattr = (unique: Int, node: Int, attribute: string, size: number): Buffer =>
  request(Op.GETXATTR, unique, node, u32(size, 0), name(attribute))
export const listxattr = (unique: Int, node: Int, size: number): Buffer =>
  request(Op.LISTXATTR, unique, node, u32(size, 0))

/** `struct fuse_ioctl_in`, as `fuse_priv_ioctl` of fs/fuse/ioctl.c fills it */
export const ioctl = (unique: Int, node: Int, command: number, outSize: number): Buffer =>
  request(Op.IOCTL, unique, node, u64(0), u32(0, command), u64(0), u32(0, outSize))

export const statfs = (unique: Int): Buffer => request(Op.STATFS, unique, 1)

/** `struct fuse_release_in` */
export const release = (unique: Int, node: Int): Buffer => request(Op.RELEASE, unique, node, u64(0), u32(0, 0), u64(0))
export const releasedir = (unique: Int, node: Int): Buffer =>
  request(Op.RELEASEDIR, unique, node, u64(0), u32(0, 0), u64(0))

/** `struct fuse_interrupt_in`. The kernel numbers it like the request it interrupts, with bit 0 set. */
export const interrupt = (unique: Int): Buffer => request(Op.INTERRUPT, BigInt(unique) | 1n, 0, u64(unique))

export const destroy = (unique: Int): Buffer => request(Op.DESTROY, unique, 0)

/** `struct fuse_init_in`, with `flags2` in its long form (64 bytes), else in the short one (16 bytes). */
export const init = (
  unique: Int,
  major: number,
  minor: number,
  readahead: number,
  flags: number,
  flags2?: number,
): Buffer =>
  request(
    Op.INIT,
    unique,
    0,
    u32(major, minor, readahead, flags),
    flags2 === undefined ? none : Buffer.concat([u32(flags2), Buffer.alloc(44)]),
  )

/** `struct fuse_out_header` (16 bytes) and what follows it. */
export const reply = (unique: Int, errno: number, ...body: ReadonlyArray<Uint8Array>): Buffer => {
  const rest = Buffer.concat(body)
  return Buffer.concat([u32(16 + rest.length, -errno), u64(unique), rest])
}

/** The longest timeout of the protocol, in seconds. */
export const FOREVER = 0x7fff_ffff_ffff_ffffn

export interface Attr {
  readonly ino: Int
  readonly mode: number
  readonly size?: Int
  readonly blocks?: Int
  readonly seconds?: Int
  readonly nanos?: number
  readonly nlink?: number
  readonly uid?: number
  readonly gid?: number
  readonly rdev?: number
}

/** `struct fuse_attr` (88 bytes): all three times alike, blocks of 4096. */
export const attr = (of: Attr): Buffer => {
  const [seconds, nanos] = [of.seconds ?? 0, of.nanos ?? 0]
  return Buffer.concat([
    u64(of.ino, of.size ?? 0, of.blocks ?? 0, seconds, seconds, seconds),
    u32(nanos, nanos, nanos, of.mode, of.nlink ?? 1, of.uid ?? 0, of.gid ?? 0, of.rdev ?? 0, 4096, 0),
  ])
}

/** `struct fuse_attr_out` (104 bytes) */
export const attrOut = (of: Attr): Buffer => Buffer.concat([u64(FOREVER), u32(0, 0), attr(of)])

/** `struct fuse_entry_out` (128 bytes), generation 1 */
export const entryOut = (of: Attr): Buffer => Buffer.concat([u64(of.ino, 1, FOREVER, FOREVER), u32(0, 0), attr(of)])

/** `struct fuse_dirent` with its name, padded to a multiple of 8. */
export const dirent = (ino: Int, next: Int, type: number, child: string | Uint8Array): Buffer => {
  const bytes = Buffer.from(child as string)
  return Buffer.concat([u64(ino, next), u32(bytes.length, type), bytes, Buffer.alloc((8 - (bytes.length % 8)) % 8)])
}

/** `struct fuse_direntplus`; without attributes for names that count no reference. */
export const direntplus = (
  ino: Int,
  next: Int,
  type: number,
  child: string | Uint8Array,
  of: Attr | undefined,
): Buffer => Buffer.concat([of === undefined ? Buffer.alloc(128) : entryOut(of), dirent(ino, next, type, child)])

/** A reply taken apart; fails the test unless its length is what its header says. */
export const parseReply = (
  bytes: Uint8Array,
): { readonly unique: bigint; readonly errno: number; readonly body: Buffer } => {
  const message = Buffer.from(bytes)
  assert.isAtLeast(message.length, 16, "a reply has a header")
  assert.strictEqual(message.readUInt32LE(0), message.length, "the length in the header")
  return { unique: message.readBigUInt64LE(8), errno: 0 - message.readInt32LE(4), body: message.subarray(16) }
}

export interface Dirent {
  /** Of the entry before the name: 0 where no reference is counted. READDIRPLUS only. */
  readonly node: bigint
  readonly ino: bigint
  readonly next: bigint
  readonly type: number
  readonly name: string
}

/** The entries of a READDIR body, or of a READDIRPLUS body. */
export const parseDirents = (body: Buffer, plus = false): ReadonlyArray<Dirent> => {
  const entries: Array<Dirent> = []
  for (let at = 0; at < body.length;) {
    const base = plus ? at + 128 : at
    const length = body.readUInt32LE(base + 16)
    entries.push({
      node: plus ? body.readBigUInt64LE(at) : 0n,
      ino: body.readBigUInt64LE(base),
      next: body.readBigUInt64LE(base + 8),
      type: body.readUInt32LE(base + 20),
      name: body.toString("latin1", base + 24, base + 24 + length),
    })
    at = base + 24 + Math.ceil(length / 8) * 8
    assert.isAtMost(at, body.length, "an entry lies within the reply")
  }
  return entries
}

const dump = (bytes: Uint8Array): string =>
  Buffer.from(bytes)
    .toString("hex")
    .replaceAll(/(.{32})/g, "$1\n")

/** Asserts that two byte strings are the same; a difference is shown in lines of 16 bytes. */
export const assertBytes = (actual: Uint8Array | undefined, expected: Uint8Array, what?: string): void => {
  if (actual === undefined) return assert.fail(`no bytes${what === undefined ? "" : ` for ${what}`}`)
  assert.strictEqual(dump(actual), dump(expected), what)
}

/** Asserts that a reply is an errno and nothing else. */
export const assertErrno = (actual: Uint8Array | undefined, unique: Int, errno: keyof typeof Errno): void =>
  assertBytes(actual, reply(unique, Errno[errno]), `reply ${unique} should be ${errno}`)
