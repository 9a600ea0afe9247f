/** Sources that change while they are archived, or cannot be read. */
import * as fs from "node:fs"
import * as path from "node:path"
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import * as Requirements from "../../support/Requirements.ts"
import * as SourceFolder from "../../support/SourceFolder.ts"
import { child, createIn, folders, pathsOf, type Given } from "./creating.ts"

describe("a source that changes or resists", () => {
  /** Runs `change` once, after the root has been listed. */
  const once = (change: () => void): Given => {
    let done = false
    return {
      onProgress: () => {
        if (done) return
        done = true
        change()
      },
    }
  }

  it.effect("an entry that vanishes is left out", () =>
    Effect.gen(function* () {
      const { source, target } = yield* folders
      SourceFolder.makeFiles(source, { a: "", "b/c": "", d: "" })
      fs.symlinkSync("a", `${source}/l`)
      const { tree, warnings } = yield* createIn(
        source,
        target,
        1,
        once(() => {
          for (const name of ["a", "b", "l"]) fs.rmSync(`${source}/${name}`, { recursive: true })
        }),
      )
      assert.deepStrictEqual(pathsOf(tree), ["d"])
      assert.deepStrictEqual(warnings, ["Vanished a", "Vanished b", "Vanished l"])
    }),
  )

  it.effect("an entry that turns into a link is not followed", () =>
    Effect.gen(function* () {
      const { source, target } = yield* folders
      SourceFolder.makeFiles(source, { a: "", "b/c": "", d: "", e: "" })
      SourceFolder.makeFiles(target, { "../secret/file": "secret" })
      fs.symlinkSync("a", `${source}/l`)
      const { tree, warnings } = yield* createIn(
        source,
        target,
        1,
        once(() => {
          for (const name of ["a", "b", "e", "l"]) fs.rmSync(`${source}/${name}`, { recursive: true })
          fs.symlinkSync("../secret/file", `${source}/a`)
          fs.symlinkSync("../secret", `${source}/b`)
          fs.mkdirSync(`${source}/e`)
          fs.writeFileSync(`${source}/l`, "no link")
        }),
      )
      assert.deepStrictEqual(pathsOf(tree), ["d"])
      assert.deepStrictEqual(warnings, ["Replaced a", "Replaced b", "Replaced e", "Replaced l"])
    }),
  )

  it.effect("a folder that moves away is read all the same, and nothing that comes in its place", () =>
    Effect.gen(function* () {
      const { source, target } = yield* folders
      SourceFolder.makeFiles(source, { "a/1": "one", "a/2": "two" })
      SourceFolder.makeFiles(target, { "../evil/1": "EVIL", "../evil/2": "EVIL" })
      const { tree } = yield* createIn(source, target, 1, {
        onProgress: ({ entries }) => {
          if (entries !== 3) return
          fs.renameSync(`${source}/a`, `${target}/../away`)
          fs.symlinkSync("../evil", `${source}/a`)
        },
      })
      assert.deepStrictEqual(pathsOf(tree), ["a", "a/1", "a/2"])
      for (const [name, text] of [
        ["a/1", "one"],
        ["a/2", "two"],
      ] as const) {
        const file = child(tree, name)
        assert.strictEqual(file._tag === "File" && Buffer.from(file.content).toString(), text)
      }
    }),
  )

  it.effect("a large file that is cut while it is read is filled up, one that grows is cut", () =>
    Effect.gen(function* () {
      const { source, target } = yield* folders
      const size = 6_000_000
      SourceFolder.makeFiles(source, { cut: Buffer.alloc(size, "x"), grown: Buffer.alloc(size, "y") })
      const { summary, tree, warnings } = yield* createIn(source, target, 2, {
        onProgress: ({ contentBytes, entries }) => {
          if (entries === 1 && contentBytes > 0) fs.truncateSync(`${source}/cut`, 3_000_000)
          if (entries === 2 && contentBytes > size) fs.appendFileSync(`${source}/grown`, "more")
        },
      })
      assert.deepStrictEqual(warnings, ["Shrunk cut", "Grown grown"])
      const [cut, grown] = [child(tree, "cut"), child(tree, "grown")]
      assert.ok(cut._tag === "File" && grown._tag === "File")
      assert.isTrue(Buffer.from(grown.content).equals(Buffer.alloc(size, "y")))
      const zeros = cut.content.indexOf(0)
      assert.isAbove(zeros, 0)
      assert.isTrue(
        Buffer.from(cut.content).equals(Buffer.concat([Buffer.alloc(zeros, "x"), Buffer.alloc(size - zeros)])),
      )
      assert.strictEqual(summary.contentBytes, zeros + size)
    }),
  )

  it.effect("what an ordinary user may not read is left out", () =>
    Effect.gen(function* () {
      const { source, target } = yield* folders
      SourceFolder.makeFiles(source, { "closed/a": "", "listed/b": "", secret: "secret", z: "z", ".pxarexclude": "z" })
      fs.chmodSync(`${source}/closed`, 0o000)
      fs.chmodSync(`${source}/listed`, 0o444)
      fs.chmodSync(`${source}/secret`, 0o000)
      fs.chmodSync(`${source}/.pxarexclude`, 0o000)
      fs.chmodSync(target, 0o777)
      fs.chmodSync(path.dirname(target), 0o755)
      const { tree, warnings } = yield* Effect.acquireUseRelease(
        Effect.sync(() => {
          if (Requirements.isRoot) process.seteuid?.(Requirements.NOBODY)
        }),
        () => createIn(source, target, 1),
        () =>
          Effect.sync(() => {
            if (Requirements.isRoot) process.seteuid?.(0)
          }),
      )
      fs.chmodSync(`${source}/closed`, 0o700)
      fs.chmodSync(`${source}/listed`, 0o700)
      assert.deepStrictEqual(pathsOf(tree), ["listed", "z"])
      assert.deepStrictEqual(warnings, [
        "Pattern .pxarexclude",
        "Unreadable .pxarexclude",
        "Unreadable closed",
        "Unreadable listed/b",
        "Unreadable secret",
      ])
    }),
  )
})
