/**
 * Acceptance point 3: whatever names and links the archive or the target folder holds, nothing outside the target is
 * written or changed. One trick a test.
 */
import { execFileSync } from "node:child_process"
import * as fs from "node:fs"
import * as path from "node:path"
import { assert, describe, it } from "@effect/vitest"
import { Effect, type Scope } from "effect"
import { noAttributes } from "../../../src/domain/pxar/Entry.ts"
import * as ArchiveWriter from "../../../src/services/create/ArchiveWriter.ts"
import * as ByteSink from "../../../src/services/bytes/ByteSink.ts"
import * as ExtractFolders from "../../../src/services/extract/ExtractFolders.ts"
import * as B from "../../support/ArchiveBuilder.ts"
import * as Descriptors from "../../support/Descriptors.ts"
import * as Materialize from "../../support/Materialize.ts"
import { extract, extractFrom, interfering, pathsIn, readText, renaming, sandbox, type Sandbox } from "./extraction.ts"
import { open } from "../archive/helpers.ts"

/** Runs a test in a sandbox, and afterwards nothing outside has changed and nothing is left open. */
const safely = (
  name: string,
  test: (sandbox: Sandbox) => Effect.Effect<void, unknown, Scope.Scope>,
  timeout = 30_000,
) =>
  it.effect(
    name,
    () =>
      Effect.gen(function* () {
        const box = yield* sandbox
        const before = box.snapshot()
        yield* test(box)
        assert.deepStrictEqual(box.snapshot(), before)
        assert.deepStrictEqual(fs.readdirSync(box.base).toSorted(), ["outside", "target"])
        assert.deepStrictEqual(Descriptors.below(box.base), [])
      }),
    timeout,
  )

describe("names", () => {
  for (const name of ["..", ".", "a/b", "/etc/passwd", "../outside/evil", "../outside/secret"]) {
    safely(`${name} in the archive is refused, and its neighbours are extracted`, ({ target }) =>
      Effect.gen(function* () {
        const evil = B.file(name, "evil", { key: "evil" })
        const built = B.build({ children: [B.file("before", "1"), evil, B.file("zzz", "2")] })
        const { problems } = yield* extract(built, target, { overwrite: true, allowExistingDirs: true })
        assert.deepStrictEqual(problems, ["Unreadable ?"])
        assert.deepStrictEqual(pathsIn(target), ["before", "zzz"])
      }),
    )

    safely(`${name} from a reader that lets it through is refused by every system call`, ({ target }) =>
      Effect.gen(function* () {
        const built = B.build({
          children: [
            B.file("file", "evil"),
            B.folder("folder", [B.file("child", "evil")]),
            B.raw("symlink", B.entry({ mode: 0o120777 }), B.symlink("x")),
            B.raw("fifo", B.entry({ mode: 0o010644 })),
            B.file("target", "fine"),
            B.linkTo("link", "target"),
          ],
        })
        const reader = renaming(yield* open(built.bytes), (child) => (child === "target" ? undefined : name))
        const { problems } = yield* extractFrom(reader, target, { overwrite: true, allowExistingDirs: true })
        assert.deepStrictEqual([...new Set(problems)].toSorted(), [`Copied ${name}`, `NotCreated ${name}`])
        assert.deepStrictEqual(pathsIn(target), ["target"])
      }),
    )
  }
})

describe("symbolic links in the archive", () => {
  /** A link of this name, and a folder that a reader shows under the same name. */
  const linkAndFolder = (link: string) =>
    B.build({
      children: [B.raw("x", B.entry({ mode: 0o120777 }), B.symlink(link)), B.folder("y", [B.file("evil", "evil")])],
    })

  for (const overwrite of [false, true]) {
    safely(`an absolute one, then a child through it${overwrite ? ", with overwrite" : ""}`, ({ outside, target }) =>
      Effect.gen(function* () {
        const reader = renaming(yield* open(linkAndFolder(outside).bytes), (name) => (name === "y" ? "x" : undefined))
        const { problems } = yield* extractFrom(reader, target, { overwrite, allowExistingDirs: true })
        assert.deepStrictEqual(problems, ["Exists x"])
        assert.deepStrictEqual(pathsIn(target), ["x"])
      }),
    )
  }

  safely("one to a file, then a file of that name", ({ secret, target }) =>
    Effect.gen(function* () {
      const built = B.build({
        children: [B.raw("x", B.entry({ mode: 0o120777 }), B.symlink(secret)), B.file("y", "evil")],
      })
      const reader = renaming(yield* open(built.bytes), (name) => (name === "y" ? "x" : undefined))
      const { problems } = yield* extractFrom(reader, target)
      assert.deepStrictEqual(problems, ["Exists x"])
      assert.strictEqual(fs.readlinkSync(path.join(target, "x")), secret)
    }),
  )

  safely("one as the target of a hard link", ({ secret, target }) =>
    Effect.gen(function* () {
      const built = B.build({ children: [B.file("a", "fine"), B.linkTo("b", "a")] })
      const archive = yield* open(built.bytes)
      const file = path.join(target, "a")
      const reader = interfering(archive, "b", () => {
        fs.rmSync(file)
        fs.symlinkSync(secret, file)
      })
      const { problems } = yield* extractFrom(reader, target)
      assert.deepStrictEqual(problems, ["Copied b"])
      assert.strictEqual(readText(target, "b"), "fine")
      assert.isTrue(fs.lstatSync(path.join(target, "b")).isFile())
    }),
  )
})

