/**
 * What is there stays until its replacement is whole, whatever ends a run, and for every kind of entry.
 */
import { execFileSync } from "node:child_process"
import * as fs from "node:fs"
import * as path from "node:path"
import { assert, describe, it } from "@effect/vitest"
import { Deferred, Effect, Fiber } from "effect"
import * as ArchiveError from "../../../src/services/archive/ArchiveError.ts"
import type * as ArchiveReader from "../../../src/services/archive/ArchiveReader.ts"
import * as B from "../../support/ArchiveBuilder.ts"
import * as Descriptors from "../../support/Descriptors.ts"
import * as Materialize from "../../support/Materialize.ts"
import { beforeEach } from "vitest"
import { need } from "../../support/Requirements.ts"
import { extract, extractFrom, pathsIn, readText, sandbox } from "./extraction.ts"
import { open } from "../archive/helpers.ts"

const MIB = 1024 * 1024
const symlink = (name: string, target: string) => B.raw(name, B.entry({ mode: 0o120777 }), B.symlink(target))
const fifo = (name: string) => B.raw(name, B.entry({ mode: 0o10644 }))

/** A reader whose contents from byte `from` on cannot be read, or never come. */
const failingAt = (
  reader: ArchiveReader.ArchiveReader,
  from: number,
  outcome: Effect.Effect<never, ArchiveError.ArchiveError>,
): ArchiveReader.ArchiveReader => ({
  ...reader,
  content: (node, offset, target) => (offset >= from ? outcome : reader.content(node, offset, target)),
})

const unreadable = Effect.fail(
  new ArchiveError.ArchiveError({
    archive: "a",
    kind: "IO",
    check: "UNAVAILABLE",
    offset: 0,
    detail: "it is gone",
    errno: 5,
  }),
)

const always = { overwrite: true, allowExistingDirs: true } as const

describe("a file", () => {
  for (const [size, from] of [
    [100, 0],
    [3 * MIB, 2 * MIB],
  ] as const) {
    it.effect(`of ${size} bytes whose content cannot be read leaves what was there as it was`, () =>
      Effect.gen(function* () {
        const { target } = yield* sandbox
        fs.mkdirSync(target)
        fs.writeFileSync(path.join(target, "x"), "the only good copy")
        const reader = yield* open(B.build({ children: [B.file("x", Buffer.alloc(size, 7))] }).bytes)
        const { problems } = yield* extractFrom(failingAt(reader, from, unreadable), target, always)
        assert.deepStrictEqual(problems, ["Unreadable x"])
        assert.deepStrictEqual([pathsIn(target), readText(target, "x")], [["x"], "the only good copy"])
      }),
    )
  }

  it.effect("that is being written when the run is interrupted leaves what was there as it was", () =>
    Effect.gen(function* () {
      const { base, target } = yield* sandbox
      fs.mkdirSync(target)
      fs.writeFileSync(path.join(target, "x"), "the only good copy")
      const reached = yield* Deferred.make<void>()
      const reader = yield* open(B.build({ children: [B.file("x", Buffer.alloc(3 * MIB, 7))] }).bytes)
      const waiting = failingAt(reader, 2 * MIB, Effect.andThen(Deferred.succeed(reached, undefined), Effect.never))
      const fiber = yield* Effect.forkChild(extractFrom(waiting, target, always))
      yield* Deferred.await(reached)
      yield* Fiber.interrupt(fiber)
      assert.deepStrictEqual([pathsIn(target), readText(target, "x")], [["x"], "the only good copy"])
      assert.deepStrictEqual(Descriptors.below(base), [])
    }),
  )

  it.effect("for which the disk has no room leaves what was there as it was", (context) =>
    Effect.gen(function* () {
      need({ root: true })(context)
      const { base } = yield* sandbox
      const disk = path.join(base, "disk")
      fs.mkdirSync(disk)
      yield* Effect.acquireRelease(
        Effect.sync(() => execFileSync("mount", ["-t", "tmpfs", "-o", "size=2m", "none", disk])),
        () => Effect.sync(() => execFileSync("umount", ["-l", disk])),
      )
      fs.writeFileSync(path.join(disk, "x"), "the only good copy")
      const built = B.build({ children: [B.file("x", Buffer.alloc(3 * MIB, 7))] })
      const error = yield* Effect.flip(extract(built, disk, always))
      assert.match(error.message, /takes no more/)
      assert.deepStrictEqual([pathsIn(disk), readText(disk, "x")], [["x"], "the only good copy"])
    }),
  )

  it.effect("is never written into: another name of what was there keeps its content", () =>
    Effect.gen(function* () {
      const { target } = yield* sandbox
      fs.mkdirSync(target)
      fs.writeFileSync(path.join(target, "x"), "old")
      fs.linkSync(path.join(target, "x"), path.join(target, "other"))
      yield* extract(B.build({ children: [B.file("x", "new")] }), target, always)
      assert.deepStrictEqual([readText(target, "x"), readText(target, "other")], ["new", "old"])
    }),
  )
})

