import { assert, describe, it } from "@effect/vitest"
import * as Layout from "../../../src/cli/browse/Layout.ts"

describe("a screen", () => {
  it("of a terminal that does not know its size is the usual one", () =>
    assert.deepStrictEqual(Layout.sizeOf({ columns: 0, rows: 0 }), { columns: 80, rows: 24 }))

  it("is used in full, with a line on top and one at the bottom", () => {
    for (const columns of [1, 59, 60, 61, 200]) {
      const { height, listColumns, previewColumns } = Layout.of({ columns, rows: 24 })
      assert.strictEqual(height, 22)
      assert.strictEqual(listColumns + (previewColumns === 0 ? 0 : previewColumns + Layout.SEPARATOR), columns)
    }
  })

  it("has a list even where there is no room", () => assert.strictEqual(Layout.of({ columns: 80, rows: 1 }).height, 1))
})
