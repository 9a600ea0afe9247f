/**
 * The fast path says what the library of command lines says, which is the oracle here; and leaves to it what is not common.
 */
import * as fs from "node:fs"
import * as path from "node:path"
import { assert, describe, it } from "@effect/vitest"
import { ConfigProvider, Effect, Layer, Stdio } from "effect"
import { TerminalCapabilities } from "effect/cli"
import * as fastPath from "../../../scripts/fastPath.ts"
import * as FastHelp from "../../../src/cli/fast/FastHelp.ts"
import * as FastParser from "../../../src/cli/fast/FastParser.ts"
import type * as FastTable from "../../../src/cli/fast/FastTable.ts"
import * as PxarFuse from "../../../src/cli/PxarFuse.ts"
import * as Command from "../../support/Command.ts"
import * as Random from "../../support/Random.ts"
import { shell } from "../reading.ts"

const folder = path.join(path.dirname(Command.MAIN), "fast")
const table = JSON.parse(fs.readFileSync(path.join(folder, "table.json"), "utf8")) as FastTable.Table

const parse = (line: string) => FastParser.parse(line.split(" "), table)

/** Operands, values, and what is a mistake or means something else in some place. */
const WORDS =
  "a.pxar /srv/b.mpxar /mnt etc/hostname *.txt no 1 true fail x=y ä - -- -1 --no --bogus -Z --help -h --version --json=false"
    .split(" ")
    .concat("", "a b", "a\ufffd")

describe("a command line", () => {
  /** Words of all kinds, of which a line is made. */
  const wordsFor = ({ flags }: FastTable.Command): ReadonlyArray<string> => {
    const letters = Object.keys(flags).flatMap((name) => (/^-\w$/.test(name) ? [name.charAt(1)] : []))
    return [
      ...WORDS,
      ...Object.keys(flags).flatMap((name) => [name, name, `${name}=value`, `${name}=`, `--no-${name.slice(2)}`]),
      ...Object.entries(flags).flatMap(([name, { choices = [] }]) => choices.map((choice) => `${name}=${choice}`)),
      ...(letters.length > 1 ? [`-${letters.join("")}`, `-${letters.slice(0, 2).join("")}`] : []),
    ]
  }

  for (const name of Object.keys(table.commands)) {
    it.effect(`of ${name} that is read at all is read as the library reads it`, () =>
      Effect.gen(function* () {
        const random = Random.make(name.length * 7919)
        const command = table.commands[name] as FastTable.Command
        const pieces = wordsFor(command)
        const flags = Object.keys(command.flags)
        let read = 0
        for (let round = 0; round < 150; round++) {
          const from = round % 2 === 0 ? pieces : [...flags, "a.pxar", "/mnt"]
          const words = Array.from({ length: random.below(5) }, () => from[random.below(from.length)] as string)
          // Operands that the command needs, so that not all lines are mistakes.
          const line = [name, ...words, ...(round % 3 === 0 ? [] : ["/x.pxar", "/y"].slice(0, 1 + random.below(2)))]
          const fast = FastParser.parse(line, table)
          if (fast === undefined) continue
          read++
          assert.deepStrictEqual(fast, yield* fastPath.parsed(line), line.join(" "))
        }
        assert.isAbove(read, 10)
      }),
    )
  }

  it("that people type is read", () => {
    for (const line of [
      "list root.pxar",
      "ls -lh root.pxar etc",
      "list --json --payload root.ppxar root.mpxar",
      "cat root.pxar etc/hostname",
      "info root.pxar",
      "extract root.pxar /srv/restored home/ada",
      "verify root.pxar",
      "snapshots --key-file key.json --key-file other.json /srv/store",
      "mount root.pxar /mnt",
      "mount --pid-file=/run/x.pid root.pxar other.pxar /mnt",
      "./root.pxar /mnt",
      "unmount /mnt",
      "status",
    ]) {
      assert.isDefined(parse(line), line)
    }
  })

  it("that is a mistake, or has a flag whose value means something, is left to the library", () => {
    for (const line of [
      "list",
      "list --bogus root.pxar",
      "list --sort nonsense root.pxar",
      "list -- root.pxar",
      "list root.pxar --payload",
      "list --long --long root.pxar",
      "extract --overwrite root.pxar /srv",
      "mount root.pxar /mnt --umask 022",
      "mount --idle-timeout 5m root.pxar /mnt",
      "mount --time-template plain root.pxar /mnt",
      "mount root.pxar",
      "lsit root.pxar",
      "toString root.pxar",
    ]) {
      assert.isUndefined(parse(line), line)
    }
  })
})