describe("hard links in the archive", () => {
  safely("with a path that leads outside go by the position", ({ target }) =>
    Effect.gen(function* () {
      const { at } = B.build({ children: [B.file("a", "fine"), B.linkTo("b", "a")] })
      const back = at("b").nameStart - at("a").nameStart
      const built = B.build({
        children: [B.file("a", "fine"), B.raw("b", B.hardlink(back, "../outside/secret"))],
      })
      const { problems } = yield* extract(built, target)
      assert.deepStrictEqual(problems, [])
      assert.strictEqual(fs.statSync(path.join(target, "a")).ino, fs.statSync(path.join(target, "b")).ino)
    }),
  )

  it.effect("to a file that somebody replaced by one from outside become files of their own", () =>
    Effect.gen(function* () {
      const { secret, target } = yield* sandbox
      const file = path.join(target, "a")
      const built = B.build({ children: [B.file("a", "fine"), B.linkTo("b", "a")] })
      const reader = interfering(yield* open(built.bytes), "b", () => {
        fs.rmSync(file)
        fs.linkSync(secret, file)
      })
      const { problems } = yield* extractFrom(reader, target)
      assert.deepStrictEqual(problems, ["Copied b"])
      assert.strictEqual(readText(target, "b"), "fine")
      const { mode, nlink } = fs.statSync(secret)
      assert.deepStrictEqual([readText(secret), mode & 0o777, nlink], ["secret\n", 0o600, 2])
    }),
  )

  safely("into a folder that somebody replaced become files of their own", ({ base, outside, target }) =>
    Effect.gen(function* () {
      const built = B.build({ children: [B.folder("d", [B.file("secret", "fine")]), B.linkTo("z", "d/secret")] })
      const reader = interfering(yield* open(built.bytes), "z", () => {
        fs.renameSync(path.join(target, "d"), path.join(target, "moved"))
        fs.symlinkSync(outside, path.join(target, "d"))
      })
      const { problems } = yield* extractFrom(reader, target)
      assert.deepStrictEqual(problems, ["Copied z"])
      assert.strictEqual(readText(target, "z"), "fine")
      assert.deepStrictEqual(fs.readdirSync(base).toSorted(), ["outside", "target"])
    }),
  )
})

