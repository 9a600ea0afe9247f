/**
 * Names and other texts that somebody else has chosen: what a terminal and a log get of them, and how they are typed.
 */
import * as fs from "node:fs"
import * as path from "node:path"
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import * as ExitCode from "../../src/cli/ExitCode.ts"
import * as B from "../support/ArchiveBuilder.ts"
import * as Command from "../support/Command.ts"
import * as Golden from "../support/Golden.ts"
import * as Processes from "../support/Processes.ts"
import { expectRun, run, writeArchive } from "./reading.ts"

/** C0, DEL, C1 (CSI, OSC, ST), bidi controls, line separators, a newline. */
const HOSTILE = "a\u001b[2J\u0007\u007f\u009b31m\u009d0;t\u009c\u202e\u2066\u2028\nb"

/** What must reach no terminal: all control and format characters but the end of a line. */
const assertHarmless = (text: string): void => {
  assert.notMatch(text, /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u, JSON.stringify(text))
}

const assertHarmlessLines = (text: string, count: number): void => {
  const lines = text.split("\n")
  assert.strictEqual(lines.pop(), "")
  assert.lengthOf(lines, count, text)
  for (const line of lines) assertHarmless(line)
}

const withPrelude = (text: string): Uint8Array => Buffer.concat([B.formatVersion(2), B.prelude(text)])

describe("a text of an archive", () => {
  const hostile = B.build({
    version: 2,
    head: withPrelude(JSON.stringify({ "exclude-patterns": HOSTILE, [HOSTILE]: 1 })),
    children: [B.file(HOSTILE, "x"), B.raw("link", B.entry({ mode: 0o120777n }), B.symlink(HOSTILE))],
  })

  for (const words of [
    ["info"],
    ["info", "--json"],
    ["list"],
    ["list", "-l"],
    ["list", "--tree"],
    ["list", "--json"],
  ]) {
    it.live(`does nothing to the terminal of ${words.join(" ")}`, () =>
      Effect.gen(function* () {
        const { stderr, stdout } = yield* run([...words, yield* writeArchive(hostile)])
        for (const line of (stdout.toString() + stderr).split("\n")) assertHarmless(line)
      }),
    )
  }

  it.live("that nests brackets without end ends no program", () =>
    Effect.gen(function* () {
      for (const prelude of [
        "[".repeat(200_000),
        "[".repeat(200_000) + "]".repeat(200_000),
        '{"a":'.repeat(5000) + "1" + "}".repeat(5000),
      ]) {
        const archive = yield* writeArchive(
          B.build({ version: 2, head: withPrelude(prelude), children: [B.file("a", "x")] }),
        )
        assert.match(yield* expectRun(["info", archive], 0), /^prelude +.*no JSON that could be shown$/m)
        const json = JSON.parse(yield* expectRun(["info", "--json", archive], 0)) as { prelude: { hex: string } }
        assert.strictEqual(Buffer.from(json.prelude.hex, "hex").toString(), prelude)
      }
    }),
  )
})

describe("the name of an archive", () => {
  const commands = (archive: string, folder: string): ReadonlyArray<ReadonlyArray<string>> => [
    ["list", archive],
    ["cat", archive, "x"],
    ["info", archive],
    ["verify", archive],
    ["diff", archive, archive],
    ["extract", archive, path.join(folder, "out")],
    ["mount", archive, folder],
  ]

  it.live("does nothing to the terminal in a message, in text or JSON", () =>
    Effect.gen(function* () {
      const folder = yield* Processes.temporaryFolder
      const bad = path.join(folder, `${HOSTILE}.pxar`)
      fs.writeFileSync(bad, "no archive".repeat(100))
      for (const archive of [bad, path.join(folder, `${HOSTILE}-missing.pxar`)]) {
        for (const words of commands(archive, folder)) {
          for (const format of ["text", "json"]) {
            const { stderr, stdout } = yield* run([...words, "--log-format", format])
            for (const text of [stderr, stdout.toString()])
              if (text !== "") assertHarmlessLines(text, text.split("\n").length - 1)
            if (format === "json" && stderr !== "") for (const line of stderr.trim().split("\n")) JSON.parse(line)
          }
        }
      }
    }),
  )
})

