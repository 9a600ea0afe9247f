import { assert, describe, it } from "@effect/vitest"
import * as Limits from "../../../src/domain/pxar/Limits.ts"

describe("Limits", () => {
  it("default to the bounds suggested in §7", () => {
    assert.deepStrictEqual(Limits.defaults, {
      directoryEntries: 4_194_304,
      depth: 4096,
      attributeCount: 65_536,
      attributeBytes: 4_194_304,
      preludeBytes: 1_048_576,
    })
  })
})
