import { assert, describe, it } from "@effect/vitest"
import * as NodeId from "../../../src/domain/pxar/NodeId.ts"
import { anyInteger, anyU32 } from "./helpers.ts"

const anyPosition = anyInteger(1, Number.MAX_SAFE_INTEGER)
const BIT_63 = 1n << 63n

const wire = (id: NodeId.NodeId): bigint => (BigInt(NodeId.high(id)) << 32n) | BigInt(NodeId.low(id))

describe("NodeId", () => {
  it("numbers the root 1", () => {
    assert.strictEqual(NodeId.toBigInt(NodeId.ROOT), 1n)
    assert.isTrue(NodeId.isDirectory(NodeId.ROOT))
  })

  it("gives `hello` of §10.1 the inode 0x800000000000004e", () => {
    assert.strictEqual(NodeId.toBigInt(NodeId.ofEntry(0x4e)), 0x800000000000004en)
  })

  it("gives directory `d` of §10.4 its end offset", () => {
    assert.strictEqual(NodeId.toBigInt(NodeId.ofDirectory(0x14b)), 0x14bn)
  })

  it.prop("is the end offset of a directory, with bit 63 clear", [anyPosition], ([end]) => {
    assert.strictEqual(NodeId.toBigInt(NodeId.ofDirectory(end)), BigInt(end))
    assert.isTrue(NodeId.isDirectory(NodeId.ofDirectory(end)))
  })

  it.prop("is the entry start of anything else, with bit 63 set", [anyPosition], ([start]) => {
    assert.strictEqual(NodeId.toBigInt(NodeId.ofEntry(start)), BigInt(start) | BIT_63)
    assert.isFalse(NodeId.isDirectory(NodeId.ofEntry(start)))
  })

  it.prop("has the halves of its 64-bit number", [anyPosition], ([position]) => {
    assert.strictEqual(wire(NodeId.ofDirectory(position)), BigInt(position))
    assert.strictEqual(wire(NodeId.ofEntry(position)), BigInt(position) | BIT_63)
  })

  it.prop("comes back from the halves of its 64-bit number", [anyPosition], ([position]) => {
    for (const id of [NodeId.ofDirectory(position), NodeId.ofEntry(position)]) {
      assert.strictEqual(NodeId.fromHalves(NodeId.low(id), NodeId.high(id)), id)
    }
  })

  it.prop(
    "keeps numbers of 2^53 and more apart from those of nodes",
    [anyU32, anyInteger(0x20_0000, 0x7fff_ffff)],
    ([low, high]) => {
      assert.isAtLeast(NodeId.fromHalves(low, high), 2 ** 53)
      assert.isAtMost(NodeId.fromHalves(low, high + 0x8000_0000), -(2 ** 53))
    },
  )

  it("is no node of an archive for the numbers 0 and 2^63", () => {
    assert.equal(NodeId.fromHalves(0, 0), 0)
    assert.equal(NodeId.fromHalves(0, 0x8000_0000), 0)
  })
})
