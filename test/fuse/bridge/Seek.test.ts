import { assert, describe, it } from "@effect/vitest"
import { Effect, Exit } from "effect"
import * as Errno from "../../../src/domain/Errno.ts"
import * as Seek from "../../../src/fuse/bridge/Seek.ts"

const DATA = 3
const HOLE = 4

/** A file of `pattern.length` bytes, `.` for holes. */
const seek = (pattern: string, offset: number, whence: number) =>
  Seek.seek(pattern.length, offset, whence, (at) => {
    const isHole = pattern[at] === "."
    let end = at
    while (end < pattern.length && (pattern[end] === ".") === isHole) end++
    return Effect.succeed({ isHole, end })
  })

describe("seeking data and holes", () => {
  it.effect("agrees with a search byte by byte, wherever it begins", () =>
    Effect.gen(function* () {
      for (const pattern of ["", "x", ".", "x.", ".x", "xx..xx", "..xx..", "x.x.x", "....", "xxxx"]) {
        for (let offset = 0; offset <= pattern.length + 1; offset++) {
          const data = pattern.indexOf("x", offset)
          const found = yield* Effect.exit(seek(pattern, offset, DATA))
          assert.deepStrictEqual(found, data < 0 ? Exit.fail(Errno.ENXIO) : Exit.succeed(data), `${pattern} ${offset}`)
          const hole = `${pattern}.`.indexOf(".", offset)
          const end = yield* Effect.exit(seek(pattern, offset, HOLE))
          assert.deepStrictEqual(
            end,
            offset >= pattern.length ? Exit.fail(Errno.ENXIO) : Exit.succeed(hole),
            `${pattern} ${offset}`,
          )
        }
      }
    }),
  )

  it.effect.each([0, 1, 2, 5, 0xffff_ffff])("refuses whence %i", (whence) =>
    Effect.gen(function* () {
      assert.deepStrictEqual(yield* Effect.exit(seek("x", 0, whence)), Exit.fail(Errno.EINVAL))
    }),
  )
})
