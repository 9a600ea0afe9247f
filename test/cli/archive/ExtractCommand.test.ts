/**
 * `pxar-fuse extract` as a person uses it: what it extracts for whom, what it says, and its exit code.
 */
import * as fs from "node:fs"
import * as path from "node:path"
import { assert, beforeEach, describe, it } from "@effect/vitest"
import { Effect, type Scope } from "effect"
import * as ExitCode from "../../../src/cli/ExitCode.ts"
import * as B from "../../support/ArchiveBuilder.ts"
import * as JsonSchemas from "./JsonSchemas.ts"
import * as Command from "../../support/Command.ts"
import * as Descriptors from "../../support/Descriptors.ts"
import * as Golden from "../../support/Golden.ts"
import * as MountedTree from "../../support/MountedTree.ts"
import * as Processes from "../../support/Processes.ts"
import { isRoot, need, NOBODY } from "../../support/Requirements.ts"

const { archive: hello } = Golden.helloV1

const user = { uid: NOBODY, gid: NOBODY }

/** Builders give everything to root. */
const mine = isRoot ? [] : ["--no-owner"]

/** A folder that an ordinary user may write to, and a target in it that does not exist. */
const targetFor = (owner?: number): Effect.Effect<string, never, Scope.Scope> =>
  Effect.map(Processes.mountPoint("folder", owner), (folder) => path.join(folder, "target"))

const linesOf = (stderr: string): ReadonlyArray<string> => stderr.trimEnd().split("\n")

const children = [B.file("a", "1"), B.folder("d", [B.file("b.conf", "2"), B.file("c", "3")])]
const built = B.build({ children })

describe("extract", () => {
  it.live("extracts everything and says nothing", () =>
    Effect.gen(function* () {
      const target = yield* targetFor()
      const archive = yield* Command.write("x.pxar", built.bytes)
      const { code, stderr, stdout } = yield* Command.run(["extract", archive, target, ...mine])
      assert.deepStrictEqual([code, stderr, stdout.toString()], [0, "", ""])
      assert.deepStrictEqual(fs.readdirSync(target, { recursive: true }).toSorted(), ["a", "d", "d/b.conf", "d/c"])
    }),
  )

  it.live("extracts to the current folder by default", () =>
    Effect.gen(function* () {
      const cwd = path.dirname(yield* targetFor())
      const { code } = yield* Command.run(["extract", hello, ...mine], { cwd })
      assert.strictEqual(code, 0)
      assert.deepStrictEqual(fs.readdirSync(cwd).toSorted(), ["hello", "link"])
    }),
  )

  it.live("extracts what paths and patterns ask for", () =>
    Effect.gen(function* () {
      const target = yield* targetFor()
      const archive = yield* Command.write("x.pxar", built.bytes)
      const { code } = yield* Command.run(["extract", ...mine, archive, target, "d/c", "*.conf"])
      assert.strictEqual(code, 0)
      assert.deepStrictEqual(fs.readdirSync(target, { recursive: true }).toSorted(), ["d", "d/b.conf", "d/c"])
    }),
  )

  it.live("takes names as they are printed", () =>
    Effect.gen(function* () {
      const target = yield* targetFor()
      const odd = B.build({ children: [B.file(Buffer.from([0xff, 0x0a]), "1"), B.file("a\\b", "2"), B.file("c", "3")] })
      const archive = yield* Command.write("x.pxar", odd.bytes)
      const { code } = yield* Command.run(["extract", ...mine, archive, target, String.raw`\xff\x0a`, String.raw`a\\b`])
      assert.strictEqual(code, 0)
      const names = fs.readdirSync(target, { encoding: "buffer" }).map((name) => name.toString("hex"))
      assert.deepStrictEqual(names.toSorted(), ["615c62", "ff0a"])
    }),
  )

  it.live("says with --verbose what was extracted", () =>
    Effect.gen(function* () {
      const target = yield* targetFor()
      const { stderr } = yield* Command.run(["extract", hello, target, "--verbose", ...mine])
      assert.strictEqual(stderr, "pxar-fuse: 3 entries extracted, 3 B of contents\n")
    }),
  )

  it.live("says what the first of several files lacks that cannot be read", () =>
    Effect.gen(function* () {
      const alone = yield* Command.write("alone.mpxar", fs.readFileSync(Golden.synthV2.archive))
      const { code, stderr } = yield* Command.run(["extract", alone, yield* targetFor(), "files", ...mine])
      assert.strictEqual(code, ExitCode.INCOMPLETE)
      assert.match(
        stderr,
        /^pxar-fuse: 8 entries cannot be read .*; the first: files\/size-1: .*alone\.ppxar, which is missing: put it there, or name it \(--payload\)/m,
      )
    }),
  )

  it.live("finds the payload archive beside the archive, or where --payload says", () =>
    Effect.gen(function* () {
      const target = yield* targetFor()
      const beside = yield* Command.run(["extract", Golden.helloV2.archive, target, ...mine])
      assert.deepStrictEqual([beside.code, fs.readFileSync(path.join(target, "hello"), "utf8")], [0, "hi\n"])
      const moved = yield* Command.write("moved.mpxar", fs.readFileSync(Golden.helloV2.archive))
      const other = yield* targetFor()
      const args = ["extract", moved, other, "--payload", Golden.helloV2.payload!, ...mine]
      const { code } = yield* Command.run(args)
      assert.deepStrictEqual([code, fs.readFileSync(path.join(other, "hello"), "utf8")], [0, "hi\n"])
    }),
  )
})

