/**
 * Runs the program of a process: errors become one line each, and an exit code.
 */
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as ExitCode from "./ExitCode.ts"
import * as Terminal from "./Terminal.ts"

export const run = (program: Effect.Effect<void, unknown>): void => {
  const onInterrupt = { code: ExitCode.INTERRUPTED }
  const told = program.pipe(
    Effect.tapCause((cause) =>
      Cause.hasInterruptsOnly(cause) || Cause.squash(cause) instanceof ExitCode.Ended
        ? Effect.void
        : Terminal.say(Terminal.errorLine(cause), "Fatal"),
    ),
    Effect.provideService(ExitCode.OnInterrupt, onInterrupt),
    Effect.provide(Terminal.layer),
  )
  NodeRuntime.runMain(told, {
    disableErrorReporting: true,
    teardown: (exit, onExit) =>
      onExit(Exit.isSuccess(exit) ? ExitCode.SUCCESS : ExitCode.fromCause(exit.cause, onInterrupt.code)),
  })
}
