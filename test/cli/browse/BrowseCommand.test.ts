/**
 * `pxar-fuse browse` in a real terminal, as a person uses it.
 */
import * as fs from "node:fs"
import * as path from "node:path"
import { assert, beforeEach, describe, it } from "@effect/vitest"
import { Effect, type Scope } from "effect"
import * as ExitCode from "../../../src/cli/ExitCode.ts"
import * as B from "../../support/ArchiveBuilder.ts"
import * as Processes from "../../support/Processes.ts"
import { need } from "../../support/Requirements.ts"
import * as TerminalScreen from "../../support/TerminalScreen.ts"
import { expectRun, writeArchive } from "../reading.ts"

const tree = B.build({
  children: [
    B.file("binary", Uint8Array.of(0, 1, 0xfe, 0x41)),
    B.folder("docs", [B.file("a.txt", "alpha\nbeta\n"), B.file("b.conf", "key = value\n"), B.file("c.txt", "gamma\n")]),
    B.raw("link", B.entry({ mode: 0o120777 }), B.symlink("docs/a.txt")),
  ],
})

/** Browses an archive, and waits until it is there. */
const browse = Effect.fnUntraced(function* (
  built: Pick<B.Built, "bytes"> & Partial<Pick<B.Built, "payload">>,
  options: TerminalScreen.Options = {},
): Effect.fn.Return<TerminalScreen.TerminalScreen, never, Scope.Scope> {
  const screen = yield* TerminalScreen.start(["browse", yield* writeArchive(built)], options)
  yield* screen.shows("q quit")
  return screen
})

/** The column of the list, and that of the preview. */
const columns = (lines: ReadonlyArray<string>) => {
  const parts = lines.map((line) => line.split("│"))
  return { list: parts.map(([left]) => left!.trimEnd()), preview: parts.map(([, right]) => (right ?? "").trim()) }
}

const restored = Effect.fnUntraced(function* (screen: TerminalScreen.TerminalScreen, code: number) {
  yield* screen.shows(`exit code ${code}`, "isig icanon echo")
  assert.strictEqual(yield* screen.ask("alternate_on"), "0")
  assert.strictEqual(yield* screen.ask("cursor_flag"), "1")
  assert.strictEqual(yield* screen.ask("wrap_flag"), "1")
})

