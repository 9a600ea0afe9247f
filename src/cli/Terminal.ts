/**
 * What the command line says besides results: one line each, on stderr. As text for people they begin with the program's
 * name.
 */
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Logger from "effect/Logger"
import type * as LogLevel from "effect/LogLevel"
import * as References from "effect/References"
import * as ErrorMessage from "./ErrorMessage.ts"
import * as LogLine from "./LogLine.ts"

/** One for the process: a command line has one `--log-format`. */
let format: LogLine.Format = "text"

/** From now on messages are in this format. */
export const useFormat = (chosen: LogLine.Format): Effect.Effect<void> => Effect.sync(() => void (format = chosen))

const print = (message: LogLine.Message): void => void process.stderr.write(LogLine.forStderr(message, format))

/** Logs as lines on stderr. */
export const layer: Layer.Layer<never> = Layer.merge(
  Logger.layer([LogLine.logger(print)]),
  Layer.succeed(References.LogToStderr, true),
)

/** Says something to the person who runs the command. The last word of one that fails is `Fatal`. */
export const say = (text: string, level: LogLevel.LogLevel = "Info"): Effect.Effect<void> =>
  Effect.sync(() => print({ level, text, time: new Date() }))

/** Whether a person is looking at stderr. */
export const isInteractive = (): boolean => process.stderr.isTTY === true

/** One line for an error: its message. The stack only of bugs, which nobody expected. */
export const errorLine = (cause: Cause.Cause<unknown>): string => {
  const error = Cause.squash(cause)
  if (Cause.hasDies(cause)) return `bug in this program, please report it\n${Cause.pretty(cause)}`
  return ErrorMessage.of(error)
}
