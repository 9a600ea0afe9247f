import * as fs from "node:fs"
import * as path from "node:path"
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import * as ErrorPage from "../../../src/cli/help/ErrorPage.ts"
import * as ExitCode from "../../../src/cli/ExitCode.ts"
import * as Command from "../../support/Command.ts"

const explain = (...args: ReadonlyArray<string>) => Command.run(["explain", ...args])

describe("pxar-fuse explain", () => {
  it.effect.each([
    "PXF-OPEN-MISSING",
    "[PXF-OPEN-MISSING]",
    "open-missing",
    "pxf-open-missing",
    "pxar-fuse: a.pxar: no such file [PXF-OPEN-MISSING]",
  ])("knows %s", (id) =>
    Effect.gen(function* () {
      const { code, stderr, stdout } = yield* explain(id)
      assert.deepStrictEqual([code, stderr], [0, ""])
      const text = stdout.toString()
      assert.match(text, /^PXF-OPEN-MISSING \(Opening an archive\)\n\nThere is no such file\./)
      assert.match(text, /\nLikely cause: .*\nWhat to do: {3}.*\n$/)
    }),
  )

  it.effect("asks whether a likely id was meant", () =>
    Effect.gen(function* () {
      const { code, stderr } = yield* explain("PXF-OPEN-MISING")
      assert.strictEqual(code, ExitCode.USAGE)
      assert.include(stderr, 'Did you mean "PXF-OPEN-MISSING"?')
    }),
  )

  it.effect.each(["PXF-OPEN", "open"])("lists those that begin with %s", (id) =>
    Effect.gen(function* () {
      const { code, stdout } = yield* explain(id)
      assert.strictEqual(code, 0)
      const lines = stdout.toString().trim().split("\n")
      assert.isAbove(lines.length, 2)
      for (const line of lines) assert.match(line, /^PXF-OPEN-/)
    }),
  )

  it.effect("lists every id of docs/errors.md", () =>
    Effect.gen(function* () {
      const page = fs.readFileSync(path.join(import.meta.dirname, "../../../docs/errors.md"), "utf8")
      const ids = [...page.matchAll(/^\| `(PXF-[A-Z-]+)`/gm)].map(([, id]) => id)
      const listed = (yield* explain()).stdout
        .toString()
        .trim()
        .split("\n")
        .map((line) => line.split(" ")[0])
      assert.deepStrictEqual(listed, ids)
    }),
  )

  it("shows text without marks, and bars that are meant as such", () => {
    const page = "## Here\n\n| Id | Meaning | Likely cause | What to do |\n| `PXF-X` | `a\\|b` | see [x](y.md) | do |\n"
    assert.deepStrictEqual(ErrorPage.parse(page), [
      { id: "PXF-X", section: "Here", meaning: "a|b", cause: "see x (y.md)", remedy: "do" },
    ])
  })
})
