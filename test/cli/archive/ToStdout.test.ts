/**
 * An archive as one stream on stdout, as the programs see it that read such streams.
 */
import * as fs from "node:fs"
import * as path from "node:path"
import { assert, beforeEach, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import * as ExitCode from "../../../src/cli/ExitCode.ts"
import * as B from "../../support/ArchiveBuilder.ts"
import * as Command from "../../support/Command.ts"
import * as Processes from "../../support/Processes.ts"
import { isRoot, need } from "../../support/Requirements.ts"
import * as SourceFolder from "../../support/SourceFolder.ts"
import { expectRun, run, writeArchive } from "../reading.ts"

/** Runs a script with the command as `$@`, in a folder of its own with `a.pxar` in it; the folder. */
const inFolder = Effect.fnUntraced(function* (archive: string, script: string) {
  const cwd = yield* Processes.temporaryFolder
  fs.copyFileSync(archive, path.join(cwd, "a.pxar"))
  const ended = yield* Processes.run("sh", ["-c", `set -e; ${script}`, "sh", process.execPath, Command.MAIN], { cwd })
  assert.strictEqual(ended.code, 0, ended.stderr)
  return cwd
})

const namesOf = (folder: string): ReadonlyArray<string> =>
  (fs.readdirSync(folder, { recursive: true }) as ReadonlyArray<string>).toSorted()

describe("a tar stream", () => {
  beforeEach(need({ tools: ["tar", "bsdtar", "getfacl", "getfattr", ...(isRoot ? (["getcap"] as const) : [])] }))

  for (const [reader, extract] of [
    [
      "GNU tar",
      "tar --xattrs --xattrs-include='*' --acls --numeric-owner --delay-directory-restore -xpf - -C out 2>/dev/null",
    ],
    ["bsdtar", "LC_ALL=C.UTF-8 bsdtar --xattrs --acls --numeric-owner -xpf - -C out"],
  ] as const) {
    it.live(`loses nothing that tar can hold: ${reader}`, () =>
      Effect.gen(function* () {
        const source = path.join(yield* Processes.temporaryFolder, "source")
        fs.mkdirSync(source)
        if (isRoot) SourceFolder.fillAsRoot(source)
        else SourceFolder.fillAsUser(source)
        // tar has none.
        fs.unlinkSync(path.join(source, "socket"))
        const archive = path.join(yield* Processes.temporaryFolder, "a.pxar")
        assert.strictEqual((yield* run(["create", archive, source])).code, 0)
        const folder = yield* inFolder(archive, `mkdir out; "$@" extract --to-stdout tar a.pxar | ${extract}`)
        // bsdtar takes the fraction of a time before the epoch for one after it, and leaves the root as it is.
        const early = new Set(SourceFolder.onDisk(source).flatMap(({ path, time }) => (time < 0n ? [path] : ["/"])))
        const comparable = (shown: SourceFolder.Shown) =>
          reader === "bsdtar" && early.has(shown.path) ? { ...shown, time: 0n } : shown
        assert.deepStrictEqual(
          SourceFolder.onDisk(path.join(folder, "out")).map(comparable),
          SourceFolder.onDisk(source).map(comparable),
        )
        const inode = (name: string) => fs.statSync(path.join(folder, "out", name)).ino
        assert.strictEqual(inode("deep/er/link"), inode("size4096"))
        assert.strictEqual(inode("another link"), inode("size4096"))
      }),
    )
  }

  it.live(
    "has what is selected, under its whole path, and a hard link as a file where its first name is not selected",
    () =>
      Effect.gen(function* () {
        const archive = yield* writeArchive(
          B.build({
            children: [
              B.file("first", "content"),
              B.folder("links", [B.linkTo("one", "first"), B.linkTo("two", "first")]),
              B.folder("other", [B.file("x.conf", "x"), B.file("y", "y")]),
            ],
          }),
        )
        const listed = (words: string) =>
          Effect.map(inFolder(archive, `"$@" ${words} | tar -tvf - > list`), (folder) =>
            fs
              .readFileSync(path.join(folder, "list"), "utf8")
              .trim()
              .split("\n")
              .map((line) => line.replace(/^(.).* \d\d:\d\d /, "$1 ")),
          )
        assert.deepStrictEqual(yield* listed("extract --to-stdout tar a.pxar links"), [
          "d links/",
          "- links/one",
          "h links/two link to links/one",
        ])
        assert.deepStrictEqual(yield* listed("cat --tar a.pxar links first"), [
          "- first",
          "d links/",
          "h links/one link to first",
          "h links/two link to first",
        ])
        assert.deepStrictEqual(yield* listed("cat --tar a.pxar '*.conf' other/y other other/y"), [
          "d other/",
          "- other/x.conf",
          "- other/y",
        ])
        assert.lengthOf(yield* listed("cat --tar a.pxar"), 8)
      }),
  )

  it.live("of many archives keeps the hard links of each", () =>
    Effect.gen(function* () {
      const folder = path.join(yield* Processes.temporaryFolder, "many")
      fs.mkdirSync(folder)
      const built = B.build({ children: [B.folder("d", [B.file("a", "content"), B.linkTo("b", "d/a")])] })
      for (const name of ["one.pxar", "two.pxar"]) fs.writeFileSync(path.join(folder, name), built.bytes)
      const { stdout } = yield* run(["cat", "--tar", folder])
      const file = path.join(folder, "tar")
      fs.writeFileSync(file, stdout)
      const listed = yield* Processes.run("tar", ["-tvf", file])
      const links = listed.stdout
        .toString()
        .split("\n")
        .filter((line) => line.startsWith("h"))
      assert.deepStrictEqual(
        links.map((line) => line.replace(/.* \d\d:\d\d /, "")),
        ["one.pxar/d/b link to one.pxar/d/a", "two.pxar/d/b link to two.pxar/d/a"],
      )
    }),
  )

  it.live("says once what is not in it, and stays whole where a content cannot be read", () =>
    Effect.gen(function* () {
      const built = B.build({
        version: 2,
        children: [
          B.file("good", "good"),
          B.file("bad", "bad".repeat(1000)),
          B.raw("socket", B.entry({ mode: 0o140644n })),
          B.raw("socket2", B.entry({ mode: 0o140644n })),
        ],
      })
      const archive = yield* writeArchive({ ...built, payload: built.payload.subarray(0, -1000) })
      const { code, stderr, stdout } = yield* run(["cat", "--tar", archive])
      assert.strictEqual(code, ExitCode.INCOMPLETE)
      assert.match(stderr, /^pxar-fuse: warning: bad: .*; zeros stand in place of what follows byte \d+$/m)
      assert.match(stderr, /^pxar-fuse: not in the tar: sockets \(2\)$/m)
      const folder = yield* Processes.temporaryFolder
      const file = path.join(folder, "a.tar")
      fs.writeFileSync(file, stdout)
      const extracted = yield* Processes.run("tar", ["-xf", file, "-C", folder])
      assert.deepInclude(extracted, { code: 0, stderr: "" })
      assert.strictEqual(fs.readFileSync(path.join(folder, "good"), "utf8"), "good")
      assert.strictEqual(fs.statSync(path.join(folder, "bad")).size, 3000)
    }),
  )
})

describe("a zip stream", () => {
  beforeEach(need({ tools: ["unzip"] }))

  it.live("has folders and files with contents, permissions and times, and says once what it has not", () =>
    Effect.gen(function* () {
      const archive = yield* writeArchive(
        B.build({
          children: [
            B.folder("d", [B.file("é.txt", "text".repeat(10_000)), B.file("empty")]),
            B.raw("link", B.entry({ mode: 0o120777n }), B.symlink("d")),
            B.file("x\\y", "backslash"),
            B.linkTo("z", "d/empty"),
          ],
        }),
      )
      const { code, stderr, stdout } = yield* run(["extract", "--to-stdout", "zip", archive])
      assert.strictEqual(code, 0)
      assert.deepStrictEqual(stderr.trim().split("\n"), [
        "pxar-fuse: not in the zip: owners and parts of seconds (5)",
        "pxar-fuse: not in the zip: symbolic links (1)",
        "pxar-fuse: in the zip as files of their own: hard links (1)",
        "pxar-fuse: in the zip with %HH: names that it cannot hold (1)",
      ])
      const folder = yield* Processes.temporaryFolder
      const file = path.join(folder, "a.zip")
      fs.writeFileSync(file, stdout)
      // In other locales it writes the names in another way.
      const env = { ...process.env, LC_ALL: "C.UTF-8" }
      const extracted = yield* Processes.run("unzip", ["-q", file, "-d", path.join(folder, "out")], { env })
      assert.deepInclude(extracted, { code: 0, stderr: "" })
      assert.deepStrictEqual(namesOf(path.join(folder, "out")), ["d", "d/empty", "d/é.txt", "x%5Cy", "z"])
      assert.strictEqual(fs.readFileSync(path.join(folder, "out/d/é.txt"), "utf8"), "text".repeat(10_000))
      assert.strictEqual((yield* run(["extract", "-q", "--to-stdout", "zip", archive])).stderr, "")
    }),
  )
})

describe("a stream", () => {
  it.live("is not mixed with files, and is of what there is", () =>
    Effect.gen(function* () {
      const archive = yield* writeArchive(B.build({ children: [B.file("a", "a")] }))
      for (const flag of [
        "--overwrite=never",
        "--no-owner",
        "--directory=/tmp",
        "--exclude=x",
        "--strip-components=1",
      ]) {
        yield* expectRun(["extract", "--to-stdout", "tar", flag, archive], ExitCode.USAGE, ["does not go with it"])
      }
      const { code, stderr } = yield* run(["extract", "--to-stdout", "tar", archive, "b"])
      assert.strictEqual(code, ExitCode.NO_ENTRY)
      assert.include(stderr, "b: nothing like that in the archive")
    }),
  )

  it.live("ends quietly with its reader", () =>
    Effect.gen(function* () {
      const archive = yield* writeArchive(B.build({ children: [B.file("a", Buffer.alloc(3_000_000))] }))
      for (const words of ["extract --to-stdout tar", "extract --to-stdout zip", "cat --tar"]) {
        yield* inFolder(
          archive,
          `("$@" ${words} a.pxar 2> said; echo $? > code) | head -c 10 > /dev/null; test ! -s said`,
        )
      }
    }),
  )
})

describe("cat", () => {
  const archive = B.build({
    children: [B.folder("d", [B.file("a.conf", "A"), B.file("b", "B"), B.folder("e", [B.file("c.conf", "C")])])],
  })

  it.live("takes patterns, and writes what matches in the order of the archive", () =>
    Effect.gen(function* () {
      const file = yield* writeArchive(archive)
      assert.strictEqual(yield* expectRun(["cat", file, "*.conf"], 0), "AC")
      assert.strictEqual(yield* expectRun(["cat", file, "*.conf", "d/b"], 0), "ABC")
      assert.strictEqual(yield* expectRun(["cat", file, "d/e/*", "!*.conf"], 0), "")
      yield* expectRun(["cat", file, "*.txt"], ExitCode.NO_ENTRY, ["*.txt: nothing like that in the archive"])
    }),
  )

  it.live("of a folder says what writes it, and without a path what is missing", () =>
    Effect.gen(function* () {
      const file = yield* writeArchive(archive)
      yield* expectRun(["cat", file, "d"], ExitCode.NO_ENTRY, ["--tar writes a folder with all that is in it"])
      yield* expectRun(["cat", file], ExitCode.USAGE, ["cat needs a path in the archive"])
    }),
  )
})
