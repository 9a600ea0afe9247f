/**
 * What a partition holds, told by the marks that file systems, volume managers and encryption leave at known places, with the
 * label where that stands at one too. As `blkid` does it; nothing is opened, and a mark proves nothing.
 */
import * as Bytes from "../Bytes.ts"

/** What a partition seems to hold. */
export interface FileSystemSignature {
  /** As `blkid` names it: `ext4`, `ntfs`, `LVM2_member`. */
  readonly type: string
  /** As bytes of the label were read; without what is not text. */
  readonly label: string | undefined
}

/** Bytes from the start of a partition that are looked at; what is beyond is not looked for. */
export const WINDOW = 256 * 1024

type Identify = (bytes: Uint8Array) => FileSystemSignature | undefined

const has = (bytes: Uint8Array, at: number, mark: string | ReadonlyArray<number>): boolean => {
  const wanted = typeof mark === "string" ? Bytes.fromText(mark) : Uint8Array.from(mark)
  return at + wanted.length <= bytes.length && Bytes.equals(bytes.subarray(at, at + wanted.length), wanted)
}

/** Text up to a NUL, without spaces at its end; `undefined` for none, or for what is no text. */
const text = (bytes: Uint8Array, at: number, length: number): string | undefined => {
  const field = bytes.subarray(at, at + length)
  const end = field.indexOf(0)
  const found = new TextDecoder().decode(end < 0 ? field : field.subarray(0, end)).trim()
  return found === "" || /[\p{Cc}\ufffd]/u.test(found) ? undefined : found
}

/** A mark at one place. */
const marked =
  (
    type: string,
    at: number,
    mark: string | ReadonlyArray<number>,
    label?: readonly [at: number, length: number],
  ): Identify =>
  (bytes) =>
    has(bytes, at, mark) ? { type, label: label === undefined ? undefined : text(bytes, ...label) } : undefined

/** ext2, ext3 or ext4: what it uses tells which. */
const ext: Identify = (bytes) => {
  if (bytes.length < 2048 || !has(bytes, 1080, [0x53, 0xef])) return undefined
  const view = Bytes.dataView(bytes)
  const [compatible, incompatible, readOnly] = [1116, 1120, 1124].map((at) => view.getUint32(at, true)) as [
    number,
    number,
    number,
  ]
  // Extents, 64 bits, flexible groups; huge files, checksums, many links, large inodes.
  const isFour = (incompatible & 0x2c0) !== 0 || (readOnly & 0x478) !== 0
  const type = isFour ? "ext4" : (compatible & 4) === 0 ? "ext2" : "ext3"
  return { type, label: text(bytes, 1144, 16) }
}

const fat: Identify = (bytes) => {
  if (!has(bytes, 510, [0x55, 0xaa])) return undefined
  const at = has(bytes, 82, "FAT32") ? 71 : has(bytes, 54, "FAT1") ? 43 : undefined
  if (at === undefined) return undefined
  const label = text(bytes, at, 11)
  return { type: "vfat", label: label === "NO NAME" ? undefined : label }
}

const lvm: Identify = (bytes) => {
  for (let at = 0; at < 4 * 512; at += 512) {
    if (has(bytes, at, "LABELONE") && has(bytes, at + 24, "LVM2 001")) return { type: "LVM2_member", label: undefined }
  }
  return undefined
}

const swap: Identify = (bytes) => {
  for (const page of [4096, 8192, 16_384, 65_536]) {
    if (has(bytes, page - 10, "SWAPSPACE2")) return { type: "swap", label: text(bytes, 1052, 16) }
  }
  return undefined
}

/** An uberblock in any of its 128 places, of either byte order. */
const zfs: Identify = (bytes) => {
  for (let at = 128 * 1024; at + 8 <= bytes.length; at += 1024) {
    const isMark =
      has(bytes, at, [0x0c, 0xb1, 0xba, 0, 0, 0, 0, 0]) || has(bytes, at, [0, 0, 0, 0, 0, 0xba, 0xb1, 0x0c])
    if (isMark) return { type: "zfs_member", label: undefined }
  }
  return undefined
}

/** The containers first: what they hold may show through. */
const all: ReadonlyArray<Identify> = [
  marked("crypto_LUKS", 0, [0x4c, 0x55, 0x4b, 0x53, 0xba, 0xbe, 0, 2], [24, 48]),
  marked("crypto_LUKS", 0, [0x4c, 0x55, 0x4b, 0x53, 0xba, 0xbe]),
  marked("BitLocker", 3, "-FVE-FS-"),
  lvm,
  marked("linux_raid_member", 4096, [0xfc, 0x4e, 0x2b, 0xa9], [4128, 32]),
  marked("linux_raid_member", 0, [0xfc, 0x4e, 0x2b, 0xa9], [32, 32]),
  marked("ntfs", 3, "NTFS    "),
  marked("exfat", 3, "EXFAT   "),
  marked("ReFS", 3, "ReFS"),
  marked("xfs", 0, "XFSB", [108, 12]),
  marked("btrfs", 65_600, "_BHRfS_M", [65_835, 256]),
  ext,
  marked("f2fs", 1024, [0x10, 0x20, 0xf5, 0xf2]),
  marked("squashfs", 0, "hsqs"),
  swap,
  marked("iso9660", 32_769, "CD001", [32_808, 32]),
  zfs,
  // Last: boot sectors of others look like it.
  fat,
]

/** What the first `WINDOW` bytes of a partition, or all that it has, tell. */
export const identify = (bytes: Uint8Array): FileSystemSignature | undefined => {
  for (const one of all) {
    const found = one(bytes)
    if (found !== undefined) return found
  }
  return undefined
}
