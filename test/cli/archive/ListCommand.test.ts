import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import * as ExitCode from "../../../src/cli/ExitCode.ts"
import * as PathText from "../../../src/domain/PathText.ts"
import * as B from "../../support/ArchiveBuilder.ts"
import * as Wire from "../../support/Wire.ts"
import * as Golden from "../../support/Golden.ts"
import * as JsonSchemas from "./JsonSchemas.ts"
import { asEveryUser, expectRun, onEveryGolden, payloadOf, run, shell, writeArchive } from "../reading.ts"

const hex = (text: string): string => Buffer.from(PathText.parse(text)).toString("hex")

/** What the view says, in the form of `list --json`, by path. */
const fromView = (golden: Golden.Golden) =>
  new Map(
    golden.view().map((view) => [
      view.path.toString("hex"),
      {
        kind: view.kind,
        hardlink: view.hardlink,
        ino: Wire.inodeOf(view.ino).toString(),
        mode: view.mode,
        uid: view.uid,
        gid: view.gid,
        size: view.size,
        time: `${view.mtimeSeconds} ${view.mtimeNanos}`,
        target: view.target?.toString("hex"),
        device: view.rdev?.join(","),
        xattrs: Object.entries(view.xattrs).sort(),
      },
    ]),
  )

asEveryUser("list", (as) => {
  onEveryGolden(
    "prints all the same whether it goes straight or asks about each path",
    Effect.fnUntraced(function* (golden) {
      for (const flags of [[], ["-l"], ["-l", "-h", "--numeric-ids"], ["--null"]]) {
        const words = ["list", ...flags, golden.archive, ...payloadOf(golden)]
        const output = yield* expectRun(words, 0, [], as)
        assert.strictEqual(output, yield* expectRun([...words, "!no such name"], 0, [], as))
      }
    }),
  )

  onEveryGolden(
    "prints what the view shows",
    Effect.fnUntraced(function* (golden) {
      const output = yield* expectRun(["list", "--json", golden.archive, ...payloadOf(golden)], 0, [], as)
      const listed = new Map(
        JsonSchemas.parse("list", output).map((line) => {
          if ("error" in line) return assert.fail(line.error.detail)
          return [
            line.path_hex ?? hex(line.path),
            {
              kind: line.kind,
              hardlink: line.hardlink !== undefined,
              ino: line.ino,
              mode: line.mode,
              uid: line.uid,
              gid: line.gid,
              size: line.size,
              time: `${line.mtime_seconds} ${line.mtime_nanos}`,
              target: line.target === undefined ? undefined : (line.target_hex ?? hex(line.target)),
              device: line.device === undefined ? undefined : `${line.device.major},${line.device.minor}`,
              xattrs: (line.xattrs ?? []).map((x) => [x.name_hex ?? hex(x.name), x.value_hex]).sort(),
            },
          ]
        }),
      )
      assert.deepStrictEqual(listed, fromView(golden))
    }),
  )
})

describe("list", () => {
  it.live("prints a path a line, which can be turned back into its bytes", () =>
    Effect.gen(function* () {
      const output = yield* expectRun(["list", Golden.treeV1.archive], 0)
      assert.deepStrictEqual(
        output
          .split("\n")
          .slice(0, -1)
          .map((line) => hex(line))
          .sort(),
        Golden.treeV1
          .view()
          .map(({ path }) => path.toString("hex"))
          .sort(),
      )
    }),
  )

  it.live("takes each of those lines as a path", () =>
    Effect.gen(function* () {
      const names = (yield* expectRun(["list", Golden.synthV1.archive, "names"], 0)).split("\n").slice(1, -1)
      assert.isAbove(names.filter((name) => name.includes("\\")).length, 2)
      assert.strictEqual(
        yield* expectRun(["list", Golden.synthV1.archive, ...names], 0),
        names.map((name) => `${name}\n`).join(""),
      )
    }),
  )

  it.live("works without the payload archive", () =>
    Effect.gen(function* () {
      const archive = yield* writeArchive(
        { bytes: B.build({ version: 2, children: [B.file("a", "x")] }).bytes },
        "alone.mpxar",
      )
      assert.strictEqual(yield* expectRun(["list", archive], 0), "/\n/a\n")
    }),
  )
})

