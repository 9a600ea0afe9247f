import { assert, describe, it } from "@effect/vitest"
import * as Result from "effect/Result"
import * as FormatError from "../../../src/domain/pxar/FormatError.ts"
import { thrownBy } from "./helpers.ts"

describe("FormatError", () => {
  it("names the check and the byte in its message", () => {
    const error = FormatError.malformed("D4", 0x123, "child 0 bytes before the goodbye table")
    assert.strictEqual(error.message, "child 0 bytes before the goodbye table (D4 at byte 291)")
  })

  it("comes in the three classes that bytes can cause", () => {
    assert.strictEqual(FormatError.malformed("H1", 0, "").kind, "Malformed")
    assert.strictEqual(FormatError.unsupported("A2", 0, "").kind, "Unsupported")
    assert.strictEqual(FormatError.limit("D10", 0, "").kind, "Limit")
  })

  it("is no Error: damaged archives make too many of them for a stack each", () => {
    assert.notInstanceOf(FormatError.malformed("H1", 0, ""), Error)
    assert.notInstanceOf(new FormatError.NeedBytes({ end: 1 }), Error)
  })

  it("is captured as a value", () => {
    const error = FormatError.malformed("H1", 0, "")
    const result = FormatError.capture(() => {
      throw error
    })
    assert.isTrue(Result.isFailure(result) && result.failure === error)
  })

  it("leaves a decoder's result alone", () => {
    assert.deepStrictEqual(
      FormatError.capture(() => 5),
      Result.succeed(5),
    )
  })

  it("captures a decoder's wish for more bytes", () => {
    const result = FormatError.capture(() => {
      throw new FormatError.NeedBytes({ end: 77 })
    })
    assert.isTrue(Result.isFailure(result) && result.failure._tag === "NeedBytes" && result.failure.end === 77)
  })

  it("lets bugs pass through", () => {
    const bug = new RangeError("bug")
    const thrown = thrownBy(() =>
      FormatError.capture(() => {
        throw bug
      }),
    )
    assert.strictEqual(thrown, bug)
  })
})
