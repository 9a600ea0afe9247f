/**
 * What the command line prints for people, apart from results: one line each, on stderr, beginning with the program's
 * name.
 */
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Logger from "effect/Logger"
import type * as LogLevel from "effect/LogLevel"
import * as References from "effect/References"

const PROGRAM = "pxar-fuse"

const levels: Partial<Record<LogLevel.LogLevel, string>> = { Error: "error: ", Warn: "warning: ", Fatal: "error: " }

const format = Logger.make<unknown, string>(({ cause, logLevel, message }) => {
  const text = (Array.isArray(message) ? message : [message]).map(String).join(" ")
  const detail = cause.reasons.length === 0 ? "" : `\n${Cause.pretty(cause)}`
  return `${PROGRAM}: ${levels[logLevel] ?? ""}${text}${detail}`
})

/** Logs as lines on stderr. */
export const layer: Layer.Layer<never> = Layer.merge(
  Logger.layer([Logger.map(format, (line) => void process.stderr.write(`${line}\n`))]),
  Layer.succeed(References.LogToStderr, true),
)

/** Says something to the person who runs the command. */
export const say = (text: string): Effect.Effect<void> =>
  Effect.sync(() => void process.stderr.write(`${PROGRAM}: ${text}\n`))

/** Whether a person is looking at stderr. */
export const isInteractive = (): boolean => process.stderr.isTTY === true

/** One line for an error: its message. The stack only of bugs, which nobody expected. */
export const errorLine = (cause: Cause.Cause<unknown>): string => {
  const error = Cause.squash(cause)
  if (Cause.hasDies(cause)) return `bug in this program, please report it\n${Cause.pretty(cause)}`
  // Not every error is an `Error`: those that are values have a message too.
  return typeof error === "object" && error !== null && "message" in error ? String(error.message) : String(error)
}