describe("list -l", () => {
  const acl = B.item(B.Type.ACL_GROUP_OBJ, B.u64(5))
  const built = B.build({
    root: B.entry({ mode: 0o41777, seconds: 1_700_000_000 }),
    children: [
      B.file("big", "x".repeat(1234), { head: B.entry({ mode: 0o106755, uid: 4_000_000_000, gid: 100_000 }) }),
      B.raw("dev", B.entry({ mode: 0o60660, seconds: -1, nanos: 5 }), B.device(259, 1_000_000)),
      B.raw("fifo", B.entry({ mode: 0o11000 })),
      B.linkTo("link", "big"),
      B.raw("null", B.entry({ mode: 0o20666 }), acl, B.device(1, 3)),
      B.raw("socket", B.entry({ mode: 0o144000 })),
      B.raw(
        Buffer.from([0x73, 0xff]),
        B.entry({ mode: 0o120777, seconds: 2n ** 62n, uid: 5 }),
        B.symlink(Buffer.from([0x2f, 0xfe])),
      ),
    ],
  })

  it.live("shows what ls -l shows", () =>
    Effect.gen(function* () {
      const output = yield* expectRun(["list", "-l", "--numeric-ids", yield* writeArchive(built)], 0)
      assert.deepStrictEqual(output.split("\n"), [
        "drwxrwxrwt  0     0               0 2023-11-14 22:13:20 /",
        "-rwsr-sr-x  4000000000 100000        1234 1970-01-01 00:00:00 /big",
        "brw-rw----  0     0     259,1000000 1969-12-31 23:59:59 /dev",
        "p--------T  0     0               0 1970-01-01 00:00:00 /fifo",
        "-rwsr-sr-x  4000000000 100000        1234 1970-01-01 00:00:00 /link link to /big",
        "crw-rw-rw-+ 0     0             1,3 1970-01-01 00:00:00 /null",
        "s--S------  0     0               0 1970-01-01 00:00:00 /socket",
        String.raw`lrwxrwxrwx  5     0               2 @4611686018427387904 /s\xff -> /\xfe`,
        "",
      ])
    }),
  )
})

describe("list, as hands expect it", () => {
  const built = B.build({
    children: [
      B.file("b", "x".repeat(3_000_000), { head: B.entry({ seconds: 5 }) }),
      B.file("a", "x", { head: B.entry({ seconds: 9 }) }),
      B.file(Buffer.from([0x63, 0xff, 0x0a]), "xx", { head: B.entry({ seconds: 1 }) }),
    ],
  })

  it.live("has names of users, sizes as people read them, and all of it before a tree too", () =>
    Effect.gen(function* () {
      const archive = yield* writeArchive(built)
      for (const flags of ["-lh", "-hl", "-vh"]) {
        const output = yield* expectRun(["ls", flags, archive, "b"], 0)
        assert.strictEqual(output, "-rw-r--r--  root  root         2.9M 1970-01-01 00:00:05 /b\n")
      }
      const tree = yield* expectRun(["list", "--tree", "-l", archive], 0)
      assert.match(tree, /^-rw-r--r-- {2}root {2}root {6}3000000 1970-01-01 00:00:05 [├└]── b$/m)
    }),
  )

  it.live("is sorted as it is asked for", () =>
    Effect.gen(function* () {
      const archive = yield* writeArchive(built)
      const order = (sort: string) =>
        Effect.map(expectRun(["list", "--sort", sort, archive], 0), (output) =>
          [...output.matchAll(/^\/([abc])/gm)].map(([, name]) => name).join(""),
        )
      assert.strictEqual(yield* order("name"), "abc")
      assert.strictEqual(yield* order("size"), "bca")
      assert.strictEqual(yield* order("time"), "abc")
    }),
  )

  it.live("gives paths as they are, with a NUL behind each", () =>
    Effect.gen(function* () {
      const { stdout } = yield* run(["list", "-0", "--sort", "name", yield* writeArchive(built)])
      assert.strictEqual(stdout.toString("latin1"), "/\0/a\0/b\0/c\xff\n\0")
    }),
  )

  it.live("refuses what does not go together", () =>
    Effect.gen(function* () {
      const archive = yield* writeArchive(built)
      for (const flags of [
        ["--json", "--tree"],
        ["-0", "-l"],
        ["-0", "--json"],
        ["--tree", "--sort", "name"],
      ]) {
        assert.strictEqual((yield* run(["list", ...flags, archive])).code, ExitCode.USAGE, flags.join(" "))
      }
    }),
  )
})

describe("list --tree", () => {
  const built = B.build({
    children: [
      B.file("a"),
      B.folder("b", [B.folder("c", [B.file("d"), B.linkTo("e", "a")]), B.folder("empty", []), B.file("f")]),
      B.raw("z", B.entry({ mode: 0o120777 }), B.symlink("a")),
    ],
  })

  it.live("draws the tree", () =>
    Effect.gen(function* () {
      const output = yield* expectRun(["list", "--tree", yield* writeArchive(built)], 0)
      assert.deepStrictEqual(output.split("\n"), [
        "/",
        "├── a",
        "├── b",
        "│   ├── c",
        "│   │   ├── d",
        "│   │   └── e link to /a",
        "│   ├── empty",
        "│   └── f",
        "└── z -> a",
        "",
      ])
    }),
  )

  it.live("draws one for each path", () =>
    Effect.gen(function* () {
      const output = yield* expectRun(["list", "--tree", yield* writeArchive(built), "b/c", "z"], 0)
      assert.deepStrictEqual(output.split("\n"), ["/b/c", "├── d", "└── e link to /a", "/z -> a", ""])
    }),
  )

  it.live("draws one for each topmost entry that matches a pattern", () =>
    Effect.gen(function* () {
      const output = yield* expectRun(["list", "--tree", yield* writeArchive(built), "[ce]*"], 0)
      assert.deepStrictEqual(output.split("\n"), ["/b/c", "├── d", "└── e link to /a", "/b/empty", ""])
    }),
  )

  it.live("draws a folder whose index is damaged, with its contents", () =>
    Effect.gen(function* () {
      const broken = B.poke(built.bytes, built.at("b/c").end - 24, 0)
      const archive = yield* writeArchive({ bytes: broken })
      const output = yield* expectRun(["list", "--tree", archive, "b"], 0, ["the index of a folder is damaged", "D1"])
      const whole = yield* expectRun(["list", "--tree", yield* writeArchive(built), "b"], 0)
      assert.strictEqual(output, whole)
    }),
  )
})

