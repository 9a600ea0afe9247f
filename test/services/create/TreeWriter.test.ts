import * as fs from "node:fs"
import { assert, describe, it } from "@effect/vitest"
import { Clock, Effect } from "effect"
import * as ArchiveWriter from "../../../src/services/create/ArchiveWriter.ts"
import * as ByteSink from "../../../src/services/bytes/ByteSink.ts"
import * as DiskTree from "../../../src/services/disk/DiskTree.ts"
import type { DiskWarning } from "../../../src/services/disk/DiskWarning.ts"
import * as TreeWriter from "../../../src/services/create/TreeWriter.ts"
import * as Processes from "../../support/Processes.ts"
import * as SourceFolder from "../../support/SourceFolder.ts"
import * as Tree from "../../support/Tree.ts"

const broken = (path: string) =>
  new DiskTree.SourceTreeError({ path, operation: "read", code: "EIO", detail: "i/o error" })

/** Writes a folder into memory through a tree that `change` has changed; warnings as `kind path`. */
const write = Effect.fnUntraced(function* (
  files: Readonly<Record<string, string | Uint8Array>>,
  change: (tree: DiskTree.DiskTree, folder: string) => Partial<DiskTree.DiskTree>,
) {
  const folder = yield* Processes.temporaryFolder
  SourceFolder.makeFiles(folder, files)
  const tree = yield* DiskTree.open(folder)
  const archive = ByteSink.makeMemory()
  const writer = yield* ArchiveWriter.make({ archive })
  const warnings: Array<string> = []
  const changed = { ...tree, ...change(tree, folder) }
  const progress = yield* TreeWriter.write(changed, writer, {
    exclude: [],
    used: new Set(),
    record: undefined,
    oneFileSystem: true,
    deviceNodes: true,
    fifos: true,
    sockets: true,
    leftOut: new Set(),
    onProgress: () => undefined,
    onWarning: ({ kind, path }: DiskWarning) => Effect.sync(() => void warnings.push(`${kind} ${Tree.key(path)}`)),
  })
  yield* writer.finish
  const read = yield* Tree.readBytes(archive.bytes())
  const contents = Object.fromEntries(
    read.children.map(({ name, tree }) => [
      Tree.key(name),
      tree._tag === "File" ? Buffer.from(tree.content).toString("latin1") : tree._tag,
    ]),
  )
  return { contents, progress, warnings }
})

describe("a small file", () => {
  for (const [title, size, warning, stored] of [
    ["that has shrunk is filled up", 3, "Shrunk b", "abc\0\0"],
    ["that is empty now is filled up", 0, "Shrunk b", "\0\0\0\0\0"],
    ["that has grown is cut", 6, "Grown b", "abcde"],
  ] as const) {
    it.effect(title, () =>
      Effect.gen(function* () {
        const result = yield* write({ a: "1", b: "abcde", c: "3" }, (tree, folder) => ({
          // Between status and contents.
          metadata: (entry) => {
            if (Tree.key(entry.name) === "b") fs.writeFileSync(`${folder}/b`, "abcdefghi".slice(0, size))
            return tree.metadata(entry)
          },
        }))
        assert.deepStrictEqual(result.warnings, [warning])
        assert.deepStrictEqual(result.contents, { a: "1", b: stored, c: "3" })
        assert.deepStrictEqual(result.progress, { entries: 4, contentBytes: 2 + Math.min(size, 5) })
      }),
    )
  }
})

describe("a disk with bad blocks", () => {
  it.effect("leaves zeros in a file", () =>
    Effect.gen(function* () {
      const { contents, warnings } = yield* write({ a: "1", b: "abcde", c: "3" }, (tree) => ({
        read: (file, target, offset) =>
          Tree.key(file.name) !== "b"
            ? tree.read(file, target, offset)
            : offset < 2
              ? tree.read(file, target.subarray(0, 2), offset)
              : Effect.fail(broken("b")),
      }))
      assert.deepStrictEqual(warnings, ["Damaged b"])
      assert.deepStrictEqual(contents, { a: "1", b: "ab\0\0\0", c: "3" })
    }),
  )

  it.effect("leaves a folder out", () =>
    Effect.gen(function* () {
      const { contents, warnings } = yield* write({ a: "1", "b/x": "", c: "3" }, (tree) => ({
        list: (directory) => (Tree.key(directory.name) === "b" ? Effect.fail(broken("b")) : tree.list(directory)),
      }))
      assert.deepStrictEqual(warnings, ["Unreadable b"])
      assert.deepStrictEqual(contents, { a: "1", c: "3" })
    }),
  )

  it.effect("ends the archive if the root cannot be listed", () =>
    Effect.gen(function* () {
      const error = yield* Effect.flip(write({ a: "1" }, () => ({ list: () => Effect.fail(broken(".")) })))
      assert.strictEqual(error._tag, "SourceTreeError")
    }),
  )

  it.effect("leaves a link out", () =>
    Effect.gen(function* () {
      const { contents, warnings } = yield* write({ a: "1", c: "3" }, (tree, folder) => {
        fs.symlinkSync("x", `${folder}/b`)
        return { readLink: () => Effect.fail(broken("b")), list: tree.list }
      })
      assert.deepStrictEqual(warnings, ["Unreadable b"])
      assert.deepStrictEqual(contents, { a: "1", c: "3" })
    }),
  )
})

describe("what no archive holds", () => {
  it.effect("is left out: a link without a target", () =>
    Effect.gen(function* () {
      const { contents, warnings } = yield* write({ a: "1", c: "3" }, (_, folder) => {
        fs.symlinkSync("x", `${folder}/b`)
        return { readLink: () => Effect.succeed(new Uint8Array(0)) }
      })
      assert.deepStrictEqual(warnings, ["Unfit b"])
      assert.deepStrictEqual(contents, { a: "1", c: "3" })
    }),
  )
})

describe("others", () => {
  it.effect("get a turn while a slow disk is read", () =>
    Effect.gen(function* () {
      let turns = 0
      let isDone = false
      const count = (): void => {
        turns++
        if (!isDone) setImmediate(count)
      }
      setImmediate(count)
      const files = Object.fromEntries(Array.from({ length: 40 }, (_, i) => [`f${i}`, ""]))
      let now = 0n
      const clock: Clock.Clock = Object.assign(Object.create(yield* Clock.Clock), {
        monotonicTimeNanosUnsafe: () => now,
      })
      const writing = write(files, (tree) => ({
        open: (directory, listing, index) => {
          now += 5_000_000n
          return tree.open(directory, listing, index)
        },
      }))
      yield* Effect.provideService(writing, Clock.Clock, clock)
      isDone = true
      // 200 ms of work, a turn every 20 ms or so.
      assert.isAtLeast(turns, 5)
    }),
  )
})