describe("each kind takes the place of each other kind that is no folder", () => {
  beforeEach(need({ root: true }))
  const kinds = {
    file: B.file("x", "new"),
    symlink: symlink("x", "somewhere"),
    fifo: fifo("x"),
    hardlink: B.linkTo("x", "a"),
    folder: B.folder("x", [B.file("in", "1")]),
  }
  const before: Record<string, (at: string) => void> = {
    file: (at) => fs.writeFileSync(at, "old"),
    symlink: (at) => fs.symlinkSync("nowhere", at),
    fifo: (at) => Materialize.makeNode(Buffer.from(at), 0o10600),
  }
  for (const [kind, entry] of Object.entries(kinds)) {
    for (const [old, make] of Object.entries(before)) {
      it.effect(`${kind} over ${old}`, () =>
        Effect.gen(function* () {
          const { target } = yield* sandbox
          fs.mkdirSync(target)
          make(path.join(target, "x"))
          const { problems } = yield* extract(B.build({ children: [B.file("a", "1"), entry] }), target, always)
          assert.deepStrictEqual(problems, [])
          assert.deepStrictEqual(pathsIn(target), kind === "folder" ? ["a", "x", "x/in"] : ["a", "x"])
          const status = fs.lstatSync(path.join(target, "x"))
          const found = {
            file: status.isFile() && status.nlink === 1,
            hardlink: status.isFile() && status.nlink === 2,
            symlink: status.isSymbolicLink(),
            fifo: status.isFIFO(),
            folder: status.isDirectory(),
          }
          assert.isTrue(found[kind as keyof typeof found])
        }),
      )
    }
  }
})

describe("a folder in the place of a file", () => {
  const built = B.build({ children: [B.folder("x", [B.file("a", "1"), B.file("b", Buffer.alloc(3 * MIB, 7))])] })

  it.effect("stays out if not all of it can be had, and the file stays", () =>
    Effect.gen(function* () {
      const { target } = yield* sandbox
      fs.mkdirSync(target)
      fs.writeFileSync(path.join(target, "x"), "the only good copy")
      const { problems } = yield* extractFrom(failingAt(yield* open(built.bytes), MIB, unreadable), target, always)
      assert.deepStrictEqual(problems, ["Unreadable x/b", "NotCreated x"])
      assert.deepStrictEqual([pathsIn(target), readText(target, "x")], [["x"], "the only good copy"])
    }),
  )

  it.effect("stays out when the run is interrupted in it, and the file stays", () =>
    Effect.gen(function* () {
      const { base, target } = yield* sandbox
      fs.mkdirSync(target)
      fs.writeFileSync(path.join(target, "x"), "the only good copy")
      const reached = yield* Deferred.make<void>()
      const never = Effect.andThen(Deferred.succeed(reached, undefined), Effect.never)
      const reader = failingAt(yield* open(built.bytes), MIB, never)
      const fiber = yield* Effect.forkChild(extractFrom(reader, target, always))
      yield* Deferred.await(reached)
      assert.strictEqual(readText(target, "x"), "the only good copy")
      yield* Fiber.interrupt(fiber)
      assert.deepStrictEqual([pathsIn(target), readText(target, "x")], [["x"], "the only good copy"])
      assert.deepStrictEqual(Descriptors.below(base), [])
    }),
  )
})

