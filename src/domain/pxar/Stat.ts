/**
 * An entry as `stat(2)` shows it (§9.2).
 */
import type { Entry } from "./Entry.ts"
import * as Inode from "./Inode.ts"
import type { NodeId } from "./NodeId.ts"

/** What `stat(2)` shows. */
export interface Stat {
  /** Node id, which is not shown. */
  readonly id: NodeId
  readonly ino: Inode.Inode
  readonly mode: number
  /** 2 for directories, 1 for the others: real counts are not stored. */
  readonly nlink: number
  readonly uid: number
  readonly gid: number
  /** Bytes of a file or of a symlink's target; 0 for the others. */
  readonly size: number
  /** Units of 512 bytes, rounded up; without what is in holes. */
  readonly blocks: number
  /** Device number in the 32-bit encoding of the kernel protocol (§2.11); 0 for all but devices. */
  readonly rdev: number
  /** Also atime and ctime. Seconds since the epoch, signed 64 bits. */
  readonly mtimeSeconds: bigint
  readonly mtimeNanos: number
}

/** Preferred I/O size in bytes. */
export const BLOCK_SIZE = 4096

/** `stat` of an entry with the node id `id`. The inode number is that of a tree of one archive unless given. */
export const fromEntry = (entry: Entry, id: NodeId, ino: Inode.Inode = Inode.ofNode(id)): Stat => {
  const size = sizeOf(entry)
  return {
    id,
    ino,
    mode: entry.mode,
    nlink: entry.body._tag === "Directory" ? 2 : 1,
    uid: entry.uid,
    gid: entry.gid,
    size,
    blocks: Math.ceil(allocatedOf(entry, size) / 512),
    rdev: entry.body._tag === "Device" ? packDevice(entry.body.major, entry.body.minor) : 0,
    mtimeSeconds: entry.mtimeSeconds,
    mtimeNanos: entry.mtimeNanos,
  }
}

const allocatedOf = ({ body }: Entry, size: number): number =>
  body._tag === "File" ? (body.content.allocated ?? size) : size

/** Size in bytes as `stat` shows it. */
export const sizeOf = (entry: Entry): number =>
  entry.body._tag === "File" ? entry.body.content.length : entry.body._tag === "Symlink" ? entry.body.target.length : 0

/** The 32-bit device number of the kernel protocol: 12 bits of major, 20 of minor (§2.11). */
export const packDevice = (major: bigint, minor: bigint): number =>
  Number((minor & 0xffn) | ((major & 0xfffn) << 8n) | ((minor & 0xfff00n) << 12n))
