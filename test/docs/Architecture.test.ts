/** The map in docs/architecture.md shows the rooms that there are. */
import * as fs from "node:fs"
import * as path from "node:path"
import { assert, describe, it } from "@effect/vitest"

const root = path.join(import.meta.dirname, "../..")
const page = fs.readFileSync(path.join(root, "docs/architecture.md"), "utf8")

const folders = (at: string): ReadonlyArray<string> =>
  fs
    .readdirSync(path.join(root, "src", at), { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map((entry) => path.join(at, entry.name))

/** Folders of `src` that hold the code of one room. */
const rooms = folders("")
  .flatMap((room) => (["domain", "fuse", "services"].includes(room) ? folders(room) : [room]))
  .concat("domain")
  .toSorted()

describe("docs/architecture.md", () => {
  it("says of every room what is there, and of no other", () => {
    const [, table = ""] = /^## Rooms\n([^]*?)^## /m.exec(page)!
    const described = [...table.matchAll(/^\| `([a-z0-9/]+)` +\|/gm)].map(([, room]) => room!)
    assert.deepStrictEqual(described.toSorted(), rooms)
  })

  it("has every room in the order of imports", () => {
    const [, order = ""] = /```text\n(domain ◀[^]*?)```/.exec(page)!
    const ordered = new Set(order.split(/[◀,]/).map((room) => room.trim()))
    assert.deepStrictEqual(
      rooms.filter((room) => !ordered.has(room)),
      [],
    )
  })

  it("fits on one page", () => {
    assert.isAtMost(page.split("\n").length, 140)
  })
})
