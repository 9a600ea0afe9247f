import { assert, describe, it } from "@effect/vitest"
import { Arbitrary, Effect, Schema } from "effect"
import * as FileSystemSignature from "../../../src/domain/datastore/FileSystemSignature.ts"
import * as PartitionType from "../../../src/domain/datastore/PartitionType.ts"

/** A partition with these texts or bytes at their places. */
const partition = (
  ...marks: ReadonlyArray<readonly [at: number, mark: string | ReadonlyArray<number>]>
): Uint8Array => {
  const bytes = new Uint8Array(FileSystemSignature.WINDOW)
  for (const [at, mark] of marks) bytes.set(typeof mark === "string" ? Buffer.from(mark, "latin1") : mark, at)
  return bytes
}

const EXT = [1080, [0x53, 0xef]] as const
const SECTOR_END = [510, [0x55, 0xaa]] as const

describe("FileSystemSignature", () => {
  // The real ext4, FAT and NTFS are in test/mounted/VmDisks.test.ts.
  it.each([
    ["ext2", undefined, partition(EXT)],
    ["ext3", "old", partition(EXT, [1116, [4]], [1144, "old"])],
    ["ext4", undefined, partition(EXT, [1120, [0x40]])],
    ["xfs", "data", partition([0, "XFSB"], [108, "data"])],
    ["btrfs", "pool", partition([65_600, "_BHRfS_M"], [65_835, "pool"])],
    ["vfat", "EFI", partition([82, "FAT32   "], [71, "EFI        "], SECTOR_END)],
    ["vfat", undefined, partition([54, "FAT16   "], [43, "NO NAME    "], SECTOR_END)],
    ["ntfs", undefined, partition([3, "NTFS    "], SECTOR_END)],
    ["exfat", undefined, partition([3, "EXFAT   "], SECTOR_END)],
    ["BitLocker", undefined, partition([3, "-FVE-FS-"], SECTOR_END)],
    ["swap", "sw", partition([4086, "SWAPSPACE2"], [1052, "sw"])],
    ["LVM2_member", undefined, partition([512, "LABELONE"], [536, "LVM2 001"])],
    ["crypto_LUKS", "safe", partition([0, [0x4c, 0x55, 0x4b, 0x53, 0xba, 0xbe, 0, 2]], [24, "safe"])],
    ["linux_raid_member", "host:0", partition([4096, [0xfc, 0x4e, 0x2b, 0xa9]], [4128, "host:0"])],
    ["iso9660", "Debian", partition([32_769, "CD001"], [32_808, "Debian   "])],
    ["zfs_member", undefined, partition([128 * 1024 + 5 * 1024, [0x0c, 0xb1, 0xba]])],
  ] as const)("knows %s, labelled %s", (type, label, bytes) => {
    assert.deepStrictEqual(FileSystemSignature.identify(bytes), { type, label })
  })

  it("knows nothing of zeros", () => {
    assert.isUndefined(FileSystemSignature.identify(new Uint8Array(FileSystemSignature.WINDOW)))
  })

  it("shows no label that is no text", () => {
    const bytes = partition([0, "XFSB"], [108, [0x1b, 0x5b, 0x41]])
    assert.deepStrictEqual(FileSystemSignature.identify(bytes), { type: "xfs", label: undefined })
  })

  it.effect.prop(
    "reads nothing beyond the end, whatever is cut off",
    [Arbitrary.schema(Schema.Int.pipe(Schema.check(Schema.isBetween({ minimum: 0, maximum: 70_000 }))))],
    ([length]) =>
      Effect.sync(() => {
        for (const mark of [EXT, [0, "XFSB"], [0, "LUKS"], [4086, "SWAPSPACE2"], SECTOR_END] as const) {
          FileSystemSignature.identify(partition(mark).subarray(0, length))
        }
      }),
  )
})

describe("PartitionType", () => {
  it("names the common types, and tells the number of others", () => {
    assert.deepStrictEqual([PartitionType.ofMbr(0x83), PartitionType.ofMbr(0x0)], ["Linux", "type 00"])
    const linux = Buffer.from("af3dc60f838472478e793d69d8477de4", "hex")
    assert.strictEqual(PartitionType.ofGpt(linux), "Linux filesystem")
    assert.strictEqual(PartitionType.ofGpt(new Uint8Array(16)), "type 00000000-0000-0000-0000-000000000000")
  })
})
