/** Contents, hard links, failures and interruption. What golden archives hold is in `Extractor.golden.test.ts`. */
import { execFileSync } from "node:child_process"
import * as fs from "node:fs"
import * as path from "node:path"
import { assert, describe, it } from "@effect/vitest"
import { Deferred, Effect, Fiber } from "effect"
import { beforeEach } from "vitest"
import * as ArchiveReader from "../../../src/services/archive/ArchiveReader.ts"
import * as Extractor from "../../../src/services/extract/Extractor.ts"
import * as B from "../../support/ArchiveBuilder.ts"
import * as Descriptors from "../../support/Descriptors.ts"
import { need } from "../../support/Requirements.ts"
import { extract, extractFrom, pathsIn, readText, sandbox } from "./extraction.ts"
import { absent, open, recorded } from "../archive/helpers.ts"

const MIB = 1024 * 1024

/** Bytes without zeros that are not all the same. */
const noise = (length: number): Buffer => Buffer.alloc(length, "not quite random ")

describe("contents", () => {
  it.effect("arrive as they are, whatever their size", () =>
    Effect.gen(function* () {
      const { target } = yield* sandbox
      const sizes = [0, 1, 4095, 4096, 4097, MIB - 1, MIB, MIB + 1, 2 * MIB, 9 * MIB + 5]
      const built = B.build({ children: sizes.map((size) => B.file(`s${size}`, noise(size))) })
      const { report } = yield* extract(built, target)
      for (const size of sizes) assert.isTrue(fs.readFileSync(path.join(target, `s${size}`)).equals(noise(size)))
      assert.strictEqual(
        report.bytes,
        sizes.reduce((sum, size) => sum + size),
      )
    }),
  )

  for (const [name, zeros] of [
    ["a small file", 256 * 1024],
    ["a large file", 2 * MIB],
  ] as const) {
    it.effect(`zeros become holes in ${name}`, () =>
      Effect.gen(function* () {
        const { target } = yield* sandbox
        // A hole at the start, one in the middle, one at the end that is no multiple of a block.
        const content = Buffer.concat([
          Buffer.alloc(zeros),
          noise(5000),
          Buffer.alloc(zeros),
          noise(10),
          Buffer.alloc(zeros),
        ])
        yield* extract(B.build({ children: [B.file("sparse", content)] }), target)
        const file = path.join(target, "sparse")
        assert.isTrue(fs.readFileSync(file).equals(content))
        assert.isAtMost(fs.statSync(file).blocks * 512, 64 * 1024)
      }),
    )
  }

  it.effect("of nothing but zeros take no room", () =>
    Effect.gen(function* () {
      const { target } = yield* sandbox
      yield* extract(B.build({ children: [B.file("zeros", Buffer.alloc(MIB))] }), target)
      const { blocks, size } = fs.statSync(path.join(target, "zeros"))
      assert.deepStrictEqual([size, blocks], [MIB, 0])
    }),
  )

  it.effect("of a split archive come from its payload archive", () =>
    Effect.gen(function* () {
      const { target } = yield* sandbox
      const built = B.build({
        version: 2,
        children: [B.file("small", "hi"), B.file("large", noise(5 * MIB)), B.file("none")],
      })
      const { problems } = yield* extract(built, target)
      assert.deepStrictEqual(problems, [])
      assert.strictEqual(readText(target, "small"), "hi")
      assert.isTrue(fs.readFileSync(path.join(target, "large")).equals(noise(5 * MIB)))
    }),
  )

  it.effect("of a split archive without its payload archive are left out, and everything else is extracted", () =>
    Effect.gen(function* () {
      const { target } = yield* sandbox
      const built = B.build({ version: 2, children: [B.folder("d", [B.file("x", "hi"), B.file("none")])] })
      const { all, problems } = yield* extractFrom(yield* ArchiveReader.make(recorded(built.bytes), absent), target)
      assert.deepStrictEqual(problems, ["Unreadable d/x"])
      assert.include(all[0]?.message, "P5")
      assert.deepStrictEqual(pathsIn(target), ["d", "d/none"])
    }),
  )
})

