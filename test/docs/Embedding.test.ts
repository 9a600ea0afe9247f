import * as fs from "node:fs"
import * as path from "node:path"
import { assert, describe, it } from "@effect/vitest"

const root = path.join(import.meta.dirname, "../..")
const read = (file: string) => fs.readFileSync(path.join(root, file), "utf8")

/** The code below each link to an example. */
const quoted = new Map(
  [...read("docs/embedding.md").matchAll(/^\[`(examples\/\S+)`\].*:\n\n```ts\n([^]*?)^```$/gm)].map(
    ([, file, code]) => [file!, code!] as const,
  ),
)

describe("docs/embedding.md", () => {
  it.each(fs.readdirSync(path.join(root, "examples")))("quotes examples/%s as it is", (file) => {
    assert.strictEqual(quoted.get(`examples/${file}`), read(`examples/${file}`))
  })

  it("has no code but that of the examples", () => {
    assert.strictEqual(read("docs/embedding.md").match(/^```ts$/gm)?.length, quoted.size)
  })
})