describe("exit codes and messages", () => {
  it.live("what is there already", () =>
    Effect.gen(function* () {
      const target = yield* targetFor()
      const archive = yield* Command.write("x.pxar", built.bytes)
      yield* Command.run(["extract", archive, target, ...mine])
      const again = yield* Command.run(["extract", archive, target, ...mine])
      assert.strictEqual(again.code, ExitCode.INCOMPLETE)
      assert.deepStrictEqual(linesOf(again.stderr), [
        "pxar-fuse: 2 entries were there already and were left out (see --overwrite and --allow-existing-dirs)",
        "pxar-fuse: --verbose names all entries with problems",
      ])
      const verbose = yield* Command.run(["extract", archive, target, "--verbose", ...mine])
      assert.deepStrictEqual(linesOf(verbose.stderr).slice(0, 2), [
        "pxar-fuse: a: is there already",
        "pxar-fuse: d: is there already",
      ])
      const args = ["extract", archive, target, "--overwrite", "--allow-existing-dirs", ...mine]
      const { code, stderr } = yield* Command.run(args)
      assert.deepStrictEqual([code, stderr], [0, ""])
    }),
  )

  it.live("--strict", () =>
    Effect.gen(function* () {
      const target = yield* targetFor()
      fs.mkdirSync(target)
      fs.writeFileSync(path.join(target, "a"), "old")
      const archive = yield* Command.write("x.pxar", built.bytes)
      const { code, stderr } = yield* Command.run(["extract", archive, target, "--strict", ...mine])
      assert.strictEqual(code, ExitCode.INCOMPLETE)
      assert.strictEqual(stderr, "pxar-fuse: stopped at the first problem: a: is there already [PXF-EXTRACT-STOPPED]\n")
      assert.isFalse(fs.existsSync(path.join(target, "d")))
    }),
  )

  it.live("what is not in the archive", () =>
    Effect.gen(function* () {
      const target = yield* targetFor()
      const { code, stderr } = yield* Command.run(["extract", hello, target, "hello", "nothing", ...mine])
      assert.deepStrictEqual(
        [code, stderr],
        [ExitCode.NO_ENTRY, "pxar-fuse: nothing: nothing like that in the archive\n"],
      )
      assert.deepStrictEqual(fs.readdirSync(target), ["hello"])
    }),
  )

  it.live("a damaged entry", () =>
    Effect.gen(function* () {
      const target = yield* targetFor()
      const bytes = B.poke(built.bytes, built.at("d/b.conf").start, 0n)
      const archive = yield* Command.write("x.pxar", bytes)
      const { code, stderr } = yield* Command.run(["extract", archive, target, ...mine])
      assert.strictEqual(code, ExitCode.INCOMPLETE)
      assert.match(stderr, /^pxar-fuse: d\/b\.conf: .*\(check \w+ at byte \d+\)\n$/)
      assert.deepStrictEqual(fs.readdirSync(path.join(target, "d")), ["c"])
    }),
  )

  it.live("a target that is a file", () =>
    Effect.gen(function* () {
      const target = yield* targetFor()
      fs.writeFileSync(target, "")
      const { code, stderr } = yield* Command.run(["extract", hello, target])
      assert.strictEqual(code, ExitCode.TARGET)
      assert.strictEqual(
        stderr,
        `pxar-fuse: ${target}: cannot extract into this folder: not a directory [PXF-EXTRACT-TARGET]\n`,
      )
    }),
  )

  it.live("no archive", () =>
    Effect.gen(function* () {
      const target = yield* targetFor()
      const { code } = yield* Command.run(["extract", path.join(target, "none.pxar"), target])
      assert.strictEqual(code, ExitCode.NO_ARCHIVE)
      assert.isFalse(fs.existsSync(target))
    }),
  )

  it.live("neither path nor pattern", () =>
    Effect.gen(function* () {
      const target = yield* targetFor()
      const { code, stderr } = yield* Command.run(["extract", hello, target, "[a"])
      assert.strictEqual(code, ExitCode.USAGE)
      assert.include(stderr, "[a: no such path in")
    }),
  )
})

