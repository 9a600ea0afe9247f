import { assert, describe, it } from "@effect/vitest"
import * as Arbitrary from "effect/Arbitrary"
import * as Bytes from "../../src/domain/Bytes.ts"
import { u64 } from "../support/ArchiveBuilder.ts"
import { anyBytes, anyOffset, anyU32, hex } from "./pxar/helpers.ts"

const view = (value: number | bigint): DataView => Bytes.dataView(u64(value))

describe("Bytes", () => {
  it.prop("reads a u64 up to 2^53 exactly", [anyOffset], ([value]) => {
    assert.strictEqual(Bytes.getU64(view(value), 0), value)
  })

  it.prop("keeps the order of u64s beyond 2^53", [anyU32, anyU32, anyU32, anyU32], ([al, ah, bl, bh]) => {
    const [a, b] = [(BigInt(ah) << 32n) | BigInt(al), (BigInt(bh) << 32n) | BigInt(bl)]
    const [small, large] = a < b ? [a, b] : [b, a]
    assert.isAtMost(Bytes.getU64(view(small), 0), Bytes.getU64(view(large), 0))
  })

  it("rounds nothing above 2^53 to anything below it", () => {
    assert.isAtLeast(Bytes.getU64(view(2n ** 53n + 1n), 0), 2 ** 53)
    assert.strictEqual(Bytes.getU64(view(2n ** 64n - 1n), 0), 2 ** 64)
  })

  it.prop("reads the full range of a u64 exactly as bigint", [anyU32, anyU32], ([low, high]) => {
    const value = (BigInt(high) << 32n) | BigInt(low)
    assert.strictEqual(Bytes.getU64Exact(view(value), 0), value)
  })

  it("reads a zero u64 as the bigint zero", () => {
    assert.strictEqual(Bytes.getU64Exact(view(0), 0), 0n)
  })

  it.prop("writes a u64 little-endian", [anyOffset], ([value]) => {
    const bytes = new Uint8Array(8)
    Bytes.setU64(Bytes.dataView(bytes), 0, value)
    assert.strictEqual(hex(bytes), u64(value).toString("hex"))
  })

  it("views the bytes of a part of a buffer", () => {
    const part = new Uint8Array(Uint8Array.of(9, 9, 1, 2, 9).buffer, 2, 2)
    assert.strictEqual(Bytes.dataView(part).byteLength, 2)
    assert.strictEqual(Bytes.dataView(part).getUint8(0), 1)
  })

  it.prop("finds bytes equal to their copy", [anyBytes(20)], ([bytes]) => Bytes.equals(bytes, bytes.slice()), {
    arbitrary: { size: 100 },
  })

  it.prop("agrees with memcmp on equality and order", [anyBytes(4), anyBytes(4)], ([a, b]) => {
    assert.strictEqual(Bytes.equals(a, b), Buffer.compare(a, b) === 0)
    assert.strictEqual(Math.sign(Bytes.compare(a, b)), Buffer.compare(a, b))
  })

  it("puts a prefix before what it begins", () => {
    assert.isBelow(Bytes.compare(Buffer.from("ab"), Buffer.from("ab\0")), 0)
  })

  it("orders bytes as unsigned", () => {
    assert.isBelow(Bytes.compare(Uint8Array.of(0x7f), Uint8Array.of(0x80)), 0)
  })

  it.prop("joins parts in order", [Arbitrary.array(anyBytes(5), { maxLength: 5 })], ([parts]) => {
    assert.strictEqual(hex(Bytes.concat(parts)), Buffer.concat(parts).toString("hex"))
  })

  it("encodes text as UTF-8", () => {
    assert.strictEqual(hex(Bytes.fromText("é€😀")), "c3a9e282acf09f9880")
  })

  it.prop("gives different bytes different keys", [anyBytes(4), anyBytes(4)], ([a, b]) => {
    assert.strictEqual(Bytes.toKey(a) === Bytes.toKey(b), Buffer.compare(a, b) === 0)
  })

  it("makes a key of one character a byte", () => {
    assert.strictEqual(Bytes.toKey(Uint8Array.of(0, 0x41, 0xff)), "\0A\xff")
  })
})
