/**
 * Progress and colours as a person at a terminal, a pipe and a front end get them.
 */
import * as path from "node:path"
import { assert, beforeEach, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import * as ExitCode from "../../src/cli/ExitCode.ts"
import * as B from "../support/ArchiveBuilder.ts"
import * as Command from "../support/Command.ts"
import * as Golden from "../support/Golden.ts"
import * as Processes from "../support/Processes.ts"
import * as PseudoTerminal from "../support/PseudoTerminal.ts"
import { need } from "../support/Requirements.ts"
import { run, writeArchive } from "./reading.ts"

/** Begins a line again, and erases it. */
const ERASE = "\r\u001b[K"

/** An archive whose contents do not fit into a pipe. */
const large = Effect.suspend(() =>
  writeArchive(B.build({ children: [B.file("large", Buffer.alloc(8 * 1024 * 1024, "x"))] })),
)

describe("progress", () => {
  beforeEach(need({ tools: ["script"] }))

  it.live("is a line on the terminal once a command takes long, and goes away; not in a file", () =>
    Effect.gen(function* () {
      const archive = yield* large
      const log = path.join(path.dirname(archive), "log")
      // Somebody who begins to read late makes the command take long.
      const script = `
        slowly() { head -c 100000 > /dev/null; sleep 1.2; cat > /dev/null; echo read; }
        "$@" cat "$A" large 2>"$LOG" | slowly > /dev/null &
        "$@" cat "$A" large | slowly
        wait; wc -c < "$LOG"; echo end`
      const terminal = yield* PseudoTerminal.start(["sh", "-c", script, "sh", process.execPath, Command.MAIN], {
        env: { ...process.env, A: archive, LOG: log },
      })
      yield* terminal.ended
      const screen = terminal.screen()
      assert.match(screen, /\d+ %, 0 entries, [\d.]+ MB, [\d.]+ MB\/s, 0:\d\d left/)
      // What is left when the line has been erased: what the reader says, and an empty log.
      const lines = screen.split("\r\n").map((line) => line.split(ERASE).at(-1))
      assert.deepStrictEqual(lines, ["read", "0", "end", ""])
    }),
  )
})

describe("--progress json", () => {
  const { archive } = Golden.treeV1
  const entries = Golden.treeV1.view().length

  for (const [args, expected] of [
    [["list", archive], { entries }],
    [["cat", Golden.helloV1.archive, "hello"], { entries: 1, bytes: 3 }],
    [["info", archive], { entries }],
    [["verify", "--data", archive], { entries }],
    [["diff", archive, archive], { entries: entries - 1 }],
    [["extract", archive, "DIR/out"], { entries }],
    [["create", "DIR/new.pxar", import.meta.dirname], {}],
  ] as const) {
    it.live(`tells a front end how far ${args[0]} is, and that it is done`, () =>
      Effect.gen(function* () {
        const folder = yield* Processes.temporaryFolder
        const words = args.map((word) => word.replace("DIR", folder))
        const { stderr } = yield* run([words[0]!, "--progress", "json", ...words.slice(1)])
        const last = stderr.split("\n").findLast((line) => line.startsWith("{")) ?? ""
        const { progress } = JSON.parse(last) as { progress: object }
        assert.deepInclude(progress, { done: true, ...expected })
      }),
    )
  }

  it.live("is the only other word besides auto and none", () =>
    Effect.gen(function* () {
      const { code, stderr } = yield* run(["list", "--progress", "fancy", archive])
      assert.strictEqual(code, ExitCode.USAGE)
      assert.include(stderr, "auto")
    }),
  )
})

describe("--log-format json", () => {
  const messages = (stderr: string) =>
    stderr
      .split("\n")
      .slice(0, -1)
      .map((line) => JSON.parse(line) as { time: string; level: string; message: string })

  it.live("makes every message an object, with its weight", () =>
    Effect.gen(function* () {
      const twins = B.build({ children: [B.file("c"), { ...B.file("c"), key: "twin" }] })
      const damaged = yield* run(["list", "--log-format", "json", yield* writeArchive(twins), "nothing*"])
      const missing = yield* run(["info", "--log-format", "json", "/nonexistent.pxar"])
      const all = [damaged, missing].flatMap(({ stderr }) => messages(stderr))
      assert.deepStrictEqual(
        all.map(({ level, message }) => [level, message.replace(/: .*/, "")]),
        [
          ["info", "nothing*"],
          ["fatal", "/nonexistent.pxar"],
        ],
      )
      for (const { time } of all) assert.isAtMost(Math.abs(Date.parse(time) - Date.now()), 60_000)
    }),
  )
})

describe("colours", () => {
  beforeEach(need({ tools: ["script"] }))

  const help = (env: NodeJS.ProcessEnv) =>
    Effect.gen(function* () {
      const terminal = yield* PseudoTerminal.start([process.execPath, Command.MAIN, "--help"], {
        env: { PATH: process.env["PATH"], TERM: "xterm", ...env },
      })
      assert.strictEqual(yield* terminal.ended, 0)
      return terminal.screen().includes("\u001b[")
    })

  it.live("are for terminals", () => Effect.map(help({}), (colours) => assert.isTrue(colours)))

  it.live("are not for those who set NO_COLOR", () =>
    Effect.map(help({ NO_COLOR: "1" }), (colours) => assert.isFalse(colours)),
  )

  it.live("are not for pipes", () =>
    Effect.map(run(["--help"]), ({ stdout }) => assert.notInclude(stdout.toString(), "\u001b")),
  )
})