describe("the help that is made by the build", () => {
  it.effect("is what is printed without it, of each command, in all ways to ask", () =>
    Effect.gen(function* () {
      const { command } = yield* PxarFuse.load()
      const names = command.subcommands
        .flatMap(({ commands }) => commands)
        .filter(({ unlisted }) => unlisted !== true)
        .flatMap(({ alias, name }) => (alias === undefined ? [name] : [name, alias]))
      assert.sameMembers(Object.keys(table.help), ["", ...names])
      const colours = { variables: { FORCE_COLOR: "1" }, isTerminal: () => false }
      for (const [name, file] of Object.entries(table.help)) {
        const text = fs.readFileSync(path.join(folder, file), "utf8")
        const questions =
          name === ""
            ? [["--help"], ["-h"], ["help"]]
            : [
                [name, "--help"],
                [name, "-h"],
                ["--help", name],
                ["help", name],
              ]
        for (const words of questions) {
          const what = words.join(" ")
          const asked = FastHelp.subjectOf(words)
          assert.strictEqual(asked, name, what)
          assert.strictEqual(yield* fastPath.printed(words), text, what)
        }
        assert.strictEqual(
          FastHelp.plain(text),
          yield* fastPath.printed([...(name === "" ? [] : [name]), "--help"], false),
        )
      }
      assert.strictEqual(FastHelp.answer(["-V"], table, colours), yield* fastPath.printed(["--version"]))
    }),
  )

  it.effect("has colours where the library has them", () =>
    Effect.gen(function* () {
      for (const NO_COLOR of [undefined, "", "1"]) {
        for (const FORCE_COLOR of [undefined, "", "0", "1", "False", "yes"]) {
          for (const TERM of [undefined, "dumb", "xterm"]) {
            for (const isTerminal of [true, false]) {
              const entries = Object.entries({ NO_COLOR, FORCE_COLOR, TERM }).filter(([, value]) => value !== undefined)
              const variables = Object.fromEntries(entries) as Record<string, string>
              const { canColor } = yield* TerminalCapabilities.TerminalCapabilities.pipe(
                Effect.provide(
                  Layer.provide(
                    TerminalCapabilities.layer,
                    Layer.mergeAll(
                      Stdio.layerTest({
                        stdinIsTerminal: Effect.succeed(true),
                        stdoutIsTerminal: Effect.succeed(isTerminal),
                      }),
                      ConfigProvider.layer(ConfigProvider.fromEnv({ env: variables })),
                    ),
                  ),
                ),
              )
              const answer = FastHelp.answer(["--version"], table, { variables, isTerminal: () => isTerminal })
              assert.strictEqual(answer?.includes("\u001b["), canColor, JSON.stringify({ variables, isTerminal }))
            }
          }
        }
      }
    }),
  )

  it.live("is printed whole, also into a pipe that is read slowly, and needs nobody who reads it", () =>
    Effect.gen(function* () {
      const whole = FastHelp.plain(fs.readFileSync(path.join(folder, table.help["mount"] as string), "utf8"))
      assert.strictEqual((yield* shell('"$@"', "mount", "--help")).stdout.toString(), whole)
      assert.strictEqual(
        (yield* shell('"$@" | { read -r line; cat; }', "mount", "--help")).stdout.toString(),
        whole.replace(/^.*\n/, ""),
      )
      assert.strictEqual((yield* shell('"$@" >&-', "--help")).code, 0)
    }),
  )
})
