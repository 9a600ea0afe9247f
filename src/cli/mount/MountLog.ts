/**
 * The log of a mount: stderr until the mount is ready, then where it belongs for the long run.
 *
 * In the foreground that is stderr again, unless a file was named; in the background a file or syslog. A message that
 * cannot be written is lost: there is nobody left who could be told.
 */
import * as fs from "node:fs"
import * as path from "node:path"
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Logger from "effect/Logger"
import type * as LogLevel from "effect/LogLevel"
import * as References from "effect/References"
import * as Runtime from "effect/Runtime"
import * as ErrorMessage from "../ErrorMessage.ts"
import * as ExitCode from "../ExitCode.ts"
import * as LogLine from "../LogLine.ts"
import * as Syscalls from "../internal/ProcessSyscalls.ts"
import type { LogSettings } from "./Settings.ts"

/** The file for the log cannot be opened. */
export class LogFileError extends Data.TaggedError("LogFileError")<{ readonly detail: string }> {
  override readonly [Runtime.errorExitCode] = ExitCode.TARGET
  override get message(): string {
    return `cannot write to the log file: ${this.detail}`
  }
}

export interface MountLog {
  /** Replaces the loggers and the level. */
  readonly layer: Layer.Layer<never>
  /** Says something to the person who started the mount, whatever the level. */
  readonly say: (text: string) => Effect.Effect<void>
  /** From now on messages go where they belong in the long run. */
  readonly settle: Effect.Effect<void>
}

export interface Options extends LogSettings {
  /** Nobody will read stderr once the mount is ready. */
  readonly background: boolean
}

type Sink = (message: LogLine.Message) => void

const SYSLOG = "/dev/log"

const STDERR = 2

/** Opens the log; a file is opened at once, so that a wrong name is an error of the start. */
export const open = Effect.fnUntraced(function* (options: Options): Effect.fn.Return<MountLog, LogFileError> {
  const { background, logFile, logFormat, quiet } = options
  const toStderr: Sink = (message) => void process.stderr.write(LogLine.forStderr(message, logFormat))
  let sink = toStderr

  const toDescriptor =
    (descriptor: number): Sink =>
    (message) => {
      try {
        fs.writeSync(descriptor, LogLine.forFile(message, logFormat))
      } catch {
        // A full disk must not end the mount.
      }
    }
  const toSyslog: Sink = (message) =>
    // Without waiting: the log daemon may itself wait for this mount.
    void Syscalls.sendDatagram(SYSLOG, Buffer.from(LogLine.forSyslog(message, logFormat)), { wait: false })

  // The current folder is another one later.
  const absolute = path.resolve(logFile ?? "")
  const file = logFile === undefined ? undefined : yield* openFile(absolute)
  const say = (text: string) => Effect.sync(() => sink({ level: "Info", text, time: new Date() }))

  const settle = Effect.gen(function* () {
    if (file !== undefined) {
      sink = toDescriptor(file)
      if (background) {
        // What Node prints when it crashes belongs there too.
        Syscalls.dup2(file, STDERR)
        onHangup(() => reopen(absolute, [file, STDERR]))
      }
    } else if (background) {
      const hasSyslog = fs.existsSync(SYSLOG)
      if (!hasSyslog && !quiet) yield* say(`no ${SYSLOG} here: messages are lost; --log-file FILE keeps them`)
      sink = hasSyslog ? toSyslog : () => {}
      const nowhere = fs.openSync("/dev/null", "w")
      Syscalls.dup2(nowhere, STDERR)
      fs.closeSync(nowhere)
      onHangup(() => {})
    }
  })

  const logger = LogLine.logger((message) => sink(message))
  return {
    layer: Layer.merge(Logger.layer([logger]), Layer.succeed(References.MinimumLogLevel, level(options))),
    say,
    settle,
  }
})

/** The least important messages that are logged; the most talkative flag wins. */
const level = ({ debug, quiet, verbose }: LogSettings): LogLevel.LogLevel => {
  if (debug) return "Debug"
  if (verbose) return "Info"
  return quiet ? "Error" : "Warn"
}

/** There is no terminal any more whose end this signal could tell: it means that log files have been rotated. */
const onHangup = (handler: () => void): void => void process.removeAllListeners("SIGHUP").on("SIGHUP", handler)

/** Makes descriptors lead to the file that has the name now; where that cannot be opened they stay as they are. */
const reopen = (file: string, descriptors: ReadonlyArray<number>): void => {
  try {
    const next = fs.openSync(file, "a")
    for (const descriptor of descriptors) Syscalls.dup2(next, descriptor)
    fs.closeSync(next)
  } catch {
    // The log goes on where it was.
  }
}

const openFile = (path: string): Effect.Effect<number, LogFileError> =>
  Effect.try({
    try: () => fs.openSync(path, "a"),
    catch: (error) => new LogFileError({ detail: ErrorMessage.of(error) }),
  })
