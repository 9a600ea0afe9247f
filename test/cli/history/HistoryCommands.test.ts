/** The commands that ask all backups at once, compiled, over the datastores of the fixtures. */
import * as fs from "node:fs"
import * as path from "node:path"
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import * as ExitCode from "../../../src/cli/ExitCode.ts"
import * as MemoryArchive from "../../../src/testing/MemoryArchive.ts"
import * as BackupMaker from "../../support/BackupMaker.ts"
import * as Command from "../../support/Command.ts"
import * as Datastores from "../../support/Datastores.ts"
import * as Processes from "../../support/Processes.ts"
import * as JsonSchemas from "../archive/JsonSchemas.ts"

const store = Datastores.store("datastore-plain")
const run = (...args: ReadonlyArray<string>) => Command.run(args)

describe("pxar-fuse find", () => {
  it.effect("names the backups that have a file", () =>
    Effect.gen(function* () {
      const { code, stderr, stdout } = yield* run("find", "--json", `${store}::host/alpha`, "s131071")
      assert.deepStrictEqual([code, stderr], [0, ""])
      const lines = JsonSchemas.parse("find", stdout)
      assert.deepStrictEqual(
        lines.map(({ archive, backups, gone, path }) => [archive, path, backups.length, gone]),
        [
          ["root.pxar", "/sizes/s131071", 3, false],
          ["data.pxar", "/sizes/s131071", 2, false],
        ],
      )
    }),
  )

  it.effect("shows the same to people", () =>
    Effect.gen(function* () {
      const { stdout } = yield* run("find", `${store}::host/alpha`, "--archive", "root.pxar", "s131071")
      assert.match(
        stdout.toString(),
        /^-rw-r--r-- +131071 [-\d]+ [:\d]+ host\/alpha root\.pxar \/sizes\/s131071\n {4}2024-01-01T00:00:00Z to 2024-04-01T03:00:00Z, 3 backups\n$/,
      )
    }),
  )

  it.effect("ends with a code of its own when there is no such file", () =>
    Effect.gen(function* () {
      const { code, stderr } = yield* run("find", store, "no such name")
      assert.deepStrictEqual([code, stderr], [ExitCode.NO_ENTRY, "pxar-fuse: nothing found\n"])
    }),
  )

  it.effect.each([
    [["--regex", "("], /is no regular expression/],
    [["--regex", "--fuzzy", "x"], /give --regex or --fuzzy, not both/],
    [["--owner", "nobody-of-that-name", "x"], /no user nobody-of-that-name is known here/],
  ] as const)("refuses %j", ([args, message]) =>
    Effect.gen(function* () {
      const { code, stderr } = yield* run("find", store, ...args)
      assert.strictEqual(code, ExitCode.USAGE)
      assert.match(stderr, message)
    }),
  )
})

describe("pxar-fuse versions", () => {
  it.effect("restores every version into a folder of its own", () =>
    Effect.gen(function* () {
      const folder = yield* Processes.temporaryFolder
      const target = path.join(folder, "all")
      const address = `${store}::host/alpha`
      const { code, stdout } = yield* run("versions", "--json", "--extract", target, address, "sizes/s131071")
      assert.strictEqual(code, 0)
      const lines = JsonSchemas.parse("versions", stdout)
      assert.isAtLeast(lines.length, 2)
      for (const { archive, backups, size } of lines) {
        const file = path.join(target, "host/alpha", archive, backups[0] as string, "sizes/s131071")
        assert.strictEqual(fs.statSync(file).size, size)
      }
    }),
  )
})

