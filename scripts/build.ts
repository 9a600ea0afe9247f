/**
 * Builds `dist`: the library as modules with type declarations, the command as a few files, because loading Effect module
 * by module takes four times as long as all the rest of starting up. What only one command needs is in a file of its own.
 */
import { execFileSync } from "node:child_process"
import { chmodSync, cpSync, mkdirSync, rmSync, writeFileSync } from "node:fs"
import * as Effect from "effect/Effect"
import { rolldown } from "rolldown"
import { manPage } from "./manPage.ts"

rmSync("dist", { recursive: true, force: true })
execFileSync("node_modules/.bin/tsc", ["-p", "tsconfig.build.json"], { stdio: "inherit" })
rmSync("dist/cli", { recursive: true })

const bundle = await rolldown({
  input: "src/cli/main.ts",
  platform: "node",
  // Native, and found at run time.
  external: ["koffi"],
})
await bundle.write({
  dir: "dist/cli",
  format: "esm",
  minify: true,
  entryFileNames: "[name].js",
  chunkFileNames: "[name]-[hash].js",
})
chmodSync("dist/cli/main.js", 0o755)
cpSync("src/cli/completions", "dist/cli/completions", { recursive: true })

mkdirSync("dist/man")
writeFileSync("dist/man/pxar-fuse.1", await Effect.runPromise(manPage))
