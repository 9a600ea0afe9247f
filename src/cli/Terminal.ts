/**
 * What the command line says besides results: one line each, on stderr. As text for people they begin with the program's
 * name.
 */
import * as Cause from "effect/Cause"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Logger from "effect/Logger"
import type * as LogLevel from "effect/LogLevel"
import * as References from "effect/References"
import * as ErrorMessage from "./ErrorMessage.ts"
import * as ExitCode from "./ExitCode.ts"
import * as LogLine from "./LogLine.ts"

/** The format of messages, as `--log-format` asks for it. */
export const Format: Context.Reference<LogLine.Format> = Context.Reference<LogLine.Format>(
  "pxar-fuse/cli/Terminal/Format",
  { defaultValue: () => "text" },
)

/** How much is said besides results. */
export type Verbosity = "quiet" | "normal" | "verbose"

/** Chosen by `--quiet` and `--verbose`. */
export const Verbosity: Context.Reference<Verbosity> = Context.Reference<Verbosity>(
  "pxar-fuse/cli/Terminal/Verbosity",
  {
    defaultValue: () => "normal",
  },
)

const print = (message: LogLine.Message, format: LogLine.Format): void =>
  void process.stderr.write(LogLine.forStderr(message, format))

/** Logs as lines on stderr. */
export const layer: Layer.Layer<never> = Layer.merge(
  Logger.layer([LogLine.logger((message, fiber) => print(message, fiber.getRef(Format)))]),
  Layer.succeed(References.LogToStderr, true),
)

/** Says something to the person who runs the command. The last word of one that fails is `Fatal`. */
export const say = (text: string, level: LogLevel.LogLevel = "Info"): Effect.Effect<void> =>
  Effect.map(Format, (format) => print({ level, text, time: new Date() }, format))

/** Says what nobody needs to know who wants to hear of problems only. */
export const note = (text: string): Effect.Effect<void> =>
  Effect.flatMap(Verbosity, (verbosity) => (verbosity === "quiet" ? Effect.void : say(text)))

/** Says what was done to those who want to hear it. */
export const detail = (text: string): Effect.Effect<void> =>
  Effect.flatMap(Verbosity, (verbosity) => (verbosity === "verbose" ? say(text) : Effect.void))

/** Says why an effect has failed, with the stack of a bug; what is left of the failure is its exit code. Interruption goes without words. */
export const reportTo =
  (say: (text: string, bug?: Cause.Cause<unknown>) => Effect.Effect<void>) =>
  <A, E, R>(effect: Effect.Effect<A, E, R>): Effect.Effect<A, ExitCode.Ended, R> =>
    Effect.catchCause(effect, (cause) => {
      const error = Cause.squash(cause)
      if (Cause.hasInterruptsOnly(cause)) return Effect.interrupt
      if (error instanceof ExitCode.Ended) return Effect.fail(error)
      const ended = Effect.fail(new ExitCode.Ended({ code: ExitCode.fromError(error) }))
      if (Cause.hasDies(cause)) return Effect.andThen(say("bug in this program, please report it", cause), ended)
      return Effect.andThen(say(ErrorMessage.withId(error)), ended)
    })

export const report = reportTo((text, bug) =>
  Effect.map(Format, (format) => {
    const detail = bug === undefined ? undefined : Cause.pretty(bug)
    print({ level: "Fatal", text, detail, time: new Date() }, format)
  }),
)

/** Whether a person is looking at stderr. */
export const isInteractive = (): boolean => process.stderr.isTTY === true
