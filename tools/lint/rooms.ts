/**
 * Lint rules about which file may import which, for oxlint (its `jsPlugins`). `oxlint.config.ts` has the table of rooms.
 *
 * - `rooms/direction`: a file imports its own room, the rooms that its room stands on, and those that these stand on.
 *   Types and `import()` count like everything else. A file that is in no room is an error: it has to be put into one.
 * - `rooms/no-lazy-circle`: a circle of files that an `import()` closes. oxlint's own `import/no-cycle` sees all other
 *   circles but not these (oxc issue 25555): when it does, this rule can go.
 *
 * A path is relative to the folder in which oxlint runs. Imports of packages are not looked at.
 */
import { readFileSync, statSync } from "node:fs"
import * as path from "node:path"
import { parseSync } from "rolldown/utils"

/** A room is a folder below `src`, or a single file there. Each with the rooms that it stands on directly. */
export type Rooms = Readonly<Record<string, ReadonlyArray<string>>>

interface Context {
  readonly cwd: string
  readonly filename: string
  readonly options: ReadonlyArray<unknown>
  readonly report: (found: { readonly node: object; readonly message: string }) => void
}
/** An import or export; without `source` an export of the file's own. */
interface Importing {
  readonly source?: { readonly value?: unknown } | null
}

const specifierOf = ({ source }: Importing): string | undefined =>
  typeof source?.value === "string" && source.value.startsWith(".") ? source.value : undefined

/** The room of a file: the longest one in the table that is the file or a folder above it. */
const roomOf = (rooms: Rooms, { cwd, filename }: Pick<Context, "cwd" | "filename">): string | undefined => {
  const parts = path.relative(path.join(cwd, "src"), filename).split(path.sep)
  return parts
    .map((_, index) => parts.slice(0, parts.length - index).join("/"))
    .find((room) => Object.hasOwn(rooms, room))
}

const mayImport = (rooms: Rooms, from: string, to: string): boolean =>
  from === to || (rooms[from] ?? []).some((below) => mayImport(rooms, below, to))

const direction = {
  meta: { schema: false },
  create(context: Context) {
    const rooms = context.options[0] as Rooms
    const from = roomOf(rooms, context)
    if (from === undefined) {
      return {
        Program: (node: object) => context.report({ node, message: "This file is in no room of oxlint.config.ts." }),
      }
    }
    const check = (node: Importing): void => {
      const specifier = specifierOf(node)
      if (specifier === undefined) return
      const to = roomOf(rooms, { cwd: context.cwd, filename: path.resolve(context.filename, "..", specifier) })
      if (to !== undefined && mayImport(rooms, from, to)) return
      const message = `${from} may not import ${to ?? specifier}: see the rooms in docs/architecture.md.`
      context.report({ node, message })
    }
    return {
      ImportDeclaration: check,
      ExportNamedDeclaration: check,
      ExportAllDeclaration: check,
      ImportExpression: check,
      TSImportType: check,
    }
  },
}

/** What each file imports, by path, and the time of the file at which that was so: an editor keeps the process. */
const graph = new Map<string, { readonly time: number; readonly imports: ReadonlyArray<string> }>()

const importsOf = (file: string): ReadonlyArray<string> => {
  const time = statSync(file, { throwIfNoEntry: false })?.mtimeMs
  if (time === undefined || !file.endsWith(".ts")) return []
  const known = graph.get(file)
  if (known?.time === time) return known.imports
  const text = readFileSync(file, "utf8")
  const { dynamicImports, staticExports, staticImports } = parseSync(file, text).module
  const specifiers = [
    ...staticImports.map(({ moduleRequest }) => moduleRequest.value),
    ...staticExports.flatMap(({ entries }) => entries.map(({ moduleRequest }) => moduleRequest?.value ?? "")),
    ...dynamicImports.map(({ moduleRequest }) =>
      text.slice(moduleRequest.start, moduleRequest.end).replace(/^["']|["']$/g, ""),
    ),
  ]
  const imports = specifiers.filter((name) => name.startsWith(".")).map((name) => path.resolve(file, "..", name))
  graph.set(file, { time, imports })
  return imports
}

/** The files on a way from one to another, both included; `undefined` if there is none. */
const wayBetween = (from: string, to: string): ReadonlyArray<string> | undefined => {
  const cameFrom = new Map<string, string | undefined>([[from, undefined]])
  for (const file of cameFrom.keys()) {
    if (file === to) {
      const way: Array<string> = []
      for (let at: string | undefined = file; at !== undefined; at = cameFrom.get(at)) way.unshift(at)
      return way
    }
    for (const next of importsOf(file)) if (!cameFrom.has(next)) cameFrom.set(next, file)
  }
  return undefined
}

const noLazyCircle = {
  meta: { schema: false },
  create: (context: Context) => ({
    ImportExpression(node: Importing) {
      const specifier = specifierOf(node)
      if (specifier === undefined) return
      const way = wayBetween(path.resolve(context.filename, "..", specifier), context.filename)
      if (way === undefined) return
      const names = way.map((file) => path.relative(context.cwd, file))
      context.report({ node, message: `This import closes a circle: ${names.join(" imports ")}.` })
    },
  }),
}

export default {
  meta: { name: "rooms" },
  rules: { direction, "no-lazy-circle": noLazyCircle },
}
