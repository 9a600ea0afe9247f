import * as fs from "node:fs"
import { assert, beforeEach, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import * as ExitCode from "../../../src/cli/ExitCode.ts"
import * as B from "../../support/ArchiveBuilder.ts"
import * as Datastores from "../../support/Datastores.ts"
import * as Golden from "../../support/Golden.ts"
import { materialize, setTime, setXattr } from "../../support/Materialize.ts"
import * as Processes from "../../support/Processes.ts"
import { need } from "../../support/Requirements.ts"
import { open } from "../../services/archive/helpers.ts"
import * as Tree from "../../support/Tree.ts"
import * as JsonSchemas from "./JsonSchemas.ts"
import { asEveryUser, expectRun, onEveryGolden, nobody, payloadOf, writeArchive } from "../reading.ts"

asEveryUser("diff", (as) => {
  onEveryGolden(
    "finds nothing between an archive and itself",
    Effect.fnUntraced(function* (golden) {
      const payload = payloadOf(golden)
      const other = payload.length === 0 ? [] : ["--other-payload", payload[1]!]
      const args = ["diff", golden.archive, golden.archive, ...payload, ...other]
      assert.strictEqual(yield* expectRun(args, 0, [], as), "")
    }),
  )

  it.live("finds nothing between the two versions of one tree", () =>
    Effect.map(expectRun(["diff", Golden.treeV1.archive, Golden.treeV2.archive], 0, [], as), (output) =>
      assert.strictEqual(output, ""),
    ),
  )
})

describe("diff of two archives", () => {
  const left = B.build({
    children: [
      B.file("content", "1"),
      B.folder("gone", [B.file("x")]),
      B.file("mode"),
      B.raw("xattr", B.entry(), B.xattr("user.a", "1"), B.xattr(Buffer.from([0xff]), "1"), B.payload("")),
    ],
  })
  const right = B.build({
    children: [
      B.file("content", "2"),
      B.file("mode", "", { head: B.entry({ mode: 0o104755, seconds: -1, nanos: 5, uid: 7 }) }),
      B.raw(Buffer.from([0x6e, 0xff]), B.entry({ mode: 0o120777 }), B.symlink("target")),
      B.raw("xattr", B.entry(), B.xattr("user.a", "2"), B.xattr("user.b", ""), B.payload("")),
    ],
  })

  it.live("prints a line for each path", () =>
    Effect.gen(function* () {
      const [a, b] = [yield* writeArchive(left), yield* writeArchive(right)]
      const output = yield* expectRun(["diff", a, b], ExitCode.DIFFERENT, [
        `1 added, 2 removed, 3 changed from ${a} to ${b}\n`,
      ])
      assert.deepStrictEqual(output.split("\n"), [
        "changed   /content: content from byte 0 on",
        "removed   /gone",
        "removed   /gone/x",
        "changed   /mode: mode 0644 to 4755; uid 0 to 7; mtime 1970-01-01 00:00:00.000000000 to 1969-12-31 23:59:59.000000005",
        String.raw`added     /n\xff`,
        String.raw`changed   /xattr: xattr user.a changed; xattr \xff removed; xattr user.b added`,
        "",
      ])
    }),
  )

  it.live("prints JSON", () =>
    Effect.gen(function* () {
      const args = ["diff", "--json", yield* writeArchive(left), yield* writeArchive(right)]
      const lines = JsonSchemas.parse("diff", yield* expectRun(args, ExitCode.DIFFERENT, ["1 added"]))
      assert.deepStrictEqual(lines[0], {
        change: "changed",
        path: "/content",
        attributes: [{ attribute: "content", offset: 0 }],
      })
      assert.deepStrictEqual(lines.at(-2), {
        change: "added",
        path: String.raw`/n\xff`,
        path_hex: "2f6eff",
        kind: "symlink",
        mode: 0o120777,
        uid: 0,
        gid: 0,
        size: 6,
        mtime_seconds: "0",
        mtime_nanos: 0,
        target: "target",
      })
      assert.deepStrictEqual(lines.at(-1), {
        change: "changed",
        path: "/xattr",
        attributes: [
          { attribute: "xattr", name: "user.a", archive: "31", other: "32" },
          { attribute: "xattr", name: String.raw`\xff`, name_hex: "ff", archive: "31", other: null },
          { attribute: "xattr", name: "user.b", archive: null, other: "" },
        ],
      })
    }),
  )

  it.live("leaves contents alone with --no-data", () =>
    Effect.gen(function* () {
      const [a, b] = [B.build({ children: [B.file("a", "1")] }), B.build({ children: [B.file("a", "2")] })]
      yield* expectRun(["diff", "--no-data", yield* writeArchive(a), yield* writeArchive(b)], 0)
    }),
  )

  it.live("names what cannot be read, and has its exit code", () =>
    Effect.gen(function* () {
      const bad = B.build({ children: [B.raw("a", B.entry(), B.item(0x1234n)), B.file("b", "2")] })
      const sound = B.build({ children: [B.file("a"), B.file("b", "1")] })
      const output = yield* expectRun(
        ["diff", yield* writeArchive(sound), yield* writeArchive(bad)],
        ExitCode.UNSUPPORTED,
        ["1 could not be compared"],
      )
      assert.match(
        output,
        /^unreadable \/a \(other\): .*unknown item type.*\nchanged {3}\/b: content from byte 0 on\n$/,
      )
    }),
  )

  it.live("says which is missing", () =>
    expectRun(["diff", Golden.helloV1.archive, "/nonexistent"], ExitCode.NO_ARCHIVE, ["/nonexistent: no such file"]),
  )

  it.live("cannot read contents of a payload archive that is missing", () =>
    Effect.gen(function* () {
      const built = B.build({ version: 2, children: [B.file("a", "x")] })
      const alone = yield* writeArchive({ bytes: built.bytes }, "alone.mpxar")
      const output = yield* expectRun(["diff", yield* writeArchive(built), alone], ExitCode.UNSUPPORTED, ["ppxar"])
      assert.match(output, /^unreadable \/a \(other\): /)
    }),
  )
})

describe("diff of two backups", () => {
  const [older, newer] = ["2024-01-01", "2024-04-01"].map(
    (time) => `${Datastores.store("datastore-plain")}::host/alpha/${time}/root.pxar`,
  ) as [string, string]

  it.live("reads nothing unless that is asked for, and says what is open", () =>
    Effect.gen(function* () {
      const told = JsonSchemas.parse(
        "diff",
        yield* expectRun(["diff", "--json", older, newer], ExitCode.INCOMPLETE, ["21 undecided: --data"]),
      )
      const read = JsonSchemas.parse(
        "diff",
        yield* expectRun(["diff", "--json", "--data", older, newer], ExitCode.DIFFERENT, [" changed from "]),
      )
      const changes = (lines: typeof told) => new Set(lines.map(({ change }) => change))
      assert.deepStrictEqual([changes(told), changes(read)], [new Set(["undecided"]), new Set(["changed"])])
    }),
  )

  it.live("says which bytes differ", () =>
    Effect.gen(function* () {
      const lines = yield* expectRun(["diff", "--bytes", older, newer], ExitCode.DIFFERENT, [" changed from "])
      assert.match(lines, /^changed .*content in bytes \d+/m)
    }),
  )

  it.live("does not read and not read", () =>
    expectRun(["diff", "--bytes", "--no-data", older, newer], ExitCode.USAGE, ["give --no-data or --bytes, not both"]),
  )
})

/** A golden archive's tree on disk. */
const onDisk = Effect.fnUntraced(function* (golden: Golden.Golden) {
  const folder = yield* Processes.temporaryFolder
  const { bytes, payload } = Golden.load(golden)
  materialize(yield* Tree.read(yield* open(bytes, payload)), folder)
  return folder
})

describe("diff with a folder", () => {
  beforeEach(need({ root: true, otherUsers: true }))

  it.live("finds nothing in a faithful copy", () =>
    Effect.gen(function* () {
      assert.strictEqual(yield* expectRun(["diff", Golden.treeV2.archive, yield* onDisk(Golden.treeV2)], 0), "")
    }),
  )

  it.live("finds what was changed", () =>
    Effect.gen(function* () {
      const folder = yield* onDisk(Golden.helloV1)
      fs.writeFileSync(`${folder}/hello`, "HI\n")
      setXattr(Buffer.from(`${folder}/hello`), "user.new", Buffer.from("1"))
      setTime(Buffer.from(`${folder}/hello`), 1_700_000_001n, 500_000_000)
      fs.rmSync(`${folder}/link`)
      fs.mkdirSync(`${folder}/link`)
      setTime(Buffer.from(folder), 1_700_000_000n, 0)
      const output = yield* expectRun(["diff", Golden.helloV1.archive, folder], ExitCode.DIFFERENT, ["2 changed"])
      assert.deepStrictEqual(output.split("\n"), [
        "changed   /hello: xattr user.new added; content from byte 0 on",
        "changed   /link: kind symlink to directory",
        "",
      ])
    }),
  )

  it.live("compares what an ordinary user may see, and names what not", () =>
    Effect.gen(function* () {
      const folder = yield* Processes.temporaryFolder
      fs.writeFileSync(`${folder}/open`, "content")
      fs.writeFileSync(`${folder}/secret`, "content", { mode: 0o600 })
      fs.mkdirSync(`${folder}/closed`, { mode: 0o700 })
      fs.writeFileSync(`${folder}/closed/x`, "")
      const now = fs.statSync(folder).mtimeMs
      for (const name of ["open", "secret", "closed", ""]) setTime(Buffer.from(`${folder}/${name}`), 1n, 0)
      assert.isAbove(now, 0)
      const archive = yield* writeArchive(
        B.build({
          root: B.entry({ mode: 0o40755, seconds: 1 }),
          children: [
            B.folder("closed", [B.file("x")], B.entry({ mode: 0o40700, seconds: 1 })),
            B.file("open", "Content", { head: B.entry({ seconds: 1 }) }),
            B.file("secret", "content", { head: B.entry({ mode: 0o100644, seconds: 1 }) }),
          ],
        }),
      )
      const output = yield* expectRun(
        ["diff", archive, folder],
        ExitCode.NOT_PERMITTED,
        ["2 could not be compared"],
        nobody,
      )
      assert.deepStrictEqual(output.split("\n"), [
        "unreadable /closed (other): closed: cannot open: permission denied",
        "changed   /open: content from byte 0 on",
        "unreadable /secret (other): secret: cannot open: permission denied",
        "changed   /secret: mode 0644 to 0600",
        "",
      ])
    }),
  )
})
