/**
 * System calls that Node does not have, for tests: extended attributes and directory entries as bytes.
 *
 * They block. Never use them on a mount that this very process serves.
 */
import * as fs from "node:fs"
import { getSystemErrorName } from "node:util"
import koffi from "koffi"

type GetXattr = (path: Uint8Array, name: Uint8Array, value: Uint8Array | null, size: number) => number
type ListXattr = (path: Uint8Array, list: Uint8Array | null, size: number) => number
type GetDents = (descriptor: number, entries: Uint8Array, size: number) => number

const libc = koffi.load(null)
const lgetxattr = libc.func("long lgetxattr(const uint8_t *, const uint8_t *, uint8_t *, size_t)") as GetXattr
const llistxattr = libc.func("long llistxattr(const uint8_t *, uint8_t *, size_t)") as ListXattr
const getdents64 = libc.func("long getdents64(int, uint8_t *, size_t)") as GetDents

/** A call that failed: its name and the errno's name. */
export class CallFailed extends Error {
  readonly code: string
  constructor(call: string, errno: number) {
    const code = getSystemErrorName(-errno)
    super(`${call}: ${code}`)
    this.code = code
  }
}

const check = (call: string, result: number): number => {
  if (result < 0) throw new CallFailed(call, koffi.errno())
  return result
}

const terminated = (bytes: Uint8Array): Buffer => Buffer.concat([bytes, Buffer.alloc(1)])

/** Linux' limit of a value and of a list. */
const XATTR_MAX = 65_536

/** The value of an attribute, or the name of the errno. `size` is the caller's buffer; 0 asks for the length. */
export const getxattr = (path: Uint8Array, name: Uint8Array, size = XATTR_MAX): Buffer | number | string => {
  const value = Buffer.alloc(size)
  const length = lgetxattr(terminated(path), terminated(name), size === 0 ? null : value, size)
  if (length < 0) return getSystemErrorName(-koffi.errno())
  return size === 0 ? length : value.subarray(0, length)
}

/** The names of all attributes as one block, or the name of the errno. `size` as for `getxattr`. */
export const listxattr = (path: Uint8Array, size = XATTR_MAX): Buffer | number | string => {
  const list = Buffer.alloc(size)
  const length = llistxattr(terminated(path), size === 0 ? null : list, size)
  if (length < 0) return getSystemErrorName(-koffi.errno())
  return size === 0 ? length : list.subarray(0, length)
}

/** Values of all attributes under their names, both in hex. */
export const xattrs = (path: Uint8Array): Record<string, string> => {
  const list = listxattr(path)
  if (!Buffer.isBuffer(list)) throw new Error(`llistxattr ${path}: ${list}`)
  const all: Record<string, string> = {}
  for (let at = 0; at < list.length;) {
    const end = list.indexOf(0, at)
    const name = list.subarray(at, end)
    const value = getxattr(path, name)
    if (!Buffer.isBuffer(value)) throw new Error(`lgetxattr ${path} ${name}: ${value}`)
    all[name.toString("hex")] = value.toString("hex")
    at = end + 1
  }
  return all
}

/** One name as the kernel lists it. */
export interface Dirent {
  readonly name: Buffer
  readonly ino: bigint
  /** `DT_*`: the file type bits of the mode, shifted right by 12. */
  readonly type: number
}

/** A directory as `getdents64` gives it, in that order, with `.` and `..`. */
export const listDirectory = (path: Buffer, bufferSize = 32_768): Array<Dirent> => {
  const descriptor = fs.openSync(path, fs.constants.O_RDONLY | fs.constants.O_DIRECTORY)
  try {
    const entries: Array<Dirent> = []
    const buffer = Buffer.alloc(bufferSize)
    for (;;) {
      const count = check("getdents64", getdents64(descriptor, buffer, buffer.length))
      if (count === 0) return entries
      for (let at = 0; at < count; at += buffer.readUInt16LE(at + 16)) {
        entries.push({
          name: Buffer.from(buffer.subarray(at + 19, buffer.indexOf(0, at + 19))),
          ino: buffer.readBigUInt64LE(at),
          type: buffer[at + 18] as number,
        })
      }
    }
  } finally {
    fs.closeSync(descriptor)
  }
}
