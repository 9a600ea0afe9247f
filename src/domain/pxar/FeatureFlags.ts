/**
 * The feature flags of ENTRY (§5): how chattr bits map to them, and which of them a file system has.
 *
 * Only what a writer stores: the flags that steer writers and extractors are not kept in entries.
 */

/** Bit of the set of a file system: it has project quota ids (§2.8). */
export const QUOTA_PROJID = 0x1_0000_0000n

/** All flags that stand for chattr bits. */
export const CHATTR = 0x3ff_0000n

/** Flag of §5, the bit of `FS_IOC_GETFLAGS` that it stands for, and what that means. */
const chattr: ReadonlyArray<readonly [flag: bigint, bit: number, name: string]> = [
  [0x1_0000n, 0x20, "append only"],
  [0x2_0000n, 0x80, "no atime"],
  [0x4_0000n, 0x4, "compressed"],
  [0x8_0000n, 0x80_0000, "no copy on write"],
  [0x10_0000n, 0x40, "no dump"],
  [0x20_0000n, 0x1_0000, "synchronous folder"],
  [0x40_0000n, 0x10, "immutable"],
  [0x80_0000n, 0x8, "synchronous"],
  [0x100_0000n, 0x400, "not compressed"],
  [0x200_0000n, 0x2000_0000, "project inherited"],
]

const chattrBits = chattr.reduce((all, [, bit]) => all | bit, 0)

/** The flags for the bits of `FS_IOC_GETFLAGS`; bits without a flag are dropped. */
export const fromChattr = (bits: number): bigint => {
  if ((bits & chattrBits) === 0) return 0n
  let flags = 0n
  for (const [flag, bit] of chattr) if ((bits & bit) !== 0) flags |= flag
  return flags
}

/** What the chattr bits among the flags mean. */
export const chattrNames = (flags: bigint): ReadonlyArray<string> =>
  chattr.flatMap(([flag, , name]) => ((flags & flag) === 0n ? [] : [name]))

/** The bits of `FS_IOC_GETFLAGS` that an entry's flags stand for; the other flags are dropped. */
export const toChattr = (flags: bigint): number => {
  if ((flags & CHATTR) === 0n) return 0
  let bits = 0
  for (const [flag, bit] of chattr) if ((flags & flag) !== 0n) bits |= bit
  return bits
}

/** The set of §5 for each `f_type` of statfs(2). */
const sets = new Map<number, bigint>([
  [0xef53, 0x1_f0f3_1fc0n], // ext2, ext3, ext4
  [0x2fc1_2fc1, 0x1_f0f3_1fc0n], // ZFS
  [0x5846_5342, 0x1_f0d3_1fc0n], // XFS
  [0x9123_683e, 0xfdff_1fc0n], // btrfs
  [0x0102_1994, 0x6000_1fc0n], // tmpfs
  [0x4d44, 0xe0c0n], // FAT
  [0x6573_5546, 0x2_13ff_ffc0n], // FUSE
])

/** What a file system can keep, by its `f_type` (unsigned 32 bits). */
export const ofFileSystem = (type: number): bigint => sets.get(type) ?? 0xb000_1fc0n
