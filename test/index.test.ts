import * as fs from "node:fs"
import * as path from "node:path"
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { rolldown } from "rolldown"
import * as Processes from "./support/Processes.ts"

const root = path.join(import.meta.dirname, "..")
const archive = path.join(root, "fixtures/golden/tiny/hello-v1.pxar")

/** Prints how many entries are in the root folder of an archive of which it has the bytes. */
const lister = (library: string): string => `
  import * as fs from "node:fs"
  import * as Effect from "effect/Effect"
  import * as Layer from "effect/Layer"
  import * as Stream from "effect/Stream"
  import { Archive, ArchiveReader, ByteSource } from "${library}"
  const bytes = new Uint8Array(fs.readFileSync("${archive}"))
  const list = Effect.gen(function* () {
    const archive = yield* Archive.Archive
    const items = yield* Stream.runCollect(archive.list(yield* archive.root))
    return items.length
  })
  const layer = Archive.layer.pipe(
    Layer.provide(ArchiveReader.layer),
    Layer.provide(ByteSource.layerMemory(bytes)),
  )
  console.log(await Effect.runPromise(Effect.provide(list, layer)))
`

/** Prints, as the last thing, every name by which this process has asked for a module. */
const observer = `
  import { registerHooks } from "node:module"
  const asked = new Set()
  registerHooks({ resolve: (name, context, next) => (asked.add(name), next(name, context)) })
  process.on("exit", () => console.log(JSON.stringify([...asked].filter((name) => !name.startsWith("node:")))))
`

describe("the library", () => {
  it.live("loads nothing native by its import, nor for an archive in memory", () =>
    Effect.gen(function* () {
      const folder = yield* Processes.temporaryFolder
      fs.writeFileSync(path.join(folder, "observer.mjs"), observer)
      // In the project, so that `effect` is found.
      const main = path.join(root, "test", `.lister-${process.pid}.mjs`)
      fs.writeFileSync(main, lister("../src/index.ts"))
      yield* Effect.addFinalizer(() => Effect.sync(() => fs.rmSync(main)))
      const { code, stderr, stdout } = yield* Processes.run(process.execPath, [
        "--import",
        path.join(folder, "observer.mjs"),
        main,
      ])
      assert.strictEqual(code, 0, stderr)
      const [listed, asked] = String(stdout).trim().split("\n")
      assert.strictEqual(listed, "2")
      const modules: ReadonlyArray<string> = JSON.parse(asked ?? "")
      assert.include(modules, "effect/Effect")
      assert.deepStrictEqual(
        modules.filter((name) => /koffi|fuse-native|\.node$/.test(name)),
        [],
      )
    }),
  )

  it.live("bundled into a program that lists an archive in memory, needs no other package beside it", () =>
    Effect.gen(function* () {
      const folder = yield* Processes.temporaryFolder
      const input = path.join(root, "test", `.bundled-${process.pid}.ts`)
      fs.writeFileSync(input, lister("../src/index.ts"))
      yield* Effect.addFinalizer(() => Effect.sync(() => fs.rmSync(input)))
      const file = path.join(folder, "program.mjs")
      const modules = yield* Effect.promise(async () => {
        const build = await rolldown({ input, platform: "node" })
        const { output } = await build.write({ file, format: "esm" })
        return output.flatMap((chunk) => (chunk.type === "chunk" ? Object.keys(chunk.modules) : []))
      })
      assert.deepStrictEqual(
        modules.filter((name) => /node_modules/.test(name) && !/node_modules\/effect\//.test(name)),
        [],
      )
      const { code, stderr, stdout } = yield* Processes.run(process.execPath, [file])
      assert.strictEqual(code, 0, stderr)
      assert.strictEqual(String(stdout), "2\n")
    }),
  )
})
