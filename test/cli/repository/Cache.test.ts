import * as fs from "node:fs"
import * as path from "node:path"
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import * as ExitCode from "../../../src/cli/ExitCode.ts"
import * as Datastores from "../../support/Datastores.ts"
import * as Processes from "../../support/Processes.ts"
import { output, refusal } from "./stores.ts"

const archive = `${Datastores.realStore()}::host/data/2025-06-15T15:06:50Z/tree.pxar`

describe("the disk cache", () => {
  it.live("keeps what a command reads where a folder is named, and is shown, pruned and emptied", () =>
    Effect.gen(function* () {
      const folder = path.join(yield* Processes.temporaryFolder, "kept")
      const at = ["--cache-dir", folder]
      const listed = yield* output(["list", ...at, archive])
      const { bytes, chunks } = JSON.parse(yield* output(["cache", "info", "--json", ...at])) as {
        bytes: number
        chunks: number
      }
      assert.isAbove(chunks, 0)
      assert.strictEqual(yield* output(["list", ...at, archive]), listed)
      const pruned = yield* output(["cache", "prune", "--cache-limit", String(bytes - 1), ...at])
      assert.match(pruned, /kept: \d+ chunks? with .* deleted, \d+ chunks? with /)
      yield* output(["cache", "clear", ...at])
      assert.include(yield* output(["cache", "info", ...at]), "0 chunks with 0 B")
    }),
  )

  it.live("keeps nothing of a folder of this machine unless it is told to", () =>
    Effect.gen(function* () {
      const home = yield* Processes.temporaryFolder
      yield* output(["list", archive], { XDG_CACHE_HOME: home })
      assert.deepStrictEqual(fs.readdirSync(home), [])
    }),
  )

  it.live("says which folder it cannot use, and ends with the code for what cannot be written", () =>
    Effect.gen(function* () {
      const folder = yield* Processes.temporaryFolder
      fs.chmodSync(folder, 0o777)
      const said = yield* refusal(["list", "--cache-dir", folder, archive], ExitCode.TARGET)
      assert.include(said, `${folder}: cannot keep chunks here: others can write to the folder`)
    }),
  )
})
