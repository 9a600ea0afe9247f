/**
 * A process that reads a command line and does what it says.
 */
import * as CliConfig from "effect/cli/CliConfig"
import * as CliError from "effect/cli/CliError"
import * as CliOutput from "effect/cli/CliOutput"
import * as Command from "effect/cli/Command"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Arguments from "./Arguments.ts"
import * as CommandLine from "./CommandLine.ts"
import * as ExitCode from "./ExitCode.ts"
import * as Help from "./Help.ts"
import * as LibraryServices from "./LibraryServices.ts"
import type { Parent } from "./mount/Parent.ts"
import * as Process from "./Process.ts"
import * as PxarFuse from "./PxarFuse.ts"

const program = Effect.fromResult(Arguments.read()).pipe(
  Effect.flatMap((words) =>
    Effect.flatMap(PxarFuse.load(CommandLine.commandOf(words)), ({ command, grammar }) =>
      Effect.flatMap(
        Effect.fromResult(CommandLine.normalize(words, grammar)),
        Command.runWith(command, { version: PxarFuse.version }),
      ),
    ),
  ),
  // The library has said what is wrong.
  Effect.catchIf(CliError.isCliError, () => Effect.fail(new ExitCode.Ended({ code: ExitCode.USAGE }))),
  Effect.provide(
    Layer.mergeAll(
      LibraryServices.layer,
      CliOutput.layerPresenter(Help.presenter),
      CliConfig.layer({ builtIns: Help.builtIns }),
    ),
  ),
)

export const run = (): void => Process.run(program)

/** A mount in the background with a page beside it: what that needs is in the files of this process. */
export const serveWithPage = async (parent: Parent): Promise<void> =>
  (await import("./mount/PageServerProcess.ts")).run(parent)
