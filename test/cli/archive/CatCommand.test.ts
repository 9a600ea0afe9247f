import * as crypto from "node:crypto"
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import * as ExitCode from "../../../src/cli/ExitCode.ts"
import * as PathText from "../../../src/domain/PathText.ts"
import * as B from "../../support/ArchiveBuilder.ts"
import * as Golden from "../../support/Golden.ts"
import { asEveryUser, expectRun, onEveryGolden, payloadOf, run, shell, writeArchive } from "../reading.ts"

const sha256 = (bytes: Uint8Array): string => crypto.createHash("sha256").update(bytes).digest("hex")

asEveryUser("cat", (as) => {
  onEveryGolden(
    "writes the contents of all files",
    Effect.fnUntraced(function* (golden) {
      const files = golden.view().filter(({ kind }) => kind === "file")
      if (files.length === 0) return
      const paths = files.map(({ path }) => PathText.print(path))
      const ended = yield* run(["cat", golden.archive, ...paths, ...payloadOf(golden)], as)
      assert.strictEqual(ended.code, 0, ended.stderr)
      let at = 0
      for (const { path, sha256: expected, size } of files) {
        const content = ended.stdout.subarray(at, at + size)
        assert.strictEqual(sha256(content), expected, PathText.print(path))
        at += size
      }
      assert.strictEqual(ended.stdout.length, at)
    }),
  )
})

describe("cat", () => {
  it.live("writes contents in the order of the paths, also twice", () =>
    Effect.gen(function* () {
      const archive = yield* writeArchive(B.build({ children: [B.file("a", "1"), B.file("b"), B.linkTo("c", "a")] }))
      assert.strictEqual(yield* expectRun(["cat", archive, "c", "/b", "a", "a"], 0), "111")
    }),
  )

  it.live("takes a path that is not text", () =>
    Effect.gen(function* () {
      const archive = yield* writeArchive(B.build({ children: [B.file(Buffer.from([0xff, 0x5c, 0x0a]), "found")] }))
      assert.strictEqual(yield* expectRun(["cat", archive, String.raw`\xff\\\x0a`], 0), "found")
    }),
  )

  it.live("writes nothing when one of the paths is not there", () =>
    Effect.gen(function* () {
      const args = ["cat", Golden.helloV1.archive, "hello", "no/such"]
      assert.strictEqual(yield* expectRun(args, ExitCode.NO_ENTRY, ["no/such: no such file or folder"]), "")
    }),
  )

  for (const [what, path] of [
    ["a folder", "d"],
    ["a symbolic link, which is not followed", "l"],
    ["a device", "n"],
  ] as const) {
    it.live(`refuses ${what}`, () =>
      Effect.gen(function* () {
        const archive = yield* writeArchive(
          B.build({
            children: [
              B.folder("d", []),
              B.raw("l", B.entry({ mode: 0o120777 }), B.symlink("d")),
              B.raw("n", B.entry({ mode: 0o20666 }), B.device(1, 3)),
            ],
          }),
        )
        yield* expectRun(["cat", archive, path], ExitCode.NO_ENTRY, [`/${path}: not a file`])
      }),
    )
  }

  it.live("wants at least one path", () =>
    expectRun(["cat", Golden.helloV1.archive], ExitCode.USAGE, ["pxar-fuse cat --help"]),
  )
})

describe("a content", () => {
  const built = B.build({ version: 2, children: [B.file("a", "content"), B.file("b", "x".repeat(100))] })

  it.live("in a payload archive that is missing: says which", () =>
    Effect.gen(function* () {
      const archive = yield* writeArchive({ bytes: built.bytes }, "alone.mpxar")
      const expected = archive.replace(/mpxar$/, "ppxar")
      yield* expectRun(["cat", archive, "a"], ExitCode.UNSUPPORTED, [`${expected}, which is missing`])
    }),
  )

  it.live("in a payload archive that was cut short: writes what comes before", () =>
    Effect.gen(function* () {
      const archive = yield* writeArchive({ ...built, payload: built.payload.subarray(0, 100) })
      const output = yield* expectRun(["cat", archive, "a", "b"], ExitCode.DAMAGED, ["P4"])
      // 45 bytes of the second file are within the 100 that are left.
      assert.strictEqual(output, `content${"x".repeat(45)}`)
    }),
  )
})

describe("stdout", () => {
  it.live("that is closed early ends the command quietly", () =>
    Effect.gen(function* () {
      const archive = yield* writeArchive(B.build({ children: [B.file("a", Buffer.alloc(5_000_000, "x"))] }))
      const ended = yield* shell('{ "$@"; echo $? >&2; } | head -c 10', "cat", archive, "a")
      assert.deepStrictEqual(ended.stdout.toString(), "x".repeat(10))
      assert.strictEqual(ended.stderr, `${ExitCode.OUTPUT_CLOSED}\n`)
    }),
  )

  it.live("that does not wait for its reader gets everything", () =>
    Effect.gen(function* () {
      const archive = yield* writeArchive(B.build({ children: [B.file("a", Buffer.alloc(5_000_000, "x"))] }))
      // Node as the reader sets the pipe, which the writer shares, to non-blocking.
      const script = `"$@" | "$1" -e 'let n = 0; process.stdin.on("data", (b) => (n += b.length)).on("end", () => console.log(n))'`
      const ended = yield* shell(script, "cat", archive, "a")
      assert.strictEqual(ended.stdout.toString(), "5000000\n")
      assert.strictEqual(ended.stderr, "")
    }),
  )
})
