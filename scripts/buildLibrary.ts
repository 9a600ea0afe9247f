/**
 * Builds the library into `dist`: its modules and their type declarations.
 *
 * A module is its source with blanks where the types were. It has the same lines, columns and comments, so a stack trace and
 * a debugger show the source, and no source map is needed. What no export of the package leads to is left out.
 */
import { execFileSync } from "node:child_process"
import * as fs from "node:fs"
import { stripTypeScriptTypes } from "node:module"
import * as path from "node:path"
import { parseSync } from "rolldown/utils"

const exported = ["index", "platform/ArchiveFileSystem", "testing/index"]
/** Started by its name, not imported. */
const thread = "services/index/IndexThread"

interface Place {
  readonly start: number
  readonly end: number
}

/** A source as JavaScript. Its imports name the modules that are built. */
const blanked = (file: string): string => {
  const code = stripTypeScriptTypes(fs.readFileSync(file, "utf8")).replace(/[ \t]+$/gm, "")
  const { dynamicImports, staticExports, staticImports } = parseSync(file, code).module
  const from = [
    ...[...staticImports, ...dynamicImports].map(({ moduleRequest }) => moduleRequest),
    ...staticExports.flatMap(({ entries }) => entries.flatMap(({ moduleRequest }) => moduleRequest ?? [])),
  ]
  const named = (text: string, { end, start }: Place) =>
    text.slice(0, start) + text.slice(start, end).replace(/^"(\..*)\.ts"$/, '"$1.js"') + text.slice(end)
  return from.reduce(named, code)
}

/** What these modules lead to, themselves too: each module with its text. */
const reached = (entries: ReadonlyArray<string>, textOf: (module: string) => string): ReadonlyMap<string, string> => {
  const texts = new Map<string, string>()
  const add = (module: string): void => {
    if (texts.has(module)) return
    const text = textOf(module)
    texts.set(module, text)
    for (const [, next = ""] of text.matchAll(/(?:\bfrom |\bimport\()"(\.[^"]+)\.[jt]s"/g)) {
      add(path.join(path.dirname(module), next))
    }
  }
  for (const entry of entries) add(entry)
  return texts
}

/** Builds it. `target` must be empty or missing. */
export const buildLibrary = (target: string): void => {
  execFileSync("node_modules/.bin/tsc", ["-p", "tsconfig.build.json", "--outDir", target], { stdio: "inherit" })
  const declarations = reached(exported, (module) => fs.readFileSync(path.join(target, `${module}.d.ts`), "utf8"))
  const modules = reached([...exported, thread], (module) => blanked(path.join("src", `${module}.ts`)))
  fs.rmSync(target, { recursive: true })
  for (const [texts, extension] of [
    [declarations, ".d.ts"],
    [modules, ".js"],
  ] as const) {
    for (const [module, text] of texts) {
      const file = path.join(target, module + extension)
      fs.mkdirSync(path.dirname(file), { recursive: true })
      fs.writeFileSync(file, text)
    }
  }
}

if (import.meta.main) buildLibrary("dist")