describe("what is in the target folder already", () => {
  const built = B.build({ children: [B.file("file", "new"), B.folder("folder", [B.file("child", "new")])] })

  const prepare = ({ outside, secret, target }: Sandbox): void => {
    fs.mkdirSync(target)
    fs.symlinkSync(secret, path.join(target, "file"))
    fs.symlinkSync(outside, path.join(target, "folder"))
  }

  safely("symbolic links stay, and nothing goes through them", (box) =>
    Effect.gen(function* () {
      prepare(box)
      const { problems } = yield* extract(built, box.target, { allowExistingDirs: true })
      assert.deepStrictEqual(problems, ["Exists file", "DirectoryLink folder"])
      assert.deepStrictEqual(pathsIn(box.target), ["file", "folder"])
      assert.strictEqual(fs.readlinkSync(path.join(box.target, "folder")), box.outside)
    }),
  )

  safely("symbolic links are replaced with overwrite, not followed, and those to folders are not", (box) =>
    Effect.gen(function* () {
      prepare(box)
      const { problems } = yield* extract(built, box.target, { allowExistingDirs: true, overwrite: true })
      assert.deepStrictEqual(problems, ["DirectoryLink folder"])
      assert.strictEqual(fs.readlinkSync(path.join(box.target, "folder")), box.outside)
      assert.strictEqual(readText(box.target, "file"), "new")
    }),
  )

  safely("symbolic links to folders are replaced with overwrite and force, not followed", (box) =>
    Effect.gen(function* () {
      prepare(box)
      const options = { allowExistingDirs: true, overwrite: true, force: true }
      const { problems } = yield* extract(built, box.target, options)
      assert.deepStrictEqual(problems, [])
      assert.deepStrictEqual(pathsIn(box.target), ["file", "folder", "folder/child"])
      assert.strictEqual(readText(box.target, "file"), "new")
    }),
  )

  safely("symbolic links on the way to what was asked for are not followed", (box) =>
    Effect.gen(function* () {
      prepare(box)
      const paths = [Buffer.from("folder/child")]
      const { problems } = yield* extract(built, box.target, { allowExistingDirs: true, paths })
      assert.deepStrictEqual(problems, ["DirectoryLink folder"])
    }),
  )

  it.effect("a hard link of a file outside is replaced with overwrite, its other name keeps everything", () =>
    Effect.gen(function* () {
      const { secret, target } = yield* sandbox
      fs.mkdirSync(target)
      fs.linkSync(secret, path.join(target, "file"))
      const { problems } = yield* extract(built, target, { overwrite: true })
      assert.deepStrictEqual(problems, [])
      const { mode, nlink } = fs.statSync(secret)
      assert.deepStrictEqual([readText(secret), mode & 0o777, nlink], ["secret\n", 0o600, 1])
      assert.strictEqual(readText(target, "file"), "new")
    }),
  )

  safely("a FIFO in the place of a file is not waited for", ({ target }) =>
    Effect.gen(function* () {
      fs.mkdirSync(target)
      for (const name of ["file", "folder"]) Materialize.makeNode(Buffer.from(path.join(target, name)), 0o10600)
      const { problems } = yield* extract(built, target, { allowExistingDirs: true })
      assert.deepStrictEqual(problems, ["Exists file", "Exists folder"])
    }),
  )

  safely("a folder in the place of a file stays, also with overwrite", ({ target }) =>
    Effect.gen(function* () {
      fs.mkdirSync(path.join(target, "file/full"), { recursive: true })
      const { problems } = yield* extract(built, target, { overwrite: true })
      assert.deepStrictEqual(problems, ["Exists file"])
      assert.isTrue(fs.existsSync(path.join(target, "file/full")))
    }),
  )
})

describe("two entries of one name", () => {
  safely("the one that a lookup finds is extracted, the other reported", ({ target }) =>
    Effect.gen(function* () {
      const built = B.build({ children: [B.file("x", "1", { key: "first" }), B.file("x", "2", { key: "second" })] })
      const { problems } = yield* extract(built, target, { overwrite: true })
      assert.deepStrictEqual(problems, ["Unreadable x"])
      assert.deepStrictEqual(pathsIn(target), ["x"])
    }),
  )

  /** As on a file system that takes both names for one. */
  const alike = Effect.map(
    open(B.build({ children: [B.file("x", "1"), B.file("y", "22"), B.linkTo("z", "x")] }).bytes),
    (reader) => renaming(reader, (name) => (name === "y" ? "x" : undefined)),
  )

  safely("on a file system that takes two names for one the first stays", ({ target }) =>
    Effect.gen(function* () {
      const { problems } = yield* extractFrom(yield* alike, target)
      assert.deepStrictEqual(problems, ["Exists x"])
      assert.deepStrictEqual([readText(target, "x"), readText(target, "z")], ["1", "1"])
    }),
  )

  for (const overwrite of ["always", "if-changed", "if-newer", "never"] as const) {
    for (const existed of [false, true]) {
      const where = existed ? "in a folder that was there" : "in a folder of this run"
      safely(`the first stays ${where} also with overwrite ${overwrite}`, ({ target }) =>
        Effect.gen(function* () {
          if (existed) fs.mkdirSync(target)
          const options = { overwrite, allowExistingDirs: true }
          const { problems } = yield* extractFrom(yield* alike, target, options)
          assert.deepStrictEqual(problems, ["Exists x"])
          assert.deepStrictEqual([readText(target, "x"), readText(target, "z")], ["1", "1"])
        }),
      )
    }
  }

  safely("the first stays where it replaces something of before, or is left as it was", ({ target }) =>
    Effect.gen(function* () {
      fs.mkdirSync(target)
      fs.writeFileSync(path.join(target, "x"), "old")
      const built = B.build({ children: [B.file("x", "1"), B.file("y", "22")] })
      for (const kept of [0, 1]) {
        const reader = renaming(yield* open(built.bytes), (name) => (name === "y" ? "x" : undefined))
        const { problems, report } = yield* extractFrom(reader, target, { overwrite: "if-changed" })
        assert.deepStrictEqual([problems, report.kept, readText(target, "x")], [["Exists x"], kept, "1"])
      }
    }),
  )

  for (const existed of [false, true]) {
    safely(`two folders of one name are not mixed${existed ? " in a folder that was there" : ""}`, ({ target }) =>
      Effect.gen(function* () {
        if (existed) fs.mkdirSync(path.join(target, "d"), { recursive: true })
        const built = B.build({ children: [B.folder("d", [B.file("a", "1")]), B.folder("e", [B.file("b", "2")])] })
        const reader = renaming(yield* open(built.bytes), (name) => (name === "e" ? "d" : undefined))
        const { problems } = yield* extractFrom(reader, target, { overwrite: true, allowExistingDirs: true })
        assert.deepStrictEqual(problems, ["Exists d"])
        assert.deepStrictEqual(pathsIn(target), ["d", "d/a"])
      }),
    )
  }
})

