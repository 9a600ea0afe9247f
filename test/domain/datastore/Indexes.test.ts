import * as crypto from "node:crypto"
import { assert, describe, it } from "@effect/vitest"
import { Arbitrary, Result, Schema } from "effect"
import { type ChunkIndex, HEADER_SIZE } from "../../../src/domain/datastore/ChunkIndex.ts"
import type { DatastoreFault } from "../../../src/domain/datastore/DatastoreFault.ts"
import * as DynamicIndex from "../../../src/domain/datastore/DynamicIndex.ts"
import * as FixedIndex from "../../../src/domain/datastore/FixedIndex.ts"
import { hex } from "./hex.ts"

const sha256 = (bytes: Uint8Array) => crypto.createHash("sha256").update(bytes).digest("hex")
const HELLO = hex("2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824")
const AAAA = hex("d53eda7a637c99cc7fb566d96e9fa109bf15c478410a3f5eb4d4c4e26cd081f6")
const check = (result: Result.Result<ChunkIndex, DatastoreFault>) =>
  Result.match(result, { onSuccess: () => "", onFailure: (fault) => fault.check })

/** The file of datastore §9.4. */
const example = (): Uint8Array => {
  const bytes = new Uint8Array(4136)
  bytes.set(hex("1c914ea519bab3cd 00112233445566778899aabbccddeeff 00105e5f00000000"))
  bytes.set(hex("057fabcd6c107f42868b44d377bf20471c8b37c268611ab453d14a6e31815694"), 32)
  bytes.set(hex("0500000000000000"), 4096)
  bytes.set(HELLO, 4104)
  return bytes
}

describe("DynamicIndex", () => {
  it("reads the file of datastore §9.4", () => {
    assert.strictEqual(sha256(example()), "7dc3ef470cd9648c8e98e3502fca203a96c26313dce1c2a1687813129c36e229")
    const index = Result.getOrThrow(DynamicIndex.parse(example()))
    assert.deepStrictEqual([index.count, index.size, index.start(0), index.end(0)], [1, 5, 0, 5])
    assert.deepStrictEqual(index.digest(0), HELLO)
    assert.strictEqual(sha256(index.entries), Buffer.from(index.headerChecksum).toString("hex"))
  })

  it("maps offsets as in datastore §9.4", () => {
    const bytes = DynamicIndex.encode([
      { length: 5, digest: HELLO },
      { length: 64, digest: AAAA },
    ])
    const index = Result.getOrThrow(DynamicIndex.parse(bytes))
    assert.strictEqual(sha256(index.entries), "237a0d0c1e5fd325d16fde0e6318bacac76178350f97eff46647c3885d26aae5")
    assert.deepStrictEqual([0, 4, 5, 68].map(index.locate), [0, 0, 1, 1])
    assert.strictEqual(index.size, 69)
  })

  it.each<[string, string, (bytes: Uint8Array) => Uint8Array]>([
    ["a file cut within its header", "IndexBadSize", (bytes) => bytes.subarray(0, 4095)],
    ["an empty file", "IndexBadSize", () => new Uint8Array()],
    ["the magic of a fixed index", "IndexBadMagic", (bytes) => (bytes.set(FixedIndex.MAGIC), bytes)],
    ["half an entry", "IndexBadSize", (bytes) => bytes.subarray(0, 4120)],
    ["no entry", "IndexEmpty", (bytes) => bytes.subarray(0, 4096)],
    ["a chunk of no byte", "IndexNotMonotonic", (bytes) => (bytes.fill(0, 4096, 4104), bytes)],
    ["a chunk above 16 MiB", "IndexNotMonotonic", (bytes) => (bytes.set(hex("0100000100000000"), 4096), bytes)],
    ["an end of 2^64 - 1", "IndexNotMonotonic", (bytes) => (bytes.fill(255, 4096, 4104), bytes)],
  ])("refuses %s: %s", (_, wanted, change) => {
    assert.strictEqual(check(DynamicIndex.parse(change(example()))), wanted)
  })

  it("takes a chunk of 16 MiB", () => {
    const index = Result.getOrThrow(DynamicIndex.parse(DynamicIndex.encode([{ length: 2 ** 24, digest: HELLO }])))
    assert.strictEqual(index.size, 2 ** 24)
  })

  it.prop(
    "finds the chunk of every offset",
    [
      Arbitrary.array(Arbitrary.schema(Schema.Int.pipe(Schema.check(Schema.isBetween({ minimum: 1, maximum: 9 })))), {
        minLength: 1,
        maxLength: 40,
      }),
    ],
    ([lengths]) => {
      const index = Result.getOrThrow(
        DynamicIndex.parse(DynamicIndex.encode(lengths.map((length) => ({ length, digest: HELLO })))),
      )
      // The chunk of each byte, written out.
      const chunkOf = lengths.flatMap((length, chunk) => Array.from({ length }, () => chunk))
      assert.strictEqual(index.size, chunkOf.length)
      assert.deepStrictEqual(
        chunkOf.map((_, offset) => index.locate(offset)),
        chunkOf,
      )
    },
  )
})

