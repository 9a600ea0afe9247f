/**
 * Handlers whose modules are loaded when the command is run, so that `--help` does not pay for what it does not use.
 */
import * as Effect from "effect/Effect"
import * as ArchiveFirst from "./ArchiveFirst.ts"
import * as ExitCode from "./ExitCode.ts"
import type * as LogLine from "./LogLine.ts"
import * as Traffic from "../services/bytes/Traffic.ts"
import * as Terminal from "./Terminal.ts"

/** A module with the handler of a command. */
export interface Module<Input, E, R> {
  readonly handler: (input: Input) => Effect.Effect<void, E, R>
}

/** What is in force before a handler is. */
interface Settings {
  readonly logFormat?: LogLine.Format
  readonly quiet?: boolean
  readonly verbose?: boolean
}

export const handler =
  <Input extends object, E, R>(load: () => Promise<Module<Input, E, R>>) =>
  (input: Input): Effect.Effect<void, ExitCode.Ended, R> => {
    const settings: Settings = input
    return Effect.promise(load).pipe(
      Effect.flatMap((module) => module.handler(input)),
      Terminal.report,
      Effect.tapError(({ code }) => ask(code, input)),
      Effect.provideService(Terminal.Format, settings.logFormat ?? "text"),
      Effect.provideService(Terminal.Verbosity, verbosity(settings)),
      Effect.provideService(Traffic.Watched, []),
    )
  }

/** Asks behind the error that ended a command, where that found no archive, whether it came later than it does. */
export const ask = (code: number, operands: ArchiveFirst.Operands): Effect.Effect<void> => {
  const question = ExitCode.isNoArchive(code) ? ArchiveFirst.question(operands) : undefined
  return question === undefined ? Effect.void : Terminal.say(question)
}

/** Whoever asks for both wants to hear more. */
const verbosity = ({ quiet, verbose }: Settings): Terminal.Verbosity =>
  verbose === true ? "verbose" : quiet === true ? "quiet" : "normal"