describe("hard links", () => {
  const inode = (...names: ReadonlyArray<string>): number => fs.statSync(path.join(...names)).ino

  it.effect("across folders are one file", () =>
    Effect.gen(function* () {
      const { target } = yield* sandbox
      const built = B.build({
        children: [
          B.folder("a", [B.folder("b", [B.file("x", "1"), B.file("y", "2")])]),
          B.folder("c", [B.linkTo("x", "a/b/x"), B.folder("d", [B.linkTo("y", "a/b/y")])]),
          B.linkTo("z", "a/b/x"),
        ],
      })
      const { problems, report } = yield* extract(built, target)
      assert.deepStrictEqual(problems, [])
      assert.deepStrictEqual([report.files, report.hardLinks], [2, 3])
      assert.strictEqual(inode(target, "c/x"), inode(target, "a/b/x"))
      assert.strictEqual(inode(target, "z"), inode(target, "a/b/x"))
      assert.strictEqual(inode(target, "c/d/y"), inode(target, "a/b/y"))
    }),
  )

  const outsideSelection = B.build({
    children: [
      B.file("target", "content"),
      B.folder("wanted", [B.linkTo("a", "target"), B.linkTo("b", "target")]),
      B.linkTo("c", "target"),
    ],
  })

  it.effect("to a file that is not selected: the first is that file, the others are links to it", () =>
    Effect.gen(function* () {
      const { target } = yield* sandbox
      const { problems, report } = yield* extract(outsideSelection, target, { paths: [Buffer.from("wanted")] })
      assert.deepStrictEqual(problems, [])
      assert.deepStrictEqual([report.files, report.hardLinks], [1, 1])
      assert.deepStrictEqual(pathsIn(target), ["wanted", "wanted/a", "wanted/b"])
      assert.strictEqual(inode(target, "wanted/a"), inode(target, "wanted/b"))
      assert.strictEqual(readText(target, "wanted/b"), "content")
    }),
  )

  it.effect("to a file that is there already do not lead to that", () =>
    Effect.gen(function* () {
      const { target } = yield* sandbox
      fs.mkdirSync(target)
      fs.writeFileSync(path.join(target, "target"), "somebody else's")
      const { problems } = yield* extract(outsideSelection, target)
      assert.deepStrictEqual(problems, ["Exists target"])
      assert.strictEqual(readText(target, "wanted/a"), "content")
      assert.strictEqual(inode(target, "c"), inode(target, "wanted/b"))
    }),
  )

  it.effect("are made again with overwrite", () =>
    Effect.gen(function* () {
      const { target } = yield* sandbox
      for (let run = 0; run < 2; run++) {
        const { problems } = yield* extract(outsideSelection, target, { overwrite: true, allowExistingDirs: true })
        assert.deepStrictEqual(problems, [])
        assert.strictEqual(fs.statSync(path.join(target, "c")).nlink, 4)
      }
    }),
  )
})

