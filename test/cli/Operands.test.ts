/**
 * Operands in an order, or a meaning, that other programs have: nothing is done, and what was probably meant is said.
 */
import * as fs from "node:fs"
import * as path from "node:path"
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import * as ExitCode from "../../src/cli/ExitCode.ts"
import * as B from "../support/ArchiveBuilder.ts"
import * as Command from "../support/Command.ts"
import * as Processes from "../support/Processes.ts"
import { writeArchive } from "./reading.ts"

/** A folder with an archive and an empty folder, and the command run in it. */
const place = Effect.gen(function* () {
  const cwd = yield* Processes.temporaryFolder
  const tree = B.build({
    children: [B.folder("inside", [B.folder("ssh", [B.file("key", "k")])]), B.folder("big", [B.file("b", "b")])],
  })
  fs.copyFileSync(yield* writeArchive(tree), path.join(cwd, "a.pxar"))
  fs.mkdirSync(path.join(cwd, "out"))
  const files = () =>
    fs
      .readdirSync(cwd, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile() && entry.name !== "a.pxar")
      .map((entry) => path.relative(cwd, path.join(entry.parentPath, entry.name)))
  return {
    files,
    run: (line: string, options: Command.Options = {}) => Command.run(line.split(" "), { cwd, ...options }),
  }
})

describe("extract ARCHIVE PATH", () => {
  it.live("is refused where the path is in the archive and not here, with the words that were meant", () =>
    Effect.gen(function* () {
      const { files, run } = yield* place
      for (const line of [
        "extract a.pxar inside/ssh",
        "extract a.pxar /inside/ssh",
        "extract a.pxar inside/ssh big/b",
      ]) {
        const { code, stderr } = yield* run(line)
        assert.strictEqual(code, ExitCode.USAGE)
        assert.include(stderr, `Did you mean "${line.replace("extract a.pxar", "-C .")}"?`)
        assert.deepStrictEqual(files(), [])
      }
    }),
  )

  it.live("means a folder where it says so, or is one", () =>
    Effect.gen(function* () {
      const { files, run } = yield* place
      assert.strictEqual((yield* run("extract a.pxar ./inside/ssh inside/ssh")).code, 0)
      assert.deepStrictEqual(files(), ["inside/ssh/inside/ssh/key"])
      assert.strictEqual((yield* run("extract -q a.pxar inside big")).code, 0)
      assert.deepStrictEqual(files().toSorted(), ["inside/big/b", "inside/ssh/inside/ssh/key"])
    }),
  )
})

describe("extract -C", () => {
  it.live("takes all that follows the archive as paths in it, wherever the flag stands", () =>
    Effect.gen(function* () {
      for (const line of [
        "-C out a.pxar inside/ssh",
        "a.pxar inside/ssh -C out",
        "a.pxar inside/ssh -Cout",
        "--directory=out a.pxar inside/ssh",
      ]) {
        const { files, run } = yield* place
        const { code, stderr } = yield* run(`extract ${line}`)
        assert.deepStrictEqual({ code, stderr }, { code: 0, stderr: "" }, line)
        assert.deepStrictEqual(files(), ["out/inside/ssh/key"])
      }
    }),
  )

  it.live("alone extracts everything there", () =>
    Effect.gen(function* () {
      for (const line of ["-C new a.pxar", "-C new a.pxar ."]) {
        const { files, run } = yield* place
        assert.strictEqual((yield* run(`extract ${line}`)).code, 0)
        assert.deepStrictEqual(files().toSorted(), ["new/big/b", "new/inside/ssh/key"])
      }
    }),
  )
})

describe("an archive that comes later than first", () => {
  for (const [line, meant] of [
    ["mount out a.pxar", "a.pxar out"],
    ["extract out a.pxar", "a.pxar out"],
    ["cat inside/ssh/key a.pxar", "a.pxar inside/ssh/key"],
    ["list inside a.pxar", "a.pxar inside"],
    ["diff out a.pxar", "a.pxar out"],
    ["create out a.pxar", undefined],
  ] as const) {
    it.live(`is told by ${line}`, () =>
      Effect.gen(function* () {
        const { files, run } = yield* place
        // A process that has inherited a descriptor does not take the fast path.
        for (const wrapper of [[], ["sh", "-c", 'exec "$@" 9</dev/null', "sh"]]) {
          const { code, stderr } = yield* run(line, { wrapper })
          assert.notStrictEqual(code, 0)
          if (meant !== undefined) assert.include(stderr, `the archive comes first. Did you mean "${meant}"?\n`)
          assert.deepStrictEqual(files(), [])
        }
      }),
    )
  }
})

describe("what is there already", () => {
  it.live("comes with the flags that help, also if it is one entry", () =>
    Effect.gen(function* () {
      const { run } = yield* place
      assert.strictEqual((yield* run("extract a.pxar x")).code, 0)
      for (const line of ["extract a.pxar x inside/ssh", "extract a.pxar x", "extract --overwrite a.pxar x"]) {
        const { code, stderr } = yield* run(line)
        assert.strictEqual(code, ExitCode.INCOMPLETE)
        assert.include(stderr, "--allow-existing-dirs")
      }
    }),
  )
})
