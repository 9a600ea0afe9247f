import { assert, describe, it } from "@effect/vitest"
import * as EntryKind from "../../../src/domain/pxar/EntryKind.ts"

describe("EntryKind.ofMode", () => {
  it("is what stat(1) calls a file of that mode, whatever its permissions", () => {
    const modes = {
      directory: 0o040000,
      file: 0o100000,
      symlink: 0o120000,
      fifo: 0o010000,
      socket: 0o140000,
      chardev: 0o020000,
      blockdev: 0o060000,
    }
    for (const kind of EntryKind.all) {
      for (const permissions of [0, 0o644, 0o7777]) {
        assert.strictEqual(EntryKind.ofMode(modes[kind] | permissions), kind)
      }
    }
  })
})
