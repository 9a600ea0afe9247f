/** What somebody sees who has only the README, in docs/walk.md, is what the commands say. */
import { spawnSync } from "node:child_process"
import * as path from "node:path"
import { assert, it } from "@effect/vitest"

const root = path.join(import.meta.dirname, "../..")

it("docs/walk.md shows what is seen, each part within a minute", { timeout: 300_000 }, () => {
  const { status, stderr } = spawnSync(process.execPath, ["tools/walk/make.ts", "--check"], {
    cwd: root,
    encoding: "utf8",
  })
  assert.strictEqual(status, 0, stderr)
})