/** Folders in one another, each named `d`, and a FIFO `f` in each, behind the folder. */
const chain = Effect.fnUntraced(function* (depth: number) {
  const sink = ByteSink.makeMemory()
  const writer = yield* ArchiveWriter.make({ archive: sink })
  const ids = { uid: process.getuid!(), gid: process.getgid!() }
  const metadata = { ...ids, flags: 0n, mtimeSeconds: 1n, mtimeNanos: 2, attributes: noAttributes }
  yield* writer.beginRoot({ ...metadata, mode: 0o40755 })
  for (let i = 0; i < depth; i++) yield* writer.beginDirectory(Buffer.from("d"), { ...metadata, mode: 0o40755 })
  for (let i = 0; i < depth; i++) {
    yield* writer.addFifo(Buffer.from("f"), { ...metadata, mode: 0o10640 })
    yield* writer.endDirectory
  }
  yield* writer.finish
  return yield* open(sink.bytes())
})

describe("deep trees", () => {
  safely(
    "4096 levels are extracted with a bounded number of descriptors",
    ({ base, target }) =>
      Effect.gen(function* () {
        let seen = 0
        let most = 0
        const count = (): void => {
          if (seen++ % 128 === 0) most = Math.max(most, Descriptors.below(base).length)
        }
        const reader = interfering(interfering(yield* chain(4096), "d", count), "f", count)
        const { problems, report } = yield* extractFrom(reader, target)
        assert.deepStrictEqual(problems, [])
        assert.deepStrictEqual([report.folders, report.fifos], [4097, 4096])
        assert.isAtMost(most, ExtractFolders.MAX_OPEN + 1)
        const shown = execFileSync("find", [target, "-mindepth", "1", "-type", "d", "-printf", "%m %T@\n"]).toString()
        assert.deepStrictEqual([...new Set(shown.split("\n"))], ["755 1.0000000020", ""])
      }),
    120_000,
  )

  safely("deeper ones are left empty and reported", ({ target }) =>
    Effect.gen(function* () {
      const { all, problems } = yield* extractFrom(yield* chain(4), target, { maxDepth: 2 })
      assert.deepStrictEqual(problems, ["Unreadable d/d/d"])
      assert.include(all[0]?.message, "D11")
      assert.deepStrictEqual(pathsIn(target), ["d", "d/d", "d/d/d", "d/d/f", "d/f"])
    }),
  )

  safely("a folder that somebody moved away is not entered again", ({ base, outside, target }) =>
    Effect.gen(function* () {
      const depth = ExtractFolders.MAX_OPEN + 10
      let seen = 0
      const third = path.join(target, "d/d/d")
      // One of the folders that are open is moved out of one that is not, and that one is replaced.
      const reader = interfering(yield* chain(depth), "f", () => {
        if (seen++ > 0) return
        fs.renameSync(path.join(third, "d"), path.join(target, "d/moved"))
        fs.renameSync(third, path.join(target, "d/gone"))
        fs.symlinkSync(outside, third)
      })
      const { problems } = yield* extractFrom(reader, target)
      assert.deepStrictEqual(problems, ["Replaced d/d/d"])
      assert.isTrue(fs.existsSync(path.join(target, "d/d/f")))
      assert.deepStrictEqual(fs.readdirSync(base).toSorted(), ["outside", "target"])
    }),
  )
})
