/**
 * `--help`, the manual page and docs/cli.md say the same.
 */
import * as fs from "node:fs"
import * as path from "node:path"
import { assert, beforeEach, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import type { HelpDoc } from "effect/cli"
import { help } from "../../scripts/manPage.ts"
import * as Keys from "../../src/cli/browse/Keys.ts"
import * as ExitCode from "../../src/cli/ExitCode.ts"
import * as PxarFuse from "../../src/cli/PxarFuse.ts"
import * as MountOptions from "../../src/fuse/mount/MountOptions.ts"
import * as Processes from "../support/Processes.ts"
import { need } from "../support/Requirements.ts"
import { run } from "./reading.ts"

const root = path.join(import.meta.dirname, "../..")
const page = fs.readFileSync(path.join(root, "docs/cli.md"), "utf8")

/** The page between headings, with the heading first. */
const sections = page.split(/^(?=##)/m)

const section = (heading: string): string => sections.find((text) => text.startsWith(heading)) ?? ""

/** The sections about a command: its name is in the heading, or in a line "Of …" below it. */
const about = (name: string): string =>
  sections
    .filter((section) => new RegExp(`^#+ (?:.*|[^\`\n]*\n\nOf .*)\`(?:pxar-fuse )?${name}\\b`).test(section))
    .concat(section("## In all commands"))
    .join("")

const spellings = ({ flags }: HelpDoc.HelpDoc): ReadonlyArray<string> =>
  flags.flatMap(({ aliases, name }) => [`--${name}`, ...aliases])

/** Rows of a table with two columns, as they are written in Markdown; terms without backticks. */
const rows = (section: string): ReadonlyArray<readonly [string, string]> =>
  [...section.matchAll(/^\| ((?:[^|\n]|\\\|)+?) +\| (.+?) +\|$/gm)]
    .map(([, term = "", meaning = ""]) => [term.replaceAll("`", ""), meaning.replaceAll(String.raw`\|`, "|")] as const)
    .filter(([term]) => !/^-+$/.test(term))

describe("docs/cli.md", () => {
  it.effect("has every flag of every command", () =>
    Effect.gen(function* () {
      for (const doc of (yield* help).commands) {
        const name = doc.commandPath!.at(-1)!
        const missing = spellings(doc).filter((flag) => !new RegExp(`[\` ]${flag}\\b`).test(about(name)))
        assert.deepStrictEqual(missing, [], `flags of ${name} that its section does not have`)
      }
    }),
  )

  it.effect("has no flag that does not exist", () =>
    Effect.gen(function* () {
      const { commands, root } = yield* help
      const known = new Set([...commands.flatMap(spellings), ...root.globalFlags!.map(({ name }) => `--${name}`)])
      const ours = sections.filter((section) => /^#+ .*`|^## In all commands/.test(section)).join("")
      const written = [...ours.matchAll(/`(--[a-z][a-z-]+)/g)].map(([, flag]) => flag!)
      assert.deepStrictEqual(
        written.filter((flag) => !known.has(flag)),
        [],
      )
    }),
  )

  it("has the mount options", () => {
    const table = rows(about("mount"))
    for (const row of MountOptions.meanings) assert.deepInclude(table, [...row])
  })

  it("has the keys of browse", () => {
    const table = rows(section("## `pxar-fuse browse"))
    assert.deepStrictEqual(
      table.filter(([term]) => term !== "Key"),
      Keys.bindings.map(({ keys, meaning }) => [keys, meaning] as const),
    )
  })

  it("has the exit codes", () => {
    const table = rows(section("## Exit codes"))
    assert.deepStrictEqual(
      table.slice(1),
      ExitCode.meanings.map(([code, meaning]) => [String(code), meaning] as const),
    )
  })
})

describe("the version", () => {
  it.live("is the package's", () =>
    Effect.gen(function* () {
      const manifest = JSON.parse(fs.readFileSync(path.join(root, "package.json"), "utf8")) as { version: string }
      assert.strictEqual(PxarFuse.version, manifest.version)
      assert.strictEqual((yield* run(["--version"])).stdout.toString(), `pxar-fuse v${manifest.version}\n`)
    }),
  )
})

describe("the manual page", () => {
  beforeEach(need({ tools: ["man"] }))

  it.live("is shown by man without a warning, with every command, flag and exit code", () =>
    Effect.gen(function* () {
      const args = ["--warnings", "-E", "UTF-8", "-l", path.join(root, "dist/man/pxar-fuse.1")]
      const shown = yield* Processes.run("man", args, {
        env: { ...process.env, MANWIDTH: "1000", MAN_KEEP_FORMATTING: "" },
      })
      assert.deepInclude(shown, { code: 0, stderr: "" })
      const text = shown.stdout.toString()
      assert.notMatch(text, /@\w+@|no part/)
      const { commands } = yield* help
      for (const doc of commands) {
        assert.include(text, doc.usage.replace(/[<>]/g, ""))
        for (const flag of spellings(doc)) assert.include(text, flag)
      }
      for (const [code, meaning] of ExitCode.meanings) {
        assert.match(text, new RegExp(`^ +${code}$|^ +${code} +\\S`, "m"))
        assert.include(text, meaning.replaceAll("`", ""))
      }
    }),
  )
})