describe("pxar-fuse versions --diff", () => {
  const backupOf = (blobs: Folder, day: number, content: string | Uint8Array) =>
    Effect.gen(function* () {
      const id = { namespace: [], type: "host", id: "elsa", time: `2024-01-0${day}T00:00:00Z` } as const
      const archive = yield* MemoryArchive.bytes({ etc: { motd: MemoryArchive.file(content) } })
      yield* BackupMaker.make((name, made) => blobs.set(name, made), { id, files: { "root.pxar.didx": archive } })
    })
  type Folder = Map<string, Uint8Array>

  const made = Effect.gen(function* () {
    const blobs: Folder = new Map()
    yield* backupOf(blobs, 1, "one\ntwo\nthree\n")
    yield* backupOf(blobs, 2, "one\n2\nthree\n")
    yield* backupOf(blobs, 3, "one\n2\nthree\nfour\n")
    yield* backupOf(blobs, 4, Buffer.from([0, 1, 2]))
    const folder = yield* Processes.temporaryFolder
    for (const [name, bytes] of blobs) {
      fs.mkdirSync(path.dirname(path.join(folder, name)), { recursive: true })
      fs.writeFileSync(path.join(folder, name), bytes)
    }
    return folder
  })

  it.effect("prints what patch reads, of the two that are named", () =>
    Effect.gen(function* () {
      const folder = yield* made
      const { code, stderr, stdout } = yield* run("versions", "--between", "2024-01-01..2024-01-03", folder, "etc/motd")
      assert.deepStrictEqual([code, stderr], [0, ""])
      assert.strictEqual(
        stdout.toString(),
        [
          "--- host/elsa root.pxar/etc/motd\t2024-01-01T00:00:00Z",
          "+++ host/elsa root.pxar/etc/motd\t2024-01-03T00:00:00Z",
          "@@ -1,3 +1,4 @@",
          " one",
          "-two",
          "+2",
          " three",
          "+four",
          "",
        ].join("\n"),
      )
    }),
  )

  it.effect("says of what is no text only that it differs", () =>
    Effect.gen(function* () {
      const { code, stdout } = yield* run("versions", "--diff", yield* made, "etc/motd")
      assert.strictEqual(code, 0)
      assert.match(stdout.toString(), /T00:00:00Z differ, and are no texts\n$/)
    }),
  )

  it.effect.each([
    [["--between", "2024-01-01"], ExitCode.USAGE, /is not two times of backups/],
    [["--diff", "--json"], ExitCode.USAGE, /leave out --json/],
    [["--between", "2023..2024"], ExitCode.NO_ENTRY, /no backup that has the file begins with 2023/],
  ] as const)("refuses %j", ([args, expected, message]) =>
    Effect.gen(function* () {
      const { code, stderr } = yield* run("versions", ...args, yield* made, "etc/motd")
      assert.strictEqual(code, expected)
      assert.match(stderr, message)
    }),
  )
})

describe("pxar-fuse stats, drill, inspect", () => {
  it.effect("tell of every finished backup what it has alone", () =>
    Effect.gen(function* () {
      const lines = JsonSchemas.parse("stats", (yield* run("stats", "--json", store)).stdout)
      assert.strictEqual(lines.length, 11)
      for (const { added, only, size } of lines) {
        assert.isAtMost(only, added)
        assert.isAtMost(added, size)
      }
    }),
  )

  it.effect("read files of archives that are whole", () =>
    Effect.gen(function* () {
      const { code, stdout } = yield* run("drill", "--json", "--sample", "3", `${store}::host/beta`)
      assert.strictEqual(code, 0)
      for (const line of JsonSchemas.parse("drill", stdout)) {
        assert.strictEqual(line.state, "ok")
        assert.isAtLeast(line.files, 3)
      }
    }),
  )

  it.effect("say what is locked without its key", () =>
    Effect.gen(function* () {
      const encrypted = Datastores.store("datastore-encrypted")
      const env = { ...process.env, XDG_CONFIG_HOME: "/nonexistent" }
      const { code, stdout } = yield* Command.run(["drill", "--json", "--in", "host/beta", encrypted], { env })
      assert.strictEqual(code, ExitCode.KEY)
      assert.isTrue(JsonSchemas.parse("drill", stdout).some(({ state }) => state === "locked"))
    }),
  )

  it.effect("find the chunks of a file, and the file by its chunk", () =>
    Effect.gen(function* () {
      const file = `${store}::host/alpha/latest/root.pxar/sizes/s131071`
      const pieces = JsonSchemas.parse("inspect", (yield* run("inspect", "--json", file)).stdout)
      assert.strictEqual(
        pieces.reduce((sum, { length = 0 }) => sum + length, 0),
        131_071,
      )
      const digest = pieces[0]?.digest as string
      const uses = JsonSchemas.parse("inspect", (yield* run("inspect", "--json", store, digest)).stdout)
      assert.isTrue(uses.some(({ files }) => files.includes("/sizes/s131071")))
      assert.isTrue(uses.every(({ state }) => state === "sound"))
    }),
  )
})

describe("pxar-fuse bisect", () => {
  it.effect("finds the first backup in which the command says that a file is wrong", () =>
    Effect.gen(function* () {
      const address = `${store}::host/alpha`
      // What the first backup has is right, and nothing else.
      const folder = yield* Processes.temporaryFolder
      const seen = path.join(folder, "seen")
      const script = `if [ -e ${seen} ]; then test "$(stat -c %Y "$1")" = "$(cat ${seen})"; else stat -c %Y "$1" > ${seen}; fi`
      const test = ["sh", "-c", script, "sh", "{}"]
      const { code, stdout } = yield* run(
        ...["bisect", "--json", "--archive", "root.pxar", address, "sizes/s131071", "--"].concat(test),
      )
      const lines = JsonSchemas.parse("bisect", stdout)
      assert.strictEqual(lines.length, 1)
      assert.strictEqual(code, lines[0]?.result === "found" ? ExitCode.DIFFERENT : 0)
    }),
  )

  it.effect("ends with a code of its own if the command is missing", () =>
    Effect.gen(function* () {
      const { code, stderr } = yield* run("bisect", `${store}::host/alpha`, "sizes/s131071", "--", "/no/such", "{}")
      assert.strictEqual(code, ExitCode.USAGE)
      assert.include(stderr, "/no/such")
    }),
  )
})
