/**
 * Builds `dist`: the library as modules with type declarations, the command as a few files, because loading Effect module
 * by module takes four times as long as all the rest of starting up. What only one command needs is in a file of its own.
 */
import { execFileSync } from "node:child_process"
import { chmodSync, copyFileSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import * as path from "node:path"
import * as Effect from "effect/Effect"
import { type OutputOptions, type Plugin, rolldown } from "rolldown"
import { buildPage } from "./buildPage.ts"
import { manPage } from "./manPage.ts"
import { notices } from "./notices.ts"

rmSync("dist", { recursive: true, force: true })
execFileSync("node_modules/.bin/tsc", ["-p", "tsconfig.build.json"], { stdio: "inherit" })
// The command is bundled with them; the library has neither.
for (const front of ["dist/cli", "dist/web"]) rmSync(front, { recursive: true })

/**
 * What `main` chooses from is bundled by itself. Both have much in common, but whoever loads one of them does not load the
 * other: so each is in one piece, and without what only the other uses.
 */
const processes = ["CommandLineProcess", "ServerProcess"]

/** Modules of Node's that it has loaded itself when a program begins. */
const LOADED = new Set(["buffer", "events", "fs", "module", "os", "path", "process", "url", "util"])

/**
 * Node's own modules as they are: an import would make a module of each, with all that it exports, and load what that is.
 * `node:util` alone costs 3 ms of CPU so. What Node has not loaded itself (`node:crypto`: 3 ms) is loaded by the first call.
 */
const builtins: Plugin = {
  name: "builtins",
  async renderChunk(code) {
    let result = code
    for (const node of this.parse(code).body.toReversed()) {
      if (node.type !== "ImportDeclaration" || !node.source.value.startsWith("node:")) continue
      const name = node.source.value
      const module = (await import(name)) as Readonly<Record<string, unknown>>
      const from = `process.getBuiltinModule(${JSON.stringify(name)})`
      const isLate = !LOADED.has(name.slice("node:".length))
      const bound = node.specifiers.map((specifier) => {
        const local = specifier.local.name
        if (specifier.type !== "ImportSpecifier") {
          return isLate
            ? `const ${local} = new Proxy({}, { get: (_, name) => ${from}[name] });`
            : `const ${local} = ${from};`
        }
        const imported = specifier.imported.type === "Identifier" ? specifier.imported.name : specifier.imported.value
        const isFunction = typeof module[imported] === "function" && /^[a-z]/.test(imported)
        return isLate && isFunction
          ? `const ${local} = (...args) => ${from}.${imported}(...args);`
          : `const ${local} = ${from}.${imported};`
      })
      result = `${result.slice(0, node.start)}${bound.join("")}${result.slice(node.end)}`
    }
    return result
  },
}

/** What the library of command lines makes when it is loaded, and help alone uses: 5 ms of CPU. */
const SEGMENTER = /const graphemeSegmenter = (?:\/\*#__PURE__\*\/)?(new Intl\.Segmenter\([^;]*\));/

const lateSegmenter: Plugin = {
  name: "late segmenter",
  transform(code, id) {
    if (!id.endsWith("/effect/dist/cli/CliOutput.js")) return undefined
    if (!SEGMENTER.test(code))
      this.error("effect's CliOutput makes its segmenter in another way now: look whether late")
    return code.replace(SEGMENTER, "const graphemeSegmenter = { segment: (text) => ($1).segment(text) };")
  },
}

/** All that is in a bundle. */
const bundled = new Set<string>()

const bundle = async (
  input: string,
  external: ReadonlyArray<string>,
  codeSplitting: OutputOptions["codeSplitting"] & {},
): Promise<void> => {
  const moduleOf = (id: string): string => path.basename(id, ".ts")
  const build = await rolldown({
    input,
    platform: "node",
    plugins: [builtins, lateSegmenter],
    // The first file may have what several commands share, so that there are fewer files.
    preserveEntrySignatures: "allow-extension",
    external: (id) => external.includes(moduleOf(id)),
  })
  const { output } = await build.write({
    dir: "dist/cli",
    format: "esm",
    minify: true,
    // What V8 need not decode it reads faster.
    charset: "ascii",
    paths: (id) => (external.includes(moduleOf(id)) ? `./${moduleOf(id)}.js` : id),
    entryFileNames: "[name].js",
    chunkFileNames: "[name]-[hash].js",
    codeSplitting,
  })
  for (const file of output) if (file.type === "chunk") for (const module of file.moduleIds) bundled.add(module)
}
await bundle("src/cli/main.ts", processes, true)
// A file more costs as much as 10 kB more in one: what four parts need is in one file.
await bundle("src/cli/CommandLineProcess.ts", [], { groups: [{ name: "common", minShareCount: 4 }] })
await bundle("src/cli/mount/ServerProcess.ts", [], { groups: [{ name: "server", tags: ["$initial"] }] })
// A thread of the command, and so a file of its own.
await bundle("src/services/index/IndexThread.ts", [], true)
for (const module of await buildPage("dist/page")) bundled.add(module)
writeFileSync("dist/THIRD-PARTY-NOTICES.txt", notices(bundled))

/**
 * The first lines of the command: a shell starts Node, or says that there is none, as after `sudo`, whose PATH is its own.
 * To Node they are a text and a comment.
 */
const launcher = `#!/usr/bin/env sh
":" //; command -v node >/dev/null || { echo "pxar-fuse: needs Node 22.19 or newer, and there is no node on PATH: https://nodejs.org/en/download has one. With sudo: sudo env PATH=\\"\\$PATH\\" pxar-fuse" >&2; exit 5; }; exec node "$0" "$@"
;`
const main = readFileSync("dist/cli/main.js", "utf8")
writeFileSync(
  "dist/cli/main.js",
  main.replace(/^#!.*\n/, () => launcher),
)
chmodSync("dist/cli/main.js", 0o755)
for (const shell of ["bash", "fish", "zsh"]) {
  copyFileSync(`src/cli/completions/paths.${shell}`, `dist/cli/paths.${shell}`)
}
copyFileSync("docs/errors.md", "dist/cli/errors.md")

mkdirSync("dist/man")
writeFileSync("dist/man/pxar-fuse.1", await Effect.runPromise(manPage))
