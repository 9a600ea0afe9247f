import { assert, describe, it } from "@effect/vitest"
import { notes } from "../../scripts/releaseNotes.ts"

const manifest = { version: "1.2.0", repository: { url: "git+https://github.com/somebody/pxar-fuse.git" } }
const changes = "# Changes\n\n## 1.2.0, 2026-12-01\n\n- This is new.\n\n## 1.1.0, 2026-11-01\n\n- That was new.\n"

describe("the notes of a release", () => {
  it("are the section of its version", () => {
    assert.deepStrictEqual(notes("v1.2.0", manifest, changes), { notes: "- This is new.\n" })
  })

  it("are refused for another tag, without a date, and without an owner", () => {
    const refused = [
      notes("v1.3.0", manifest, changes),
      notes("v1.2.0", manifest, changes.replace("2026-12-01", "not released yet")),
      notes("v1.2.0", { ...manifest, repository: { url: "git+https://github.com/OWNER/pxar-fuse.git" } }, changes),
    ]
    assert.deepStrictEqual(refused, [
      { refused: "v1.3.0 is not v1.2.0, the version in package.json" },
      { refused: 'CHANGELOG.md has no heading "## 1.2.0, YYYY-MM-DD"' },
      { refused: "package.json still has OWNER in its addresses: put the owner of the repository there" },
    ])
  })
})
