import * as fs from "node:fs"
import * as path from "node:path"
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { notices } from "../../scripts/notices.ts"
import * as Command from "../support/Command.ts"
import * as Processes from "../support/Processes.ts"

const root = path.join(import.meta.dirname, "../..")
const moduleOf = (name: string): string => path.join(root, "node_modules", name)

describe("the notices of what is bundled", () => {
  it("have the licence of every package once, whatever its modules, and nothing of this project's", () => {
    const text = notices([
      moduleOf("effect/dist/Effect.js"),
      moduleOf("effect/dist/Stream.js"),
      moduleOf("@effect/platform-node/dist/NodeServices.js"),
      path.join(root, "src/cli/main.ts"),
      "\0rolldown/runtime.js",
    ])
    assert.strictEqual(text.match(/^effect \d+\.\d+\.\d+ \(MIT\)$/gm)?.length, 1)
    assert.strictEqual(text.match(/^@effect\/platform-node \d/gm)?.length, 1)
    assert.strictEqual(text.match(/Copyright \(c\) 2023 Effectful Technologies Inc/g)?.length, 2)
  })

  it.effect("cannot be made for a package that has no licence", () =>
    Effect.gen(function* () {
      const folder = path.join(yield* Processes.temporaryFolder, "node_modules/nobody")
      fs.mkdirSync(folder, { recursive: true })
      fs.writeFileSync(path.join(folder, "package.json"), '{"name":"nobody","version":"1.0.0","license":"MIT"}')
      assert.throws(() => notices([path.join(folder, "index.js")]), /nobody has no licence text/)
    }),
  )

  it("are in the package, of all that the command contains", () => {
    const text = fs.readFileSync(path.join(Command.MAIN, "../../THIRD-PARTY-NOTICES.txt"), "utf8")
    for (const name of ["effect", "@effect/platform-node", "string-width"]) {
      assert.isTrue(text.includes(`\n${name} `), name)
    }
  })
})
