import { assert, describe, it } from "@effect/vitest"
import { MAX_BYTES, MAX_MESSAGES, Stores } from "../../../src/fuse/wire/Stores.ts"

/** The messages as the kernel would take them apart. */
const messagesOf = ({ count, lengths, memory, starts }: Stores) =>
  Array.from({ length: count }, (_, index) => {
    const message = Buffer.from(memory).subarray(starts[index], (starts[index] ?? 0) + (lengths[index] ?? 0))
    return {
      length: message.readUInt32LE(0),
      code: message.readInt32LE(4),
      unique: message.readBigUInt64LE(8),
      node: message.readBigUInt64LE(16),
      offset: message.readBigUInt64LE(24),
      size: message.readUInt32LE(32),
      padding: message.readUInt32LE(36),
      contents: message.subarray(40).toString(),
    }
  })

const expected = (node: bigint, contents: string) => ({
  length: 40 + contents.length,
  code: 4,
  unique: 0n,
  node,
  offset: 0n,
  size: contents.length,
  padding: 0,
  contents,
})

describe("messages that fill the page cache", () => {
  it("are a header, struct fuse_notify_store_out and the contents", () => {
    const stores = new Stores()
    stores.add(-78, 5)?.set(Buffer.from("hello"))
    stores.add(-200, 3)?.set(Buffer.from("abc"))
    assert.deepStrictEqual(messagesOf(stores), [
      expected(0x8000_0000_0000_004en, "hello"),
      expected(0x8000_0000_0000_00c8n, "abc"),
    ])
  })

  it("can be taken back, and all removed; the memory is used again", () => {
    const stores = new Stores()
    stores.add(-1, 3)?.set(Buffer.from("one"))
    stores.add(-2, 900)?.fill(1)
    stores.drop()
    stores.add(-3, 5)?.set(Buffer.from("three"))
    const { memory } = stores
    assert.deepStrictEqual(
      messagesOf(stores).map(({ contents }) => contents),
      ["one", "three"],
    )
    stores.clear()
    assert.strictEqual(stores.count, 0)
    stores.add(-4, 4)?.set(Buffer.from("four"))
    assert.deepStrictEqual(messagesOf(stores), [expected(0x8000_0000_0000_0004n, "four")])
    assert.strictEqual(stores.memory, memory)
  })

  it("are limited in bytes and number", () => {
    const stores = new Stores()
    assert.isDefined(stores.add(-1, MAX_BYTES - 40 - 60))
    assert.isUndefined(stores.add(-2, 21))
    assert.isDefined(stores.add(-2, 8))
    stores.clear()
    for (let index = 1; index <= MAX_MESSAGES; index++) assert.isDefined(stores.add(-index, 1))
    assert.isUndefined(stores.add(-5000, 1))
  })
})