describe("what cannot be read", () => {
  const built = B.build({
    children: [B.file("a", "1"), B.file("big", noise(9 * MIB + 7)), B.file("small", noise(22)), B.file("z", "3")],
  })

  /** A reader whose source fails to read just this many bytes. */
  const failingAt = Effect.fnUntraced(function* (bytes: number) {
    const source = recorded(built.bytes)
    source.failOn = (_, length) => length === bytes
    return yield* ArchiveReader.make(source, absent)
  })

  it.effect("of a large file takes what was written of it away, and the others are extracted", () =>
    Effect.gen(function* () {
      const { base, target } = yield* sandbox
      const { problems } = yield* extractFrom(yield* failingAt(7), target)
      assert.deepStrictEqual(problems, ["Unreadable big"])
      assert.deepStrictEqual(pathsIn(target), ["a", "small", "z"])
      assert.deepStrictEqual(Descriptors.below(base), [])
    }),
  )

  it.effect("of a small file costs that file", () =>
    Effect.gen(function* () {
      const { target } = yield* sandbox
      const { all, problems } = yield* extractFrom(yield* failingAt(22), target)
      assert.deepStrictEqual(problems, ["Unreadable small"])
      assert.include(all[0]?.message, "disk on fire")
      assert.deepStrictEqual(pathsIn(target), ["a", "big", "z"])
    }),
  )

  it.effect("of a folder's table keeps nothing of it back, nor its attributes", () =>
    Effect.gen(function* () {
      const { target } = yield* sandbox
      const head = B.entry({ mode: 0o40750, seconds: 1234 })
      const tree = B.build({ children: [B.folder("d", [B.file("x", "1")], head), B.file("z", "2")] })
      const { problems } = yield* extract({ bytes: B.poke(tree.bytes, tree.at("d").goodbye, 0n) }, target)
      assert.deepStrictEqual(problems, [])
      assert.deepStrictEqual(pathsIn(target), ["d", "d/x", "z"])
      const { mode, mtimeMs } = fs.statSync(path.join(target, "d"))
      assert.deepStrictEqual([mode & 0o7777, mtimeMs], [0o750, 1_234_000])
    }),
  )
})

describe("interruption", () => {
  /** A reader that waits for ever when it is to read just this many bytes, and tells when it does. */
  const waitingAt = Effect.fnUntraced(function* (built: B.Built, bytes: number) {
    const reached = yield* Deferred.make<void>()
    const source = recorded(built.bytes)
    const reader = yield* ArchiveReader.make(
      {
        ...source,
        read: (target, offset) =>
          target.length === bytes
            ? Effect.andThen(Deferred.succeed(reached, undefined), Effect.never)
            : source.read(target, offset),
      },
      absent,
    )
    return { reached, reader }
  })

  const built = B.build({
    children: [B.folder("d", [B.file("a", "1"), B.file("big", noise(9 * MIB + 7)), B.file("z", noise(22))])],
  })

  it.effect("in a large file leaves nothing of it and closes everything", () =>
    Effect.gen(function* () {
      const { base, target } = yield* sandbox
      const { reached, reader } = yield* waitingAt(built, 7)
      const fiber = yield* Effect.forkChild(extractFrom(reader, target))
      yield* Deferred.await(reached)
      assert.deepStrictEqual(pathsIn(target), ["d", "d/a"])
      yield* Fiber.interrupt(fiber)
      assert.deepStrictEqual(pathsIn(target), ["d", "d/a"])
      assert.deepStrictEqual(Descriptors.below(base), [])
    }),
  )

  it.effect("leaves folders that were not complete open to their owner only", () =>
    Effect.gen(function* () {
      const { target } = yield* sandbox
      const { reached, reader } = yield* waitingAt(built, 22)
      const fiber = yield* Effect.forkChild(extractFrom(reader, target))
      yield* Deferred.await(reached)
      yield* Fiber.interrupt(fiber)
      assert.strictEqual(fs.statSync(path.join(target, "d")).mode & 0o7777, 0o700)
    }),
  )

  it.live("others have their turn while many entries are extracted", () =>
    Effect.gen(function* () {
      const { target } = yield* sandbox
      const many = B.build({ children: Array.from({ length: 1000 }, (_, i) => B.file(`f${i}`, "x")) })
      let turns = 0
      const timer = setInterval(() => turns++, 5)
      yield* Effect.ensuring(
        extract(many, target),
        Effect.sync(() => clearInterval(timer)),
      )
      assert.isAbove(turns, 0)
    }),
  )
})