describe("FixedIndex", () => {
  const file = () => FixedIndex.encode(5, 4 * 1024 * 1024, [HELLO])

  it("reads and writes the example of datastore §9.4", () => {
    const bytes = file()
    const index = Result.getOrThrow(FixedIndex.parse(bytes))
    assert.deepStrictEqual(
      [index.count, index.size, index.chunkSize, index.start(0), index.end(0)],
      [1, 5, 2 ** 22, 0, 5],
    )
    assert.strictEqual(sha256(index.entries), "9595c9df90075148eb06860365df33584b75bff782a510c6cd4883a419833d50")
    assert.deepStrictEqual(bytes.subarray(64, 80), hex("0500000000000000 0000400000000000"))
  })

  it.each<[string, string, (bytes: Uint8Array, view: DataView) => Uint8Array]>([
    ["a file cut within its header", "IndexBadSize", (bytes) => bytes.subarray(0, 100)],
    ["the magic of a dynamic index", "IndexBadMagic", (bytes) => (bytes.set(DynamicIndex.MAGIC), bytes)],
    ["an image of no byte", "IndexEmpty", (bytes, view) => (view.setUint32(64, 0, true), bytes)],
    ["chunks of no byte", "IndexBadSize", (bytes, view) => (view.setUint32(72, 0, true), bytes)],
    ["chunks of 3 bytes", "IndexBadSize", (bytes, view) => (view.setUint32(72, 3, true), bytes)],
    ["chunks of 32 MiB", "IndexBadSize", (bytes, view) => (view.setUint32(72, 2 ** 25, true), bytes)],
    ["chunks of 2^32 bytes", "IndexBadSize", (bytes, view) => (view.setBigUint64(72, 2n ** 32n, true), bytes)],
    ["a digest too few", "IndexBadSize", (bytes) => bytes.subarray(0, HEADER_SIZE)],
    ["an image larger than can be", "IndexBadSize", (bytes, view) => (view.setBigUint64(64, 2n ** 63n, true), bytes)],
  ])("refuses %s: %s", (_, wanted, change) => {
    const bytes = file()
    assert.strictEqual(check(FixedIndex.parse(change(bytes, new DataView(bytes.buffer)))), wanted)
  })

  it("has a last chunk that may be shorter", () => {
    const index = Result.getOrThrow(FixedIndex.parse(FixedIndex.encode(9, 4, [HELLO, AAAA, HELLO])))
    assert.deepStrictEqual([index.start(2), index.end(2), index.end(1)], [8, 9, 8])
    assert.deepStrictEqual([0, 3, 4, 8].map(index.locate), [0, 0, 1, 2])
  })
})
