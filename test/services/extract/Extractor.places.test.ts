/**
 * Where an extraction goes to: through links that stand for folders, on file systems that lack something, without /proc,
 * and where somebody puts something else in the place of what was just made.
 */
import * as fs from "node:fs"
import * as path from "node:path"
import { assert, beforeEach, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { vi } from "vitest"
import { Type } from "../../support/ArchiveBuilder.ts"
import * as B from "../../support/ArchiveBuilder.ts"
import * as Command from "../../support/Command.ts"
import * as Processes from "../../support/Processes.ts"
import { need } from "../../support/Requirements.ts"
import * as NameSyscalls from "../../../src/services/posix/NameSyscalls.ts"
import * as WriteSyscalls from "../../../src/services/posix/WriteSyscalls.ts"
import { attributesOf, extract, modeOf, pathsIn, readText, sandbox } from "./extraction.ts"

vi.mock("../../../src/services/posix/NameSyscalls.ts", { spy: true })
vi.mock("../../../src/services/posix/WriteSyscalls.ts", { spy: true })

beforeEach(() => vi.restoreAllMocks())

const always = { overwrite: true, allowExistingDirs: true } as const

describe("a symbolic link to a folder where the archive has a folder", () => {
  const built = B.build({
    children: [B.folder("bin", [B.file("tool", "1"), B.folder("sub", [B.file("x", "2")])]), B.file("z", "3")],
  })
  const keep = { ...always, keepDirectorySymlink: true } as const

  for (const [what, to] of [
    ["relative", "usr/bin"],
    ["absolute, as if the target were the root of everything", "/usr/bin"],
    ["of a link", "other"],
  ] as const) {
    it.effect(`is kept if that is asked for: ${what}`, () =>
      Effect.gen(function* () {
        const { target } = yield* sandbox
        fs.mkdirSync(path.join(target, "usr/bin"), { recursive: true })
        fs.writeFileSync(path.join(target, "usr/bin/other"), "kept")
        fs.symlinkSync("usr/bin", path.join(target, "other"))
        fs.symlinkSync(to, path.join(target, "bin"))
        const { problems } = yield* extract(built, target, { ...keep, verify: true })
        assert.deepStrictEqual(problems, [])
        assert.strictEqual(fs.readlinkSync(path.join(target, "bin")), to)
        assert.deepStrictEqual(pathsIn(path.join(target, "usr/bin")), ["other", "sub", "sub/x", "tool"])
      }),
    )
  }

  for (const to of ["../outside/folder", "/nowhere", "../../../../../../.."]) {
    it.effect(`is never followed out of the target: ${to}`, () =>
      Effect.gen(function* () {
        const { base, snapshot, target } = yield* sandbox
        const before = snapshot()
        fs.mkdirSync(target)
        fs.symlinkSync(to, path.join(target, "bin"))
        yield* extract(built, target, keep)
        assert.deepStrictEqual(snapshot(), before)
        assert.deepStrictEqual(fs.readdirSync(base).toSorted(), ["outside", "target"])
      }),
    )
  }

  it.effect("without that is no folder's to replace, unless by force", () =>
    Effect.gen(function* () {
      const { target } = yield* sandbox
      fs.mkdirSync(path.join(target, "usr/bin"), { recursive: true })
      fs.symlinkSync("usr/bin", path.join(target, "bin"))
      const refused = yield* extract(built, target, always)
      assert.deepStrictEqual(
        [refused.problems, pathsIn(target)],
        [["DirectoryLink bin"], ["bin", "usr", "usr/bin", "z"]],
      )
      const forced = yield* extract(built, target, { ...always, force: true })
      assert.deepStrictEqual(forced.problems, [])
      assert.deepStrictEqual(pathsIn(target), ["bin", "bin/sub", "bin/sub/x", "bin/tool", "usr", "usr/bin", "z"])
    }),
  )
})

describe("file systems and kernels", () => {
  const built = B.build({
    children: [
      B.file("a", Buffer.alloc(3_000_000, 7)),
      B.folder("d", [B.file("b", "2"), B.linkTo("c", "d/b")]),
      B.raw("l", B.entry({ mode: 0o120777 }), B.symlink("a")),
    ],
  })
  const all = ["a", "d", "d/b", "d/c", "l"]
  const ENOENT = -2
  const EINVAL = -22
  const EOPNOTSUPP = -95

  for (const [what, arrange] of [
    ["without files that have no name", () => vi.mocked(NameSyscalls.createUnnamed).mockReturnValue(EOPNOTSUPP)],
    ["that give such files no name", () => vi.mocked(NameSyscalls.linkUnnamed).mockReturnValue(ENOENT)],
    [
      "that cannot rename as Linux can",
      () => {
        vi.mocked(NameSyscalls.createUnnamed).mockReturnValue(EOPNOTSUPP)
        vi.mocked(NameSyscalls.renameNoReplace).mockReturnValue(EINVAL)
        vi.mocked(NameSyscalls.exchange).mockReturnValue(EINVAL)
      },
    ],
  ] as const) {
    it.effect(`${what} get everything, new, over files and over folders`, () =>
      Effect.gen(function* () {
        const { target } = yield* sandbox
        arrange()
        const first = yield* extract(built, target)
        assert.deepStrictEqual([first.problems, pathsIn(target)], [[], all])
        const again = yield* extract(built, target, always)
        assert.deepStrictEqual([again.problems, pathsIn(target)], [[], all])
        fs.rmSync(path.join(target, "d"), { recursive: true })
        fs.writeFileSync(path.join(target, "d"), "")
        fs.rmSync(path.join(target, "a"))
        fs.mkdirSync(path.join(target, "a/full"), { recursive: true })
        const swapped = yield* extract(built, target, { ...always, force: true })
        assert.deepStrictEqual([swapped.problems, pathsIn(target)], [[], all])
        assert.strictEqual(fs.statSync(path.join(target, "d/b")).nlink, 2)
      }),
    )
  }
})

describe("somebody who puts another folder in the place of the one that was just made", () => {
  for (const [what, put] of [
    ["one with something in it", (at: string) => fs.mkdirSync(path.join(at, "theirs"), { recursive: true })],
    [
      "one of another owner",
      (at: string) => {
        fs.mkdirSync(at)
        fs.chownSync(at, 12345, 12345)
      },
    ],
  ] as const) {
    it.effect(`gets nothing: ${what}`, (context) =>
      Effect.gen(function* () {
        need({ root: true })(context)
        const { target } = yield* sandbox
        const { openFolder } = yield* Effect.promise(() =>
          vi.importActual<typeof WriteSyscalls>("../../../src/services/posix/WriteSyscalls.ts"),
        )
        vi.mocked(WriteSyscalls.openFolder).mockImplementation((directory, name) => {
          if (Buffer.from(name).toString() === "d") {
            fs.rmdirSync(path.join(target, "d"))
            put(path.join(target, "d"))
          }
          return openFolder(directory, name)
        })
        const built = B.build({ children: [B.folder("d", [B.file("secret", "1")]), B.file("z", "2")] })
        const { problems } = yield* extract(built, target)
        assert.deepStrictEqual(problems, ["Replaced d"])
        assert.notInclude(pathsIn(target), "d/secret")
        assert.strictEqual(readText(target, "z"), "2")
      }),
    )
  }
})

describe("attributes", () => {
  beforeEach(need({ root: true }))

  it.effect("by which XFS shows ACLs a second time are not restored", () =>
    Effect.gen(function* () {
      const { target } = yield* sandbox
      assert.isDefined(Type.XATTR)
      const built = B.build({
        children: [
          B.raw("f", B.entry(), B.xattr("trusted.SGI_ACL_FILE", "x"), B.xattr("trusted.other", "y"), B.payload("1")),
        ],
      })
      const { problems } = yield* extract(built, target, { verify: true })
      assert.deepStrictEqual([problems, Object.keys(attributesOf(target, "f"))], [[], ["trusted.other"]])
    }),
  )

  it.live("are restored on FIFOs without /proc too", (context) =>
    Effect.gen(function* () {
      need({ tools: ["unshare", "umount"] })(context)
      const { base, target } = yield* sandbox
      const archive = path.join(base, "outside/a.pxar")
      fs.writeFileSync(archive, B.build({ children: [B.raw("p", B.entry({ mode: 0o10644 }))] }).bytes)
      const wrapper = ["unshare", "-m", "sh", "-c", 'umount -l /proc && exec "$0" "$@"']
      const { code, stderr } = yield* Command.run(["extract", archive, target], { wrapper })
      assert.deepStrictEqual([code, stderr, modeOf(target, "p")], [0, "", 0o644])
    }),
  )
})

describe("a run that is killed", () => {
  it.live("leaves no file under its name that is not whole", () =>
    Effect.gen(function* () {
      const { base, target } = yield* sandbox
      const content = Buffer.alloc(20_000, "content")
      const names = Array.from({ length: 3000 }, (_, i) => `f${i}`)
      const archive = path.join(base, "outside/a.pxar")
      fs.writeFileSync(archive, B.build({ children: names.map((name) => B.file(name, content)) }).bytes)
      const program = yield* Command.start(["extract", archive, target])
      yield* Processes.eventually(
        "some files",
        Effect.sync(() => fs.existsSync(target) && fs.readdirSync(target).length),
        (count) => count !== false && count > 100,
      )
      yield* program.kill("SIGKILL")
      yield* program.ended
      const left = fs.readdirSync(target)
      for (const name of left) assert.isTrue(fs.readFileSync(path.join(target, name)).equals(content), name)
      const again = yield* Command.run(["extract", archive, target, "--overwrite=if-changed", "--verbose"])
      assert.strictEqual(again.code, 0, again.stderr)
      assert.match(
        again.stderr,
        new RegExp(`${3000 - left.length + 1} entries extracted, .*; ${left.length} were there`),
      )
      assert.strictEqual(fs.readdirSync(target).length, 3000)
    }),
  )
})
