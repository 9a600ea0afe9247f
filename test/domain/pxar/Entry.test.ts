import { assert, describe, it } from "@effect/vitest"
import * as fs from "node:fs"
import * as Entry from "../../../src/domain/pxar/Entry.ts"

describe("Entry", () => {
  it.each(["S_IFMT", "S_IFLNK", "S_IFREG", "S_IFBLK", "S_IFDIR", "S_IFCHR", "S_IFIFO", "S_IFSOCK"] as const)(
    "%s is that of Linux",
    (name) => {
      assert.strictEqual(Object.entries(Entry).find(([key]) => key === name)?.[1], fs.constants[name])
    },
  )

  it("takes all ones for absent permissions (§2.7)", () => {
    assert.strictEqual(Entry.NO_PERMISSIONS, 2n ** 64n - 1n)
  })
})
