/**
 * The same command again: what is missing or different is completed, what is right is left, what the archive does not
 * have can be deleted, and all of that can be shown or checked.
 */
import { execFileSync } from "node:child_process"
import * as fs from "node:fs"
import * as path from "node:path"
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import type * as Extractor from "../../../src/services/extract/Extractor.ts"
import * as B from "../../support/ArchiveBuilder.ts"
import { need } from "../../support/Requirements.ts"
import { extract, interfering, extractFrom, modeOf, pathsIn, readText, sandbox } from "./extraction.ts"
import { open } from "../archive/helpers.ts"

const text = (...args: ReadonlyArray<string>): ReadonlyArray<Uint8Array> => args.map((arg) => Buffer.from(arg))
const symlink = (name: string, target: string) => B.raw(name, B.entry({ mode: 0o120777 }), B.symlink(target))

const built = B.build({
  children: [
    B.file("a", "1"),
    B.folder("d", [B.file("b", "22"), symlink("l", "a"), B.linkTo("m", "d/b")], B.entry({ mode: 0o40755, seconds: 9 })),
    B.file("z", "333"),
  ],
})
const all = ["a", "d", "d/b", "d/l", "d/m", "z"]

const inodeOf = (...names: ReadonlyArray<string>): bigint => fs.lstatSync(path.join(...names), { bigint: true }).ino

/** Changes a file, and keeps its size and time. */
const spoil = (file: string, content: string): void => {
  const { atime, mtime } = fs.statSync(file)
  fs.writeFileSync(file, content)
  fs.utimesSync(file, atime, mtime)
}

describe("if-changed", () => {
  it.effect("leaves what is the same, restores the rest, and knows hard links again", () =>
    Effect.gen(function* () {
      const { target } = yield* sandbox
      yield* extract(built, target)
      const before = all.map((name) => inodeOf(target, name))
      const again = yield* extract(built, target, { overwrite: "if-changed" })
      assert.deepStrictEqual([again.problems, again.report.kept], [[], 5])
      assert.deepStrictEqual(
        all.map((name) => inodeOf(target, name)),
        before,
      )
      fs.rmSync(path.join(target, "a"))
      fs.rmSync(path.join(target, "d/m"))
      fs.writeFileSync(path.join(target, "z"), "other")
      fs.rmSync(path.join(target, "d/l"))
      fs.symlinkSync("b", path.join(target, "d/l"))
      const third = yield* extract(built, target, { overwrite: "if-changed" })
      assert.deepStrictEqual([third.problems, third.report.kept], [[], 1])
      assert.deepStrictEqual(pathsIn(target), all)
      assert.deepStrictEqual([readText(target, "a"), readText(target, "z")], ["1", "333"])
      assert.strictEqual(fs.readlinkSync(path.join(target, "d/l")), "a")
      assert.strictEqual(inodeOf(target, "d/m"), inodeOf(target, "d/b"))
    }),
  )

  it.effect("restores a file whose mode or owner is another", () =>
    Effect.gen(function* () {
      const { target } = yield* sandbox
      yield* extract(built, target)
      fs.chmodSync(path.join(target, "a"), 0o600)
      const { report } = yield* extract(built, target, { overwrite: "if-changed" })
      assert.deepStrictEqual([report.files, modeOf(target, "a")], [1, 0o644])
    }),
  )

  it.effect("makes a copy that should be a hard link one", () =>
    Effect.gen(function* () {
      const { target } = yield* sandbox
      yield* extract(built, target)
      fs.rmSync(path.join(target, "d/m"))
      execFileSync("cp", ["-p", path.join(target, "d/b"), path.join(target, "d/m")])
      const { report } = yield* extract(built, target, { overwrite: "if-changed" })
      assert.deepStrictEqual([report.hardLinks, inodeOf(target, "d/m")], [1, inodeOf(target, "d/b")])
    }),
  )
})

describe("the other ways", () => {
  const prepare = Effect.fnUntraced(function* (target: string) {
    yield* extract(built, target)
    fs.writeFileSync(path.join(target, "a"), "newer")
    fs.writeFileSync(path.join(target, "z"), "older")
    fs.utimesSync(path.join(target, "z"), new Date(-5000), new Date(-5000))
    fs.rmSync(path.join(target, "d/b"))
  })

  it.effect("if-newer replaces what is older, and counts what is newer", () =>
    Effect.gen(function* () {
      const { target } = yield* sandbox
      yield* prepare(target)
      const { problems, report } = yield* extract(built, target, { overwrite: "if-newer" })
      assert.deepStrictEqual([problems, report.newer], [[], 1])
      assert.deepStrictEqual(
        [readText(target, "a"), readText(target, "z"), readText(target, "d/b")],
        ["newer", "333", "22"],
      )
    }),
  )

  it.effect("never replaces nothing, makes what is missing, and says what differs", () =>
    Effect.gen(function* () {
      const { target } = yield* sandbox
      yield* prepare(target)
      const { problems } = yield* extract(built, target, { overwrite: "never" })
      assert.deepStrictEqual(problems, ["Exists a", "Exists z"])
      assert.deepStrictEqual(
        [readText(target, "a"), readText(target, "z"), readText(target, "d/b")],
        ["newer", "older", "22"],
      )
    }),
  )
})

