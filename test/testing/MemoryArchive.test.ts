import { assert, describe, it } from "@effect/vitest"
import { Cause, Effect, Exit } from "effect"
import { MemoryArchive } from "pxar-fuse/Testing"
import * as B from "../support/ArchiveBuilder.ts"

const { file, folder, hardLink, symlink } = MemoryArchive

describe("an archive of a record", () => {
  it.effect("has, byte for byte, what the specification says of such a tree", () =>
    Effect.gen(function* () {
      const bytes = yield* MemoryArchive.bytes({
        hello: "hi\n",
        raw: Uint8Array.of(0, 255),
        etc: {
          passwd: file("root", { mode: 0o4600, uid: 7, gid: 8, mtime: new Date(-1500), xattrs: { "user.a": "1" } }),
          empty: {},
          private: folder({}, { mode: 0o700 }),
        },
        link: symlink("hello"),
        again: hardLink("etc/passwd"),
        null: MemoryArchive.device("chardev", 1, 3),
        pipe: MemoryArchive.fifo(),
        socket: MemoryArchive.socket(),
        "not-\\xff": "",
      })
      const passwd = { mode: 0o104600, uid: 7, gid: 8, seconds: -2, nanos: 500_000_000 }
      const built = B.build({
        children: [
          B.file("hello", "hi\n"),
          B.file("raw", Uint8Array.of(0, 255)),
          B.folder("etc", [
            B.file("passwd", "root", { head: Buffer.concat([B.entry(passwd), B.xattr("user.a", "1")]) }),
            B.folder("empty", []),
            B.folder("private", [], B.entry({ mode: 0o40700 })),
          ]),
          B.raw("link", B.entry({ mode: 0o120777 }), B.symlink("hello")),
          B.linkTo("again", "etc/passwd"),
          B.raw("null", B.entry({ mode: 0o20644 }), B.device(1, 3)),
          B.raw("pipe", B.entry({ mode: 0o10644 })),
          B.raw("socket", B.entry({ mode: 0o140644 })),
          B.file(Buffer.from("not-\xff", "latin1")),
        ],
      })
      assert.strictEqual(Buffer.from(bytes).toString("hex"), built.bytes.toString("hex"))
    }),
  )

  it.effect("can be split in two", () =>
    Effect.gen(function* () {
      const { archive, payload } = yield* MemoryArchive.splitBytes({ a: "1", b: { c: "22" } }, { mode: 0o750 })
      const built = B.build({
        version: 2,
        root: B.entry({ mode: 0o40750 }),
        children: [B.file("a", "1"), B.folder("b", [B.file("c", "22")])],
      })
      assert.strictEqual(Buffer.from(archive).toString("hex"), built.bytes.toString("hex"))
      assert.strictEqual(Buffer.from(payload).toString("hex"), built.payload.toString("hex"))
    }),
  )

  it.effect("that cannot be one is a defect", () =>
    Effect.gen(function* () {
      for (const tree of [{ "a/b": "" }, { again: hardLink("nowhere") }, { "..": {} }]) {
        const exit = yield* Effect.exit(MemoryArchive.bytes(tree))
        assert.isTrue(Exit.isFailure(exit) && Cause.hasDies(exit.cause))
      }
    }),
  )
})
