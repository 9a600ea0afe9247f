import { assert, describe, it } from "@effect/vitest"
import type * as Stat from "../../../src/domain/pxar/Stat.ts"
import * as NodeId from "../../../src/domain/pxar/NodeId.ts"
import * as NativeStat from "../../../src/fuse/native/NativeStat.ts"

const stat: Stat.Stat = {
  id: NodeId.ofEntry(0x1234),
  ino: 0x2469,
  mode: 0o100640,
  nlink: 1,
  uid: 4_000_000_000,
  gid: 6,
  size: 0x12_3456_789a,
  blocks: 0x1_0000_0001,
  rdev: 0x00ab_cdef,
  mtimeSeconds: 1_700_000_000n,
  mtimeNanos: 123_999_999,
}

/** A number of two words. */
const double = (words: Uint32Array, index: number): number => words[index]! + words[index + 1]! * 2 ** 32

const timeOf = (mtimeSeconds: bigint, mtimeNanos = 0): number =>
  double(NativeStat.words({ ...stat, mtimeSeconds, mtimeNanos }), 14)

describe("the words of a stat", () => {
  it("hold what 32 bits hold, and sizes of 64", () => {
    const words = NativeStat.words(stat)
    assert.deepStrictEqual([...words.subarray(0, 3)], [0o100640, 4_000_000_000, 6])
    assert.strictEqual(double(words, 3), stat.size)
    assert.deepStrictEqual([...words.subarray(5, 10)], [0, 1, 0x2469, 0x00ab_cdef, 4096])
    assert.strictEqual(double(words, 10), stat.blocks)
  })

  it("hold whole milliseconds, rounded down, three times", () => {
    const words = NativeStat.words(stat)
    for (const index of [12, 14, 16]) assert.strictEqual(double(words, index), 1_700_000_000_123)
  })

  it("hold 1970 for times before it, which is told", () => {
    assert.strictEqual(timeOf(-1n, 999_999_999), 0)
    assert.isTrue(NativeStat.isTimeMoved({ ...stat, mtimeSeconds: -1n }))
    assert.isFalse(NativeStat.isTimeMoved({ ...stat, mtimeSeconds: 0n }))
  })

  it("hold the latest exact time for those after it, which is told", () => {
    const latest = timeOf(2n ** 62n)
    assert.isTrue(Number.isSafeInteger(latest))
    assert.isAbove(latest, Date.UTC(200_000, 0))
    assert.isTrue(NativeStat.isTimeMoved({ ...stat, mtimeSeconds: 2n ** 62n }))
  })

  it("hold the lower half of an inode number, which is told where there is an upper one", () => {
    for (const large of [2 ** 32 + 5, 2n ** 63n + 5n]) {
      assert.strictEqual(NativeStat.words({ ...stat, ino: large })[7], 5)
      assert.isTrue(NativeStat.isInodeCut(large))
    }
    assert.isTrue(NativeStat.isInodeCut(2 ** 32))
    assert.isFalse(NativeStat.isInodeCut(2 ** 32 - 1))
  })

  it("hold inode number and mode alone of a child that cannot be decoded", () => {
    const words = NativeStat.words({ ino: 0xffff_ffff, mode: 0 })
    assert.deepStrictEqual(
      [...words.entries()].filter(([, word]) => word !== 0),
      [[7, 0xffff_ffff]],
    )
  })
})

describe("the words of a statvfs", () => {
  it("count blocks of 4096 bytes, as many as 32 bits hold", () => {
    assert.deepStrictEqual([...NativeStat.volumeWords(4097, 255).subarray(0, 4)], [4096, 4096, 2, 0])
    assert.strictEqual(NativeStat.volumeWords(2 ** 50, 255)[2], 2 ** 32 - 1)
    assert.strictEqual(NativeStat.volumeWords(0, 255)[10], 255)
  })
})
