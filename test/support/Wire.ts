/**
 * The kernel's half of the protocol for tests: the requests and replies of `src/testing`, and what replies must be, as
 * bytes.
 *
 * Laid out by hand after `/usr/include/linux/fuse.h` (7.38; the numbers are what gcc gives as `offsetof` and `sizeof`).
 * It shares nothing with what it is held against, so that it can serve as an oracle.
 */
import { assert } from "@effect/vitest"
import { type Int, u32, u64 } from "../../src/testing/KernelRequest.ts"

export * from "../../src/testing/KernelReply.ts"
export * from "../../src/testing/KernelRequest.ts"

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

/** Bytes of hex digits; white space, and all from `#` to the end of a line, is for the reader. */
export const hex = (text: string): Buffer => {
  const digits = text.replaceAll(/#.*$/gm, "").replaceAll(/\s+/g, "")
  const bytes = Buffer.from(digits, "hex")
  assert.strictEqual(bytes.length * 2, digits.length, `not hex: ${digits}`)
  return bytes
}

/** `struct fuse_out_header` (16 bytes) and what follows it. */
export const reply = (unique: Int, errno: number, ...body: ReadonlyArray<Uint8Array>): Buffer => {
  const rest = Buffer.concat(body)
  return Buffer.concat([u32(16 + rest.length, -errno), u64(unique), rest])
}

/** The longest timeout of the protocol, in seconds. */
export const FOREVER = 0x7fff_ffff_ffff_ffffn

/**
 * The inode number that is shown of a node id (§9.1): twice its end for a folder, twice its start and one for anything
 * else, whose id has bit 63 set; 1 for the root. The number of an entry that cannot be read stays.
 */
export const inodeOf = (node: Int): bigint => {
  const id = BigInt.asUintN(64, BigInt(node))
  if (id === 1n || id === 0xffff_ffffn) return id
  return id >= 1n << 63n ? 2n * BigInt.asUintN(63, id) + 1n : 2n * id
}

export interface Attr {
  /** Node id: what is shown is `inodeOf` it. */
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
    u64(inodeOf(of.ino), of.size ?? 0, of.blocks ?? 0, seconds, seconds, seconds),
    u32(nanos, nanos, nanos, of.mode, of.nlink ?? 1, of.uid ?? 0, of.gid ?? 0, of.rdev ?? 0, 4096, 0),
  ])
}

/** `struct fuse_attr_out` (104 bytes) */
export const attrOut = (of: Attr): Buffer => Buffer.concat([u64(FOREVER), u32(0, 0), attr(of)])

/** `struct fuse_entry_out` (128 bytes), generation 1 */
export const entryOut = (of: Attr): Buffer => Buffer.concat([u64(of.ino, 1, FOREVER, FOREVER), u32(0, 0), attr(of)])

/** `struct fuse_dirent` of a node id with its name, padded to a multiple of 8. */
export const dirent = (ino: Int, next: Int, type: number, child: string | Uint8Array): Buffer => {
  const bytes = Buffer.from(child as string)
  return Buffer.concat([
    u64(inodeOf(ino), next),
    u32(bytes.length, type),
    bytes,
    Buffer.alloc((8 - (bytes.length % 8)) % 8),
  ])
}

/** `struct fuse_direntplus`; without attributes for names that count no reference. */
export const direntplus = (
  ino: Int,
  next: Int,
  type: number,
  child: string | Uint8Array,
  of: Attr | undefined,
): Buffer => Buffer.concat([of === undefined ? Buffer.alloc(128) : entryOut(of), dirent(ino, next, type, child)])

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
