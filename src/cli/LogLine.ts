/**
 * A message of the log as one line, for each place where a log is read.
 */
import * as Cause from "effect/Cause"
import type * as Fiber from "effect/Fiber"
import * as Logger from "effect/Logger"
import type * as LogLevel from "effect/LogLevel"
import * as References from "effect/References"
import * as PathText from "../domain/PathText.ts"

export const formats = ["text", "json"] as const

export type Format = (typeof formats)[number]

export interface Message {
  readonly level: LogLevel.LogLevel
  readonly text: string
  readonly time: Date
  /** The stack of a bug, several lines. */
  readonly detail?: string | undefined
  /** What the text says, for programs. */
  readonly members?: Readonly<Record<string, unknown>> | undefined
}

/** Takes the messages of Effect's log. */
export const logger = (
  take: (message: Message, fiber: Fiber.Fiber<unknown, unknown>) => void,
): Logger.Logger<unknown, void> =>
  Logger.make(({ cause, date, fiber, logLevel, message }) =>
    take(
      {
        level: logLevel,
        text: (Array.isArray(message) ? message : [message]).map(String).join(" "),
        time: date,
        members: fiber.getRef(References.CurrentLogAnnotations),
        detail: cause.reasons.length === 0 ? undefined : Cause.pretty(cause),
      },
      fiber,
    ),
  )

const PROGRAM = "pxar-fuse"

interface Level {
  /** As a member of JSON. */
  readonly name: string
  /** Before the text. The last word of a command that fails has none. */
  readonly prefix: string
  /** syslog(3). */
  readonly severity: number
}

const INFO: Level = { name: "info", prefix: "", severity: 6 }

const levels: Partial<Record<LogLevel.LogLevel, Level>> = {
  Fatal: { name: "fatal", prefix: "", severity: 3 },
  Error: { name: "error", prefix: "error: ", severity: 3 },
  Warn: { name: "warning", prefix: "warning: ", severity: 4 },
  Debug: { name: "debug", prefix: "", severity: 7 },
  Trace: { name: "debug", prefix: "", severity: 7 },
}

const levelOf = ({ level }: Message): Level => levels[level] ?? INFO

const textOf = (message: Message): string => {
  const { detail, text } = message
  // A text has names in it that others have chosen: on a terminal, and in a log, it is one line.
  const line = `${levelOf(message).prefix}${PathText.safe(text)}`
  return detail === undefined ? line : [line, ...detail.split("\n").map(PathText.safe)].join("\n")
}

const json = (message: Message): string => {
  const { detail, members, text, time } = message
  return PathText.safeJson(
    JSON.stringify({ time: time.toISOString(), level: levelOf(message).name, message: text, detail, ...members }),
  )
}

/** For a terminal, or whoever reads stderr. */
export const forStderr = (message: Message, format: Format): string =>
  `${format === "json" ? json(message) : `${PROGRAM}: ${textOf(message)}`}\n`

/** For a file, which may hold the log of several mounts. */
export const forFile = (message: Message, format: Format): string =>
  `${format === "json" ? json(message) : `${message.time.toISOString()} ${PROGRAM}[${process.pid}]: ${textOf(message)}`}\n`

/** LOG_DAEMON, syslog(3). */
const FACILITY = 3 * 8

const months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]

/** For `/dev/log`, as glibc writes it (RFC 3164 without a host name); the time is local. */
export const forSyslog = (message: Message, format: Format): string => {
  const { time } = message
  const two = (value: number, pad = "0"): string => String(value).padStart(2, pad)
  const clock = [time.getHours(), time.getMinutes(), time.getSeconds()].map((value) => two(value)).join(":")
  const stamp = `${months[time.getMonth()]} ${two(time.getDate(), " ")} ${clock}`
  const text = format === "json" ? json(message) : textOf(message)
  return `<${FACILITY + levelOf(message).severity}>${stamp} ${PROGRAM}[${process.pid}]: ${text}`
}
