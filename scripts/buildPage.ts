/**
 * Builds the page of `serve` into a folder: a script, a style sheet and the page, each named by a digest of what is in it,
 * so that browsers keep them for ever.
 */
import { createHash } from "node:crypto"
import * as fs from "node:fs"
import * as path from "node:path"
import { rolldown } from "rolldown"

const source = "src/web/page"

/** The sheets of `styles`, in the order of the cascade. */
const sheets = ["base", "frame", "listing", "panel", "overview", "dialogs", "figures", "screens"]

/** Builds it, and tells which modules are in it. */
export const buildPage = async (target: string): Promise<ReadonlyArray<string>> => {
  fs.mkdirSync(target, { recursive: true })
  const build = await rolldown({
    input: path.join(source, "main.tsx"),
    platform: "browser",
    transform: { define: { "process.env.NODE_ENV": JSON.stringify("production") } },
  })
  const { output } = await build.generate({ format: "esm", minify: true })
  const [script] = output
  const style = sheets
    .map((sheet) => fs.readFileSync(path.join(source, "styles", `${sheet}.css`), "utf8"))
    .join("")
    .replace(/\/\*[^]*?\*\//g, "")
    .replace(/\s+/g, " ")
  const assets = new Map<string, string>([
    ["main.js", script.code],
    ["style.css", style],
    ["icon.svg", fs.readFileSync(path.join(source, "icon.svg"), "utf8")],
  ])
  let page = fs.readFileSync(path.join(source, "index.html"), "utf8")
  for (const [name, text] of assets) {
    const digest = createHash("sha256").update(text).digest("base64url").slice(0, 10)
    const named = name.replace(".", `-${digest}.`)
    fs.writeFileSync(path.join(target, named), text)
    page = page.replaceAll(`/assets/${name}`, `/assets/${named}`)
  }
  fs.writeFileSync(path.join(target, "index.html"), page)
  return script.moduleIds
}

if (import.meta.main) await buildPage("dist/page")
