/** Links of the site that lead nowhere are found. `npm run site` looks for them in what it has made. */
import * as fs from "node:fs"
import * as os from "node:os"
import * as path from "node:path"
import { afterAll, assert, beforeAll, it } from "@effect/vitest"
import { brokenLinks } from "../../tools/api/links.ts"

let folder: string

beforeAll(() => {
  folder = fs.mkdtempSync(path.join(os.tmpdir(), "pxar-site-"))
  fs.mkdirSync(path.join(folder, "pages"))
})
afterAll(() => fs.rmSync(folder, { recursive: true }))

it("finds links to files and headings that are not there, and no others", () => {
  fs.writeFileSync(path.join(folder, "picture 1.png"), "")
  fs.writeFileSync(
    path.join(folder, "index.html"),
    '<h2 id="there"></h2><a href="#there"></a><a href="#gone"></a><a href="pages/one.html#two"></a><a href="https://example.org/x"></a>',
  )
  fs.writeFileSync(
    path.join(folder, "pages/one.html"),
    '<i id="two"></i><a href="../index.html#there"></a><a href="../index.html#three"></a><img src="../picture%201.png"><img src="a.png">',
  )
  assert.deepStrictEqual(
    [...brokenLinks(folder)].sort((a, b) => a.page.localeCompare(b.page)),
    [
      { page: "index.html", link: "#gone" },
      { page: "pages/one.html", link: "../index.html#three" },
      { page: "pages/one.html", link: "a.png" },
    ],
  )
})
