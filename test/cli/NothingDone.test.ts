/**
 * No command line does nothing and ends with 0: whatever stands among the words of a command, the command has run, or
 * the exit code says that it has not.
 */
import * as fs from "node:fs"
import * as path from "node:path"
import { assert, describe, it } from "@effect/vitest"
import { Effect, Result } from "effect"
import * as CommandLine from "../../src/cli/CommandLine.ts"
import * as ExitCode from "../../src/cli/ExitCode.ts"
import * as PxarFuse from "../../src/cli/PxarFuse.ts"
import * as Golden from "../support/Golden.ts"
import * as Processes from "../support/Processes.ts"
import { expectRun, run } from "./reading.ts"

/** What people write out of habit: letters of tar, ls, cp, rsync, mount and restic, alone and together. */
const clusters = ["-h", "-V", "-?", "-xvf", "-lh", "-hl", "-Vv", "-vh", "-vV", "-tvf", "-h=true", "-V=true", "-x", "-Z"]

const { grammar } = await Effect.runPromise(PxarFuse.load())

describe("in no command", () => {
  for (const { flags, names } of grammar) {
    it(`${names[0]} do letters that it does not have ask for help or the version`, () => {
      const letters = new Set(flags.flatMap(({ aliases }) => aliases))
      for (const cluster of [...clusters, "--version", "--version=true", "--help=false"]) {
        const normal = CommandLine.normalize([names[0]!, "a.pxar", cluster, "b"], grammar)
        if (Result.isFailure(normal)) {
          assert.instanceOf(normal.failure, ExitCode.Usage)
          continue
        }
        // All letters are its own, or stand for what the parser refuses.
        assert.notMatch(normal.success.join(" "), /(^| )(-[a-zA-Z?]|--version|--help)/, cluster)
        if (!cluster.startsWith("--")) assert.isTrue(letters.has(cluster.charAt(1)), cluster)
      }
    })
  }
})

describe("-v and -q", () => {
  it.live("are flags of a command that does its work", () =>
    Effect.gen(function* () {
      const folder = yield* Processes.temporaryFolder
      const { archive } = Golden.helloV1
      for (const flag of ["-v", "-q"]) {
        const target = path.join(folder, flag)
        assert.strictEqual((yield* run(["extract", flag, archive, target])).code, 0)
        assert.isNotEmpty(fs.readdirSync(target))
        const made = path.join(folder, `made${flag}.pxar`)
        assert.strictEqual((yield* run(["create", flag, made, target])).code, 0)
        assert.isTrue(fs.existsSync(made))
        const damaged = path.join(folder, "damaged.pxar")
        fs.writeFileSync(damaged, fs.readFileSync(archive).subarray(0, 100))
        for (const command of ["verify", "info", "list"]) {
          assert.notStrictEqual((yield* run([command, flag, damaged])).code, 0, command)
        }
      }
    }),
  )

  it.live("-v says what was done, -q nothing, and results come all the same", () =>
    Effect.gen(function* () {
      const { archive } = Golden.helloV1
      const contents = yield* expectRun(["cat", archive, "hello"], 0)
      assert.strictEqual(yield* expectRun(["cat", "-q", archive, "hello"], 0), contents)
      assert.strictEqual(yield* expectRun(["cat", "-v", archive, "hello"], 0, ["1 file, "]), contents)
    }),
  )
})

describe("a word after a flag without a value", () => {
  it.live("is an argument of its own, also if it is a word for yes or no", () =>
    Effect.gen(function* () {
      const folder = yield* Processes.temporaryFolder
      const ended = yield* run(["extract", "--overwrite", Golden.helloV1.archive, folder, "--no-owner", "on"])
      assert.strictEqual(ended.code, ExitCode.NO_ENTRY)
      assert.include(ended.stderr, "on:")
      assert.deepStrictEqual(fs.readdirSync(folder), [])
    }),
  )
})

describe("help", () => {
  it.live("is a command, and says the same as --help", () =>
    Effect.gen(function* () {
      assert.strictEqual(yield* expectRun(["help"], 0), yield* expectRun(["--help"], 0))
      const mount = yield* expectRun(["mount", "--help"], 0)
      for (const words of [
        ["help", "mount"],
        ["mount", "-h"],
        ["--help", "mount"],
      ]) {
        assert.strictEqual(yield* expectRun(words, 0), mount, words.join(" "))
      }
      assert.strictEqual(yield* expectRun(["help", "ls"], 0), yield* expectRun(["list", "--help"], 0))
      yield* expectRun(["help", "lst"], ExitCode.USAGE, ['unknown command "lst". Did you mean "list"?'])
    }),
  )

  it.live("for a start, five examples on one screen, comes with an exit code when nothing was asked for", () =>
    Effect.gen(function* () {
      const { code, stderr, stdout } = yield* run([])
      assert.deepStrictEqual({ code, stdout: stdout.toString() }, { code: ExitCode.USAGE, stdout: "" })
      assert.include(stderr, "USAGE")
      assert.include(stderr, "pxar-fuse --help")
      const examples = stderr.slice(stderr.indexOf("EXAMPLES")).match(/^ {2}[^# ]/gm)
      assert.strictEqual(examples?.length, 5)
      assert.isAtMost(stderr.split("\n").length, 28)
    }),
  )
})

describe("a mistake", () => {
  it.live("is told in a sentence, and what was probably meant in another", () =>
    Effect.gen(function* () {
      const cases: ReadonlyArray<readonly [string, string]> = [
        ["mnt a b", 'unknown command "mnt". Did you mean "mount"? (see pxar-fuse --help)'],
        ["list --jsn a", 'unknown flag --jsn. Did you mean "--json"? (see pxar-fuse list --help)'],
        ["list --xyzzy a", "unknown flag --xyzzy (see pxar-fuse list --help)"],
        ["list", "<archive> is missing (see pxar-fuse list --help)"],
        ["diff a b c", 'too many arguments: "c" (see pxar-fuse diff --help)'],
        ["list a --payload", "--payload needs a value. Expected: FILE (see pxar-fuse list --help)"],
        [
          "list a --progress x",
          '--progress cannot be "x". Expected: "auto" | "json" | "none" (see pxar-fuse list --help)',
        ],
      ]
      for (const [line, message] of cases) {
        const { code, stderr } = yield* run(line.split(" "))
        assert.deepStrictEqual({ code, stderr }, { code: ExitCode.USAGE, stderr: `pxar-fuse: ${message}\n` })
      }
    }),
  )
})
