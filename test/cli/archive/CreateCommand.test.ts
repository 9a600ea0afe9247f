import * as fs from "node:fs"
import * as path from "node:path"
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import * as ExitCode from "../../../src/cli/ExitCode.ts"
import * as Command from "../../support/Command.ts"
import * as Processes from "../../support/Processes.ts"
import * as Requirements from "../../support/Requirements.ts"

/** A folder with a source tree `src`, for archives beside it. */
const folder = Effect.map(Processes.temporaryFolder, (base) => {
  fs.chmodSync(base, 0o777)
  fs.mkdirSync(path.join(base, "src/sub"), { recursive: true })
  fs.writeFileSync(path.join(base, "src/sub/file"), "content")
  fs.writeFileSync(path.join(base, "src/left.o"), "object")
  return base
})

const listed = (archive: string) =>
  Effect.map(Command.run(["list", archive]), ({ stdout }) => stdout.toString().trim().split("\n"))

describe("create", () => {
  it.live("writes an archive of the folder, and says nothing", () =>
    Effect.gen(function* () {
      const base = yield* folder
      const archive = path.join(base, "a.pxar")
      const ended = yield* Command.run(["create", archive, path.join(base, "src")])
      assert.deepStrictEqual([ended.code, ended.stdout.toString(), ended.stderr], [ExitCode.SUCCESS, "", ""])
      assert.deepStrictEqual(yield* listed(archive), ["/", "/left.o", "/sub", "/sub/file"])
      assert.deepStrictEqual(fs.readdirSync(base).sort(), ["a.pxar", "src"])
    }),
  )

  it.live("writes to stdout for -, and to a file of that name for ./-", () =>
    Effect.gen(function* () {
      const base = yield* folder
      yield* Command.run(["create", "a.pxar", "src"], { cwd: base })
      const whole = fs.readFileSync(path.join(base, "a.pxar"))
      for (const name of ["-", "/dev/stdout", "/dev/fd/1"]) {
        const ended = yield* Command.run(["create", name, "src"], { cwd: base })
        assert.deepStrictEqual([ended.code, ended.stderr, ended.stdout.equals(whole)], [0, "", true], name)
      }
      assert.deepStrictEqual(fs.readdirSync(base).sort(), ["a.pxar", "src"])
      yield* Command.run(["create", "./-", "src"], { cwd: base })
      assert.isTrue(fs.readFileSync(path.join(base, "-")).equals(whole))
    }),
  )

  it.live("leaves out the file that stdout is, and ends quietly when nobody reads", () =>
    Effect.gen(function* () {
      const base = yield* folder
      const shell = (script: string) => Command.run(["create"], { cwd: base, wrapper: ["bash", "-c", script] })
      const into = yield* shell('"$0" "$@" - src > src/out.pxar')
      assert.deepStrictEqual(
        [into.code, into.stderr],
        [0, "pxar-fuse: out.pxar: is the archive that is being written; left out\n"],
      )
      fs.writeFileSync(path.join(base, "src/big"), Buffer.alloc(4 * 1024 * 1024, 1))
      const closed = yield* shell('"$0" "$@" - src | head -c 1 > /dev/null; exit ${PIPESTATUS[0]}')
      assert.deepStrictEqual([closed.code, closed.stderr], [ExitCode.OUTPUT_CLOSED, ""])
    }),
  )

  it.live("refuses the name of a payload archive, and both halves on stdout", () =>
    Effect.gen(function* () {
      const base = yield* folder
      const payload = yield* Command.run(["create", "x.ppxar", "src"], { cwd: base })
      assert.strictEqual(payload.code, ExitCode.USAGE)
      assert.include(payload.stderr, "x.ppxar is what the payload half of a split archive is called")
      const both = yield* Command.run(["create", "-", "src", "--payload", "-"], { cwd: base })
      assert.strictEqual(both.code, ExitCode.USAGE)
      assert.deepStrictEqual(fs.readdirSync(base), ["src"])
    }),
  )

  it.live("writes both halves of a split archive, the second beside the first by its name", () =>
    Effect.gen(function* () {
      const base = yield* folder
      const ended = yield* Command.run(["create", path.join(base, "a.mpxar"), path.join(base, "src")])
      assert.strictEqual(ended.code, ExitCode.SUCCESS, ended.stderr)
      assert.deepStrictEqual(fs.readdirSync(base).sort(), ["a.mpxar", "a.ppxar", "src"])
      const content = yield* Command.run(["cat", path.join(base, "a.mpxar"), "sub/file"])
      assert.strictEqual(content.stdout.toString(), "content")
    }),
  )

  it.live("writes the second half where --payload says", () =>
    Effect.gen(function* () {
      const base = yield* folder
      const payload = path.join(base, "elsewhere")
      const ended = yield* Command.run(["create", path.join(base, "a"), path.join(base, "src"), "--payload", payload])
      assert.strictEqual(ended.code, ExitCode.SUCCESS, ended.stderr)
      assert.deepStrictEqual(fs.readdirSync(base).sort(), ["a", "elsewhere", "src"])
    }),
  )

  it.live("leaves out what --exclude matches", () =>
    Effect.gen(function* () {
      const base = yield* folder
      const archive = path.join(base, "a.pxar")
      yield* Command.run(["create", archive, path.join(base, "src"), "--exclude", "*.o"])
      assert.deepStrictEqual(yield* listed(archive), ["/", "/sub", "/sub/file", "/.pxarexclude-cli"])
    }),
  )

  it.live("says with --verbose what was stored", () =>
    Effect.gen(function* () {
      const base = yield* folder
      const ended = yield* Command.run(["create", path.join(base, "a.pxar"), path.join(base, "src"), "--verbose"])
      assert.match(ended.stderr, /^pxar-fuse: 4 entries with 13 B of contents stored in \d+ B\n$/)
    }),
  )

  it.live("never overwrites an archive", () =>
    Effect.gen(function* () {
      const base = yield* folder
      const archive = path.join(base, "a.pxar")
      fs.writeFileSync(archive, "precious")
      const ended = yield* Command.run(["create", archive, path.join(base, "src")])
      assert.strictEqual(ended.code, ExitCode.TARGET)
      assert.include(ended.stderr, `${archive}: exists already`)
      assert.strictEqual(fs.readFileSync(archive, "utf8"), "precious")
    }),
  )

  it.live("says which folder is not there", () =>
    Effect.gen(function* () {
      const base = yield* folder
      const ended = yield* Command.run(["create", path.join(base, "a.pxar"), path.join(base, "nope")])
      assert.strictEqual(ended.code, ExitCode.NO_ARCHIVE)
      assert.include(ended.stderr, path.join(base, "nope"))
      assert.deepStrictEqual(fs.readdirSync(base), ["src"])
    }),
  )

  it.live("refuses a pattern that is none, and names it", () =>
    Effect.gen(function* () {
      const base = yield* folder
      const ended = yield* Command.run(["create", path.join(base, "a.pxar"), path.join(base, "src"), "--exclude", "[a"])
      assert.strictEqual(ended.code, ExitCode.USAGE)
      assert.include(ended.stderr, "pattern [a")
    }),
  )

  it.live("refuses two flags that contradict each other", () =>
    Effect.gen(function* () {
      const base = yield* folder
      const both = ["--one-file-system", "--all-file-systems"]
      const ended = yield* Command.run(["create", path.join(base, "a.pxar"), path.join(base, "src"), ...both])
      assert.strictEqual(ended.code, ExitCode.USAGE)
      assert.include(ended.stderr, "not both")
    }),
  )

  it.live("names what an ordinary user could not read, and ends with a code that says so", (context) =>
    Effect.gen(function* () {
      Requirements.need({ root: true, otherUsers: true })(context)
      const base = yield* folder
      fs.writeFileSync(path.join(base, "src/secret"), "", { mode: 0o600 })
      const archive = path.join(base, "a.pxar")
      const user = { uid: Requirements.NOBODY, gid: Requirements.NOBODY }
      const ended = yield* Command.run(["create", archive, path.join(base, "src")], user)
      assert.strictEqual(ended.code, ExitCode.INCOMPLETE, ended.stderr)
      assert.match(ended.stderr, /^pxar-fuse: secret: .*\n$/)
      assert.deepStrictEqual(yield* listed(archive), ["/", "/left.o", "/sub", "/sub/file"])
    }),
  )

  it.live("leaves nothing behind when it is interrupted", () =>
    Effect.gen(function* () {
      const base = yield* folder
      // Larger than what is written while the signal is under way; sparse, so that it takes no room here.
      fs.truncateSync(path.join(base, "src/sub/file"), 2 ** 40)
      const program = yield* Command.start(["create", path.join(base, "a.pxar"), path.join(base, "src")])
      const names = Effect.sync(() => fs.readdirSync(base))
      yield* Processes.eventually("the archive to be begun", names, (found) => found.length > 1)
      yield* program.kill("SIGINT")
      const ended = yield* program.ended
      assert.strictEqual(ended.code, ExitCode.INTERRUPTED)
      assert.include(ended.stderr, "interrupted")
      assert.deepStrictEqual(fs.readdirSync(base), ["src"])
    }),
  )
})
