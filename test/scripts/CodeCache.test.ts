import * as fs from "node:fs"
import * as path from "node:path"
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import * as Command from "../support/Command.ts"
import * as Processes from "../support/Processes.ts"

const root = path.join(import.meta.dirname, "../..")

/** A copy of the command in a folder, with caches that are made there: their texts by name. */
const made = (folder: string) =>
  Effect.gen(function* () {
    fs.cpSync(path.dirname(Command.MAIN), folder, { recursive: true, preserveTimestamps: true })
    const script = `import * as CodeCache from ${JSON.stringify(path.join(root, "scripts/bundle/CodeCache.ts"))}
      CodeCache.make(${JSON.stringify(folder)})`
    const { code, stderr } = yield* Processes.run(process.execPath, ["--input-type=module", "--eval", script])
    assert.strictEqual(code, 0, stderr)
    const caches = path.join(folder, "cache")
    return Object.fromEntries(
      fs.readdirSync(caches).map((name) => [name, fs.readFileSync(path.join(caches, name), "base64")]),
    )
  })

describe("V8's code caches of the command", () => {
  // All are made on one core: each keeps the others waiting.
  it.effect(
    "are the same wherever they are made, and however busy the machine is",
    () =>
      Effect.gen(function* () {
        const folder = yield* Processes.temporaryFolder
        fs.symlinkSync(path.join(root, "node_modules"), path.join(folder, "node_modules"))
        const alone = yield* made(path.join(folder, "here"))
        const places = ["another place/that is deeper", "a", "b"].map((name) => path.join(folder, name))
        const among = yield* Effect.forEach(places, made, { concurrency: "unbounded" })
        assert.isAbove(Object.keys(alone).length, 5)
        for (const each of among) {
          const different = Object.keys(alone).filter((name) => alone[name] !== each[name])
          assert.deepStrictEqual([Object.keys(each), different], [Object.keys(alone), []])
        }
      }),
    120_000,
  )
})
