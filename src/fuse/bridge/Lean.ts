/**
 * The lean path: requests that are asked most, answered in one straight line from the bytes of the request to the bytes of
 * the reply, on numbers. It is the only place where an operation is written a second time.
 *
 * It answers LOOKUP, READDIRPLUS, READ, GETATTR, GETXATTR and LISTXATTR where everything is at hand and usual (see
 * `AtHand`), byte for byte as `Bridge` and `Answers` do, and counts the same references; the tests compare the two. All else
 * it leaves to them: what is damaged or rare, what waits, what is not well formed. A bridge that shows something differently
 * is asked itself (see `make`). It takes a fifth to a quarter off the time of a young process, by which small trees are served
 * (docs/performance.md).
 */
import * as Bytes from "../../domain/Bytes.ts"
import { S_IFDIR, S_IFMT } from "../../domain/pxar/Entry.ts"
import * as Errno from "../../domain/Errno.ts"
import * as Inode from "../../domain/pxar/Inode.ts"
import type * as Node from "../../domain/pxar/Node.ts"
import * as NodeId from "../../domain/pxar/NodeId.ts"
import { BLOCK_SIZE } from "../../domain/pxar/Stat.ts"
import type { AtHand } from "../../services/archive/AtHand.ts"
import type { ArchiveTree } from "../../services/archive/ArchiveTree.ts"
import type * as LookupRegistry from "../../services/LookupRegistry.ts"
import * as Abi from "../wire/Abi.ts"
import type { Stores } from "../wire/Stores.ts"
import { NextFiles } from "./NextFiles.ts"

const { ATTR, ATTR_OUT, DIRENT, DIRENTPLUS, ENTRY_OUT, GETXATTR_IN, IN_HEADER, OPCODE, OUT_HEADER, READ_IN } = Abi

/** Answers of one session. */
export interface Lean {
  /**
   * The reply to a request, which is valid until the next call; `undefined`: the general path answers. What has been
   * answered so counts when `delivered` is called, in the same turn.
   */
  readonly answer: (request: Uint8Array) => Uint8Array | undefined
  /** The errno of the reply given last, 0 for none. */
  readonly errno: () => number
  /** The reply given last was delivered: its references are the kernel's. */
  readonly delivered: () => void
  /**
   * What is to be stored in the kernel's page cache before the reply given last goes out, if that is one to a READ (see
   * `NextFiles`). Valid until the next call, also beside other answers.
   */
  readonly next: () => Stores | undefined
}

/** Operations of a bridge that have a lean way each; here it only matters which they are. */
export type Operations = Readonly<Record<"lookup" | "readdir" | "read" | "getattr" | "getxattr" | "listxattr", unknown>>

/** Makes the lean path of a bridge with these operations. */
export type Make = (bridge: Operations) => Lean

/** The largest body of a reply: what the kernel asks for at most. */
const MAX_BODY = 1024 * 1024
/** Most replies are no larger. */
const USUAL_BODY = 128 * 1024
/** Positions from here on have inode numbers that are no doubles. */
const MAX_POSITION = 2 ** 52
/** Halves of a `unique` that is written as it was read. */
const MAX_UNIQUE_HIGH = 0x1f_ffff

const SELINUX = Bytes.fromText("security.selinux")

/**
 * The lean path for a tree and the registry of its bridge, whose operations are `plain`; `undefined` where the tree has
 * nothing at hand. Made for a bridge above that one, it leaves alone what that does differently.
 */
export const make = (
  tree: ArchiveTree,
  registry: LookupRegistry.LookupRegistry,
  plain: Operations,
): Make | undefined => {
  const atHand = tree.atHand?.(tree)
  return atHand && ((bridge) => over(atHand, tree, registry, plain, bridge))
}

