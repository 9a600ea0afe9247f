import * as fs from "node:fs"
import * as path from "node:path"
import { assert, describe, it } from "@effect/vitest"
import * as ExitCode from "../../src/cli/ExitCode.ts"

const readme = fs.readFileSync(path.join(import.meta.dirname, "../../README.md"), "utf8")

describe("the README's table of exit codes", () => {
  it("is the program's own", () => {
    const section = readme.slice(readme.indexOf("## Exit codes"), readme.indexOf("## Names that are not text"))
    const documented = [...section.matchAll(/^\| (\d+) +\| (.*?) +\|$/gm)].map(([, code, meaning]) => [
      Number(code),
      meaning?.replaceAll(String.raw`\|`, "|"),
    ])
    assert.deepStrictEqual(
      documented,
      ExitCode.meanings.map((row) => [...row]),
    )
  })
})

describe("exit codes", () => {
  it("all have a meaning", () => {
    const defined = Object.values(ExitCode).filter((value) => typeof value === "number")
    assert.sameMembers(
      ExitCode.meanings.map(([code]) => code),
      defined,
    )
  })
})
