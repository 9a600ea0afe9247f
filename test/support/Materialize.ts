/**
 * Puts a tree on disk, with system calls and nothing of `src`: what `create` is to read.
 *
 * Root may do all of it. An ordinary user's tree must not ask for other owners, devices or `trusted.*` attributes.
 */
import * as fs from "node:fs"
import { getSystemErrorName } from "node:util"
import koffi from "koffi"
import type { Metadata } from "../../src/domain/pxar/EntryEncoder.ts"
import type { Directory, Tree } from "./Tree.ts"

type Call = (...args: ReadonlyArray<number | bigint | Uint8Array | BigInt64Array>) => number

const libc = koffi.load(null)
const lsetxattr = libc.func("int lsetxattr(const uint8_t *, const uint8_t *, const uint8_t *, size_t, int)") as Call
const utimensat = libc.func("int utimensat(int, const uint8_t *, const int64_t *, int)") as Call
const ioctl = libc.func("int ioctl(int, ulong, uint8_t *)") as Call
const mknod = libc.func("int mknod(const uint8_t *, uint, uint64_t)") as Call

const check = (call: string, path: Uint8Array, result: number): void => {
  if (result < 0) throw new Error(`${call} ${Buffer.from(path).toString()}: ${getSystemErrorName(-koffi.errno())}`)
}

const terminated = (bytes: Uint8Array): Buffer => Buffer.concat([bytes, Buffer.alloc(1)])

/** Sets an extended attribute, links not followed. */
export const setXattr = (path: Uint8Array, name: Uint8Array | string, value: Uint8Array): void =>
  check("lsetxattr", path, lsetxattr(terminated(path), terminated(Buffer.from(name)), value, value.length, 0))

/** Sets the modification time, links not followed. */
export const setTime = (path: Uint8Array, seconds: bigint, nanos: number): void => {
  const time = [seconds, BigInt(nanos)]
  check("utimensat", path, utimensat(-100, terminated(path), BigInt64Array.from([...time, ...time]), 0x100))
}

/** Makes a FIFO, a socket or a device. */
export const makeNode = (path: Uint8Array, mode: number, major = 0n, minor = 0n): void => {
  const device =
    ((major & 0xfffn) << 8n) | ((major & 0xffff_f000n) << 32n) | (minor & 0xffn) | ((minor & 0xffff_ff00n) << 12n)
  check("mknod", path, mknod(terminated(path), mode, device))
}

/** Sets the chattr bits of a file; false if its file system has none, or others. */
export const setFlags = (path: string, bits: number): boolean => {
  const fd = fs.openSync(path, "r")
  const argument = Buffer.alloc(8)
  argument.writeUInt32LE(bits)
  const result = ioctl(fd, 0x4008_6602, argument)
  fs.closeSync(fd)
  return result === 0
}

const ACL_NO_ID = 0xffff_ffffn

/** An ACL as `system.posix_acl_*` holds it (§8.4). */
const acl = (entries: ReadonlyArray<readonly [tag: number, permissions: bigint, id: bigint]>): Buffer => {
  const bytes = Buffer.alloc(4 + 8 * entries.length)
  bytes.writeUInt32LE(2)
  for (const [i, [tag, permissions, id]] of entries.entries()) {
    bytes.writeUInt16LE(tag, 4 + 8 * i)
    bytes.writeUInt16LE(Number(permissions), 6 + 8 * i)
    bytes.writeUInt32LE(Number(id), 8 + 8 * i)
  }
  return bytes
}

const applyMetadata = (path: Buffer, { attributes, ...metadata }: Metadata): void => {
  const isLink = (metadata.mode & 0o170000) === 0o120000
  fs.lchownSync(path, metadata.uid, metadata.gid)
  if (!isLink) fs.chmodSync(path, metadata.mode & 0o7777)
  const bits = (shift: number): bigint => BigInt((metadata.mode >> shift) & 7)
  for (const { name, value } of attributes.xattrs) setXattr(path, name, value)
  const { aclDefault, aclDefaultGroups, aclDefaultUsers, aclGroupObj, aclGroups, aclUsers, fcaps } = attributes
  if (aclGroupObj !== undefined) {
    const value = acl([
      [1, bits(6), ACL_NO_ID],
      ...aclUsers.map(({ id, permissions }) => [2, permissions, id] as const),
      [4, aclGroupObj, ACL_NO_ID],
      ...aclGroups.map(({ id, permissions }) => [8, permissions, id] as const),
      [0x10, bits(3), ACL_NO_ID],
      [0x20, bits(0), ACL_NO_ID],
    ])
    setXattr(path, "system.posix_acl_access", value)
  }
  if (aclDefault !== undefined) {
    const value = acl([
      [1, aclDefault.userObj, ACL_NO_ID],
      ...aclDefaultUsers.map(({ id, permissions }) => [2, permissions, id] as const),
      [4, aclDefault.groupObj, ACL_NO_ID],
      ...aclDefaultGroups.map(({ id, permissions }) => [8, permissions, id] as const),
      ...(aclDefault.mask > 7n ? [] : [[0x10, aclDefault.mask, ACL_NO_ID] as const]),
      [0x20, aclDefault.other, ACL_NO_ID],
    ])
    setXattr(path, "system.posix_acl_default", value)
  }
  if (fcaps !== undefined) setXattr(path, "security.capability", fcaps)
  setTime(path, metadata.mtimeSeconds, metadata.mtimeNanos)
}

/** Makes `tree` at `path`, an existing empty folder. */
export const materialize = (tree: Directory, path: string): void => {
  const root = Buffer.from(path)
  const join = (folder: Buffer, name: Uint8Array): Buffer => Buffer.concat([folder, Buffer.from("/"), name])
  const make = (child: Tree, at: Buffer): void => {
    switch (child._tag) {
      case "Directory":
        if (at !== root) fs.mkdirSync(at)
        for (const { name, tree } of child.children) make(tree, join(at, name))
        break
      case "File":
        fs.writeFileSync(at, child.content)
        break
      case "Symlink":
        fs.symlinkSync(Buffer.from(child.target), at)
        break
      case "Device":
        makeNode(at, child.metadata.mode & 0o170600, child.major, child.minor)
        break
      case "HardLink":
        return fs.linkSync(join(root, Buffer.from(child.target, "latin1")), at)
      default:
        makeNode(at, child.metadata.mode & 0o170600)
    }
    applyMetadata(at, child.metadata)
  }
  make(tree, root)
}
