/** What `ArchiveWriter` refuses to write. */
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { noAttributes } from "../../../src/domain/pxar/Entry.ts"
import * as ArchiveWriter from "../../../src/services/create/ArchiveWriter.ts"
import * as ByteSink from "../../../src/services/bytes/ByteSink.ts"
import * as Tree from "../../support/Tree.ts"
import { head, folderHead, fileHead, name } from "./heads.ts"

describe("refusals", () => {
  const begun = Effect.fnUntraced(function* (payload?: ByteSink.Sink) {
    const archive = ByteSink.makeMemory()
    const writer = yield* ArchiveWriter.make({ archive, payload })
    yield* writer.beginRoot(folderHead)
    return { archive, writer }
  })
  const long = Buffer.alloc(4097, "x")
  const cases: ReadonlyArray<
    readonly [string, string, (writer: ArchiveWriter.ArchiveWriter) => Effect.Effect<unknown, unknown>]
  > = [
    ["an empty name", "H3", (writer) => writer.addFifo(name(""), head(0o10600))],
    ["a name of 4097 bytes", "H3", (writer) => writer.addFifo(long, head(0o10600))],
    ["a name with a slash", "N2", (writer) => writer.addFifo(name("a/b"), head(0o10600))],
    ["the name `.`", "N2", (writer) => writer.addFifo(name("."), head(0o10600))],
    ["the name `..`", "N2", (writer) => writer.beginDirectory(name(".."), folderHead)],
    ["a name with a NUL", "N3", (writer) => writer.addFifo(name("a\0b"), head(0o10600))],
    ["a mode of another kind", "E1", (writer) => writer.addFifo(name("a"), head(0o100600))],
    ["a device that is none", "E1", (writer) => writer.addDevice(name("a"), head(0o100600), 1n, 2n)],
    ["a mode with foreign bits", "E1", (writer) => writer.addSocket(name("a"), head(0o1140600))],
    ["a second of nanoseconds", "E2", (w) => w.addFifo(name("a"), { ...head(0o10600), mtimeNanos: 1_000_000_000 })],
    ["an owner of 33 bits", "E1", (writer) => writer.addFifo(name("a"), { ...head(0o10600), uid: 2 ** 32 })],
    ["an empty symlink target", "H3", (writer) => writer.addSymlink(name("a"), head(0o120777), name(""))],
    ["a symlink target of 4097 bytes", "H3", (writer) => writer.addSymlink(name("a"), head(0o120777), long)],
    ["a symlink target with a NUL", "E4", (writer) => writer.addSymlink(name("a"), head(0o120777), name("a\0"))],
    ["a hard link forward", "L1", (writer) => writer.addHardLink(name("a"), 1_000_000, name("b"))],
    ["a hard link with a long path", "H3", (writer) => writer.addHardLink(name("a"), 0, long)],
    ["a file of -1 bytes", "H3", (writer) => writer.addFile(name("a"), fileHead, -1, Tree.contentOf(name("")))],
    ["a file of 2^53 bytes", "H3", (writer) => writer.addFile(name("a"), fileHead, 2 ** 53, Tree.contentOf(name("")))],
    [
      "an attribute that is too large by a byte",
      "H3",
      (writer) => {
        const xattrs = [{ name: Buffer.alloc(255, "x"), value: Buffer.alloc(65_536) }]
        return writer.beginDirectory(name("a"), { ...folderHead, attributes: { ...noAttributes, xattrs } })
      },
    ],
    ["a second root", "H4", (writer) => writer.beginRoot(folderHead)],
    ["the end of a folder that was not begun", "H4", (writer) => writer.endDirectory],
  ]
  for (const [title, check, call] of cases) {
    for (const version of [1, 2]) {
      it.effect(`${title}, v${version}: nothing is written and the archive goes on`, () =>
        Effect.gen(function* () {
          const payload = version === 2 ? ByteSink.makeMemory() : undefined
          const { archive, writer } = yield* begun(payload)
          const error = yield* Effect.flip(call(writer))
          assert.instanceOf(error, ArchiveWriter.WriteError)
          assert.strictEqual((error as ArchiveWriter.WriteError).check, check)
          yield* writer.addFile(name("z"), fileHead, 1, Tree.contentOf(name("z")))
          yield* writer.finish
          const tree = yield* Tree.readBytes(archive.bytes(), payload?.bytes())
          assert.deepStrictEqual(
            tree.children.map((child) => Tree.key(child.name)),
            ["z"],
          )
        }),
      )
    }
  }

  it.effect("the end of an archive with a folder open", () =>
    Effect.gen(function* () {
      const { writer } = yield* begun()
      yield* writer.beginDirectory(name("a"), folderHead)
      assert.strictEqual((yield* Effect.flip(writer.finish))._tag, "WriteError")
      yield* writer.endDirectory
      yield* writer.finish
      assert.strictEqual((yield* Effect.flip(writer.addFifo(name("a"), head(0o10600))))._tag, "WriteError")
    }),
  )

  it.effect("a child before the root", () =>
    Effect.gen(function* () {
      const writer = yield* ArchiveWriter.make({ archive: ByteSink.makeMemory() })
      assert.strictEqual((yield* Effect.flip(writer.addFifo(name("a"), head(0o10600))))._tag, "WriteError")
      assert.strictEqual((yield* Effect.flip(writer.beginDirectory(name("a"), folderHead)))._tag, "WriteError")
    }),
  )

  it.effect("a prelude in v1", () =>
    Effect.gen(function* () {
      const made = ArchiveWriter.make({ archive: ByteSink.makeMemory(), prelude: name("x") })
      assert.strictEqual((yield* Effect.flip(made)).check, "A3")
    }),
  )
})