describe("exclude", () => {
  for (const [exclude, paths, expected] of [
    [["d"], [], ["a", "z"]],
    [["/d/*"], [], ["a", "d", "z"]],
    [["b", "!d/b"], [], ["a", "d", "d/b", "d/l", "d/m", "z"]],
    [["d"], ["d/b"], []],
    [["m"], ["d"], ["d", "d/b", "d/l"]],
  ] as const) {
    it.effect(`${exclude.join(" ")} of ${paths.join(" ") || "everything"}`, () =>
      Effect.gen(function* () {
        const { target } = yield* sandbox
        yield* extract(built, target, { exclude: text(...exclude), paths: text(...paths) })
        assert.deepStrictEqual(pathsIn(target), expected)
      }),
    )
  }

  it.effect("does not enter what it leaves out, and names patterns by which nothing was", () =>
    Effect.gen(function* () {
      const { target } = yield* sandbox
      let entered = false
      const reader = interfering(yield* open(built.bytes), "b", () => (entered = true))
      const { report } = yield* extractFrom(reader, target, { exclude: text("d", "*.o") })
      assert.isFalse(entered)
      assert.deepStrictEqual(report.unusedExcludes.map(String), text("*.o").map(String))
    }),
  )
})

describe("strip", () => {
  const nested = B.build({
    children: [
      B.file("top", "0"),
      B.folder("one", [B.file("x", "1"), B.folder("sub", [B.file("y", "2")])]),
      B.folder("two", [B.folder("sub", [B.file("y", "3"), B.linkTo("w", "one/x")])]),
    ],
  })

  it.effect("leaves names out; folders become one, files do not", () =>
    Effect.gen(function* () {
      const { target } = yield* sandbox
      const { problems } = yield* extract(nested, target, { stripComponents: 1 })
      assert.deepStrictEqual(problems, ["Exists two/sub/y"])
      assert.deepStrictEqual(pathsIn(target), ["sub", "sub/w", "sub/y", "x"])
      assert.deepStrictEqual([readText(target, "sub/y"), readText(target, "sub/w")], ["2", "1"])
    }),
  )

  it.effect("of more names than there are extracts nothing", () =>
    Effect.gen(function* () {
      const { target } = yield* sandbox
      const { problems } = yield* extract(nested, target, { stripComponents: 9 })
      assert.deepStrictEqual([problems, pathsIn(target)], [[], []])
    }),
  )
})

describe("delete", () => {
  const options = { overwrite: "if-changed", delete: true } as const

  it.effect("makes an exact copy, however deep what goes is, and follows no link", () =>
    Effect.gen(function* () {
      const { outside, snapshot, target } = yield* sandbox
      const before = snapshot()
      yield* extract(built, target)
      let deep = path.join(target, "d/gone")
      for (let i = 0; i < 300; i++) deep = path.join(deep, "x")
      fs.mkdirSync(deep, { recursive: true })
      fs.symlinkSync(outside, path.join(target, "d/gone/link"))
      fs.symlinkSync(outside, path.join(target, "link"))
      fs.writeFileSync(path.join(target, "file"), "")
      const { problems, report } = yield* extract(built, target, options)
      assert.deepStrictEqual([problems, report.deleted, pathsIn(target)], [[], 3, all])
      assert.deepStrictEqual(snapshot(), before)
    }),
  )

  it.effect("spares what is excluded, and folders that are not extracted", () =>
    Effect.gen(function* () {
      const { target } = yield* sandbox
      yield* extract(built, target)
      fs.writeFileSync(path.join(target, "mine"), "")
      fs.writeFileSync(path.join(target, "d/x.o"), "")
      fs.writeFileSync(path.join(target, "d/goes"), "")
      yield* extract(built, target, { ...options, paths: text("d"), exclude: text("*.o") })
      assert.deepStrictEqual(pathsIn(target), [...all, "d/x.o", "mine"].toSorted())
    }),
  )

  it.effect("spares a folder of which the archive is damaged", () =>
    Effect.gen(function* () {
      const { target } = yield* sandbox
      yield* extract(built, target)
      fs.writeFileSync(path.join(target, "d/mine"), "")
      const damaged = { bytes: B.poke(built.bytes, built.at("d/b").start, 0n) }
      const { problems } = yield* extract(damaged, target, options)
      assert.include(problems, "NotDeleted d")
      assert.isTrue(fs.existsSync(path.join(target, "d/mine")))
      assert.strictEqual(readText(target, "d/b"), "22")
    }),
  )

  it.effect("spares what something is mounted on", (context) =>
    Effect.gen(function* () {
      need({ root: true })(context)
      const { outside, snapshot, target } = yield* sandbox
      yield* extract(built, target)
      const before = snapshot()
      const mounted = path.join(target, "d/gone/mounted")
      fs.mkdirSync(mounted, { recursive: true })
      yield* Effect.acquireRelease(
        Effect.sync(() => execFileSync("mount", ["--bind", outside, mounted])),
        () => Effect.sync(() => execFileSync("umount", ["-l", mounted])),
      )
      const { problems } = yield* extract(built, target, options)
      assert.deepStrictEqual(problems, ["NotDeleted d/gone"])
      assert.deepStrictEqual(snapshot(), before)
    }),
  )
})

