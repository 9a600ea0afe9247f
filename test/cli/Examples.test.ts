/** The commands that pages show, line by line, are commands that there are, with flags that they have. */
import * as fs from "node:fs"
import * as path from "node:path"
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { help } from "../../scripts/manPage.ts"

const root = path.join(import.meta.dirname, "../..")
const pages = fs.globSync(["README.md", "docs/*.md"], { cwd: root }).toSorted()

/** The command lines of a page's blocks of code: without prompts, comments and what is the shell's behind them, and with what is continued in one. */
const commandLines = (page: string): ReadonlyArray<string> =>
  [...fs.readFileSync(path.join(root, page), "utf8").matchAll(/^ *```(?:sh|console)\n([^]*?)^ *```$/gm)]
    .flatMap(([, block = ""]) => block.replaceAll("\\\n", " ").split("\n"))
    .flatMap((line) => /^ *(?:\$ )?pxar-fuse (.*)$/.exec(line)?.[1] ?? [])
    .map((line) => line.replace(/ (?:#|\||-- |>).*$/, ""))

describe.each(pages)("%s", (page) => {
  it.effect("shows commands and flags that exist", () =>
    Effect.gen(function* () {
      const { commands } = yield* help
      const aliases: Readonly<Record<string, string>> = { ls: "list", umount: "unmount" }
      const wrong = commandLines(page).filter((line) => {
        const [name = "", ...words] = line.split(/\s+/)
        const doc = commands.find(({ commandPath }) => commandPath?.at(-1) === (aliases[name] ?? name))
        const known = new Set(doc?.flags.flatMap(({ aliases, name }) => [`--${name}`, ...aliases]))
        const flags = words.flatMap((word) => /^(--[a-z0-9-]+|-[a-zA-Z]$)/.exec(word)?.[1] ?? [])
        return doc === undefined || flags.some((flag) => !known.has(flag))
      })
      assert.deepStrictEqual(wrong, [])
    }),
  )
})

it("finds the README's", () => {
  assert.isAbove(commandLines("README.md").length, 15)
})