describe("a name that is typed", () => {
  const archive = B.build({
    children: [
      B.folder("etc", [
        B.file("srv-my\\x2ddata.mount", "literal"),
        B.file("both\\x41", "literal"),
        B.file("bothA", "decoded"),
        B.file("new\nline", "decoded"),
        B.folder("b\\x2d", [B.file("new\nline", "mixed")]),
      ]),
    ],
  })

  it.live("as it is wins over what its escapes mean, and both are found", () =>
    Effect.gen(function* () {
      const file = yield* writeArchive(archive)
      const contents: ReadonlyArray<readonly [string, string]> = [
        ["etc/srv-my\\x2ddata.mount", "literal"],
        ["etc/srv-my\\\\x2ddata.mount", "literal"],
        ["etc/both\\x41", "literal"],
        ["etc/bothA", "decoded"],
        ["etc/new\\x0aline", "decoded"],
        ["etc/new\nline", "decoded"],
        ["/etc/b\\x2d/new\\x0aline", "mixed"],
      ]
      for (const [name, content] of contents) {
        assert.strictEqual(yield* expectRun(["cat", file, name], 0), content, name)
        const target = yield* Processes.temporaryFolder
        yield* expectRun(["extract", "--allow-existing-dirs", file, target, name], 0)
        const files = fs.readdirSync(target, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile())
        assert.deepStrictEqual(
          files.map((entry) => fs.readFileSync(path.join(entry.parentPath, entry.name), "utf8")),
          [content],
          name,
        )
        assert.lengthOf((yield* expectRun(["list", file, name], 0)).trim().split("\n"), 1, name)
      }
    }),
  )

  it.live("is completed so that it is found", () =>
    Effect.gen(function* () {
      const file = yield* writeArchive(archive)
      assert.strictEqual(
        yield* expectRun(["complete-path", "--", file, "etc/srv-my\\x"], 0),
        "etc/srv-my\\x2ddata.mount\n",
      )
      assert.strictEqual(yield* expectRun(["complete-path", "--", file, "etc/b\\x2d/"], 0), "etc/b\\x2d/new\\x0aline\n")
    }),
  )

  it.live("that is not UTF-8 means the file with these bytes, in every command", () =>
    Effect.gen(function* () {
      const folder = yield* Processes.temporaryFolder
      fs.copyFileSync(Golden.helloV1.archive, path.join(folder, "good"))
      const script = String.raw`
        set -e; cd "$PXAR_FOLDER"; n=$(printf 'o\377'); cp good "$n.pxar"; mkdir "$n"; printf x > "$n/$n"
        "$@" list "$n.pxar" > list; "$@" info "$n.pxar" > info; "$@" verify -q "$n.pxar" > verify
        "$@" create "$n-made.pxar" "$n"; test -s "$n-made.pxar"
        "$@" diff "$n-made.pxar" "$n"
        test x = "$("$@" cat "$n-made.pxar" "$n")"
        "$@" extract "$n-made.pxar" "$n/$n-deep/$n" "$n"; test x = "$(cat "$n/$n-deep/$n/$n")"
        "$@" extract -C "$n-c" "$n-made.pxar" "$n"; test x = "$(cat "$n-c/$n")"
        "$@" list "$n-missing.pxar" 2> missing || test $? = 3
      `
      const ended = yield* Processes.run("sh", ["-c", script, "sh", process.execPath, Command.MAIN], {
        env: { ...process.env, PXAR_FOLDER: folder },
      })
      assert.deepInclude(ended, { code: 0, stderr: "" })
      assert.strictEqual(
        fs.readFileSync(path.join(folder, "missing"), "utf8"),
        "pxar-fuse: o\\xff-missing.pxar: no such file [PXF-OPEN-MISSING]\n",
      )
      const names = fs.readdirSync(folder, { encoding: "latin1" })
      assert.deepStrictEqual(
        names.filter((name) => /\xef\xbf\xbd/.test(name)),
        [],
      )
    }),
  )
})

describe("joined emoji and letters", () => {
  it.live("are printed as they are", () =>
    Effect.gen(function* () {
      const names = ["👩‍👧.jpg", "می‌خواهم", "क्‍ष"]
      const archive = yield* writeArchive(B.build({ children: names.map((name) => B.file(name)) }))
      const lines = (yield* expectRun(["list", archive], 0)).trim().split("\n")
      assert.deepStrictEqual(new Set(lines.slice(1)), new Set(names.map((name) => `/${name}`)))
    }),
  )
})

describe("a joiner that joins nothing", () => {
  it.live("is seen", () =>
    Effect.gen(function* () {
      const archive = yield* writeArchive(
        B.build({ children: [B.file("a\u200db"), B.file("\u200c"), B.file("é\u200d")] }),
      )
      const output = yield* expectRun(["list", archive], 0)
      assertHarmless(output.replaceAll("\n", ""))
      assert.include(output, "/a\\xe2\\x80\\x8db\n")
    }),
  )
})

describe("what is not there", () => {
  it.live("is told with what is likely to be meant", () =>
    Effect.gen(function* () {
      const tree = B.build({ children: [B.folder("etc", [B.file("hostname", "h"), B.folder("ssh", [B.file("key")])])] })
      const archive = yield* writeArchive(tree)
      yield* expectRun(["cat", archive, "etc/hostnam"], ExitCode.NO_ENTRY, ['. Did you mean "etc/hostname"?'])
      yield* expectRun(["cat", archive, "ect/hostname"], ExitCode.NO_ENTRY, ['. Did you mean "etc/hostname"?'])
      yield* expectRun(["list", archive, "etc/shs/key"], ExitCode.NO_ENTRY, ['. Did you mean "etc/ssh/key"?\n'])
      yield* expectRun(["list", archive, "*.nothing"], ExitCode.NO_ENTRY, [`nothing like that in ${archive}\n`])
      const target = yield* Processes.temporaryFolder
      yield* expectRun(["extract", "--allow-existing-dirs", archive, target, "etc/shh"], ExitCode.NO_ENTRY, [
        'did you mean "etc/ssh"?\n',
      ])
    }),
  )
})
