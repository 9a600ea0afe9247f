/**
 * Builds `dist`: the library as modules with type declarations, the command as a few files, because loading Effect module
 * by module takes four times as long as all the rest of starting up. What only one command needs is in a file of its own.
 * The command is CommonJS, so that V8 can be given what it has compiled before (`scripts/bundle`).
 */
import { chmodSync, copyFileSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import * as path from "node:path"
import * as Effect from "effect/Effect"
import { type OutputOptions, type Plugin, rolldown, type RolldownBuild } from "rolldown"
import { minify } from "rolldown/utils"
import { buildLibrary } from "./buildLibrary.ts"
import { buildPage } from "./buildPage.ts"
import * as CodeCache from "./bundle/CodeCache.ts"
import { commonJs } from "./bundle/CommonJs.ts"
import * as SmallUndici from "./bundle/SmallUndici.ts"
import * as FastPath from "./fastPath.ts"
import { manPage } from "./manPage.ts"
import { notices } from "./notices.ts"

rmSync("dist", { recursive: true, force: true })
buildLibrary("dist")

/**
 * What `main` chooses from is bundled by itself: who serves a mount does not load what reads command lines, and is in one
 * piece, without what only the other uses.
 */
const processes = ["FastProcess", "CommandLineProcess", "ServerProcess", "ExitCode"]

/** What they share, and is a file of its own. */
const shared = ["Undici"]

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

const moduleOf = (id: string): string => path.basename(id, ".ts")

const bundle = (input: ReadonlyArray<string>, external: ReadonlyArray<string> = shared): Promise<RolldownBuild> =>
  rolldown({
    input: [...input],
    platform: "node",
    plugins: [commonJs, lateSegmenter, SmallUndici.plugin],
    transform: { define: SmallUndici.define },
    // The first file may have what several commands share, so that there are fewer files.
    preserveEntrySignatures: "allow-extension",
    external: (id) => external.includes(moduleOf(id)),
  })

const write = async (
  build: RolldownBuild,
  codeSplitting: OutputOptions["codeSplitting"] & {},
  external: ReadonlyArray<string> = shared,
): Promise<void> => {
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

/** The modules that these import, and those that they import, until the end. */
const importedBy = async (...input: ReadonlyArray<string>): Promise<ReadonlySet<string>> => {
  const build = await bundle(input)
  const { output } = await build.generate({ format: "esm" })
  const chunks = new Map(output.flatMap((file) => (file.type === "chunk" ? [[file.fileName, file]] : [])))
  const modules = new Set<string>()
  const add = (name: string): void => {
    const chunk = chunks.get(name)
    if (chunk === undefined) return
    chunks.delete(name)
    for (const module of chunk.moduleIds) modules.add(module)
    for (const next of chunk.imports) add(next)
  }
  for (const file of output) if (file.type === "chunk" && file.isEntry) add(file.fileName)
  return modules
}

/** What the fast path loads for the commands that are used most: all of it is in one file. */
const fast = await importedBy(
  "src/cli/fast/FastProcess.ts",
  ...["Cat", "Info", "List"].map((name) => `src/cli/archive/${name}Handler.ts`),
  "src/services/open/OpenPath.ts",
)

await write(await bundle(["src/cli/main.ts"], processes), true, processes)
await write(
  await bundle(["src/cli/fast/FastProcess.ts", "src/cli/CommandLineProcess.ts", "src/cli/ExitCode.ts"]),
  // A file more costs as much as 10 kB more in one: what four parts need is in one file.
  {
    groups: [
      { name: "fast", test: (id) => fast.has(id), priority: 1 },
      // Questions of all backups are not asked by those that are used most.
      { name: "common", minShareCount: 4, test: (id) => !/\/src\/services\/(?:index|history)\//.test(id) },
    ],
  },
)
/** What every mount of an archive loads: all of it is in one file, and in V8's code cache of that. */
const server = await importedBy("src/cli/mount/ServerProcess.ts", "src/services/open/OpenPath.ts")

await write(await bundle(["src/cli/mount/ServerProcess.ts"]), {
  groups: [{ name: "server", test: (id) => server.has(id) }],
})
await write(await bundle(["src/services/http/Undici.ts"], []), true, [])
// A thread of the command, and so a file of its own.
await write(await bundle(["src/services/index/IndexThread.ts"]), true)
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
const { code: loader } = await minify("loader.cjs", readFileSync("scripts/bundle/loader.cjs", "utf8"))
writeFileSync("dist/cli/main.js", `${launcher}\n"use strict";${loader}\n${main}`)
writeFileSync("dist/cli/package.json", `${JSON.stringify({ type: "commonjs" })}\n`)
chmodSync("dist/cli/main.js", 0o755)
for (const shell of ["bash", "fish", "zsh"]) {
  copyFileSync(`src/cli/completions/paths.${shell}`, `dist/cli/paths.${shell}`)
}
copyFileSync("docs/errors.md", "dist/cli/errors.md")

mkdirSync("dist/man")
writeFileSync("dist/man/pxar-fuse.1", await Effect.runPromise(manPage))

await Effect.runPromise(FastPath.make("dist/cli/fast"))
CodeCache.make(path.resolve("dist/cli"))
