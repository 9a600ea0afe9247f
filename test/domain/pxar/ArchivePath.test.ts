import { assert, describe, it } from "@effect/vitest"
import * as ArchivePath from "../../../src/domain/pxar/ArchivePath.ts"

const bytes = (text: string) => Buffer.from(text, "latin1")
const text = (path: Uint8Array) => Buffer.from(path).toString("latin1")

describe("a path", () => {
  for (const [path, name, joined] of [
    ["/", "etc", "/etc"],
    ["/etc", "ssh", "/etc/ssh"],
    ["/e", "\xff", "/e/\xff"],
  ] as const) {
    it(`${joined} is ${name} in ${path}, and ends with that name`, () => {
      const path_ = ArchivePath.join(bytes(path), bytes(name))
      assert.strictEqual(text(path_), joined)
      assert.strictEqual(text(ArchivePath.lastName(path_)), name)
    })
  }

  it("of the root has no name", () => {
    assert.strictEqual(ArchivePath.lastName(ArchivePath.ROOT).length, 0)
  })
})
