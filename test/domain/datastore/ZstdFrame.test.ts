import * as zlib from "node:zlib"
import { assert, describe, it } from "@effect/vitest"
import { Result } from "effect"
import * as ZstdFrame from "../../../src/domain/datastore/ZstdFrame.ts"
import { make } from "../../support/Random.ts"
import { hex } from "./hex.ts"

const { constants, zstdCompressSync } = zlib
const frames = (bytes: Uint8Array) => Result.getOrThrow(ZstdFrame.frames(bytes))
const isRefused = (bytes: Uint8Array) =>
  Result.match(ZstdFrame.frames(bytes), {
    onSuccess: () => false,
    onFailure: ({ check }) => check === "DecompressFailed",
  })

describe("ZstdFrame", () => {
  it("tells the size in the one-shot frame of datastore §9.2, and that the streamed one has none", () => {
    assert.deepStrictEqual(frames(hex("28b52ffd200529000068656c6c6f")), [{ start: 0, end: 14, contentSize: 5 }])
    assert.deepStrictEqual(frames(hex("28b52ffd004829000068656c6c6f")), [{ start: 0, end: 14, contentSize: undefined }])
  })

  it("finds the end of a frame of any length, with and without checksum", () => {
    const random = make(1)
    for (const length of [0, 1, 255, 256, 300, 65_791, 65_792, 200_000, 1_000_000]) {
      const content = Buffer.concat([random.bytes(Math.min(length, 5000)), Buffer.alloc(Math.max(0, length - 5000), 7)])
      for (const checksum of [0, 1]) {
        const bytes = zstdCompressSync(content, {
          params: { [constants.ZSTD_c_checksumFlag]: checksum },
          pledgedSrcSize: length,
        })
        const [frame, ...others] = frames(bytes)
        assert.deepStrictEqual([frame?.start, frame?.end, others.length], [0, bytes.length, 0])
        assert.isTrue(frame?.contentSize === length || frame?.contentSize === undefined)
      }
    }
  })

  it("finds each of several frames, and leaves out what is to be skipped", () => {
    const [a, b] = [zstdCompressSync(Buffer.from("one")), zstdCompressSync(Buffer.from("two"))]
    const skippable = hex("5a2a4d18 03000000 ffffff")
    const found = frames(Buffer.concat([a, skippable, b]))
    assert.deepStrictEqual(
      found.map(({ end, start }) => [start, end]),
      [
        [0, a.length],
        [a.length + 11, a.length + 11 + b.length],
      ],
    )
  })

  it("refuses bytes after the last frame, which a decompressor would say nothing of", () => {
    const frame = zstdCompressSync(Buffer.from("one"))
    for (const more of ["00", "ff".repeat(20)]) assert.isTrue(isRefused(Buffer.concat([frame, hex(more)])))
  })

  it("refuses a frame cut anywhere", () => {
    const frame = zstdCompressSync(make(2).bytes(1000))
    for (let length = 0; length < frame.length; length++)
      assert.isTrue(isRefused(frame.subarray(0, length)), `${length}`)
  })

  it("refuses a frame that wants a gigabyte of memory", () => {
    assert.isTrue(isRefused(hex("28b52ffd 00 a0 010000")))
  })

  it("never throws, whatever the bytes", () => {
    const random = make(3)
    for (let i = 0; i < 5000; i++) {
      const bytes = random.bytes(random.below(40))
      if (random.below(4) > 0 && bytes.length > 4) bytes.set(hex("28b52ffd"))
      const result = ZstdFrame.frames(bytes)
      if (Result.isSuccess(result))
        for (const { end, start } of result.success) assert.isTrue(start < end && end <= bytes.length)
    }
  })
})