describe("a folder that is there", () => {
  it.effect("makes way for what is no folder with force, in one step, and all in it goes", () =>
    Effect.gen(function* () {
      const { target } = yield* sandbox
      fs.mkdirSync(path.join(target, "x/deep/er"), { recursive: true })
      fs.writeFileSync(path.join(target, "x/deep/file"), "old")
      fs.mkdirSync(path.join(target, "y"))
      const built = B.build({ children: [B.file("x", "new"), symlink("y", "x")] })
      const { problems } = yield* extract(built, target, { ...always, force: true })
      assert.deepStrictEqual(problems, [])
      assert.deepStrictEqual(pathsIn(target), ["x", "y"])
      assert.deepStrictEqual([readText(target, "x"), fs.readlinkSync(path.join(target, "y"))], ["new", "x"])
    }),
  )

  it.effect("stays with force if its replacement cannot be read", () =>
    Effect.gen(function* () {
      const { target } = yield* sandbox
      fs.mkdirSync(path.join(target, "x"), { recursive: true })
      fs.writeFileSync(path.join(target, "x/file"), "old")
      const reader = failingAt(yield* open(B.build({ children: [B.file("x", "new")] }).bytes), 0, unreadable)
      const { problems } = yield* extractFrom(reader, target, { ...always, force: true })
      assert.deepStrictEqual([problems, pathsIn(target)], [["Unreadable x"], ["x", "x/file"]])
    }),
  )
})

describe("what a killed run has left", () => {
  const name = (pid: number) => `.pxar-fuse-${pid}-0123456789abcdef.tmp`
  const built = B.build({ children: [B.folder("d", [B.file("a", "1")])] })

  it.effect("is removed from every folder that is extracted into", () =>
    Effect.gen(function* () {
      const { target } = yield* sandbox
      fs.mkdirSync(path.join(target, "d", name(4194304), "with"), { recursive: true })
      fs.writeFileSync(path.join(target, name(4194304)), "half")
      const { problems } = yield* extract(built, target, { overwrite: "if-changed" })
      assert.deepStrictEqual([problems, pathsIn(target)], [[], ["d", "d/a"]])
    }),
  )

  it.effect("is named and stays if its process can be at work", () =>
    Effect.gen(function* () {
      const { target } = yield* sandbox
      fs.mkdirSync(path.join(target, "d"), { recursive: true })
      fs.writeFileSync(path.join(target, "d", name(1)), "at work")
      const { problems, report } = yield* extract(built, target, { overwrite: "if-changed" })
      assert.deepStrictEqual([problems, report.unexpected], [["Leftover d"], 0])
      assert.isTrue(fs.existsSync(path.join(target, "d", name(1))))
    }),
  )

  it.effect("is told from what looks alike", () =>
    Effect.gen(function* () {
      const { target } = yield* sandbox
      const alike = [".pxar-fuse-4194304-0123456789abcdef.tmp~", ".pxar-fuse-x-0123456789abcdef.tmp", ".pxar-fuse-"]
      fs.mkdirSync(target)
      for (const file of alike) fs.writeFileSync(path.join(target, file), "mine")
      yield* extract(built, target, { overwrite: "if-changed" })
      assert.deepStrictEqual(pathsIn(target), [...alike, "d", "d/a"].toSorted())
    }),
  )
})
