/** What to extract, what to restore of it, and what to do about what is there already. */
import * as fs from "node:fs"
import * as path from "node:path"
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { beforeEach } from "vitest"
import * as Extractor from "../../../src/services/extract/Extractor.ts"
import { SelectionError } from "../../../src/services/tree/Selection.ts"
import * as B from "../../support/ArchiveBuilder.ts"
import * as Materialize from "../../support/Materialize.ts"
import { need } from "../../support/Requirements.ts"
import { attributesOf, extract, extractFrom, interfering, modeOf, pathsIn, readText, sandbox } from "./extraction.ts"
import { open } from "../archive/helpers.ts"

const text = (...args: ReadonlyArray<string>): ReadonlyArray<Uint8Array> => args.map((arg) => Buffer.from(arg))

describe("paths and patterns", () => {
  const built = B.build({
    children: [
      B.folder("etc", [
        B.file("hosts", "1"),
        B.folder("ssh", [B.file("a.conf", "2"), B.file("b.key", "3")], B.entry({ mode: 0o40711, seconds: 5 })),
        B.file("x.conf", "4"),
      ]),
      B.folder("srv", [B.folder("ssh", [B.file("c.conf", "5")])]),
      B.file("*.conf", "6"),
    ],
  })

  for (const [args, expected] of [
    [["etc/ssh"], ["etc", "etc/ssh", "etc/ssh/a.conf", "etc/ssh/b.key"]],
    [["/etc/hosts"], ["etc", "etc/hosts"]],
    [
      ["etc/hosts", "srv/"],
      ["etc", "etc/hosts", "srv", "srv/ssh", "srv/ssh/c.conf"],
    ],
    [["**/ssh"], ["etc", "etc/ssh", "etc/ssh/a.conf", "etc/ssh/b.key", "srv", "srv/ssh", "srv/ssh/c.conf"]],
    [["/etc/*.conf"], ["etc", "etc/x.conf"]],
    // A name in the archive before a pattern.
    [["*.conf"], ["*.conf"]],
    [
      ["etc", "!ssh"],
      ["etc", "etc/hosts", "etc/x.conf"],
    ],
    [
      ["etc", "!ssh", "*.key"],
      ["etc", "etc/hosts", "etc/ssh", "etc/ssh/b.key", "etc/x.conf"],
    ],
    [["!etc"], ["*.conf", "srv", "srv/ssh", "srv/ssh/c.conf"]],
    [
      ["/"],
      [
        "*.conf",
        "etc",
        "etc/hosts",
        "etc/ssh",
        "etc/ssh/a.conf",
        "etc/ssh/b.key",
        "etc/x.conf",
        "srv",
        "srv/ssh",
        "srv/ssh/c.conf",
      ],
    ],
  ] as const) {
    it.effect(args.join(" "), () =>
      Effect.gen(function* () {
        const { target } = yield* sandbox
        const { problems } = yield* extract(built, target, { paths: text(...args) })
        assert.deepStrictEqual(problems, [])
        assert.deepStrictEqual(pathsIn(target), expected)
      }),
    )
  }

  it.effect("folders on the way get the attributes of the archive", () =>
    Effect.gen(function* () {
      const { target } = yield* sandbox
      yield* extract(built, target, { paths: text("etc/ssh/b.key") })
      assert.strictEqual(modeOf(target, "etc/ssh"), 0o711)
      assert.strictEqual(fs.statSync(path.join(target, "etc/ssh")).mtimeMs, 5000)
    }),
  )

  it.effect("folders on the way that are there already stay as they are, also without --allow-existing-dirs", () =>
    Effect.gen(function* () {
      const { target } = yield* sandbox
      fs.mkdirSync(path.join(target, "etc/ssh"), { recursive: true, mode: 0o700 })
      const { problems } = yield* extract(built, target, { paths: text("etc/ssh/b.key") })
      assert.deepStrictEqual(problems, [])
      assert.strictEqual(modeOf(target, "etc/ssh"), 0o700)
    }),
  )

  it.effect("folders in which nothing can be are not read", () =>
    Effect.gen(function* () {
      const { target } = yield* sandbox
      let entered = false
      const reader = interfering(yield* open(built.bytes), "c.conf", () => (entered = true))
      yield* extractFrom(reader, target, { paths: text("etc/ssh", "/etc/*.conf") })
      assert.isFalse(entered)
    }),
  )

  it.effect("what matches nothing is a problem", () =>
    Effect.gen(function* () {
      const { target } = yield* sandbox
      const { problems } = yield* extract(built, target, { paths: text("etc/hosts", "etc/nothing", "*.none") })
      assert.deepStrictEqual(problems, ["NoMatch etc/nothing", "NoMatch *.none"])
      assert.deepStrictEqual(pathsIn(target), ["etc", "etc/hosts"])
    }),
  )

  it.effect("what is neither path nor pattern is an error, before anything is made", () =>
    Effect.gen(function* () {
      const { target } = yield* sandbox
      const error = yield* Effect.flip(extract(built, target, { paths: text("[a") }))
      assert.instanceOf(error, SelectionError)
      assert.isFalse(fs.existsSync(target))
    }),
  )
})

/** u::rwx, u:1234:rwx, g::r-x, m::rwx, o::r-x (§8.4). */
const DEFAULT_ACL = Buffer.from(
  "0200000001000700ffffffff02000700d204000004000500ffffffff10000700ffffffff20000500ffffffff",
  "hex",
)

