/**
 * A program on a terminal, as a person uses it: typed at, and read from.
 *
 * The terminal is that of script(1): 24 lines of as many columns as asked for.
 */
import { spawn } from "node:child_process"
import { Effect, type Scope } from "effect"
import * as MountError from "../../src/fuse/mount/MountError.ts"
import * as Processes from "./Processes.ts"

export interface Options {
  readonly cwd?: string
  readonly env?: NodeJS.ProcessEnv
  readonly columns?: number
}

export interface PseudoTerminal {
  readonly type: (keys: string) => Effect.Effect<void>
  /** All that has been written to the terminal, by the program or as the echo of keys. */
  readonly screen: () => string
  /** Waits until a text is there. */
  readonly shows: (text: string) => Effect.Effect<string>
  /** Waits for the end; the exit code. */
  readonly ended: Effect.Effect<number | null>
}

/** Starts a program on a terminal of its own; the scope kills both. */
export const start = (
  words: ReadonlyArray<string>,
  { columns = 80, ...options }: Options = {},
): Effect.Effect<PseudoTerminal, never, Scope.Scope> =>
  Effect.map(
    Effect.acquireRelease(
      Effect.sync(() => {
        const command = `stty cols ${columns} rows 24; exec ${words.map(MountError.shellWord).join(" ")}`
        return spawn("script", ["-qfec", command, "/dev/null"], { ...options, stdio: ["pipe", "pipe", "ignore"] })
      }),
      Processes.kill,
    ),
    (child) => {
      let screen = ""
      child.stdout.setEncoding("utf8").on("data", (text: string) => (screen += text))
      const closed = new Promise<number | null>((resolve) => void child.on("close", resolve))
      return {
        type: (keys) => Effect.sync(() => void child.stdin.write(keys)),
        screen: () => screen,
        shows: (text) =>
          Processes.eventually(
            `the terminal to show ${text}`,
            Effect.sync(() => screen),
            (shown) => shown.includes(text),
          ),
        ended: Processes.within(() => `the end of ${words.join(" ")} on a terminal: ${screen}`)(
          Effect.promise(() => closed),
        ),
      }
    },
  )