describe("the target", () => {
  const built = B.build({ root: B.entry({ mode: 0o40750, seconds: 77 }), children: [B.file("x", "1")] })

  it.effect("is made, with the folders above it, and gets the attributes of the root", () =>
    Effect.gen(function* () {
      const { target } = yield* sandbox
      yield* extract(built, path.join(target, "a/b"))
      const { mode, mtimeMs } = fs.statSync(path.join(target, "a/b"))
      assert.deepStrictEqual([mode & 0o7777, mtimeMs], [0o750, 77_000])
      assert.notStrictEqual(fs.statSync(path.join(target, "a")).mode & 0o777, 0o700)
    }),
  )

  it.effect("may be a symbolic link to a folder", () =>
    Effect.gen(function* () {
      const { base, target } = yield* sandbox
      fs.mkdirSync(path.join(base, "real"))
      fs.symlinkSync("real", target)
      yield* extract(built, target)
      assert.deepStrictEqual(pathsIn(path.join(base, "real")), ["x"])
    }),
  )

  it.effect("must not be a file", () =>
    Effect.gen(function* () {
      const { target } = yield* sandbox
      fs.writeFileSync(target, "")
      const error = yield* Effect.flip(extract(built, target))
      assert.instanceOf(error, Extractor.ExtractError)
      assert.strictEqual(error.message, `${target}: cannot extract into this folder: not a directory`)
    }),
  )

  it.effect("stays as it is when only something in it is asked for", () =>
    Effect.gen(function* () {
      const { target } = yield* sandbox
      fs.mkdirSync(target)
      const { mode } = fs.statSync(target)
      yield* extract(built, target, { paths: [Buffer.from("x")] })
      assert.strictEqual(fs.statSync(target).mode, mode)
    }),
  )
})

describe("a full file system", () => {
  beforeEach(need({ root: true, mount: true }))

  it.effect("ends the run, without a half written file", () =>
    Effect.gen(function* () {
      const { base } = yield* sandbox
      const target = path.join(base, "small")
      fs.mkdirSync(target)
      yield* Effect.acquireRelease(
        Effect.sync(() => execFileSync("mount", ["-t", "tmpfs", "-o", "size=1m", "tmpfs", target])),
        () => Effect.sync(() => execFileSync("umount", [target])),
      )
      const built = B.build({ children: [B.file("a", "1"), B.file("big", noise(3 * MIB)), B.file("z", "3")] })
      const error = yield* Effect.flip(extract(built, target))
      assert.instanceOf(error, Extractor.ExtractError)
      assert.strictEqual(error.reason, "Full")
      assert.include(error.message, "big: cannot write the file: no space left on device")
      assert.deepStrictEqual(pathsIn(target), ["a"])
    }),
  )
})

describe("progress", () => {
  it.effect("is told at the end", () =>
    Effect.gen(function* () {
      const { target } = yield* sandbox
      const built = B.build({ children: [B.file("a", "12345"), B.folder("d", [B.file("b", "678")])] })
      let last: Extractor.Progress | undefined
      yield* extract(built, target, { onProgress: (progress) => (last = { ...progress }) })
      assert.deepStrictEqual(last, { entries: 4, bytes: 8, position: built.bytes.length, size: built.bytes.length })
    }),
  )

  it.live("is told meanwhile, and never goes back", () =>
    Effect.gen(function* () {
      const { target } = yield* sandbox
      const built = B.build({ children: [B.file("a", noise(64 * MIB)), B.file("b", noise(64 * MIB))] })
      const seen: Array<Extractor.Progress> = []
      yield* extract(built, target, { onProgress: (progress) => void seen.push({ ...progress }) })
      assert.isAtLeast(seen.length, 2)
      for (const [i, { bytes, position }] of seen.slice(1).entries()) {
        assert.isAtLeast(bytes, seen[i]!.bytes)
        assert.isAtLeast(position, seen[i]!.position)
      }
    }),
  )
})

it.effect("a problem that nobody can hear of ends the run", () =>
  Effect.gen(function* () {
    const { target } = yield* sandbox
    const built = B.build({ children: [B.file("..", "1", { key: "bad" }), B.file("zz", "2")] })
    const run = Extractor.extract(
      { reader: yield* open(built.bytes), find: () => Effect.die("not asked for") },
      { target, onProblem: (problem) => Effect.fail(problem.kind) },
    )
    assert.strictEqual(yield* Effect.flip(run), "Unreadable")
    assert.deepStrictEqual(Descriptors.below(target), [])
  }),
)