describe("what is there already", () => {
  const built = B.build({
    children: [
      B.file("a", "new"),
      B.folder(
        "d",
        [B.file("b", "new"), B.raw("l", B.entry({ mode: 0o120777 }), B.symlink("new"))],
        B.entry({ mode: 0o40755, seconds: 9 }),
      ),
      B.file("z", "new"),
    ],
  })

  const prepare = (target: string): void => {
    fs.mkdirSync(path.join(target, "d"), { recursive: true, mode: 0o700 })
    fs.writeFileSync(path.join(target, "a"), "old")
    fs.writeFileSync(path.join(target, "d/b"), "old")
    fs.writeFileSync(path.join(target, "d/kept"), "old")
    fs.symlinkSync("old", path.join(target, "d/l"))
  }

  it.effect("stays, with all that is in it", () =>
    Effect.gen(function* () {
      const { target } = yield* sandbox
      prepare(target)
      const { problems } = yield* extract(built, target)
      assert.deepStrictEqual(problems, ["Exists a", "Exists d"])
      assert.deepStrictEqual(
        [readText(target, "a"), readText(target, "d/b"), readText(target, "z")],
        ["old", "old", "new"],
      )
      assert.strictEqual(modeOf(target, "d"), 0o700)
    }),
  )

  it.effect("with allowExistingDirs folders get what they do not have, and their attributes", () =>
    Effect.gen(function* () {
      const { target } = yield* sandbox
      prepare(target)
      fs.rmSync(path.join(target, "d/b"))
      const { problems } = yield* extract(built, target, { allowExistingDirs: true })
      assert.deepStrictEqual(problems, ["Exists a", "Exists d/l"])
      assert.deepStrictEqual([readText(target, "d/b"), readText(target, "d/kept")], ["new", "old"])
      assert.strictEqual(modeOf(target, "d"), 0o755)
      assert.strictEqual(fs.statSync(path.join(target, "d")).mtimeMs, 9000)
    }),
  )

  it.effect("with overwrite files and links are replaced, but not in folders that may not be entered", () =>
    Effect.gen(function* () {
      const { target } = yield* sandbox
      prepare(target)
      const { problems } = yield* extract(built, target, { overwrite: true })
      assert.deepStrictEqual(problems, ["Exists d"])
      assert.deepStrictEqual([readText(target, "a"), readText(target, "d/b")], ["new", "old"])
    }),
  )

  it.effect("with both everything is replaced, and what the archive does not have stays", () =>
    Effect.gen(function* () {
      const { target } = yield* sandbox
      prepare(target)
      const { problems } = yield* extract(built, target, { overwrite: true, allowExistingDirs: true })
      assert.deepStrictEqual(problems, [])
      assert.deepStrictEqual([readText(target, "d/b"), readText(target, "d/kept")], ["new", "old"])
      assert.strictEqual(fs.readlinkSync(path.join(target, "d/l")), "new")
    }),
  )

  it.effect("ends a strict run, and what comes after it is not extracted", () =>
    Effect.gen(function* () {
      const { target } = yield* sandbox
      prepare(target)
      const error = yield* Effect.flip(extract(built, target, { strict: true }))
      assert.instanceOf(error, Extractor.ExtractError)
      assert.deepStrictEqual(
        [error.reason, error.message],
        ["Stopped", "stopped at the first problem: a: is there already"],
      )
      assert.isFalse(fs.existsSync(path.join(target, "z")))
    }),
  )

  it.effect("a default ACL of the target does not reach what is extracted", () =>
    Effect.gen(function* () {
      const { target } = yield* sandbox
      fs.mkdirSync(target)
      Materialize.setXattr(Buffer.from(target), "system.posix_acl_default", DEFAULT_ACL)
      yield* extract(built, target)
      for (const name of ["a", "d", "d/b"]) assert.deepStrictEqual(attributesOf(target, name), {}, name)
      assert.strictEqual(modeOf(target, "d"), 0o755)
    }),
  )

  it.effect("a default ACL of the target counts with acls: false", () =>
    Effect.gen(function* () {
      const { target } = yield* sandbox
      fs.mkdirSync(target)
      Materialize.setXattr(Buffer.from(target), "system.posix_acl_default", DEFAULT_ACL)
      yield* extract(built, target, { acls: false })
      assert.containsAllKeys(attributesOf(target, "d"), ["system.posix_acl_access", "system.posix_acl_default"])
    }),
  )
})

describe("kinds", () => {
  beforeEach(need({ root: true }))

  const built = B.build({
    children: [
      B.raw("device", B.entry({ mode: 0o20600 }), B.device(1, 3)),
      B.raw("fifo", B.entry({ mode: 0o10600 })),
      B.raw("socket", B.entry({ mode: 0o140600 })),
      B.file("file", ""),
    ],
  })

  for (const [option, left] of [
    ["deviceNodes", ["fifo", "file", "socket"]],
    ["fifos", ["device", "file", "socket"]],
    ["sockets", ["device", "fifo", "file"]],
  ] as const) {
    it.effect(`${option}: false leaves them out, which is no problem`, () =>
      Effect.gen(function* () {
        const { target } = yield* sandbox
        const { problems, report } = yield* extract(built, target, { [option]: false })
        assert.deepStrictEqual(problems, [])
        assert.deepStrictEqual(pathsIn(target), left)
        assert.strictEqual(report.omitted, 1)
      }),
    )
  }
})

it.effect("a device number that Linux does not have is a problem", () =>
  Effect.gen(function* () {
    const { target } = yield* sandbox
    const bad = B.build({ children: [B.raw("d", B.entry({ mode: 0o20600 }), B.device(1 << 12, 0))] })
    const { problems } = yield* extract(bad, target)
    assert.deepStrictEqual(problems, ["NotCreated d"])
  }),
)
