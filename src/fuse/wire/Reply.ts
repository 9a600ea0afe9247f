/**
 * Replies to the kernel: whole messages, header included, ready for one `write(2)`.
 */
import * as Bytes from "../../domain/Bytes.ts"
import { S_IFMT } from "../../domain/pxar/Entry.ts"
import type * as Errno from "../../domain/Errno.ts"
import * as Inode from "../../domain/pxar/Inode.ts"
import * as NodeId from "../../domain/pxar/NodeId.ts"
import * as Stat from "../../domain/pxar/Stat.ts"
import {
  ATTR,
  ATTR_OUT,
  DIRENT,
  DIRENTPLUS,
  ENTRY_OUT,
  GETXATTR_OUT,
  IOCTL_OUT,
  LSEEK_OUT,
  OPEN_OUT,
  OUT_HEADER,
  STATFS_OUT,
} from "./Abi.ts"

/** Gives memory for one message: so many bytes, all of them zero, that nobody else has. */
export type Allocate = (size: number) => Uint8Array

const fresh: Allocate = (size) => new Uint8Array(size)

/** A reply without a body that says that the operation failed. */
export const error = (unique: number, errno: Errno.Errno, allocate?: Allocate): Uint8Array => {
  const message = make(unique, 0, allocate)
  Bytes.dataView(message).setInt32(OUT_HEADER.error, -errno.code, true)
  return message
}

/** A successful reply without a body. */
export const ok = (unique: number, allocate?: Allocate): Uint8Array => make(unique, 0, allocate)

/** A reply whose body is these bytes: a link's target, an attribute's value, a list of names. */
export const bytes = (unique: number, body: Uint8Array, allocate?: Allocate): Uint8Array => {
  const message = make(unique, body.length, allocate)
  message.set(body, OUT_HEADER.size)
  return message
}

/** A message with `length` zero bytes of body, which begins at `bodyOffset`. */
export const make = (unique: number, length: number, allocate: Allocate = fresh): Uint8Array =>
  setHeader(allocate(OUT_HEADER.size + length), unique)

const align = (size: number): number => (size + 7) & ~7

/** A message at the start of `memory`, whose body of `length` bytes is what is there already. */
export const makeIn = (memory: ArrayBuffer, unique: number, length: number): Uint8Array =>
  setHeader(new Uint8Array(memory, 0, OUT_HEADER.size + length), unique)

const setHeader = (message: Uint8Array, unique: number): Uint8Array => {
  const view = Bytes.dataView(message)
  view.setUint32(OUT_HEADER.len, message.length, true)
  view.setInt32(OUT_HEADER.error, 0, true)
  Bytes.setU64(view, OUT_HEADER.unique, unique)
  return message
}

/** Where a message's body begins. */
export const bodyOffset: number = OUT_HEADER.size

/** Reply to LOOKUP: a node, valid for so many seconds, or for ever. */
export const entry = (unique: number, stat: Stat.Stat, allocate?: Allocate, seconds?: number): Uint8Array => {
  const message = make(unique, ENTRY_OUT.size, allocate)
  const view = Bytes.dataView(message)
  setEntry(view, OUT_HEADER.size, stat)
  if (seconds !== undefined) {
    Bytes.setU64(view, OUT_HEADER.size + ENTRY_OUT.entry_valid, seconds)
    Bytes.setU64(view, OUT_HEADER.size + ENTRY_OUT.attr_valid, seconds)
  }
  return message
}

/** Reply to LOOKUP: there is no such name, and never will be (§9.3). */
export const noEntry = (unique: number, allocate?: Allocate): Uint8Array => {
  const message = make(unique, ENTRY_OUT.size, allocate)
  setForever(Bytes.dataView(message), OUT_HEADER.size + ENTRY_OUT.entry_valid)
  return message
}

/** Reply to GETATTR: attributes that are valid for so many seconds, or for ever. */
export const attr = (unique: number, stat: Stat.Stat, allocate?: Allocate, seconds?: number): Uint8Array => {
  const message = make(unique, ATTR_OUT.size, allocate)
  const view = Bytes.dataView(message)
  if (seconds === undefined) setForever(view, OUT_HEADER.size + ATTR_OUT.attr_valid)
  else Bytes.setU64(view, OUT_HEADER.size + ATTR_OUT.attr_valid, seconds)
  setAttr(view, OUT_HEADER.size + ATTR_OUT.attr, stat)
  return message
}

/** Reply to OPEN and OPENDIR; `flags` are FOPEN_*. */
export const open = (unique: number, flags: number, allocate?: Allocate): Uint8Array => {
  const message = make(unique, OPEN_OUT.size, allocate)
  Bytes.dataView(message).setUint32(OUT_HEADER.size + OPEN_OUT.open_flags, flags, true)
  return message
}

/** Reply to GETXATTR and LISTXATTR with size 0: how many bytes there are. */
export const xattrSize = (unique: number, size: number, allocate?: Allocate): Uint8Array => {
  const message = make(unique, GETXATTR_OUT.size, allocate)
  Bytes.dataView(message).setUint32(OUT_HEADER.size + GETXATTR_OUT.size_, size, true)
  return message
}

/** Reply to LSEEK: where it has got to. */
export const seek = (unique: number, offset: number, allocate?: Allocate): Uint8Array => {
  const message = make(unique, LSEEK_OUT.size, allocate)
  Bytes.setU64(Bytes.dataView(message), OUT_HEADER.size + LSEEK_OUT.offset, offset)
  return message
}

/** Reply to IOCTL: success, with what it has read. */
export const ioctl = (unique: number, value: Uint8Array, allocate?: Allocate): Uint8Array => {
  const message = make(unique, IOCTL_OUT.size + value.length, allocate)
  message.set(value, OUT_HEADER.size + IOCTL_OUT.size)
  return message
}

