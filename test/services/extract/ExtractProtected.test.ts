/**
 * Folders of the target that are immutable or append-only take what the archive has for them, and are protected again.
 */
import * as fs from "node:fs"
import * as os from "node:os"
import * as path from "node:path"
import { assert, beforeEach, describe, it, type TestContext } from "@effect/vitest"
import { Effect } from "effect"
import * as ReadSyscalls from "../../../src/services/posix/ReadSyscalls.ts"
import * as B from "../../support/ArchiveBuilder.ts"
import * as Command from "../../support/Command.ts"
import * as Materialize from "../../support/Materialize.ts"
import { need } from "../../support/Requirements.ts"
import { extract, pathsIn, sandbox } from "./extraction.ts"

const IMMUTABLE = 0x10
const APPEND = 0x20

/** Skips tests where temporary files cannot be made immutable. */
const needFlags = (context: TestContext): void => {
  const probe = path.join(os.tmpdir(), `pxar-fuse-protected-${process.pid}`)
  fs.writeFileSync(probe, "")
  const has = Materialize.setFlags(probe, IMMUTABLE)
  if (has) Materialize.setFlags(probe, 0)
  fs.rmSync(probe)
  if (!has) context.skip("needs root, and a file system with chattr flags")
}

const flagsOf = (file: string): number => {
  const fd = fs.openSync(file, "r")
  try {
    return ReadSyscalls.getFlags(fd) & (IMMUTABLE | APPEND)
  } finally {
    fs.closeSync(fd)
  }
}

const built = B.build({
  children: [
    B.folder(
      "d",
      [B.file("new", "1"), B.folder("e", [B.file("deep", "2")], B.entry({ mode: 0o40755, seconds: 7 }))],
      B.entry({ mode: 0o40750, seconds: 9 }),
    ),
  ],
})

/** A target with the folders of the archive in it, which are protected until the scope ends. */
const protectedTarget = Effect.gen(function* () {
  const { target } = yield* sandbox
  fs.mkdirSync(path.join(target, "d", "e"), { recursive: true })
  const folders = [target, path.join(target, "d"), path.join(target, "d/e")]
  yield* Effect.acquireRelease(
    Effect.sync(() => {
      for (const [index, folder] of folders.entries()) Materialize.setFlags(folder, index === 1 ? APPEND : IMMUTABLE)
    }),
    () => Effect.sync(() => folders.map((folder) => Materialize.setFlags(folder, 0))),
  )
  return { target, folders }
})

describe("protected folders of the target", () => {
  beforeEach(needFlags)

  it.effect("are written into, with their attributes, and are protected again", () =>
    Effect.gen(function* () {
      const { folders, target } = yield* protectedTarget
      const { problems } = yield* extract(built, target, { allowExistingDirs: true })
      assert.deepStrictEqual(problems, [])
      assert.deepStrictEqual(pathsIn(target), ["d", "d/e", "d/e/deep", "d/new"])
      assert.deepStrictEqual(folders.map(flagsOf), [IMMUTABLE, APPEND, IMMUTABLE])
      const { mode, mtimeMs } = fs.statSync(path.join(target, "d"))
      assert.deepStrictEqual([mode & 0o777, mtimeMs], [0o750, 9000])
    }),
  )

  it.live("are one finding each where that is not permitted", (context) =>
    Effect.gen(function* () {
      need({ root: true, tools: ["setpriv"] })(context)
      const { folders, target } = yield* protectedTarget
      Materialize.setFlags(target, 0)
      const archive = yield* Command.write("test.pxar", built.bytes)
      const wrapper = ["setpriv", "--bounding-set", "-linux_immutable"]
      const { code, stderr } = yield* Command.run(["extract", "--allow-existing-dirs", archive, target], { wrapper })
      assert.strictEqual(code, 32, stderr)
      const lines = stderr.split("\n").filter((line) => line.startsWith("pxar-fuse: d"))
      assert.lengthOf(lines, 1, stderr)
      assert.include(lines[0], "immutable or append-only")
      assert.deepStrictEqual(folders.slice(1).map(flagsOf), [APPEND, IMMUTABLE])
    }),
  )
})
