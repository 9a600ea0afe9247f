/** The table of docs/fuse-native.md is backed by tests: each row names one that exists. */
import * as fs from "node:fs"
import * as path from "node:path"
import { assert, describe, it } from "@effect/vitest"

const root = path.join(import.meta.dirname, "../../..")
const read = (file: string): string => fs.readFileSync(path.join(root, file), "utf8")

const tests = ["FuseNative.test.ts", "FuseNative.golden.test.ts", "Sessions.test.ts"]
  .map((file) => read(`test/mounted/${file}`))
  .join("\n")

const [table = ""] = read("docs/fuse-native.md").split("\n## ")

const rows = table
  .split("\n")
  .filter((line) => line.startsWith("| "))
  .slice(2)
  .map((line) => line.split("|").map((cell) => cell.trim()))

describe("the table of docs/fuse-native.md", () => {
  it("has rows", () => {
    assert.isAbove(rows.length, 15)
  })

  for (const [, field = "", , , test = ""] of rows) {
    it(`has a test for: ${field}`, () => {
      assert.isNotEmpty(test)
      assert.include(tests, test)
    })
  }
})