describe("Ctrl-C", () => {
  /** An archive of one file of zeros, which takes a while to read and no room on disk. */
  const large = Effect.fnUntraced(function* (length: number) {
    const file = yield* Command.write("large.pxar", "")
    const name = "zeros"
    const root = B.entry({ mode: 0o40755 })
    const head = [B.filename(name), B.entry(), B.u64(B.Type.PAYLOAD, 16 + length)]
    const size = head.reduce((sum, part) => sum + part.length, 0) + length
    const table = B.goodbye([{ hash: B.sipHash(name), offset: size, size }], root.length + size)
    fs.writeFileSync(file, Buffer.concat([root, ...head]))
    fs.truncateSync(file, root.length + size)
    fs.appendFileSync(file, table)
    return file
  })

  it.live("leaves no half written file and ends with 130", () =>
    Effect.gen(function* () {
      const target = yield* targetFor()
      const archive = yield* large(64 * 1024 ** 3)
      const program = yield* Command.start(["extract", archive, target])
      // It has no name yet, so it is the process that shows that it is being written.
      yield* Processes.eventually(
        "the file",
        Effect.sync(() => Descriptors.targets(program.pid).some((file) => file.startsWith(`${target}/`))),
        Boolean,
      )
      yield* program.kill("SIGINT")
      const { code, stderr } = yield* program.ended
      assert.strictEqual(code, ExitCode.INTERRUPTED)
      assert.match(stderr, /^pxar-fuse: interrupted; 0 entries are in .*, no file is half written, .*\n$/)
      assert.deepStrictEqual(fs.readdirSync(target), [])
    }),
  )
})

describe("an ordinary user", () => {
  beforeEach(need({ root: true, otherUsers: true }))

  /** What is left of a view for a user who is not root. */
  const permitted = (view: ReadonlyArray<Omit<Golden.View, "hardlink">>) =>
    Object.fromEntries(
      view
        .filter(({ kind }) => kind !== "chardev" && kind !== "blockdev")
        .map(({ kind, mode, mtimeNanos, mtimeSeconds, path, sha256, target, uid, gid, xattrs }) => {
          const setId = kind === "directory" ? 0 : (uid === NOBODY ? 0 : 0o4000) | (gid === NOBODY ? 0 : 0o2000)
          const names = Object.keys(xattrs).map((name) => Buffer.from(name, "hex").toString())
          return [
            path.toString("latin1"),
            {
              kind,
              mode: mode & ~setId,
              mtime: [mtimeSeconds, mtimeNanos],
              sha256,
              target: target?.toString("hex"),
              xattrs: names.filter((name) => name.startsWith("user.") || name.startsWith("system.")).toSorted(),
            },
          ]
        })
        .toSorted(([a], [b]) => (a! < b! ? -1 : 1)),
    )

  it.live("gets everything that is not for root only, and is told of the rest", () =>
    Effect.gen(function* () {
      const target = yield* targetFor(NOBODY)
      const { code, stderr } = yield* Command.run(["extract", Golden.treeV1.archive, target, "--no-device-nodes"], user)
      assert.deepStrictEqual(linesOf(stderr), [
        "pxar-fuse: 618 entries did not get their owner",
        "pxar-fuse: 2 entries did not get their capabilities",
        "pxar-fuse: 3 entries did not get their full mode",
        "pxar-fuse: xattr/trusted: trusted.t not restored: operation not permitted",
        "pxar-fuse: --verbose names all entries with problems",
        "pxar-fuse: only root can restore other owners, devices, capabilities and some attributes",
      ])
      assert.strictEqual(code, ExitCode.SUCCESS)
      const seen = MountedTree.read(target)
      assert.deepStrictEqual(permitted(seen), permitted(Golden.treeV1.view()))
      assert.isTrue(seen.every(({ gid, uid }) => uid === NOBODY && gid === NOBODY))
    }),
  )

  it.live("is told of devices that cannot be made, and nothing else is in their place", () =>
    Effect.gen(function* () {
      const target = yield* targetFor(NOBODY)
      const args = ["extract", Golden.treeV1.archive, target, "special", "--no-owner", "--verbose"]
      const { code, stderr } = yield* Command.run(args, user)
      assert.strictEqual(code, ExitCode.INCOMPLETE)
      assert.deepStrictEqual(linesOf(stderr).slice(0, 3).toSorted(), [
        "pxar-fuse: special/big: cannot create the device 511:1048575: operation not permitted",
        "pxar-fuse: special/blk: cannot create the device 7:0: operation not permitted",
        "pxar-fuse: special/null: cannot create the device 1:3: operation not permitted",
      ])
      assert.deepStrictEqual(fs.readdirSync(path.join(target, "special")).toSorted(), ["fifo", "sock"])
    }),
  )

  it.live("is told of a target that may not be written to", () =>
    Effect.gen(function* () {
      const target = yield* targetFor(0)
      const { code, stderr } = yield* Command.run(["extract", hello, target], user)
      assert.strictEqual(code, ExitCode.TARGET)
      assert.strictEqual(
        stderr,
        `pxar-fuse: ${target}: cannot extract into this folder: permission denied [PXF-EXTRACT-TARGET]\n`,
      )
    }),
  )
})

