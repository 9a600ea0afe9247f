import { assert, describe, it } from "@effect/vitest"
import * as OwnMemory from "../../../src/services/bytes/OwnMemory.ts"

describe("OwnMemory", () => {
  it("is empty when it was given back", () => {
    const bytes = OwnMemory.allocate(10)
    const part = bytes.subarray(2)
    OwnMemory.free(bytes)
    assert.lengthOf(bytes, 0)
    assert.lengthOf(part, 0)
  })

  it("is given back by any part of it", () => {
    const bytes = OwnMemory.allocate(10)
    OwnMemory.free(bytes.subarray(2, 4))
    assert.lengthOf(bytes, 0)
  })

  it("may be given back twice", () => {
    const bytes = OwnMemory.allocate(10)
    OwnMemory.free(bytes)
    OwnMemory.free(bytes)
    assert.lengthOf(bytes, 0)
  })

  it("leaves the memory of others alone", () => {
    const bytes = Uint8Array.of(1, 2, 3)
    OwnMemory.free(bytes)
    assert.deepStrictEqual([...bytes], [1, 2, 3])
  })

  it("leaves memory alone that somebody else has, too", () => {
    const bytes = OwnMemory.allocate(3)
    OwnMemory.share(bytes)
    OwnMemory.free(bytes)
    assert.lengthOf(bytes, 3)
  })

  it("can be of somebody who has no more use for it", () => {
    const bytes = OwnMemory.adopt(Uint8Array.of(1, 2, 3))
    OwnMemory.free(bytes)
    assert.lengthOf(bytes, 0)
  })
})
