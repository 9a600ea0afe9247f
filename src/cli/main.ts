#!/usr/bin/env node
/**
 * The command `pxar-fuse`.
 */
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import * as NodeServices from "@effect/platform-node/NodeServices"
import * as CliConfig from "effect/cli/CliConfig"
import * as CliError from "effect/cli/CliError"
import * as CliOutput from "effect/cli/CliOutput"
import * as Command from "effect/cli/Command"
import * as Completions from "effect/cli/Completions"
import * as GlobalFlag from "effect/cli/GlobalFlag"
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Layer from "effect/Layer"
import * as CatCommand from "./CatCommand.ts"
import * as CommandLine from "./CommandLine.ts"
import * as CreateCommand from "./CreateCommand.ts"
import * as DiffCommand from "./DiffCommand.ts"
import * as ExitCode from "./ExitCode.ts"
import * as ExtractCommand from "./ExtractCommand.ts"
import * as InfoCommand from "./InfoCommand.ts"
import * as ListCommand from "./ListCommand.ts"
import * as MountCommand from "./MountCommand.ts"
import * as Terminal from "./Terminal.ts"
import * as VerifyCommand from "./VerifyCommand.ts"

const version = "0.1.0"

const pxarFuse = Command.make("pxar-fuse").pipe(
  Command.withDescription("Proxmox pxar backup archives, without a Proxmox server"),
  Command.withSubcommands([
    MountCommand.command,
    CreateCommand.command,
    ExtractCommand.command,
    ListCommand.command,
    CatCommand.command,
    InfoCommand.command,
    VerifyCommand.command,
    DiffCommand.command,
  ]),
)

/** A wrong command line is answered with one line a mistake, not with the whole help. */
const presenter: CliOutput.Presenter = {
  present: (event) =>
    event._tag === "InvalidInvocation"
      ? Effect.forEach(
          event.errors,
          (error) =>
            Terminal.say(`${error.message.replace(/\s*\n\s*/g, " ")} (see ${event.commandPath.join(" ")} --help)`),
          { discard: true },
        )
      : CliOutput.defaultPresenter.present(event),
}

/** Whether an error has been said already. */
const isReported = (error: unknown): boolean => CliError.isCliError(error) || error instanceof ExitCode.Ended

const onInterrupt = { code: ExitCode.INTERRUPTED }

const grammar: CommandLine.Grammar = {
  commands: pxarFuse.subcommands.flatMap(({ commands }) => commands.map(({ name }) => name)),
  mountFlags: Completions.fromCommand(MountCommand.command)
    .flags.filter(({ name }) => name !== "options")
    .map(({ name, type }) => ({
      name,
      takesValue: type._tag !== "Boolean",
    })),
}

const program = Effect.fromResult(CommandLine.normalize(process.argv.slice(2), grammar)).pipe(
  Effect.flatMap(Command.runWith(pxarFuse, { version })),
  Effect.tapCause((cause) =>
    Cause.hasInterruptsOnly(cause) || isReported(Cause.squash(cause))
      ? Effect.void
      : Terminal.say(Terminal.errorLine(cause)),
  ),
  Effect.provideService(ExitCode.OnInterrupt, onInterrupt),
  Effect.provide(
    Layer.mergeAll(
      NodeServices.layer,
      Terminal.layer,
      CliOutput.layerPresenter(presenter),
      CliConfig.layer({ builtIns: [GlobalFlag.Help, GlobalFlag.Version] }),
    ),
  ),
)

// Whoever read stderr may go away; the mount must not go with him.
process.stderr.on("error", () => {})
// A terminal that is closed ends the program as a shutdown does, and not in the middle of everything.
process.on("SIGHUP", () => process.kill(process.pid, "SIGTERM"))

NodeRuntime.runMain(program, {
  disableErrorReporting: true,
  teardown: (exit, onExit) =>
    onExit(Exit.isSuccess(exit) ? ExitCode.SUCCESS : ExitCode.fromCause(exit.cause, onInterrupt.code)),
})
