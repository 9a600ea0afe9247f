/**
 * Files of a bundle as CommonJS, for a loader that V8's code caches can be given to (see `loader.js`): no public way of
 * Node's does that for ES modules.
 *
 * What one file imports of another it copies when it begins, which is faster than asking for it at each use. So an export
 * must not change, and files must not import in a circle: the build fails where that is not so.
 *
 * Node's own modules are taken as they are, without an ES module of each around them. Those that Node has not loaded when a
 * program begins (`node:crypto`: 3 ms of CPU) are loaded by the first call.
 */
import * as vm from "node:vm"
import type { Plugin } from "rolldown"

/** Modules of Node's that it has loaded itself when a program begins. */
const LOADED = new Set(["buffer", "events", "fs", "module", "os", "path", "process", "url", "util", "vm"])

type Module = Readonly<Record<string, unknown>>

interface Node {
  readonly type: string
  readonly start: number
  readonly end: number
}

/** A piece of a text, and what stands there instead. */
interface Edit extends Pick<Node, "start" | "end"> {
  readonly text: string
}

export const commonJs: Plugin = {
  name: "CommonJS",
  async renderChunk(code, { fileName }) {
    const edits: Array<Edit> = []
    const exported = new Map<string, string>()
    const variables = new Set<string>()
    const program = this.parse(code)
    if (/^(?:const|let|var|class|function) (?:module|exports|__filename|__dirname)\b/m.test(code)) {
      this.error(`${fileName}: a variable has the name of one of CommonJS`)
    }
    for (const node of program.body) {
      const replace = (text: string): void => void edits.push({ start: node.start, end: node.end, text })
      switch (node.type) {
        case "ImportDeclaration": {
          const source = node.source.value
          const names = node.specifiers.map((specifier) => [importedOf(specifier), specifier.local.name] as const)
          replace(source.startsWith("node:") ? await builtin(source, names) : required(source, names))
          break
        }
        case "ExportNamedDeclaration": {
          if (node.declaration !== null || node.source !== null) this.error(`${fileName}: an export of another form`)
          for (const { exported: name, local } of node.specifiers) exported.set(nameOf(local), nameOf(name))
          replace("")
          break
        }
        case "VariableDeclaration":
          if (node.kind !== "const") for (const { id } of node.declarations) variables.add(nameOf(id))
          break
        case "ExportDefaultDeclaration":
          edits.push({ start: node.start, end: node.declaration.start, text: "$exports.default = " })
          break
        case "ExportAllDeclaration":
          this.error(`${fileName}: an export of another form`)
      }
    }
    walk(program, (node) => {
      const { end, start } = node
      if (isImport(node)) edits.push({ start, end, text: later(code.slice(node.source.start, node.source.end)) })
      if (isMeta(node)) edits.push({ start, end, text: META })
      const changed = changedBy(node)
      if (changed !== undefined && variables.has(changed) && exported.has(changed))
        this.error(`${fileName}: ${changed} is exported and changes`)
    })
    let result = code
    for (const { end, start, text } of edits.toSorted((a, b) => b.start - a.start)) {
      result = result.slice(0, start) + text + result.slice(end)
    }
    return `${HEAD}\n${result}\n${[...exported].map(([local, name]) => `$exports.${name} = ${local};`).join("\n")}`
  },
  generateBundle(_, bundle) {
    const importsOf = (file: string): ReadonlyArray<string> => {
      const chunk = bundle[file]
      return chunk?.type === "chunk" ? chunk.imports : []
    }
    const check = (file: string, path: ReadonlyArray<string>): void => {
      if (path.includes(file)) this.error(`files import in a circle: ${[...path, file].join(" ")}`)
      for (const next of importsOf(file)) check(next, [...path, file])
    }
    for (const [name, file] of Object.entries(bundle)) {
      check(name, [])
      // The minifier, which takes it for an ES module, would drop this.
      if (file.type === "chunk") file.code = `"use strict";${file.code}`
      // Fails where a module waits when it is loaded, which CommonJS cannot.
      if (file.type === "chunk") vm.compileFunction(file.code, [], { filename: name })
    }
  },
}

/** Names that nothing in a bundle has: a variable `require` or `module` may be in a module, or in one of its functions. */
const HEAD = `const $require = module.require.bind(module), $exports = exports, $filename = __filename, $dirname = __dirname`

/** Stands for `import.meta` of an ES module. */
const META = '({ url: process.getBuiltinModule("node:url").pathToFileURL($filename).href, dirname: $dirname })'

const later = (source: string): string => `Promise.resolve().then(() => $require(${source}))`

type Names = ReadonlyArray<readonly [imported: string | undefined, local: string]>

/** Names from another file, or from a package. */
const required = (source: string, names: Names): string => {
  const from = `$require(${JSON.stringify(source)})`
  const single = names.filter(([imported]) => imported !== undefined).map((pair) => pair.join(": "))
  const whole = names.filter(([imported]) => imported === undefined).map(([, local]) => `const ${local} = ${from};`)
  return [`${single.length === 0 ? "" : `const { ${single.join(", ")} } = `}${from};`, ...whole].join("\n")
}

/** Names from a module of Node's. */
const builtin = async (name: string, names: Names): Promise<string> => {
  const module = (await import(name)) as Module
  const from = `process.getBuiltinModule(${JSON.stringify(name)})`
  const isLate = !LOADED.has(name.slice("node:".length))
  const bound = names.map(([imported, local]) => {
    if (imported === undefined) {
      return isLate
        ? `const ${local} = new Proxy({}, { get: (_, name) => ${from}[name] });`
        : `const ${local} = ${from};`
    }
    const isFunction = typeof module[imported] === "function" && /^[a-z]/.test(imported)
    return isLate && isFunction
      ? `const ${local} = (...args) => ${from}.${imported}(...args);`
      : `const ${local} = ${from}.${imported};`
  })
  return bound.join("\n")
}

interface Named {
  readonly type: string
  readonly name?: string
  readonly value?: unknown
}

const nameOf = ({ name, value }: Named): string => name ?? String(value)

/** What an import takes from a module: `undefined` is all of it, which the default of a module of Node's is too. */
const importedOf = (specifier: { readonly type: string; readonly imported?: Named }): string | undefined =>
  specifier.imported === undefined ? undefined : nameOf(specifier.imported)

const isImport = (node: Node): node is Node & { readonly source: Node } => node.type === "ImportExpression"
const isMeta = (node: Node): boolean =>
  node.type === "MetaProperty" && "meta" in node && nameOf(node.meta as Named) === "import"

/** The variable that a node gives another value. */
const changedBy = (node: Node): string | undefined => {
  const target = (node as { readonly left?: Named; readonly argument?: Named })[
    node.type === "AssignmentExpression" ? "left" : "argument"
  ]
  if (node.type !== "AssignmentExpression" && node.type !== "UpdateExpression") return undefined
  return target?.type === "Identifier" ? target.name : undefined
}

const isNode = (value: unknown): value is Node => typeof value === "object" && value !== null && "type" in value

const walk = (node: Node, visit: (node: Node) => void): void => {
  visit(node)
  for (const value of Object.values(node)) {
    if (Array.isArray(value)) {
      for (const each of value) if (isNode(each)) walk(each, visit)
    } else if (isNode(value)) walk(value, visit)
  }
}
