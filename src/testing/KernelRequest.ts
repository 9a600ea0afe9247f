/**
 * The kernel's requests by name, as bytes: what a test sends to a session.
 *
 * Laid out by hand after `/usr/include/linux/fuse.h` (7.38; the numbers are what gcc gives as `offsetof` and `sizeof`).
 * It shares nothing with the session, so that one can be tested against the other. `unique` is the number of a request,
 * which its reply repeats: even, and not 0. Integers are little-endian.
 */

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

/** A number; as `bigint` where it exceeds 2^53. */
export type Int = number | bigint

/** Unsigned numbers of 16 bits. */
export const u16 = (...values: ReadonlyArray<number>): Buffer =>
  Buffer.concat(values.map((value) => Uint8Array.of(value & 0xff, value >> 8)))

/** Unsigned numbers of 32 bits. */
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

/** The name with its NUL. */
export const lookup = (unique: Int, node: Int, child: string | Uint8Array): Buffer =>
  request(Op.LOOKUP, unique, node, name(child))

/** `struct fuse_forget_in` */
export const forget = (unique: Int, node: Int, count: Int): Buffer => request(Op.FORGET, unique, node, u64(count))

/** `struct fuse_batch_forget_in` and its `struct fuse_forget_one`s */
export const batchForget = (unique: Int, ...all: ReadonlyArray<readonly [node: Int, count: Int]>): Buffer =>
  request(Op.BATCH_FORGET, unique, 0, u32(all.length, 0), ...all.map(([node, count]) => u64(node, count)))

/** `struct fuse_getattr_in` */
export const getattr = (unique: Int, node: Int): Buffer => request(Op.GETATTR, unique, node, u32(0, 0), u64(0))

/** No body. */
export const readlink = (unique: Int, node: Int): Buffer => request(Op.READLINK, unique, node)

/** `struct fuse_open_in` */
export const open = (unique: Int, node: Int, flags = 0): Buffer => request(Op.OPEN, unique, node, u32(flags, 0))

/** `struct fuse_open_in` */
export const opendir = (unique: Int, node: Int, flags = 0): Buffer => request(Op.OPENDIR, unique, node, u32(flags, 0))

/** `struct fuse_read_in` */
const readIn = (offset: Int, size: number): Buffer => Buffer.concat([u64(0, offset), u32(size, 0), u64(0), u32(0, 0)])

/** `struct fuse_read_in` */
export const read = (unique: Int, node: Int, offset: Int, size: number): Buffer =>
  request(Op.READ, unique, node, readIn(offset, size))

/** `struct fuse_read_in` */
export const readdir = (unique: Int, node: Int, offset: Int, size: number): Buffer =>
  request(Op.READDIR, unique, node, readIn(offset, size))

/** `struct fuse_read_in` */
export const readdirplus = (unique: Int, node: Int, offset: Int, size: number): Buffer =>
  request(Op.READDIRPLUS, unique, node, readIn(offset, size))

/** `struct fuse_getxattr_in` */
export const getxattr = (unique: Int, node: Int, attribute: string, size: number): Buffer =>
  request(Op.GETXATTR, unique, node, u32(size, 0), name(attribute))

/** `struct fuse_getxattr_in`; with a `size` of 0 the reply is the length */
export const listxattr = (unique: Int, node: Int, size: number): Buffer =>
  request(Op.LISTXATTR, unique, node, u32(size, 0))

/** `struct fuse_ioctl_in`, as `fuse_priv_ioctl` of fs/fuse/ioctl.c fills it */
export const ioctl = (unique: Int, node: Int, command: number, outSize: number): Buffer =>
  request(Op.IOCTL, unique, node, u64(0), u32(0, command), u64(0), u32(0, outSize))

/** No body. */
export const statfs = (unique: Int): Buffer => request(Op.STATFS, unique, 1)

/** `struct fuse_release_in` */
export const release = (unique: Int, node: Int): Buffer => request(Op.RELEASE, unique, node, u64(0), u32(0, 0), u64(0))

/** `struct fuse_release_in` */
export const releasedir = (unique: Int, node: Int): Buffer =>
  request(Op.RELEASEDIR, unique, node, u64(0), u32(0, 0), u64(0))

/** `struct fuse_interrupt_in`. The kernel numbers it like the request it interrupts, with bit 0 set. */
export const interrupt = (unique: Int): Buffer => request(Op.INTERRUPT, BigInt(unique) | 1n, 0, u64(unique))

/** No body: the last message of a file system. */
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
