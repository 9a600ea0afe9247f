/**
 * `pxar-fuse` in a real terminal: a window of a tmux server of its own, which knows what a person would see.
 *
 * The scope ends the server and what runs in it.
 */
import * as fs from "node:fs"
import * as path from "node:path"
import { Effect, type Scope } from "effect"
import * as Command from "./Command.ts"
import * as Processes from "./Processes.ts"

export interface TerminalScreen {
  /** What is on the screen, a line each, without blanks at their ends. */
  readonly lines: Effect.Effect<ReadonlyArray<string>>
  /** The same, with the codes of a terminal for the style of the text. */
  readonly styled: Effect.Effect<ReadonlyArray<string>>
  /** Waits until the screen shows all these texts; dies with what it shows if it does not. */
  readonly shows: (...texts: ReadonlyArray<string>) => Effect.Effect<ReadonlyArray<string>>
  /** Waits until none of these texts is on the screen. */
  readonly hides: (...texts: ReadonlyArray<string>) => Effect.Effect<ReadonlyArray<string>>
  /** Presses keys, if any, as tmux calls them: `Enter`, `C-c`, `j`. */
  readonly press: (...keys: ReadonlyArray<string>) => Effect.Effect<void>
  /** Types a text. */
  readonly type: (text: string) => Effect.Effect<void>
  readonly resize: (columns: number, rows: number) => Effect.Effect<void>
  /** Asks tmux for a variable of the window: `alternate_on`, `cursor_flag`, `pane_title`, … */
  readonly ask: (variable: string) => Effect.Effect<string>
  /** Sends a signal to the program. */
  readonly signal: (signal: NodeJS.Signals) => Effect.Effect<void>
}

export interface Options {
  readonly columns?: number
  readonly rows?: number
  readonly cwd?: string
  /** Variables besides those of the test. */
  readonly env?: NodeJS.ProcessEnv
}

/** Says how the program ended and how it left the terminal, and keeps the window open. */
const SCRIPT = `"$@"; echo "exit code $?"; stty -a | grep -ow -e '-\\?icanon' -e '-\\?echo' -e '-\\?isig' | paste -sd' '; exec sleep 100`

/** Starts `pxar-fuse` with these arguments. */
export const start = Effect.fnUntraced(function* (
  args: ReadonlyArray<string>,
  { columns = 100, cwd = "/", env: more = {}, rows = 20 }: Options = {},
): Effect.fn.Return<TerminalScreen, never, Scope.Scope> {
  const socket = path.join(yield* Processes.temporaryFolder, "tmux")
  const env = { ...process.env, LC_ALL: "C.UTF-8", TZ: "UTC", TMUX: "", NO_COLOR: undefined, ...more }
  const tmux = (...command: ReadonlyArray<string>): Effect.Effect<string> =>
    Effect.flatMap(Processes.run("tmux", ["-u", "-S", socket, "-f", "/dev/null", ...command], { cwd, env }), (ended) =>
      ended.code === 0
        ? Effect.succeed(ended.stdout.toString())
        : Effect.die(new Error(`tmux ${command.join(" ")}: ${ended.stderr}`)),
    )
  const size = ["-x", String(columns), "-y", String(rows)]
  const program = ["sh", "-c", SCRIPT, "sh", process.execPath, Command.MAIN, ...args]
  yield* Effect.acquireRelease(tmux("new-session", "-d", ...size, ...program), () => Effect.ignore(tmux("kill-server")))

  const lines = Effect.map(tmux("capture-pane", "-p"), (text) => text.split("\n").map((line) => line.trimEnd()))
  const until = (what: string, isRight: (text: string) => boolean) =>
    Effect.map(
      Processes.eventually(
        what,
        Effect.map(lines, (lines) => lines.join("\n")),
        isRight,
      ),
      (text) => text.split("\n"),
    )
  return {
    lines,
    styled: Effect.map(tmux("capture-pane", "-p", "-e"), (text) => text.split("\n")),
    shows: (...texts) =>
      until(`${texts.join(", ")} on the screen`, (screen) => texts.every((text) => screen.includes(text))),
    hides: (...texts) =>
      until(`${texts.join(", ")} to leave the screen`, (screen) => !texts.some((text) => screen.includes(text))),
    press: (...keys) => (keys.length === 0 ? Effect.void : Effect.asVoid(tmux("send-keys", ...keys))),
    type: (text) => Effect.asVoid(tmux("send-keys", "-l", text)),
    resize: (columns, rows) => Effect.asVoid(tmux("resize-window", "-x", String(columns), "-y", String(rows))),
    ask: (variable) => Effect.map(tmux("display-message", "-p", `#{${variable}}`), (text) => text.trimEnd()),
    signal: Effect.fnUntraced(function* (signal) {
      const shell = (yield* tmux("display-message", "-p", "#{pane_pid}")).trim()
      const child = yield* Effect.sync(() => fs.readFileSync(`/proc/${shell}/task/${shell}/children`, "utf8"))
      process.kill(Number(child), signal)
    }),
  }
})
