/**
 * Inode numbers as `stat(2)` shows them (§9.1).
 *
 * They are not node ids: those have bit 63 set for all but folders, and programs that keep numbers as doubles round them,
 * so that many files seem to be one. The number of a folder is even, twice its end offset, that of anything else odd,
 * twice its entry's start and one; the root is 1. Exact as doubles in archives of up to 4 PiB.
 *
 * In a tree of many archives each has a base, a multiple of 2^32, to which its own numbers are added.
 */
import * as NodeId from "./NodeId.ts"

/** An inode number, exact: a bigint from 2^53 on. */
export type Inode = number | bigint

/** Shown for a child whose inode number cannot be found out; no node has it. */
export const UNKNOWN: Inode = 0xffff_ffff

/** The number of a node of one archive. */
export const ofNode = (id: NodeId.NodeId): Inode => {
  if (id === NodeId.ROOT) return 1
  const position = Math.abs(id)
  if (position >= HALF) return BigInt(position) * 2n + (id < 0 ? 1n : 0n)
  return id < 0 ? position * 2 + 1 : position * 2
}

/** A number of an archive whose base is `blocks` times 2^32. */
export const above = (blocks: number, own: Inode): Inode => {
  const sum = typeof own === "number" ? blocks * TWO_32 + own : Number.POSITIVE_INFINITY
  return sum <= Number.MAX_SAFE_INTEGER ? sum : BigInt(blocks) * TWO_32_BIG + BigInt(own)
}

/** How many times 2^32 numbers an archive of `size` bytes takes. */
export const blocks = (size: number): number => Math.floor(size / (TWO_32 / 2)) + 1

/** Lower half of the 64-bit number. */
export const low = (inode: Inode): number =>
  typeof inode === "number" ? inode % TWO_32 : Number(BigInt.asUintN(32, inode))

/** Upper half of the 64-bit number. */
export const high = (inode: Inode): number =>
  typeof inode === "number" ? Math.floor(inode / TWO_32) : Number(BigInt.asUintN(32, inode >> 32n))

const TWO_32 = 0x1_0000_0000
const TWO_32_BIG = 0x1_0000_0000n
const HALF = 2 ** 52