describe("browse in a terminal", () => {
  beforeEach(need({ tools: ["tmux"] }))

  it.live("goes into folders and comes out where it was, by arrows and by letters", () =>
    Effect.gen(function* () {
      const screen = yield* browse(tree)
      yield* screen.shows("> binary", "  docs/", "  link -> docs/a.txt")
      yield* screen.press("Down", "Right")
      yield* screen.shows(": /docs", "> a.txt", "alpha")
      yield* screen.press("j", "j")
      yield* screen.shows("> c.txt", "3/3", "gamma")
      yield* screen.press("h")
      yield* screen.shows("> docs/", "2/3")
    }),
  )

  it.live("takes keys that are typed ahead", () =>
    Effect.gen(function* () {
      const screen = yield* browse(tree)
      yield* screen.type("jlhlG h kk ")
      yield* screen.shows(" *binary", ">*docs/", "3 marked")
    }),
  )

  it.live("previews text, bytes, folders and links", () =>
    Effect.gen(function* () {
      const screen = yield* browse(tree)
      const binary = columns(yield* screen.shows("00 01 fe 41"))
      assert.match(binary.preview[1]!, /^00000000 00 01 fe 41 +\.\.\.A$/)
      yield* screen.press("j")
      assert.deepStrictEqual(columns(yield* screen.shows("3 entries")).preview.slice(1, 6), [
        "3 entries",
        "",
        "a.txt",
        "b.conf",
        "c.txt",
      ])
      yield* screen.press("j")
      yield* screen.shows("symbolic link to docs/a.txt")
    }),
  )

  it.live("searches as you type", () =>
    Effect.gen(function* () {
      const screen = yield* browse(tree)
      yield* screen.press("j", "Enter")
      yield* screen.shows("a.txt", "b.conf")
      yield* screen.type("/TX")
      yield* screen.hides("b.conf")
      yield* screen.shows("> a.txt", "  c.txt", "1/2")
      yield* screen.press("Down", "Enter")
      yield* screen.shows("> c.txt", "Esc shows all")
      yield* screen.press("Escape")
      yield* screen.shows("b.conf", "> c.txt", "3/3")
    }),
  )

  it.live("extracts what is marked", () =>
    Effect.gen(function* () {
      const screen = yield* browse(tree)
      const target = path.join(yield* Processes.temporaryFolder, "target")
      yield* screen.press("Space", "Enter")
      yield* screen.shows("a.txt")
      yield* screen.press("G", "Space", "x")
      yield* screen.shows("2 marked", "extract 2 entries into: .")
      yield* screen.press("C-u")
      yield* screen.type(target)
      yield* screen.press("Enter")
      yield* screen.shows(`${target}: 4 entries extracted`)
      yield* screen.press("q", "q")
      yield* screen.shows("exit code 0", `pxar-fuse: ${target}: 4 entries extracted`)
      assert.deepStrictEqual(fs.readdirSync(target, { recursive: true }).toSorted(), ["binary", "docs", "docs/c.txt"])
      assert.strictEqual(fs.readFileSync(path.join(target, "docs/c.txt"), "utf8"), "gamma\n")
    }),
  )

  it.live("says what could not be extracted, at once and in the end", () =>
    Effect.gen(function* () {
      const cwd = yield* Processes.temporaryFolder
      fs.writeFileSync(path.join(cwd, "binary"), "mine")
      const screen = yield* browse(tree, { cwd })
      yield* screen.press("x", "Enter")
      yield* screen.shows("binary: is there already", "Esc closes this page")
      yield* screen.press("q")
      yield* screen.shows("q quit")
      yield* screen.press("q")
      yield* screen.shows(`exit code ${ExitCode.INCOMPLETE}`, "pxar-fuse: binary: is there already")
      assert.strictEqual(fs.readFileSync(path.join(cwd, "binary"), "utf8"), "mine")
    }),
  )

  it.live("shows all attributes", () =>
    Effect.gen(function* () {
      const head = Buffer.concat([
        B.entry({ mode: 0o104750, uid: 1000, gid: 50, seconds: 1, nanos: 5, flags: 0x40_0000n }),
        B.xattr("user.note", "hello"),
      ])
      const screen = yield* browse(B.build({ children: [B.file("f", "12", { head })] }))
      yield* screen.press("i")
      const lines = yield* screen.shows("Details")
      for (const line of [
        "path          /f",
        "kind          file",
        "mode          -rwsr-x--- (4750)",
        "owner         user 1000, group 50",
        "size          2 bytes",
        "modified      1970-01-01 00:00:01.000000005",
        "flags         immutable (0x400000)",
        'attribute     user.note = "hello"',
      ])
        assert.include(lines, line)
      yield* screen.press("Escape")
      yield* screen.shows("> f")
    }),
  )

  it.live("lets neither names nor contents steer the terminal", () =>
    Effect.gen(function* () {
      const name = "\u001b]2;stolen\u0007\u001b[2J"
      const content = "\u001b]2;stolen\u001b\\\u009b2Jend\n"
      const screen = yield* browse(B.build({ children: [B.file(name, content)] }), { columns: 140 })
      yield* screen.shows(String.raw`> \x1b]2;stolen\x07\x1b[2J`, String.raw`·]2;stolen·\·2Jend`)
      yield* screen.press("i")
      yield* screen.shows(String.raw`/\x1b]2;stolen\x07\x1b[2J`)
      assert.notInclude(yield* screen.ask("pane_title"), "stolen")
    }),
  )

  it.live("shows what is in a folder whose index is damaged, and the rest as ever", () =>
    Effect.gen(function* () {
      const built = B.build({ children: [B.folder("bad", [B.file("x", "1")]), B.file("good", "still here\n")] })
      const screen = yield* browse({ bytes: B.poke(built.bytes, built.at("bad").end - 8, 0xffff) })
      yield* screen.press("Enter")
      yield* screen.shows(": /bad", "> x")
      yield* screen.press("h", "j")
      yield* screen.shows("> good", "still here")
    }),
  )

  it.live("shows a damaged entry as such, and does not offer to extract it", () =>
    Effect.gen(function* () {
      const built = B.build({ children: [B.file("bad", "1"), B.file("good", "2")] })
      const screen = yield* browse({ bytes: B.poke(built.bytes, built.at("bad").start, 0n) })
      yield* screen.shows("> bad  (damaged)")
      yield* screen.press("x")
      yield* screen.shows("cannot be extracted")
    }),
  )

  it.live("follows the size of the terminal", () =>
    Effect.gen(function* () {
      const children = Array.from({ length: 50 }, (_, i) => B.file(`n${String(i).padStart(2, "0")}`, `content ${i}`))
      const screen = yield* browse(B.build({ children }))
      yield* screen.press("G")
      yield* screen.shows("> n49", "content 49")
      yield* screen.resize(40, 6)
      yield* screen.hides("content 49")
      const lines = yield* screen.shows("> n49", "n46")
      assert.strictEqual(
        lines.findIndex((line) => line.startsWith("> n49")),
        4,
      )
      yield* screen.resize(120, 30)
      yield* screen.shows("content 49", "n22")
    }),
  )

  it.live("leaves the terminal as it was: q", () =>
    Effect.gen(function* () {
      const screen = yield* browse(tree)
      yield* screen.press("q")
      yield* restored(screen, ExitCode.SUCCESS)
    }),
  )

  it.live("leaves the terminal as it was: Ctrl-C while typing", () =>
    Effect.gen(function* () {
      const screen = yield* browse(tree)
      yield* screen.type("/x")
      yield* screen.shows("/x")
      yield* screen.press("C-c")
      yield* restored(screen, ExitCode.INTERRUPTED)
    }),
  )

  for (const signal of ["SIGTERM", "SIGHUP"] as const) {
    it.live(`leaves the terminal as it was: ${signal}`, () =>
      Effect.gen(function* () {
        const screen = yield* browse(tree)
        yield* screen.signal(signal)
        yield* restored(screen, ExitCode.INTERRUPTED)
      }),
    )
  }

  it.live("shows contents that cannot be read as a problem of theirs", () =>
    Effect.gen(function* () {
      const { bytes } = B.build({ version: 2, children: [B.file("f", "elsewhere")] })
      const screen = yield* browse({ bytes })
      yield* screen.shows("> f", "payload")
    }),
  )
})

it.live("browse refuses without a terminal, and says what to do instead", () =>
  Effect.gen(function* () {
    const archive = yield* writeArchive(tree)
    yield* expectRun(["browse", archive], ExitCode.USAGE, [`browse needs a terminal; \`pxar-fuse list ${archive}\``])
  }),
)
