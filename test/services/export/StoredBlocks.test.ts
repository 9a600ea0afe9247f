/** Blocks of deflate that are stored, inflated by zlib. */
import * as zlib from "node:zlib"
import { assert, describe, it } from "@effect/vitest"
import { Schema } from "effect"
import * as StoredBlocks from "../../../src/services/export/StoredBlocks.ts"

const Length = Schema.Int.check(Schema.isBetween({ minimum: 1, maximum: 200_000 }))

describe("a content", () => {
  it.prop(
    "inflates to itself, however it comes in pieces, and its stream is as long as was said",
    [Schema.NonEmptyArray(Length), Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 100 }))],
    ([lengths, spare]) => {
      const size = lengths.reduce((sum, length) => sum + length, 0)
      const content = Buffer.alloc(size, 0).map((_, i) => (i * 31 + (i >>> 8)) & 0xff)
      const room = StoredBlocks.roomFor(200_000) + spare
      const blocks = StoredBlocks.make(size, room)
      let at = 0
      const stream = Buffer.concat(
        lengths.map((length) => {
          const memory = Buffer.concat([Buffer.alloc(room, 0xee), content.subarray(at, at + length)])
          at += length
          return blocks(memory)
        }),
      )
      assert.strictEqual(stream.length, StoredBlocks.lengthOf(size))
      assert.isTrue(zlib.inflateRawSync(stream).equals(content))
    },
  )

  it.each([1, 65_534, 65_535, 65_536, 131_070, 131_071])("of %d bytes ends with a last block", (size) => {
    const room = StoredBlocks.roomFor(size)
    const content = Buffer.alloc(size, 7)
    const stream = StoredBlocks.make(size, room)(Buffer.concat([Buffer.alloc(room), content]))
    assert.strictEqual(stream.length, StoredBlocks.lengthOf(size))
    assert.isTrue(zlib.inflateRawSync(stream).equals(content))
  })
})
