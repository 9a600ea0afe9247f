/**
 * `struct stat` and `struct statvfs` as arrays of 32-bit words, which is how fuse-native takes them.
 *
 * The words hold less than an archive does: inode numbers have 32 bits, times are unsigned milliseconds.
 */
import * as Inode from "../../domain/pxar/Inode.ts"
import * as Stat from "../../domain/pxar/Stat.ts"

/** Inode number, mode and the rest; of a child that cannot be decoded only the inode number is known. */
export type Source = Stat.Stat | Pick<Stat.Stat, "ino" | "mode">

const TWO_32 = 0x1_0000_0000

/** The inode number shown: the lower half. It is unique where all of them fit into 32 bits. */
export const inode: (ino: Inode.Inode) => number = Inode.low

/** Whether the inode number shown may be that of another node too. */
export const isInodeCut = (ino: Inode.Inode): boolean => ino >= TWO_32

/** Whether a time is shown as another: before 1970, or so late that its milliseconds are not exact. */
export const isTimeMoved = ({ mtimeSeconds }: Stat.Stat): boolean => mtimeSeconds < 0n || mtimeSeconds > MAX_SECONDS

/** Whole seconds whose milliseconds are exact as a number. */
const MAX_SECONDS = BigInt(Math.floor(Number.MAX_SAFE_INTEGER / 1000)) - 1n

/** Milliseconds since the epoch, rounded down; the nearest there is where the time cannot be expressed. */
const milliseconds = ({ mtimeNanos, mtimeSeconds }: Stat.Stat): number => {
  if (mtimeSeconds < 0n) return 0
  if (mtimeSeconds > MAX_SECONDS) return Number(MAX_SECONDS) * 1000
  return Number(mtimeSeconds) * 1000 + Math.floor(mtimeNanos / 1_000_000)
}

/** The words of a `struct stat`. */
export const words = (stat: Source): Uint32Array => {
  const words = new Uint32Array(18)
  words[0] = stat.mode
  words[7] = inode(stat.ino)
  if (!("uid" in stat)) return words
  words[1] = stat.uid
  words[2] = stat.gid
  setDouble(words, 3, stat.size)
  words[6] = stat.nlink
  words[8] = stat.rdev
  words[9] = Stat.BLOCK_SIZE
  setDouble(words, 10, stat.blocks)
  const time = milliseconds(stat)
  for (const index of [12, 14, 16]) setDouble(words, index, time)
  return words
}

/** The words of a `struct statvfs` for a file system of so many bytes. Blocks beyond 32 bits are not counted. */
export const volumeWords = (size: number, nameMax: number): Uint32Array => {
  const words = new Uint32Array(11)
  words[0] = Stat.BLOCK_SIZE
  words[1] = Stat.BLOCK_SIZE
  words[2] = Math.min(Math.ceil(size / Stat.BLOCK_SIZE), TWO_32 - 1)
  words[10] = nameMax
  return words
}

const setDouble = (words: Uint32Array, index: number, value: number): void => {
  words[index] = value % TWO_32
  words[index + 1] = value / TWO_32
}