/** Reply to STATFS for a full, read-only file system of `size` bytes. */
export const statfs = (unique: number, size: number, allocate?: Allocate): Uint8Array => {
  const message = make(unique, STATFS_OUT.size, allocate)
  const view = Bytes.dataView(message)
  const at = OUT_HEADER.size
  Bytes.setU64(view, at + STATFS_OUT.blocks, Math.ceil(size / Stat.BLOCK_SIZE))
  view.setUint32(at + STATFS_OUT.bsize, Stat.BLOCK_SIZE, true)
  view.setUint32(at + STATFS_OUT.namelen, 255, true)
  view.setUint32(at + STATFS_OUT.frsize, Stat.BLOCK_SIZE, true)
  return message
}

/** Entries of one READDIR or READDIRPLUS reply. An entry that does not fit is not written. */
export class Listing {
  private readonly message: Uint8Array
  private readonly view: DataView
  private end: number
  /** Where the entry added last begins. */
  private last = 0

  /** In a message whose body has room for the entries; what the body holds does not matter. */
  constructor(message: Uint8Array) {
    this.message = message
    this.view = Bytes.dataView(this.message)
    this.end = OUT_HEADER.size
  }

  /** Adds a name for READDIR. `offset` is where a listing continues after it. False if there is no room. */
  add(name: Uint8Array, ino: Inode.Inode, mode: number, offset: number): boolean {
    const size = align(DIRENT.name + name.length)
    if (this.end + size > this.message.length) return false
    this.message.fill(0, this.end, this.end + size)
    this.setDirent(this.end, name, ino, mode, offset)
    this.end += size
    return true
  }

  /**
   * Adds a name for READDIRPLUS with its attributes, for which the kernel counts a reference. Without a `stat` it
   * counts none, and looks the name up when it needs it. False if there is no room.
   */
  addPlus(name: Uint8Array, ino: Inode.Inode, mode: number, stat: Stat.Stat | undefined, offset: number): boolean {
    const size = align(DIRENTPLUS.name + name.length)
    if (this.end + size > this.message.length) return false
    this.message.fill(0, this.end, this.end + size)
    this.last = this.end
    if (stat !== undefined) setEntry(this.view, this.end, stat)
    this.setDirent(this.end + DIRENTPLUS.dirent, name, ino, mode, offset)
    this.end += size
    return true
  }

  /** The id by which the kernel is to know the node of the entry added last, if that is not the one in its `stat`. */
  setNode(id: NodeId.NodeId): void {
    setNodeId(this.view, this.last + ENTRY_OUT.nodeid, id)
  }

  /** The message with the entries so far. */
  finish(): Uint8Array {
    this.view.setUint32(OUT_HEADER.len, this.end, true)
    return this.message.subarray(0, this.end)
  }

  private setDirent(at: number, name: Uint8Array, ino: Inode.Inode, mode: number, offset: number): void {
    setInode(this.view, at + DIRENT.ino, ino)
    Bytes.setU64(this.view, at + DIRENT.off, offset)
    this.view.setUint32(at + DIRENT.namelen, name.length, true)
    this.view.setUint32(at + DIRENT.type, (mode & S_IFMT) >> 12, true)
    this.message.set(name, at + DIRENT.name)
  }
}

/** The longest time the kernel can express: an archive does not change. */
const setForever = (view: DataView, at: number): void => {
  view.setUint32(at, 0xffff_ffff, true)
  view.setUint32(at + 4, 0x7fff_ffff, true)
}

const setNodeId = (view: DataView, at: number, id: NodeId.NodeId): void => {
  view.setUint32(at, NodeId.low(id), true)
  view.setUint32(at + 4, NodeId.high(id), true)
}

const setInode = (view: DataView, at: number, ino: Inode.Inode): void => {
  view.setUint32(at, Inode.low(ino), true)
  view.setUint32(at + 4, Inode.high(ino), true)
}

const setEntry = (view: DataView, at: number, stat: Stat.Stat): void => {
  setNodeId(view, at + ENTRY_OUT.nodeid, stat.id)
  // The kernel wants 0 for the root, which only a LOOKUP of `..` names.
  view.setUint32(at + ENTRY_OUT.generation, stat.id === NodeId.ROOT ? 0 : 1, true)
  setForever(view, at + ENTRY_OUT.entry_valid)
  setForever(view, at + ENTRY_OUT.attr_valid)
  setAttr(view, at + ENTRY_OUT.attr, stat)
}

const setAttr = (view: DataView, at: number, stat: Stat.Stat): void => {
  setInode(view, at + ATTR.ino, stat.ino)
  Bytes.setU64(view, at + ATTR.size_, stat.size)
  Bytes.setU64(view, at + ATTR.blocks, stat.blocks)
  view.setBigInt64(at + ATTR.atime, stat.mtimeSeconds, true)
  view.setBigInt64(at + ATTR.mtime, stat.mtimeSeconds, true)
  view.setBigInt64(at + ATTR.ctime, stat.mtimeSeconds, true)
  view.setUint32(at + ATTR.atimensec, stat.mtimeNanos, true)
  view.setUint32(at + ATTR.mtimensec, stat.mtimeNanos, true)
  view.setUint32(at + ATTR.ctimensec, stat.mtimeNanos, true)
  view.setUint32(at + ATTR.mode, stat.mode, true)
  view.setUint32(at + ATTR.nlink, stat.nlink, true)
  view.setUint32(at + ATTR.uid, stat.uid, true)
  view.setUint32(at + ATTR.gid, stat.gid, true)
  view.setUint32(at + ATTR.rdev, stat.rdev, true)
  view.setUint32(at + ATTR.blksize, Stat.BLOCK_SIZE, true)
}
