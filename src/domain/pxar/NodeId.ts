/**
 * Node ids of the kernel protocol (§9.1). What `stat` shows is an `Inode`.
 *
 * On the wire they are 64 bits with bit 63 set for everything but directories. Inside they are a `number`, exact and
 * cheap as a map key: a directory's end offset, minus the entry start for everything else.
 */

/** 1 for the root, the end offset of a directory, or minus the entry start of anything else. */
export type NodeId = number

/** The root directory. */
export const ROOT: NodeId = 1

/** The node of a subdirectory whose entry range ends at `end`. */
export const ofDirectory = (end: number): NodeId => end

/** The node of an entry that is no directory and starts at `start`. */
export const ofEntry = (start: number): NodeId => -start

/** Whether the node is a directory. */
export const isDirectory = (id: NodeId): boolean => id > 0

const TWO_32 = 0x1_0000_0000

/** Lower half of the 64-bit number. */
export const low = (id: NodeId): number => Math.abs(id) % TWO_32

/** Upper half of the 64-bit number. */
export const high = (id: NodeId): number => {
  const half = Math.floor(Math.abs(id) / TWO_32)
  return id < 0 ? half + 0x8000_0000 : half
}

/** The node with these halves. Numbers that name no node of an archive (of 2^53 and more) stay distinct from those that do. */
export const fromHalves = (low: number, high: number): NodeId =>
  high >= 0x8000_0000 ? -((high - 0x8000_0000) * TWO_32 + low) : high * TWO_32 + low

/** The unsigned 64-bit number. */
export const toBigInt = (id: NodeId): bigint => (id < 0 ? (1n << 63n) | BigInt(-id) : BigInt(id))

/** For what has no node. */
export const UNKNOWN: NodeId = 0xffff_ffff
