import { assert, describe, it } from "@effect/vitest"
import * as crypto from "node:crypto"
import * as fs from "node:fs"
import * as Golden from "./Golden.ts"

describe("golden fixtures", () => {
  it("are all in the manifest, and nothing else is", () => {
    const files = fs
      .readdirSync(Golden.path(""), { recursive: true, withFileTypes: true })
      .filter((file) => file.isFile() && file.name !== "manifest.json")
      .map((file) => `${file.parentPath}/${file.name}`.slice(Golden.path("").length).replace(/^\//, ""))
    assert.deepStrictEqual(files.sort(), Object.keys(Golden.manifest()).sort())
  })

  it.each(Object.entries(Golden.manifest()))("%s is unchanged", (name, sha256) => {
    const digest = crypto
      .createHash("sha256")
      .update(fs.readFileSync(Golden.path(name)))
      .digest("hex")
    assert.strictEqual(digest, sha256)
  })

  it("have the documented number of entries", () => {
    const counts = Object.fromEntries(Golden.all.map((golden) => [golden.name, golden.view().length]))
    assert.deepStrictEqual(counts, {
      "tree-v1": 626,
      "tree-v2": 626,
      "synth-v1": 126,
      "synth-v2": 126,
      "synth-v2np": 126,
      "collisions-v1": 217,
      "tiny/hello-v1": 3,
      "tiny/hello-v2": 3,
      "tiny/hardlink-v1": 4,
      "tiny/hardlink-v2": 4,
      "tiny/rich-v1": 4,
      "tiny/legacy-v1": 2,
      "tiny/legacy-empty": 1,
    })
  })
})