describe("a dry run", () => {
  const planned = Effect.fnUntraced(function* (target: string, options: object) {
    const steps: Array<string> = []
    const onStep = (step: Extractor.Step) =>
      Effect.sync(() => void steps.push(`${step.action} ${step.kind} ${Buffer.from(step.path).toString()}`))
    const { report } = yield* extract(built, target, { ...options, dryRun: true, onStep })
    return { steps, report }
  })

  it.effect("says what would be made, and makes nothing, not even the target", () =>
    Effect.gen(function* () {
      const { target } = yield* sandbox
      const { report, steps } = yield* planned(target, {})
      assert.deepStrictEqual(steps, [
        "create file a",
        "create directory d",
        "create file d/b",
        "create symlink d/l",
        "create hardlink d/m",
        "create file z",
      ])
      assert.isFalse(fs.existsSync(target))
      assert.deepStrictEqual([report.files, report.hardLinks, report.bytes], [3, 1, 6])
    }),
  )

  it.effect("says what would be replaced and deleted, and changes nothing", () =>
    Effect.gen(function* () {
      const { target } = yield* sandbox
      yield* extract(built, target)
      fs.rmSync(path.join(target, "a"))
      fs.writeFileSync(path.join(target, "z"), "other")
      fs.mkdirSync(path.join(target, "d/gone"))
      const before = pathsIn(target)
      const { report, steps } = yield* planned(target, { overwrite: "if-changed", delete: true })
      assert.deepStrictEqual(steps, ["create file a", "delete directory d/gone", "replace file z"])
      assert.deepStrictEqual([pathsIn(target), readText(target, "z"), report.kept], [before, "other", 3])
    }),
  )
})

describe("verify", () => {
  it.effect("finds nothing where everything is right", () =>
    Effect.gen(function* () {
      const { target } = yield* sandbox
      const first = yield* extract(built, target, { verify: true })
      const again = yield* extract(built, target, { overwrite: "if-changed", verify: true })
      assert.deepStrictEqual([first.problems, again.problems], [[], []])
    }),
  )

  it.effect("finds contents that differ although size and time do not", () =>
    Effect.gen(function* () {
      const { target } = yield* sandbox
      yield* extract(built, target)
      spoil(path.join(target, "z"), "bad")
      const { problems, report } = yield* extract(built, target, { overwrite: "if-changed", verify: true })
      assert.deepStrictEqual([problems, report.unexpected], [["Differs z"], 1])
    }),
  )

  it.effect("finds what is gone, of another kind, or has other attributes", () =>
    Effect.gen(function* () {
      const { target } = yield* sandbox
      const act = () => {
        fs.rmSync(path.join(target, "a"))
        fs.chmodSync(path.join(target, "d/b"), 0o600)
        fs.rmSync(path.join(target, "d/l"))
        fs.mkdirSync(path.join(target, "d/l"))
      }
      let times = 0
      // Somebody acts when the run has come to the last file for the first time.
      const reader = interfering(yield* open(built.bytes), "z", () => void (times++ === 0 && act()))
      const { problems } = yield* extractFrom(reader, target, { verify: true })
      assert.deepStrictEqual(
        problems.filter((problem) => problem !== "Differs d"),
        ["Differs a", "Differs d/b", "Differs d/l", "Differs d/m"],
      )
    }),
  )
})

describe("folders of one's own that may not be written to", () => {
  const locked = B.build({
    children: [
      B.folder(
        "d",
        [B.file("a", "new"), B.folder("e", [B.file("b", "new")], B.entry({ mode: 0o40000 }))],
        B.entry({ mode: 0o40555 }),
      ),
    ],
  })

  /** Runs as an ordinary user, who the rights of root do not help. */
  it.effect("are made writable for the time of the run, and get their modes back", () =>
    Effect.gen(function* () {
      const { target } = yield* sandbox
      yield* extract(locked, target)
      fs.chmodSync(path.join(target, "d/e"), 0o000)
      const { problems } = yield* extract(locked, target, { overwrite: true, allowExistingDirs: true })
      assert.deepStrictEqual(problems, [])
      assert.deepStrictEqual([modeOf(target, "d"), modeOf(target, "d/e")], [0o555, 0o000])
    }),
  )

  it.effect("that are only on the way get their modes back too", () =>
    Effect.gen(function* () {
      const { target } = yield* sandbox
      yield* extract(locked, target)
      fs.chmodSync(path.join(target, "d"), 0o511)
      const options = { overwrite: true, allowExistingDirs: true, paths: text("d/e/b") }
      const { problems } = yield* extract(locked, target, options)
      assert.deepStrictEqual(problems, [])
      assert.strictEqual(modeOf(target, "d"), 0o511)
    }),
  )
})
