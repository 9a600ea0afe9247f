/**
 * `npm run check:words`: the spelling of all that is written for people: the README, the other pages, and the manual page with
 * what `--help` says. Code in backticks, names in capitals and flags are not words.
 *
 * A word of the field that no dictionary has goes into `words.txt`; a name of a program's goes into backticks.
 */
import { spawnSync } from "node:child_process"
import * as fs from "node:fs"
import { tmpdir } from "node:os"
import * as path from "node:path"
import * as Effect from "effect/Effect"
import { manPage } from "../../scripts/manPage.ts"

const root = path.join(import.meta.dirname, "../..")

/** The manual page without the marks of man(7). */
const plain = (source: string): string =>
  source
    .replaceAll(/^\.\\".*|^\.[A-Z]+/gm, "")
    .replaceAll(/\\f./g, " ")
    .replaceAll(String.raw`\-`, "-")

const pages = fs
  .globSync(["*.md", "docs/*.md", ".github/ISSUE_TEMPLATE/*.yml"], { cwd: root })
  .map((file) => path.join(root, file))
const folder = fs.mkdtempSync(path.join(tmpdir(), "pxar-fuse-words-"))
try {
  const page = path.join(folder, "pxar-fuse.1.txt")
  fs.writeFileSync(page, plain(await Effect.runPromise(manPage)))
  const config = path.join(import.meta.dirname, "cspell.json")
  // Files outside of the folder that it calls the root are not looked at.
  const options = ["--config", config, "--root", "/", "--no-progress", "--no-summary", "--show-suggestions"]
  const { status } = spawnSync(
    process.execPath,
    [path.join(root, "node_modules/cspell/bin.mjs"), "lint", ...options, ...pages, page],
    { cwd: root, stdio: "inherit" },
  )
  process.exitCode = status ?? 1
} finally {
  fs.rmSync(folder, { recursive: true })
}
