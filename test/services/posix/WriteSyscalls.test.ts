import * as fs from "node:fs"
import * as path from "node:path"
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import * as Syscalls from "../../../src/services/posix/WriteSyscalls.ts"
import * as Descriptors from "../../support/Descriptors.ts"
import { pathsIn, sandbox } from "../extract/extraction.ts"

const EINVAL = -22
const EEXIST = -17
const ELOOP = -40
const ENOTDIR = -20

const bytes = (text: string): Buffer => Buffer.from(text, "latin1")

/** An open folder with a file `file`, a folder `folder` and a symbolic link `link` in it. */
const folder = Effect.gen(function* () {
  const { base, outside, target } = yield* sandbox
  fs.mkdirSync(path.join(target, "folder"), { recursive: true })
  fs.writeFileSync(path.join(target, "file"), "")
  fs.symlinkSync(outside, path.join(target, "link"))
  const fd = yield* Effect.acquireRelease(
    Effect.sync(() => Syscalls.openTarget(bytes(target))),
    (fd) => Effect.sync(() => fs.closeSync(fd)),
  )
  return { base, fd, target }
})

describe("names", () => {
  for (const name of ["", ".", "..", "a/b", "/", "/etc", "a\0b", "x".repeat(4097)]) {
    it.effect(`${JSON.stringify(name.slice(0, 8))} is refused by every call`, () =>
      Effect.gen(function* () {
        const { base, fd, target } = yield* folder
        const bad = bytes(name)
        const results = [
          Syscalls.openFolder(fd, bad),
          Syscalls.openNode(fd, bad),
          Syscalls.openFile(fd, bad),
          Syscalls.createFile(fd, bad, 0o600),
          Syscalls.makeFolder(fd, bad, 0o700),
          Syscalls.makeNode(fd, bad, 0o10600, 0n, 0n),
          Syscalls.makeSymlink(bytes("target"), fd, bad),
          Syscalls.makeLink(fd, bytes("file"), fd, bad),
          Syscalls.makeLink(fd, bad, fd, bytes("new")),
          Syscalls.unlink(fd, bad),
        ]
        assert.deepStrictEqual(
          results,
          results.map(() => EINVAL),
        )
        assert.deepStrictEqual(pathsIn(target), ["file", "folder", "link"])
        assert.strictEqual(Descriptors.below(base).length, 1)
      }),
    )
  }

  it("may be anything else of at most 4096 bytes", () => {
    for (const name of ["...", " ", "-", "\xff", "\n", "x".repeat(4096)]) assert.isTrue(Syscalls.isName(bytes(name)))
  })
})

describe("symbolic links", () => {
  it.effect("are not followed", () =>
    Effect.gen(function* () {
      const { fd } = yield* folder
      assert.include([ELOOP, ENOTDIR], Syscalls.openFolder(fd, bytes("link")))
      assert.strictEqual(Syscalls.openFile(fd, bytes("link")), ELOOP)
      assert.strictEqual(Syscalls.createFile(fd, bytes("link"), 0o600), EEXIST)
    }),
  )

  it.effect("with a NUL in their target are refused", () =>
    Effect.gen(function* () {
      const { fd } = yield* folder
      assert.strictEqual(Syscalls.makeSymlink(bytes("a\0b"), fd, bytes("new")), EINVAL)
    }),
  )
})

it.effect("device numbers that Linux does not have are refused", () =>
  Effect.gen(function* () {
    const { fd } = yield* folder
    assert.strictEqual(Syscalls.makeNode(fd, bytes("d"), 0o20600, 0x1000n, 0n), EINVAL)
    assert.strictEqual(Syscalls.makeNode(fd, bytes("d"), 0o20600, 0n, 0x10_0000n), EINVAL)
  }),
)

it.effect("times have nanoseconds, before 1970 too", () =>
  Effect.gen(function* () {
    const { fd, target } = yield* folder
    const node = Syscalls.openNode(fd, bytes("link"))
    const file = Syscalls.openFile(fd, bytes("file"))
    for (const open of [node, file]) {
      assert.strictEqual(Syscalls.setModified(open, -2n, 999_999_999), 0)
      fs.closeSync(open)
    }
    for (const name of ["link", "file"]) {
      assert.strictEqual(fs.lstatSync(path.join(target, name), { bigint: true }).mtimeNs, -1_000_000_001n)
    }
  }),
)
