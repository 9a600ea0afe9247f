import { assert, describe, it } from "@effect/vitest"
import * as ExitCode from "../../src/cli/ExitCode.ts"

describe("exit codes", () => {
  it("all have a meaning", () => {
    const defined = Object.values(ExitCode).filter((value) => typeof value === "number")
    assert.sameMembers(
      ExitCode.meanings.map(([code]) => code),
      defined,
    )
  })
})
