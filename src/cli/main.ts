#!/usr/bin/env node
/**
 * Runs the command `pxar-fuse`: errors become one line each, and an exit code.
 */
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import * as NodeServices from "@effect/platform-node/NodeServices"
import * as CliConfig from "effect/cli/CliConfig"
import * as CliError from "effect/cli/CliError"
import * as CliOutput from "effect/cli/CliOutput"
import * as Command from "effect/cli/Command"
import * as GlobalFlag from "effect/cli/GlobalFlag"
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Layer from "effect/Layer"
import * as CommandLine from "./CommandLine.ts"
import * as ExitCode from "./ExitCode.ts"
import * as Help from "./Help.ts"
import * as PxarFuse from "./PxarFuse.ts"
import * as Terminal from "./Terminal.ts"

/** Whether an error has been said already. */
const isReported = (error: unknown): boolean => CliError.isCliError(error) || error instanceof ExitCode.Ended

const onInterrupt = { code: ExitCode.INTERRUPTED }

const program = Effect.fromResult(CommandLine.normalize(process.argv.slice(2), PxarFuse.grammar)).pipe(
  Effect.flatMap(Command.runWith(PxarFuse.command, { version: PxarFuse.version })),
  Effect.tapCause((cause) =>
    Cause.hasInterruptsOnly(cause) || isReported(Cause.squash(cause))
      ? Effect.void
      : Terminal.say(Terminal.errorLine(cause), "Fatal"),
  ),
  Effect.provideService(ExitCode.OnInterrupt, onInterrupt),
  Effect.provide(
    Layer.mergeAll(
      NodeServices.layer,
      Terminal.layer,
      CliOutput.layerPresenter(Help.presenter),
      CliConfig.layer({ builtIns: [GlobalFlag.Help, GlobalFlag.Version] }),
    ),
  ),
)

// Whoever read stderr may go away; the mount must not go with him.
process.stderr.on("error", () => {})
// A terminal that is closed ends the program as a shutdown does, and not in the middle of everything.
process.on("SIGHUP", () => process.kill(process.pid, "SIGTERM"))

/** The oldest Node that this runs on, as in package.json. */
const [OLDEST_MAJOR, OLDEST_MINOR] = [22, 19]

const [major = 0, minor = 0] = process.versions.node.split(".").map(Number)
if (major < OLDEST_MAJOR || (major === OLDEST_MAJOR && minor < OLDEST_MINOR)) {
  process.stderr.write(
    `pxar-fuse: needs Node ${OLDEST_MAJOR}.${OLDEST_MINOR} or newer, and this is ${process.version}\n`,
  )
  process.exit(ExitCode.UNSUPPORTED)
}

NodeRuntime.runMain(program, {
  disableErrorReporting: true,
  teardown: (exit, onExit) =>
    onExit(Exit.isSuccess(exit) ? ExitCode.SUCCESS : ExitCode.fromCause(exit.cause, onInterrupt.code)),
})