describe("what is there already", () => {
  it.live("is replaced by a bare --overwrite, whose next word is not its value", () =>
    Effect.gen(function* () {
      const target = yield* targetFor()
      const archive = yield* Command.write("x.pxar", built.bytes)
      yield* Command.run(["extract", archive, target, ...mine])
      fs.writeFileSync(path.join(target, "a"), "old")
      const bare = yield* Command.run(["extract", ...mine, "--allow-existing-dirs", "--overwrite", archive, target])
      assert.deepStrictEqual([bare.code, fs.readFileSync(path.join(target, "a"), "utf8")], [0, "1"])
      const changed = yield* Command.run(["extract", ...mine, "--overwrite=if-changed", archive, target, "--verbose"])
      assert.strictEqual(changed.code, 0)
      assert.strictEqual(changed.stderr, "pxar-fuse: 2 entries extracted, 0 B of contents; 3 were there already\n")
      const wrong = yield* Command.run(["extract", archive, target, "--overwrite=sometimes"])
      assert.strictEqual(wrong.code, ExitCode.USAGE)
    }),
  )

  it.live("is shown by --dry-run, as lines or as JSON, and deleted by force only", () =>
    Effect.gen(function* () {
      const target = yield* targetFor()
      const archive = yield* Command.write("x.pxar", built.bytes)
      yield* Command.run(["extract", archive, target, ...mine])
      fs.writeFileSync(path.join(target, "a"), "old")
      fs.writeFileSync(path.join(target, "extra"), "")
      const options = ["extract", archive, target, ...mine, "--overwrite=if-changed", "--delete"]
      const refused = yield* Command.run(options)
      assert.strictEqual(refused.code, ExitCode.USAGE)
      assert.include(refused.stderr, "--force")
      const lines = yield* Command.run([...options, "-n"])
      assert.deepStrictEqual([lines.code, lines.stdout.toString()], [0, "replace a\ndelete extra\n"])
      const json = yield* Command.run([...options, "--dry-run", "--json"])
      assert.deepStrictEqual(JsonSchemas.parse("extract", json.stdout), [
        { action: "replace", path: "/a", kind: "file", size: 1 },
        { action: "delete", path: "/extra", kind: "file" },
      ])
      assert.isTrue(fs.existsSync(path.join(target, "extra")))
      const done = yield* Command.run([...options, "--force", "--verify"])
      assert.deepStrictEqual([done.code, done.stderr, fs.existsSync(path.join(target, "extra"))], [0, "", false])
    }),
  )

  for (const [flags, word] of [
    [["--delete", "--force", "--strip-components=1"], "--strip-components"],
    [["--json"], "--dry-run"],
    [["--verify", "--dry-run"], "--verify"],
    [["--strip-components=-1"], "--strip-components"],
  ] as const) {
    it.live(`${flags.join(" ")} is refused`, () =>
      Effect.gen(function* () {
        const target = yield* targetFor()
        const { code, stderr } = yield* Command.run(["extract", hello, target, ...flags])
        assert.deepStrictEqual([code, fs.existsSync(target)], [ExitCode.USAGE, false])
        assert.include(stderr, word)
      }),
    )
  }

  it.live("a link to a folder is named, with what can be done", () =>
    Effect.gen(function* () {
      const target = yield* targetFor()
      const archive = yield* Command.write("x.pxar", built.bytes)
      fs.mkdirSync(path.join(target, "real"), { recursive: true })
      fs.symlinkSync("real", path.join(target, "d"))
      const options = ["extract", archive, target, ...mine, "--overwrite", "--allow-existing-dirs"]
      const refused = yield* Command.run(options)
      assert.strictEqual(refused.code, ExitCode.INCOMPLETE)
      assert.deepStrictEqual(linesOf(refused.stderr), [
        "pxar-fuse: d: is a symbolic link to a folder",
        "pxar-fuse: --keep-directory-symlink extracts into folders that links lead to, --overwrite --force replaces the links",
      ])
      const kept = yield* Command.run([...options, "--keep-directory-symlink", "--exclude", "none"])
      assert.deepStrictEqual([kept.code, kept.stderr], [0, "pxar-fuse: --exclude none has left out nothing\n"])
      assert.deepStrictEqual(fs.readdirSync(path.join(target, "real")).toSorted(), ["b.conf", "c"])
    }),
  )
})
