/**
 * Runs the program of a process: errors become one line each, and an exit code.
 */
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Ref from "effect/Ref"
import * as ExitCode from "./ExitCode.ts"
import * as Terminal from "./Terminal.ts"

export const run = (program: Effect.Effect<void, unknown, ExitCode.OnInterrupt>): void => {
  // Whoever read stderr may go away; the mount must not go with him.
  process.stderr.on("error", () => {})
  const onInterrupt = Ref.makeUnsafe(ExitCode.INTERRUPTED)
  const reported = Terminal.report(program).pipe(
    Effect.provideService(ExitCode.OnInterrupt, onInterrupt),
    Effect.provide(Terminal.layer),
  )
  NodeRuntime.runMain(reported, {
    disableErrorReporting: true,
    teardown: (exit, onExit) =>
      onExit(Exit.isSuccess(exit) ? ExitCode.SUCCESS : ExitCode.fromCause(exit.cause, Ref.getUnsafe(onInterrupt))),
  })
}
