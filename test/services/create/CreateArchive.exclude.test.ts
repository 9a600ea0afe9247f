/** Exclude patterns, and what is recorded of them. */
import * as fs from "node:fs"
import * as path from "node:path"
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import * as CreateArchive from "../../../src/services/create/CreateArchive.ts"
import * as ExcludeCases from "../../support/ExcludeCases.ts"
import * as SourceFolder from "../../support/SourceFolder.ts"
import * as Tree from "../../support/Tree.ts"
import { createIn, folders, pathsOf } from "./creating.ts"

describe("exclude patterns: the reference's runs", () => {
  const fill = (source: string, files: Readonly<Record<string, string>>): void => {
    SourceFolder.makeFiles(source, Object.fromEntries(ExcludeCases.tree.map((name) => [name, name])))
    SourceFolder.makeFiles(source, files)
  }
  for (const run of ExcludeCases.cases) {
    it.effect(run.name, () =>
      Effect.gen(function* () {
        const { source, target } = yield* folders
        fill(source, run.files)
        const exclude = run.cli.map((pattern) => Buffer.from(pattern))
        const { tree } = yield* createIn(source, target, 1, { exclude })
        assert.deepStrictEqual(
          pathsOf(tree)
            .map((found) => `/${found}`)
            .toSorted(),
          run.entries,
        )
        const last = tree.children.at(-1)
        if (run.recorded === undefined) assert.notStrictEqual(last && Tree.key(last.name), ".pxarexclude-cli")
        else {
          assert.strictEqual(last && Tree.key(last.name), ".pxarexclude-cli")
          assert.ok(last?.tree._tag === "File")
          assert.strictEqual(Buffer.from(last.tree.content).toString(), run.recorded)
          const { gid, mode, mtimeNanos, mtimeSeconds, uid } = last.tree.metadata
          assert.deepStrictEqual([mode, uid, gid, mtimeSeconds, mtimeNanos], [0o100600, 0, 0, 0n, 0])
        }

        fs.rmSync(path.join(target, "archive"))
        const split = yield* createIn(source, target, 2, { exclude })
        assert.deepStrictEqual(
          pathsOf(split.tree)
            .map((found) => `/${found}`)
            .toSorted(),
          run.entries.filter((found) => found !== "/.pxarexclude-cli"),
        )
        const prelude = yield* split.reader.prelude
        assert.strictEqual(prelude && Buffer.from(prelude).toString(), run.prelude)
      }),
    )
  }

  it.effect("a real .pxarexclude-cli is replaced in v1, in the root only", () =>
    Effect.gen(function* () {
      const { source, target } = yield* folders
      SourceFolder.makeFiles(source, { ".pxarexclude-cli": "real", "a/.pxarexclude-cli": "real", z: "" })
      const exclude = [Buffer.from("nothing")]
      const unified = yield* createIn(source, target, 1, { exclude })
      assert.deepStrictEqual(pathsOf(unified.tree), ["a", "a/.pxarexclude-cli", "z", ".pxarexclude-cli"])
      fs.rmSync(path.join(target, "archive"))
      const split = yield* createIn(source, target, 2, { exclude })
      assert.deepStrictEqual(pathsOf(split.tree), [".pxarexclude-cli", "a", "a/.pxarexclude-cli", "z"])
      fs.rmSync(path.join(target, "archive"))
      fs.rmSync(path.join(target, "payload"))
      const without = yield* createIn(source, target, 1)
      assert.deepStrictEqual(pathsOf(without.tree), [".pxarexclude-cli", "a", "a/.pxarexclude-cli", "z"])
    }),
  )

  it.effect("files that hold no patterns are reported", () =>
    Effect.gen(function* () {
      const { source, target } = yield* folders
      SourceFolder.makeFiles(source, {
        "a/.pxarexclude/": "",
        "b/.pxarexclude": "[\n*.o\n",
        "b/x.o": "",
        "c/.pxarexclude": Buffer.alloc(1024 * 1024 + 1, "x\n"),
        "c/x": "",
        "d/": "",
        "d/x": "",
      })
      fs.symlinkSync("x", `${source}/d/.pxarexclude`)
      const { tree, warnings } = yield* createIn(source, target, 1)
      assert.deepStrictEqual(
        warnings,
        ["a", "b", "c", "d"].map((folder) => `Pattern ${folder}/.pxarexclude`),
      )
      assert.isFalse(pathsOf(tree).includes("b/x.o"))
      assert.isTrue(pathsOf(tree).includes("c/x"))
    }),
  )

  it.effect("what is no pattern is refused before anything is done", () =>
    Effect.gen(function* () {
      const { source, target } = yield* folders
      const archive = `${target}/archive`
      const bad = CreateArchive.create({ source, archive, exclude: [Buffer.from("a["), Buffer.from("b")] })
      assert.strictEqual((yield* Effect.flip(bad))._tag, "PatternError")
      const exclude = [Buffer.from([0xff])]
      const text = CreateArchive.create({ source, archive, payload: `${target}/payload`, exclude })
      assert.strictEqual((yield* Effect.flip(text))._tag, "PatternError")
      assert.deepStrictEqual(fs.readdirSync(target), [])
      assert.strictEqual((yield* CreateArchive.create({ source, archive, exclude })).entries, 2)
    }),
  )
})
