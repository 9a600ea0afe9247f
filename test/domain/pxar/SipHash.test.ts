import { assert, describe, it } from "@effect/vitest"
import * as SipHash from "../../../src/domain/pxar/SipHash.ts"
import { collidingNames, sipHash } from "../../support/ArchiveBuilder.ts"
import { anyBytes, anyU32 } from "./helpers.ts"

/** The hash as one number. */
const toBigInt = ({ high, low }: SipHash.Hash): bigint => (BigInt(high) << 32n) | BigInt(low)

const hashOf = (text: string): bigint => toBigInt(SipHash.hash(Buffer.from(text)))

describe("SipHash", () => {
  it("gives the standard vector under the key 00…0f", () => {
    const key: SipHash.Key = [0x03020100, 0x07060504, 0x0b0a0908, 0x0f0e0d0c]
    const message = Uint8Array.from({ length: 15 }, (_, index) => index)
    assert.strictEqual(toBigInt(SipHash.hash(message, key)), 0xa129ca6149be45e5n)
  })

  it.each([
    ["", 0x76614015f8d1bb6cn],
    ["a", 0x0c26e9067c2c7bcfn],
    ["hello", 0xb87dd821b6502e1bn],
    ["link", 0x04fe0b2ecf0fc0efn],
    ["12345678", 0x68ca397c60af6478n],
  ])("hashes %j under the pxar keys as §3.1 says", (name, expected) => {
    assert.strictEqual(hashOf(name), expected)
  })

  it("hashes bytes that are no text", () => {
    assert.strictEqual(toBigInt(SipHash.hash(Uint8Array.of(0xff, 0xfe))), 0xd40f34bd0209240an)
  })

  it.each([
    [...collidingNames[0], 0xb3ff19f5a1e9e053n],
    [...collidingNames[1], 0x922a44bccba8c423n],
    [...collidingNames[2], 0x6cc220adb6893203n],
  ])("gives %s and %s the same hash", (one, other, expected) => {
    assert.strictEqual(hashOf(one), expected)
    assert.strictEqual(hashOf(other), expected)
  })

  it.each([
    ["VERSION", 0x730f6c75df16a40dn],
    ["PRELUDE", 0xe309d79d9f7b771bn],
    ["ENTRY_V2", 0xd5956474e588acefn],
    ["ENTRY", 0x11da850a1c1cceffn],
    ["FILENAME", 0x16701121063917b3n],
    ["SYMLINK", 0x27f971e7dbf5dc5fn],
    ["DEVICE", 0x9fc9e906586d5ce9n],
    ["XATTR", 0x0dab0229b57dcd03n],
    ["ACL_USER", 0x2ce8540a457d55b8n],
    ["ACL_GROUP", 0x136e3eceb04c03abn],
    ["ACL_GROUP_OBJ", 0x10868031e9582876n],
    ["ACL_DEFAULT", 0xbbbb13415a6896f5n],
    ["ACL_DEFAULT_USER", 0xc89357b40532cd1fn],
    ["ACL_DEFAULT_GROUP", 0xf90a8a5816038ffen],
    ["FCAPS", 0x2da9dd9db5f7fb67n],
    ["QUOTA_PROJID", 0xe07540e82f7d1cbbn],
    ["HARDLINK", 0x51269c8422bd7275n],
    ["PXAR_PAYLOAD", 0x28147a1b0b7c1a25n],
    ["PXAR_PAYLOAD_REF", 0x419d3d6bc4ba977en],
    ["GOODBYE", 0x2fec4fa642d5731dn],
    ["PXAR_GOODBYE_TAIL_MARKER", 0xef5eed5b753e1555n],
    ["PXAR_PAYLOAD_START_MARKER", 0x834c68c2194a4ed2n],
    ["PXAR_PAYLOAD_TAIL_MARKER", 0x6c72b78b984c81b5n],
  ])("hashes the label %s to its type value of §1.4", (label, expected) => {
    assert.strictEqual(hashOf(`__PROXMOX_FORMAT_${label}__`), expected)
  })

  it.prop(
    "agrees with a bigint implementation for any bytes",
    [anyBytes(70)],
    ([bytes]) => {
      assert.strictEqual(toBigInt(SipHash.hash(bytes)), sipHash(bytes))
    },
    { arbitrary: { size: 100 } },
  )

  it.prop("agrees with a bigint implementation under any key", [anyU32, anyU32, anyU32, anyU32], ([a, b, c, d]) => {
    const bytes = Buffer.from("some name")
    const k0 = (BigInt(b) << 32n) | BigInt(a)
    const k1 = (BigInt(d) << 32n) | BigInt(c)
    assert.strictEqual(toBigInt(SipHash.hash(bytes, [a, b, c, d])), sipHash(bytes, k0, k1))
  })

  it.each([255, 256, 257, 4096])("counts the length of a name of %i bytes modulo 256", (length) => {
    const bytes = Buffer.alloc(length, "x")
    assert.strictEqual(toBigInt(SipHash.hash(bytes)), sipHash(bytes))
  })

  it.prop("orders hashes as unsigned 64-bit numbers", [anyU32, anyU32, anyU32, anyU32], ([al, ah, bl, bh]) => {
    const [a, b] = [(BigInt(ah) << 32n) | BigInt(al), (BigInt(bh) << 32n) | BigInt(bl)]
    const order = SipHash.compare({ low: al, high: ah }, { low: bl, high: bh })
    assert.strictEqual(Math.sign(order), a < b ? -1 : a > b ? 1 : 0)
  })

  it("takes hashes of equal upper halves by their lower ones", () => {
    assert.isBelow(SipHash.compare({ low: 0x7fff_ffff, high: 9 }, { low: 0x8000_0000, high: 9 }), 0)
    assert.strictEqual(SipHash.compare({ low: 5, high: 9 }, { low: 5, high: 9 }), 0)
  })
})