describe("what is asked for", () => {
  it.live("by paths and patterns", () =>
    Effect.gen(function* () {
      const output = yield* expectRun(["list", Golden.synthV1.archive, "files/size-1", "non-utf8-*", "!*4097"], 0)
      assert.strictEqual(output, "/files/size-1\n/names/non-utf8-\\xff\\xfe\\x80\n")
    }),
  )

  it.live("and is not there", () =>
    Effect.gen(function* () {
      const args = ["list", Golden.helloV1.archive, "hello", "nothing*", "nor/this"]
      const output = yield* expectRun(args, ExitCode.NO_ENTRY, ["nothing*: nothing like that", "nor/this: nothing"])
      assert.strictEqual(output, "/hello\n")
    }),
  )

  it.live("by no pattern at all", () =>
    expectRun(["list", Golden.helloV1.archive, "a[b"], ExitCode.USAGE, ["a[b: ", "`[` without `]`"]),
  )
})

describe("an archive with damages", () => {
  const built = B.build({
    children: [B.file("a"), B.raw("bad", B.entry(), B.item(0x1234n)), B.file("c"), { ...B.file("c"), key: "twin" }],
  })

  it.live("is listed without them; they are named", () =>
    Effect.gen(function* () {
      const archive = yield* writeArchive(built)
      const output = yield* expectRun(["list", archive], ExitCode.DAMAGED, [
        `warning: /bad: ${archive}: unknown item type`,
        "check H4",
        "warning: /c: ",
        "check D9",
      ])
      assert.strictEqual(output, "/\n/a\n/c\n")
    }),
  )

  it.live("has them as JSON", () =>
    Effect.gen(function* () {
      const archive = yield* writeArchive(built)
      const lines = JsonSchemas.parse("list", yield* expectRun(["list", "--json", archive], ExitCode.DAMAGED))
      const offset = built.at("bad").start + 56
      assert.deepStrictEqual(
        lines.flatMap((line) => ("error" in line ? [{ path: line.path, ...line.error }] : [])).slice(0, 1),
        [
          {
            path: "/bad",
            kind: "Unsupported",
            check: "H4",
            archive,
            offset,
            detail: "unknown item type 0x0000000000001234",
          },
        ],
      )
    }),
  )

  it.live("only hidden ones: is not called damaged", () =>
    Effect.gen(function* () {
      const archive = yield* writeArchive(B.build({ children: [B.file("c"), { ...B.file("c"), key: "twin" }] }))
      yield* expectRun(["list", archive], 0, ["check D9"])
    }),
  )
})

describe("an archive that cannot be opened", () => {
  it.live("does not exist", () => expectRun(["list", "/nonexistent.pxar"], ExitCode.NO_ARCHIVE, ["no such file"]))

  it.live("is something else", () =>
    expectRun(["list", import.meta.filename], ExitCode.NOT_PXAR, ["not a pxar archive"]),
  )

  it.live("is cut short", () =>
    Effect.gen(function* () {
      const { bytes } = Golden.load(Golden.helloV1)
      const cut = yield* writeArchive({ bytes: bytes.subarray(0, -1) })
      const output = yield* expectRun(["list", cut], ExitCode.INCOMPLETE, ["the index at the end is missing", "A4"])
      assert.strictEqual(output, "/\n/hello\n/link\n")
    }),
  )

  it.live("has a payload archive that does not exist", () =>
    expectRun(["list", Golden.helloV2.archive, "--payload", "/nonexistent.ppxar"], ExitCode.NO_ARCHIVE, [
      "/nonexistent.ppxar: no such file",
    ]),
  )
})

describe("stdout", () => {
  it.live("that is closed early ends the command quietly", () =>
    Effect.gen(function* () {
      const names = Array.from({ length: 3000 }, (_, i) => B.file(`a rather long name, to fill the pipe: ${i}`))
      const archive = yield* writeArchive(B.build({ children: names }))
      const ended = yield* shell('{ "$@"; echo $? >&2; } | head -n 1', "list", "--json", archive)
      assert.match(ended.stdout.toString(), /^\{"path":"\/".*\}\n$/)
      assert.strictEqual(ended.stderr, `${ExitCode.OUTPUT_CLOSED}\n`)
    }),
  )

  it.live("that is full is an error", () =>
    Effect.gen(function* () {
      const ended = yield* shell('"$@" > /dev/full', "list", Golden.helloV1.archive)
      assert.strictEqual(ended.code, ExitCode.OUTPUT_FAILED)
      assert.match(ended.stderr, /^pxar-fuse: cannot write to stdout: .*no space left.*\n$/)
    }),
  )
})
