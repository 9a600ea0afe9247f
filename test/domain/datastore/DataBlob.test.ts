import { assert, describe, it } from "@effect/vitest"
import { Arbitrary, Result, Schema } from "effect"
import * as DataBlob from "../../../src/domain/datastore/DataBlob.ts"
import { hex } from "./hex.ts"

const anyByte = Schema.Int.pipe(Schema.check(Schema.isBetween({ minimum: 0, maximum: 255 })))
const anyBytes = (minLength: number, maxLength: number) =>
  Arbitrary.map(Arbitrary.array(Arbitrary.schema(anyByte), { minLength, maxLength }), (bytes) => Uint8Array.from(bytes))

const parsed = (bytes: Uint8Array) => Result.getOrThrow(DataBlob.parse(bytes))
const check = (bytes: Uint8Array) =>
  Result.match(DataBlob.parse(bytes), { onSuccess: () => "", onFailure: (f) => f.check })

describe("DataBlob", () => {
  it("reads the plain blob of datastore §9.1", () => {
    const blob = parsed(hex("42ab3807be8370a1 86a61036 68656c6c6f"))
    assert.isFalse(blob.encrypted || blob.compressed)
    assert.strictEqual(blob.crc, 0x3610a686)
    assert.deepStrictEqual(blob.body, hex("68656c6c6f"))
  })

  it("reads the compressed blob of datastore §9.2", () => {
    const blob = parsed(hex("31b958426fb6a37f 996489ae 28b52ffd200529000068656c6c6f"))
    assert.isTrue(blob.compressed && !blob.encrypted)
    assert.strictEqual(blob.crc, 0xae896499)
  })

  it("reads the encrypted blob of datastore §9.3", () => {
    const blob = parsed(
      hex("7b6785be222d4cf0 93a6a883 a0a1a2a3a4a5a6a7a8a9aaabacadaeaf 9df2249feea0c8e5eead5edf2badeb28 42c64fd077"),
    )
    assert.isTrue(blob.encrypted && !blob.compressed)
    assert.strictEqual(blob.crc, 0x83a8a693)
    assert.deepStrictEqual(blob.iv, hex("a0a1a2a3a4a5a6a7a8a9aaabacadaeaf"))
    assert.deepStrictEqual(blob.tag, hex("9df2249feea0c8e5eead5edf2badeb28"))
    assert.deepStrictEqual(blob.body, hex("42c64fd077"))
  })

  it.each([
    ["nothing", ""],
    ["11 bytes", "42ab3807be8370a1 86a610"],
    ["an unknown magic", "42ab3807be8370a2 86a61036 68656c6c6f"],
    ["the magic of a dynamic index", "1c914ea519bab3cd 00112233445566778899"],
    ["43 bytes of an encrypted one", `7b6785be222d4cf0 ${"00".repeat(35)}`],
  ])("refuses %s", (_, text) => {
    assert.strictEqual(check(hex(text)), "ChunkBadHeader")
  })

  it("may have an empty body", () => {
    assert.strictEqual(parsed(hex("42ab3807be8370a1 00000000")).body.length, 0)
    assert.strictEqual(parsed(hex(`7b6785be222d4cf0 ${"00".repeat(36)}`)).body.length, 0)
  })

  it.prop(
    "is read as it was encoded",
    [
      Schema.Boolean,
      Schema.Boolean,
      Schema.Int.pipe(Schema.check(Schema.isBetween({ minimum: 0, maximum: 2 ** 32 - 1 }))),
      anyBytes(32, 32),
      anyBytes(0, 40),
    ],
    ([encrypted, compressed, crc, secrets, body]) => {
      const iv = encrypted ? secrets.slice(0, 16) : new Uint8Array()
      const tag = encrypted ? secrets.slice(16) : new Uint8Array()
      assert.deepStrictEqual(parsed(DataBlob.encode({ encrypted, compressed, crc, iv, tag, body })), {
        encrypted,
        compressed,
        crc,
        iv,
        tag,
        body,
      })
    },
  )
})
