import { assert, describe, it } from "@effect/vitest"
import type { Body, Entry } from "../../../src/domain/pxar/Entry.ts"
import * as Stat from "../../../src/domain/pxar/Stat.ts"
import { anyInteger, anyU32, entryOf } from "./helpers.ts"

const entry = (body: Body, mode = 0o644): Entry =>
  entryOf({ mode, uid: 4_294_967_295, gid: 12, mtimeSeconds: -62_135_596_800n, mtimeNanos: 999_999_999, body })

const file = (length: number): Body => ({ _tag: "File", content: { source: "archive", start: 0, length } })

describe("Stat", () => {
  it("shows what the entry says", () => {
    assert.deepStrictEqual(Stat.fromEntry(entry(file(3), 0o104755), -100), {
      id: -100,
      ino: 201,
      mode: 0o104755,
      nlink: 1,
      uid: 4_294_967_295,
      gid: 12,
      size: 3,
      blocks: 1,
      rdev: 0,
      mtimeSeconds: -62_135_596_800n,
      mtimeNanos: 999_999_999,
    })
  })

  it("gives directories two links and no size", () => {
    const stat = Stat.fromEntry(entry({ _tag: "Directory", contentsStart: 156 }), 400)
    assert.deepStrictEqual([stat.nlink, stat.size, stat.blocks], [2, 0, 0])
  })

  it("gives symlinks the size of their target", () => {
    const stat = Stat.fromEntry(entry({ _tag: "Symlink", target: Buffer.from("hello") }), -100)
    assert.deepStrictEqual([stat.nlink, stat.size, stat.blocks], [1, 5, 1])
  })

  it.each([{ _tag: "Fifo" }, { _tag: "Socket" }, { _tag: "Device", major: 1n, minor: 3n }] as const)(
    "gives a $_tag the size 0",
    (body) => {
      const stat = Stat.fromEntry(entry(body), -100)
      assert.deepStrictEqual([stat.nlink, stat.size, stat.blocks], [1, 0, 0])
    },
  )

  it.each([
    [0, 0],
    [1, 1],
    [511, 1],
    [512, 1],
    [513, 2],
    [2 ** 45, 2 ** 36],
  ])("counts %i bytes as %i blocks of 512", (size, blocks) => {
    assert.strictEqual(Stat.fromEntry(entry(file(size)), -100).blocks, blocks)
  })

  it("packs device numbers for devices only", () => {
    assert.strictEqual(Stat.fromEntry(entry({ _tag: "Device", major: 8n, minor: 1n }), -100).rdev, 0x801)
    assert.strictEqual(Stat.fromEntry(entry(file(3)), -100).rdev, 0)
  })

  it.each([
    [1, 3, 0x0000_0103],
    [7, 0, 0x0000_0700],
    [10, 703_710, 0xabc0_0ade],
    [4095, 0, 0x000f_ff00],
    [0, 0x100, 0x0010_0000],
    [4095, 1_048_575, 0xffff_ffff],
  ])("packs device %i:%i as §2.11 says", (major, minor, packed) => {
    assert.strictEqual(Stat.packDevice(BigInt(major), BigInt(minor)), packed)
  })

  it.prop(
    "packs 12 bits of major and 20 of minor so that they can be taken apart again",
    [anyInteger(0, 0xfff), anyInteger(0, 0xf_ffff)],
    ([major, minor]) => {
      const packed = Stat.packDevice(BigInt(major), BigInt(minor))
      assert.strictEqual(Math.floor(packed / 256) % 4096, major)
      assert.strictEqual((packed % 256) + Math.floor(packed / 2 ** 20) * 256, minor)
    },
  )

  it.prop("packs 64-bit device numbers without overflow", [anyU32, anyU32], ([major, minor]) => {
    const packed = Stat.packDevice(BigInt(major) << 32n, (BigInt(minor) << 32n) | 5n)
    assert.strictEqual(packed, 5)
  })
})
