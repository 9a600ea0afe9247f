import { assert, describe, it } from "@effect/vitest"
import * as FeatureFlags from "../../../src/domain/pxar/FeatureFlags.ts"

describe("chattr bits", () => {
  // The table of §5, with the letters of chattr(1).
  const table: ReadonlyArray<readonly [letter: string, chattr: number, bit: number]> = [
    ["a", 0x20, 16],
    ["A", 0x80, 17],
    ["c", 0x4, 18],
    ["C", 0x80_0000, 19],
    ["d", 0x40, 20],
    ["D", 0x1_0000, 21],
    ["i", 0x10, 22],
    ["S", 0x8, 23],
    ["m", 0x400, 24],
    ["P", 0x2000_0000, 25],
  ]
  for (const [letter, chattr, bit] of table) {
    it(letter, () => {
      assert.strictEqual(FeatureFlags.fromChattr(chattr), 1n << BigInt(bit))
      assert.strictEqual(FeatureFlags.toChattr(1n << BigInt(bit)), chattr)
    })
  }
  it("together, with others that archives do not keep", () => {
    const all = table.reduce((bits, [, chattr]) => bits + chattr, 0)
    assert.strictEqual(FeatureFlags.fromChattr(all), 0x3ff_0000n)
    assert.strictEqual(FeatureFlags.fromChattr(0xffff_ffff), 0x3ff_0000n)
    assert.strictEqual(FeatureFlags.fromChattr(0x8_0000), 0n)
    assert.strictEqual(FeatureFlags.CHATTR, 0x3ff_0000n)
    assert.strictEqual(FeatureFlags.toChattr(0xffff_ffff_ffff_ffffn), all)
    assert.strictEqual(FeatureFlags.toChattr(0xfc00_ffffn), 0)
  })
})

describe("file systems", () => {
  it("keep the flags of §5", () => {
    const chattrOf = (type: number) => FeatureFlags.ofFileSystem(type) & FeatureFlags.CHATTR
    const hasQuota = (type: number) => (FeatureFlags.ofFileSystem(type) & FeatureFlags.QUOTA_PROJID) !== 0n
    const [ext4, xfs, btrfs, tmpfs, overlay] = [0xef53, 0x58465342, 0x9123683e, 0x01021994, 0x794c7630]
    assert.strictEqual(chattrOf(ext4), 0xf3_0000n)
    assert.strictEqual(chattrOf(xfs), 0xd3_0000n)
    assert.strictEqual(chattrOf(btrfs), 0x1ff_0000n)
    assert.strictEqual(chattrOf(tmpfs), 0n)
    assert.strictEqual(chattrOf(overlay), 0n)
    assert.deepStrictEqual([ext4, xfs, btrfs, tmpfs, overlay].map(hasQuota), [true, true, false, false, false])
  })
})
