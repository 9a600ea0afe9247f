import { assert, describe, it } from "@effect/vitest"
import * as ItemType from "../../../src/domain/pxar/ItemType.ts"
import { u64 } from "../../support/ArchiveBuilder.ts"

/** Name, bytes in the file (§1.4), permitted content sizes (§1.5, last column). */
const types: ReadonlyArray<readonly [name: string, bytes: string, min: number, max: number | undefined]> = [
  ["FORMAT_VERSION", "0d a4 16 df 75 6c 0f 73", 8, 8],
  ["PRELUDE", "1b 77 7b 9f 9d d7 09 e3", 0, undefined],
  ["ENTRY", "ef ac 88 e5 74 64 95 d5", 40, 40],
  ["ENTRY_V1", "ff ce 1c 1c 0a 85 da 11", 32, 32],
  ["FILENAME", "b3 17 39 06 21 11 70 16", 2, 4097],
  ["SYMLINK", "5f dc f5 db e7 71 f9 27", 2, 4097],
  ["DEVICE", "e9 5c 6d 58 06 e9 c9 9f", 16, 16],
  ["XATTR", "03 cd 7d b5 29 02 ab 0d", 2, 65791],
  ["ACL_USER", "b8 55 7d 45 0a 54 e8 2c", 16, 16],
  ["ACL_GROUP", "ab 03 4c b0 ce 3e 6e 13", 16, 16],
  ["ACL_GROUP_OBJ", "76 28 58 e9 31 80 86 10", 8, 8],
  ["ACL_DEFAULT", "f5 96 68 5a 41 13 bb bb", 32, 32],
  ["ACL_DEFAULT_USER", "1f cd 32 05 b4 57 93 c8", 16, 16],
  ["ACL_DEFAULT_GROUP", "fe 8f 03 16 58 8a 0a f9", 16, 16],
  ["FCAPS", "67 fb f7 b5 9d dd a9 2d", 0, 65791],
  ["QUOTA_PROJID", "bb 1c 7d 2f e8 40 75 e0", 8, 8],
  ["HARDLINK", "75 72 bd 22 84 9c 26 51", 9, 4105],
  ["PAYLOAD", "25 1a 7c 0b 1b 7a 14 28", 0, undefined],
  ["PAYLOAD_REF", "7e 97 ba c4 6b 3d 9d 41", 16, 16],
  ["GOODBYE", "1d 73 d5 42 a6 4f ec 2f", 24, undefined],
  ["PAYLOAD_START_MARKER", "d2 4e 4a 19 c2 68 4c 83", 0, 0],
  ["PAYLOAD_TAIL_MARKER", "b5 81 4c 98 8b b7 72 6c", 0, 0],
]

const find = (bytes: Buffer): ItemType.ItemType | undefined =>
  ItemType.fromHalves(bytes.readUInt32LE(0), bytes.readUInt32LE(4))

/** All that the module exports as a type. */
const all = Object.values(ItemType).filter(
  (value): value is ItemType.ItemType => typeof value === "object" && "minContent" in value,
)

describe("ItemType", () => {
  it("knows the types of §1.4 and no others", () => {
    assert.sameMembers(
      all.map((type) => type.name),
      types.map(([name]) => name),
    )
  })

  it.each(types)("%s is found by its bytes in the file", (name, bytes) => {
    assert.strictEqual(find(Buffer.from(bytes.replaceAll(" ", ""), "hex"))?.name, name)
  })

  it.each(types)("%s has the value that its bytes spell", (name, bytes) => {
    const type = all.find((candidate) => candidate.name === name)!
    assert.strictEqual(u64(type.value).toString("hex"), bytes.replaceAll(" ", ""))
    assert.strictEqual((BigInt(type.high) << 32n) | BigInt(type.low), type.value)
  })

  it.each(types)("%s bounds its content as §1.5 requires", (name, _, min, max) => {
    const type = all.find((candidate) => candidate.name === name)!
    assert.strictEqual(type.minContent, min)
    if (max === undefined) assert.isAtLeast(type.maxContent, 2 ** 52)
    else assert.strictEqual(type.maxContent, max)
  })

  it("does not take the tail marker of a goodbye table for a type", () => {
    assert.strictEqual(ItemType.GOODBYE_TAIL_MARKER.value, 0xef5eed5b753e1555n)
    assert.isUndefined(find(u64(ItemType.GOODBYE_TAIL_MARKER.value)))
  })

  it("does not take the pre-release constant for a type", () => {
    const { high, low } = ItemType.PRE_RELEASE
    assert.strictEqual((BigInt(high) << 32n) | BigInt(low), 0x1396fabcea5bbb51n)
    assert.isUndefined(ItemType.fromHalves(low, high))
  })

  it("compares both halves", () => {
    assert.isUndefined(ItemType.fromHalves(ItemType.ENTRY.low, ItemType.ENTRY.high + 1))
    assert.isUndefined(ItemType.fromHalves(ItemType.ENTRY.low + 1, ItemType.ENTRY.high))
  })
})
