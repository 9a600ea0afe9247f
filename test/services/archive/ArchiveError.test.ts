import { assert, describe, it } from "@effect/vitest"
import * as FormatError from "../../../src/domain/pxar/FormatError.ts"
import * as ArchiveError from "../../../src/services/archive/ArchiveError.ts"
import { SourceError } from "../../../src/services/bytes/ByteSource.ts"

const EIO = 5
const ELOOP = 40

describe("ArchiveError", () => {
  it.each([
    [FormatError.malformed("D4", 7, "bad child"), "Malformed"],
    [FormatError.unsupported("A2", 7, "bad child"), "Unsupported"],
    [FormatError.limit("D10", 7, "bad child"), "Limit"],
  ] as const)("keeps class, check, place and words of a failed check", (format, kind) => {
    const error = ArchiveError.fromFormat("x.pxar", format)
    assert.deepStrictEqual(
      [error.archive, error.kind, error.check, error.offset, error.detail, error.errno],
      ["x.pxar", kind, format.check, 7, "bad child", EIO],
    )
  })

  it("is of the class IO for a source that failed, under the source's name (H6)", () => {
    const error = ArchiveError.fromSource(new SourceError({ source: "x.ppxar", offset: 9, detail: "gone" }))
    assert.deepStrictEqual(
      [error.archive, error.kind, error.check, error.offset, error.detail, error.errno],
      ["x.ppxar", "IO", "H6", 9, "gone", EIO],
    )
  })

  it("answers ELOOP for a chain of hard links", () => {
    assert.strictEqual(ArchiveError.fromFormat("x.pxar", FormatError.hardLinkChain(5)).errno, ELOOP)
  })

  it("says in one line which archive, what, which check and where", () => {
    const error = ArchiveError.fromFormat("x.pxar", FormatError.malformed("D4", 7, "bad child"))
    assert.strictEqual(error.message, "x.pxar: bad child (check D4 at byte 7)")
  })

  it("is an Error with a tag", () => {
    const error = ArchiveError.fromFormat("x.pxar", FormatError.malformed("D4", 7, "bad child"))
    assert.instanceOf(error, Error)
    assert.strictEqual(error._tag, "ArchiveError")
  })
})
