import { assert, describe, it } from "@effect/vitest"
import * as os from "node:os"
import * as Errno from "../../src/domain/Errno.ts"

describe("Errno", () => {
  it.each(Object.entries(Errno).filter((entry): entry is [string, Errno.Errno] => entry[1] instanceof Errno.Errno))(
    "%s has Linux's number and its own name",
    (name, errno) => {
      assert.strictEqual(errno.code, os.constants.errno[name as keyof typeof os.constants.errno])
      assert.strictEqual(errno.name, name)
    },
  )

  it("has Linux's numbers", () => {
    const linux: Readonly<Record<string, number>> = os.constants.errno
    for (const [name, code] of Object.entries(Errno.code)) {
      if (linux[name] !== undefined) assert.strictEqual(code, linux[name], name)
    }
    assert.isAbove(Object.keys(Errno.code).filter((name) => linux[name] !== undefined).length, 25)
  })

  it("is no Error: expected outcomes need no stack", () => {
    assert.notInstanceOf(Errno.ENOENT, Error)
  })
})
