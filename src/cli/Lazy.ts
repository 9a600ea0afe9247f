/**
 * Handlers whose modules are loaded when the command is run, so that `--help` does not pay for what it does not use.
 */
import * as Effect from "effect/Effect"
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
      Effect.tapError(({ code }) =>
        code === ExitCode.NO_ARCHIVE || code === ExitCode.NOT_PXAR ? hint(input) : Effect.void,
      ),
      Effect.provideService(Terminal.Format, settings.logFormat ?? "text"),
      Effect.provideService(Terminal.Verbosity, verbosity(settings)),
      Effect.provideService(Traffic.Watched, []),
    )
  }

interface Operands {
  readonly archive?: string
  readonly target?: string | undefined
  readonly other?: string
  readonly source?: string
  readonly paths?: ReadonlyArray<string>
  readonly rest?: ReadonlyArray<string>
}

/** Whether the archive came later than it does. */
const hint = Effect.fnUntraced(function* ({ archive, other, paths = [], rest = [], source, target }: Operands) {
  const { archiveFirst } = yield* Effect.promise(() => import("./Operands.ts"))
  const given = [archive, target, other, source, ...paths, ...rest].filter((operand) => operand !== undefined)
  const order = archiveFirst(given)
  if (order !== undefined) yield* Terminal.say(`the archive comes first. Did you mean "${order.join(" ")}"?`)
})

/** Whoever asks for both wants to hear more. */
const verbosity = ({ quiet, verbose }: Settings): Terminal.Verbosity =>
  verbose === true ? "verbose" : quiet === true ? "quiet" : "normal"