const over = (
  atHand: AtHand,
  tree: ArchiveTree,
  registry: LookupRegistry.LookupRegistry,
  plain: Operations,
  bridge: Operations,
): Lean => {
  const { scan } = atHand
  const looksUp = bridge.lookup === plain.lookup
  const lists = bridge.readdir === plain.readdir
  const reads = bridge.read === plain.read
  const getsAttributes = bridge.getattr === plain.getattr
  const getsXattrs = bridge.getxattr === plain.getxattr
  const listsXattrs = bridge.listxattr === plain.listxattr

  let reply = new Uint8Array(OUT_HEADER.size + USUAL_BODY)
  let out = Bytes.dataView(reply)
  /** What the kernel is told of by the reply given last. */
  const nodes: Array<Node.Node> = []
  let told = 0
  let errno = 0
  /** The file whose contents are the reply given last, or the root. */
  let readId: NodeId.NodeId = NodeId.ROOT
  const nextFiles = new NextFiles(atHand, registry)
  let request: Uint8Array = Bytes.empty
  let view = Bytes.dataView(request)

  const hasRoom = (body: number): boolean => {
    if (body > MAX_BODY) return false
    if (OUT_HEADER.size + body > reply.length) {
      reply = new Uint8Array(OUT_HEADER.size + MAX_BODY)
      out = Bytes.dataView(reply)
    }
    return true
  }

  /** The reply with `length` bytes of body, which are there already. */
  const finish = (length: number): Uint8Array => {
    out.setUint32(OUT_HEADER.len, OUT_HEADER.size + length, true)
    out.setInt32(OUT_HEADER.error, -errno, true)
    out.setUint32(OUT_HEADER.unique, view.getUint32(IN_HEADER.unique, true), true)
    out.setUint32(OUT_HEADER.unique + 4, view.getUint32(IN_HEADER.unique + 4, true), true)
    return reply.subarray(0, OUT_HEADER.size + length)
  }

  const fail = (code: Errno.Errno): Uint8Array => {
    errno = code.code
    return finish(0)
  }

  const setForever = (at: number): void => {
    out.setUint32(at, 0xffff_ffff, true)
    out.setUint32(at + 4, 0x7fff_ffff, true)
  }

  const setId = (at: number, id: NodeId.NodeId): void => {
    out.setUint32(at, NodeId.low(id), true)
    out.setUint32(at + 4, NodeId.high(id), true)
  }

  const setInode = (at: number, id: NodeId.NodeId): void => {
    const ino = Inode.ofNode(id)
    out.setUint32(at, Inode.low(ino), true)
    out.setUint32(at + 4, Inode.high(ino), true)
  }

  /** Attributes of what was scanned, into zeroed memory. */
  const setAttributes = (at: number, id: NodeId.NodeId): void => {
    setInode(at + ATTR.ino, id)
    Bytes.setU64(out, at + ATTR.size_, scan.size)
    Bytes.setU64(out, at + ATTR.blocks, Math.ceil(scan.size / 512))
    for (let time = at + ATTR.atime; time <= at + ATTR.ctime; time += 8) {
      out.setUint32(time, scan.mtimeLow, true)
      out.setUint32(time + 4, scan.mtimeHigh, true)
    }
    for (let nanos = at + ATTR.atimensec; nanos <= at + ATTR.ctimensec; nanos += 4) {
      out.setUint32(nanos, scan.mtimeNanos, true)
    }
    out.setUint32(at + ATTR.mode, scan.mode, true)
    out.setUint32(at + ATTR.nlink, scan.isFolder ? 2 : 1, true)
    out.setUint32(at + ATTR.uid, scan.uid, true)
    out.setUint32(at + ATTR.gid, scan.gid, true)
    out.setUint32(at + ATTR.blksize, BLOCK_SIZE, true)
  }

  /** The child found last, into zeroed memory; the kernel is told of its node. */
  const setChild = (at: number, parent: NodeId.NodeId): NodeId.NodeId => {
    const bound = atHand.bound()
    const { isFolder, start } = scan
    const id = isFolder ? NodeId.ofDirectory(bound) : NodeId.ofEntry(start)
    const contentsStart = isFolder ? scan.end : 0
    nodes[told++] = { id, parent, nameStart: atHand.nameStart(), start, bound, contentsStart }
    setId(at + ENTRY_OUT.nodeid, id)
    out.setUint32(at + ENTRY_OUT.generation, 1, true)
    setForever(at + ENTRY_OUT.entry_valid)
    setForever(at + ENTRY_OUT.attr_valid)
    setAttributes(at + ENTRY_OUT.attr, id)
    return id
  }

  const lookup = (id: NodeId.NodeId): Uint8Array | undefined => {
    const end = request.length - 1
    const name = request.subarray(IN_HEADER.size, end)
    if (name.length === 0 || request.indexOf(0, IN_HEADER.size) !== end) return undefined
    const parent = registry.find(id)
    if (parent === undefined || !NodeId.isDirectory(id)) return undefined
    const outcome = atHand.enter(parent) < 0 ? undefined : atHand.lookup(name)
    if (outcome === undefined) return undefined
    reply.fill(0, OUT_HEADER.size, OUT_HEADER.size + ENTRY_OUT.size)
    if (outcome === "found") setChild(OUT_HEADER.size, id)
    else setForever(OUT_HEADER.size + ENTRY_OUT.entry_valid)
    return finish(ENTRY_OUT.size)
  }

  const setDirent = (at: number, length: number, type: number, next: number): void => {
    Bytes.setU64(out, at + DIRENT.off, next)
    out.setUint32(at + DIRENT.namelen, length, true)
    out.setUint32(at + DIRENT.type, type, true)
  }

  /** Adds `.` or `..`, for which no node counts; where the listing then ends. */
  const addDots = (at: number, end: number, dots: number, id: NodeId.NodeId, next: number): number => {
    const size = align(DIRENTPLUS.name + dots)
    if (at + size > end) return -1
    reply.fill(0, at, at + size)
    setInode(at + DIRENTPLUS.dirent + DIRENT.ino, id)
    setDirent(at + DIRENTPLUS.dirent, dots, S_IFDIR >> 12, next)
    reply.fill(DOT, at + DIRENTPLUS.name, at + DIRENTPLUS.name + dots)
    return at + size
  }

  const readdirplus = (id: NodeId.NodeId): Uint8Array | undefined => {
    if (request.length < IN_HEADER.size + READ_IN.size) return undefined
    const from = Bytes.getU64(view, IN_HEADER.size + READ_IN.offset)
    const body = view.getUint32(IN_HEADER.size + READ_IN.size_, true)
    const directory = registry.find(id)
    if (directory === undefined || !NodeId.isDirectory(id) || !hasRoom(body)) return undefined
    const count = atHand.enter(directory)
    if (count < 0 || from > Number.MAX_SAFE_INTEGER) return undefined
    if (from === 0) registry.attachNow(id, tree.release(directory))
    const end = OUT_HEADER.size + body
    let at: number = OUT_HEADER.size
    for (let index = from; index < count; index++) {
      if (!atHand.child(index)) return undefined
      const { nameAt, nameLength } = scan
      if (nameLength > Abi.FUSE_NAME_MAX) return undefined
      const size = align(DIRENTPLUS.name + nameLength)
      if (at + size > end) return finish(at - OUT_HEADER.size)
      reply.fill(0, at, at + size)
      const child = setChild(at, id)
      setInode(at + DIRENTPLUS.dirent + DIRENT.ino, child)
      setDirent(at + DIRENTPLUS.dirent, nameLength, (scan.mode & S_IFMT) >> 12, index + 1)
      const { bytes } = atHand.window()
      for (let byte = 0; byte < nameLength; byte++) {
        reply[at + DIRENTPLUS.name + byte] = bytes[nameAt + byte] as number
      }
      at += size
    }
    if (from <= count) {
      const next = addDots(at, end, 1, id, count + 1)
      if (next < 0) return finish(at - OUT_HEADER.size)
      at = next
    }
    if (from <= count + 1) {
      const next = addDots(at, end, 2, directory.parent, count + 2)
      if (next >= 0) at = next
    }
    return finish(at - OUT_HEADER.size)
  }

  /** Whether the entry of a node is at hand. */
  const finds = (id: NodeId.NodeId): boolean => {
    const node = registry.find(id)
    return node !== undefined && atHand.entry(node)
  }

  const read = (id: NodeId.NodeId): Uint8Array | undefined => {
    if (request.length < IN_HEADER.size + READ_IN.size || !finds(id) || !scan.isFile) return undefined
    const offset = Bytes.getU64(view, IN_HEADER.size + READ_IN.offset)
    const wanted = view.getUint32(IN_HEADER.size + READ_IN.size_, true)
    const length = Math.max(0, Math.min(wanted, scan.size - offset))
    if (!hasRoom(length)) return undefined
    if (length > 0 && !atHand.content(offset, reply.subarray(OUT_HEADER.size, OUT_HEADER.size + length))) {
      return undefined
    }
    readId = id
    nextFiles.sees(view.getUint32(IN_HEADER.pid, true))
    return finish(length)
  }

  const getattr = (id: NodeId.NodeId): Uint8Array | undefined => {
    if (request.length < IN_HEADER.size + Abi.GETATTR_IN.size || !finds(id)) return undefined
    reply.fill(0, OUT_HEADER.size, OUT_HEADER.size + ATTR_OUT.size)
    setForever(OUT_HEADER.size + ATTR_OUT.attr_valid)
    setAttributes(OUT_HEADER.size + ATTR_OUT.attr, id)
    return finish(ATTR_OUT.size)
  }

  /** Of an entry without attributes. */
  const getxattr = (id: NodeId.NodeId): Uint8Array | undefined => {
    const from = IN_HEADER.size + GETXATTR_IN.size
    const end = request.length - 1
    if (end <= from || request.indexOf(0, from) !== end || !finds(id) || scan.attributes > 0) return undefined
    return fail(Bytes.equals(request.subarray(from, end), SELINUX) ? Errno.EOPNOTSUPP : Errno.ENODATA)
  }

  /** Of an entry without attributes. */
  const listxattr = (id: NodeId.NodeId): Uint8Array | undefined => {
    if (request.length < IN_HEADER.size + GETXATTR_IN.size || !finds(id) || scan.attributes > 0) return undefined
    if (view.getUint32(IN_HEADER.size + GETXATTR_IN.size_, true) !== 0) return finish(0)
    reply.fill(0, OUT_HEADER.size, OUT_HEADER.size + Abi.GETXATTR_OUT.size)
    return finish(Abi.GETXATTR_OUT.size)
  }

  const next = (): Stores | undefined => {
    if (readId === NodeId.ROOT) return undefined
    return nextFiles.after(readId, Bytes.getU64(view, IN_HEADER.size + READ_IN.offset))
  }

  return {
    next,
    errno: () => errno,
    delivered: () => {
      for (let index = 0; index < told; index++) registry.deliver(nodes[index] as Node.Node)
      told = 0
    },
    answer: (message) => {
      const { length } = message
      if (length < IN_HEADER.size) return undefined
      if (message.buffer !== request.buffer || message.byteOffset !== request.byteOffset || length > view.byteLength) {
        // The device reads into the same memory again and again.
        view = new DataView(message.buffer, message.byteOffset)
      }
      request = message
      told = 0
      errno = 0
      readId = NodeId.ROOT
      const high = view.getUint32(IN_HEADER.nodeid + 4, true)
      const id = NodeId.fromHalves(view.getUint32(IN_HEADER.nodeid, true), high)
      if (view.getUint32(IN_HEADER.len, true) !== length || Math.abs(id) >= MAX_POSITION) return undefined
      if (view.getUint32(IN_HEADER.unique + 4, true) > MAX_UNIQUE_HIGH) return undefined
      switch (view.getUint32(IN_HEADER.opcode, true)) {
        case OPCODE.LOOKUP:
          return looksUp ? lookup(id) : undefined
        case OPCODE.READDIRPLUS:
          return lists ? readdirplus(id) : undefined
        case OPCODE.READ:
          return reads ? read(id) : undefined
        case OPCODE.GETATTR:
          return getsAttributes ? getattr(id) : undefined
        case OPCODE.GETXATTR:
          return getsXattrs ? getxattr(id) : undefined
        case OPCODE.LISTXATTR:
          return listsXattrs ? listxattr(id) : undefined
        default:
          return undefined
      }
    },
  }
}

const DOT = 0x2e

const align = (size: number): number => (size + 7) & ~7
