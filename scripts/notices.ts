/**
 * The licences of what is bundled into the command, as one text for the package.
 */
import { existsSync, readdirSync, readFileSync } from "node:fs"
import * as path from "node:path"

interface Manifest {
  readonly name: string
  readonly version: string
  readonly license: string
}

/** The folder of the package that a module of a bundle is from; none for modules of this project. */
const packageOf = (module: string): string | undefined => {
  const at = module.lastIndexOf("node_modules/")
  const [, name] = /^((?:@[^/]+\/)?[^/]+)\//.exec(at < 0 ? "" : module.slice(at + "node_modules/".length)) ?? []
  return name === undefined ? undefined : path.join(module.slice(0, at), "node_modules", name)
}

const notice = (folder: string): string => {
  const { license, name, version }: Manifest = JSON.parse(readFileSync(path.join(folder, "package.json"), "utf8"))
  const file = readdirSync(folder).find((entry) => /^licen[cs]e(?:\.|$)/i.test(entry))
  if (file === undefined) throw new Error(`${name} has no licence text, and must not be bundled without one`)
  const extra = path.join(folder, "NOTICE")
  const texts = [path.join(folder, file), ...(existsSync(extra) ? [extra] : [])].map((each) =>
    readFileSync(each, "utf8").trim(),
  )
  return [`${name} ${version} (${license})`, ...texts].join("\n\n")
}

/** The text for a bundle of these modules. Fails if one of their packages has no licence. */
export const notices = (modules: Iterable<string>): string => {
  const folders = [...new Set([...modules].flatMap((module) => packageOf(module) ?? []))].toSorted()
  const head =
    "The command in dist/cli and the page in dist/page contain these packages. This project's own licence is in LICENSE."
  return `${[head, ...folders.map(notice)].join(`\n\n${"-".repeat(80)}\n\n`)}\n`
}
