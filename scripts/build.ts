/**
 * Builds `dist`: the library as modules with type declarations, the command as a few files, because loading Effect module
 * by module takes four times as long as all the rest of starting up. What only one command needs is in a file of its own.
 */
import { execFileSync } from "node:child_process"
import { chmodSync, copyFileSync, mkdirSync, rmSync, writeFileSync } from "node:fs"
import * as path from "node:path"
import * as Effect from "effect/Effect"
import { rolldown } from "rolldown"
import { manPage } from "./manPage.ts"

rmSync("dist", { recursive: true, force: true })
execFileSync("node_modules/.bin/tsc", ["-p", "tsconfig.build.json"], { stdio: "inherit" })
rmSync("dist/cli", { recursive: true })

/**
 * What `main` chooses from is bundled by itself. Both have much in common, but whoever loads one of them does not load the
 * other: so each is in one piece, and without what only the other uses.
 */
const processes = ["CommandLineProcess", "ServerProcess"]

const bundle = async (input: string, external: ReadonlyArray<string>): Promise<void> => {
  const moduleOf = (id: string): string => path.basename(id, ".ts")
  const build = await rolldown({
    input,
    platform: "node",
    // The first file may have what several commands share, so that there are fewer files.
    preserveEntrySignatures: "allow-extension",
    external: (id) => external.includes(moduleOf(id)),
  })
  await build.write({
    dir: "dist/cli",
    format: "esm",
    minify: true,
    // What V8 need not decode it reads faster.
    charset: "ascii",
    paths: (id) => (external.includes(moduleOf(id)) ? `./${moduleOf(id)}.js` : id),
    entryFileNames: "[name].js",
    chunkFileNames: "[name]-[hash].js",
  })
}
await bundle("src/cli/main.ts", processes)
await bundle("src/cli/CommandLineProcess.ts", [])
await bundle("src/cli/mount/ServerProcess.ts", [])
chmodSync("dist/cli/main.js", 0o755)
for (const shell of ["bash", "fish", "zsh"]) {
  copyFileSync(`src/cli/completions/paths.${shell}`, `dist/cli/paths.${shell}`)
}

mkdirSync("dist/man")
writeFileSync("dist/man/pxar-fuse.1", await Effect.runPromise(manPage))
