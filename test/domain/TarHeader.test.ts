import { assert, describe, it } from "@effect/vitest"
import * as TarHeader from "../../src/domain/TarHeader.ts"

const bytes = (text: string): Uint8Array => Buffer.from(text)

const plain: TarHeader.TarHeader = {
  path: bytes("etc/hostname"),
  kind: "File",
  mode: 0o644,
  uid: 1,
  gid: 2,
  size: 5,
  mtimeSeconds: 1_700_000_000n,
  mtimeNanos: 0,
}

/** The records of the pax header, by key. */
const records = (encoded: Uint8Array): Record<string, string> => {
  if (encoded.length === TarHeader.BLOCK) return {}
  const size = Number.parseInt(Buffer.from(encoded.subarray(124, 135)).toString(), 8)
  const found: Record<string, string> = {}
  for (let at = TarHeader.BLOCK; at < TarHeader.BLOCK + size;) {
    const [digits = ""] = /^\d+/.exec(Buffer.from(encoded.subarray(at, at + 20)).toString("latin1")) ?? []
    const record = Buffer.from(encoded.subarray(at, at + Number(digits))).toString("latin1")
    assert.strictEqual(record.at(-1), "\n", "the length counts itself")
    const [, key = "", value = ""] = /^\d+ ([^=]+)=(.*)\n$/s.exec(record) ?? []
    found[key] = value
    at += Number(digits)
  }
  return found
}

const recordsOf = (changed: Partial<TarHeader.TarHeader>) => records(TarHeader.encode({ ...plain, ...changed }))

describe("TarHeader.encode", () => {
  it("needs one block for what ustar holds, whose checksum is right", () => {
    const block = Buffer.from(TarHeader.encode(plain))
    assert.lengthOf(block, TarHeader.BLOCK)
    assert.strictEqual(block.subarray(0, 13).toString(), "etc/hostname\0")
    assert.strictEqual(
      block.subarray(100, 148).toString(),
      "0000644\x000000001\x000000002\x0000000000005\x0014524770400\x00",
    )
    assert.strictEqual(block.subarray(257, 265).toString(), "ustar\x0000")
    const sum = block.reduce((total, byte, at) => total + (at >= 148 && at < 156 ? 0x20 : byte), 0)
    assert.strictEqual(Number.parseInt(block.subarray(148, 154).toString(), 8), sum)
  })

  it("keeps nanoseconds on both sides of the epoch, and seconds that ustar cannot hold", () => {
    const times: ReadonlyArray<readonly [bigint, number, string | undefined]> = [
      [1n, 1, "1.000000001"],
      [-1n, 500_000_000, "-0.500000000"],
      [-2n, 250_000_000, "-1.750000000"],
      [-5n, 0, "-5"],
      [8_589_934_591n, 0, undefined],
      [8_589_934_592n, 0, "8589934592"],
    ]
    for (const [mtimeSeconds, mtimeNanos, mtime] of times) {
      assert.strictEqual(recordsOf({ mtimeSeconds, mtimeNanos })["mtime"], mtime)
    }
  })

  it("puts names that are long or not ASCII, and those that are no text, into the pax header as they are", () => {
    assert.deepStrictEqual(recordsOf({ path: bytes("é") }), {
      path: bytes("é").reduce((text, byte) => text + String.fromCharCode(byte), ""),
    })
    assert.deepStrictEqual(recordsOf({ path: bytes("n".repeat(101)) }), { path: "n".repeat(101) })
    assert.deepStrictEqual(recordsOf({ path: bytes("n".repeat(100)) }), {})
    assert.deepStrictEqual(recordsOf({ path: Uint8Array.of(0xff) }), { hdrcharset: "BINARY", path: "\xff" })
    assert.deepStrictEqual(recordsOf({ kind: "Symlink", target: bytes("t".repeat(101)) }), {
      linkpath: "t".repeat(101),
    })
  })

  it("keeps large numbers, attributes and ACLs", () => {
    assert.deepStrictEqual(
      recordsOf({
        size: 0o100000000000,
        uid: 0xffff_fffe,
        gid: 0o10000000,
        device: { major: 1n, minor: 0x1_0000_0000n },
        accessAcl: "user::rwx",
        xattrs: [{ name: bytes("user.a=b%c"), value: Uint8Array.of(0, 0x0a, 0xff) }],
      }),
      {
        size: "8589934592",
        uid: "4294967294",
        gid: "2097152",
        "SCHILY.devminor": "4294967296",
        "SCHILY.acl.access": "user::rwx",
        "SCHILY.xattr.user.a%3Db%25c": "\0\n\xff",
      },
    )
  })

  it("counts the digits of a record's own length", () => {
    for (let length = 80; length < 120; length++) recordsOf({ accessAcl: "a".repeat(length) })
    for (let length = 970; length < 1000; length++) recordsOf({ accessAcl: "a".repeat(length) })
  })
})

describe("what is around headers", () => {
  it("fills blocks, and records of 20 blocks at the end", () => {
    assert.deepStrictEqual(
      [0, 1, 512, 513].map((size) => TarHeader.padding(size).length),
      [0, 511, 0, 511],
    )
    for (const size of [0, 512, 9216, 9728, 10_240]) {
      const total = size + TarHeader.end(size).length
      assert.strictEqual(total % 10_240, 0)
      assert.isAtLeast(total, size + 1024)
    }
  })
})
