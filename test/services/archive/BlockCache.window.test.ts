import { assert, describe, it } from "@effect/vitest"
import * as BlockCache from "../../../src/services/archive/BlockCache.ts"
import { fromBytes } from "../../../src/services/bytes/ByteSource.ts"

describe("BlockCache.window", () => {
  const bytes = Uint8Array.from({ length: 10_000 }, (_, index) => index % 251)
  const make = () => BlockCache.make(fromBytes(bytes), { blockSize: 1024, capacity: 4096 })

  it("holds an entry whole, also across the end of a block", () => {
    const cache = make()
    for (const extent of [1, 100, 256]) {
      for (let position = 0; position + extent <= bytes.length; position += 7) {
        const window = cache.window(position, extent)
        const from = position - (window?.base ?? 0)
        assert.deepStrictEqual(window?.bytes.slice(from, from + extent), bytes.slice(position, position + extent))
      }
    }
  })

  it("holds no more blocks than fit", () => {
    const cache = make()
    for (let position = 0; position < 9_000; position += 100) cache.window(position, 100)
    assert.isAtMost(cache.memory(), 4096)
  })
})
