/**
 * The log of a mount: stderr until the mount is ready, then where it belongs for the long run.
 *
 * In the foreground that is stderr again, unless a file was named; in the background a file or syslog. Nobody is waited
 * for: not for the reader of a pipe or a terminal that pauses, not for syslog (which may itself wait for this mount). What
 * cannot be written in the end is lost: there is nobody left who could be told.
 */
import * as fs from "node:fs"
import { promisify } from "node:util"
import * as Clock from "effect/Clock"
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Logger from "effect/Logger"
import type * as LogLevel from "effect/LogLevel"
import * as References from "effect/References"
import * as Result from "effect/Result"
import * as Runtime from "effect/Runtime"
import * as PathText from "../../domain/PathText.ts"
import * as DiskPath from "../../services/posix/DiskPath.ts"
import * as ErrorMessage from "../ErrorMessage.ts"
import * as ExitCode from "../ExitCode.ts"
import * as LogLine from "../LogLine.ts"
import * as Syscalls from "../internal/ProcessSyscalls.ts"
import * as HeldFolder from "./HeldFolder.ts"
import * as PatientWriter from "./PatientWriter.ts"
import type { LogSettings } from "./Settings.ts"

/** The file for the log cannot be opened. */
export class LogFileError extends Data.TaggedError("LogFileError")<{ readonly detail: string }> {
  static readonly ids = { Any: "PXF-MOUNT-LOG-FILE" }
  /** See docs/errors.md. */
  get id(): string {
    return LogFileError.ids.Any
  }
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
  /** Draws progress on stderr; what there is no room for is not drawn. */
  readonly draw: (text: string) => void
  /** Waits a moment for what could not be written yet. */
  readonly flush: Effect.Effect<void>
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
  const lost =
    (line: (message: LogLine.Message, format: LogLine.Format) => string) =>
    (count: number): string =>
      line({ level: "Warn", text: `${count} messages were lost: nobody read them`, time: new Date() }, logFormat)
  const stderr = PatientWriter.make(STDERR, lost(LogLine.forStderr))
  const toStderr: Sink = (message) => stderr.write(LogLine.forStderr(message, logFormat))
  let sink = toStderr
  let writer = stderr

  const toSyslog: Sink = (message) =>
    void Syscalls.sendDatagram(SYSLOG, Buffer.from(LogLine.forSyslog(message, logFormat)))

  // The current folder is another one later.
  const absolute = DiskPath.resolve(logFile ?? "")
  const file = logFile === undefined ? undefined : yield* openFile(absolute)
  const say = (text: string) =>
    Effect.map(Clock.currentTimeMillis, (now) => sink({ level: "Info", text, time: new Date(now) }))

  const settle = Effect.gen(function* () {
    if (file !== undefined) {
      writer = PatientWriter.make(file, lost(LogLine.forFile))
      sink = (message) => writer.write(LogLine.forFile(message, logFormat))
      if (background) {
        // What Node prints when it crashes belongs there too.
        Syscalls.dup2(file, STDERR)
        onHangup(() => void reopen(absolute, [file, STDERR]))
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
    draw: stderr.writeNow,
    flush: Effect.suspend(() => flushed(writer)).pipe(Effect.timeoutOption(LAST_CHANCE), Effect.asVoid),
  }
})

/** For whoever reads slowly, not for whoever does not read. */
const LAST_CHANCE = "1 second"

const flushed = (writer: PatientWriter.PatientWriter): Effect.Effect<void> =>
  writer.isFlushed()
    ? Effect.void
    : Effect.andThen(
        Effect.sleep("20 millis"),
        Effect.suspend(() => flushed(writer)),
      )

/** The least important messages that are logged; the most talkative flag wins. */
const level = ({ debug, quiet, verbose }: LogSettings): LogLevel.LogLevel => {
  if (debug) return "Debug"
  if (verbose) return "Info"
  return quiet ? "Error" : "Warn"
}

/** There is no terminal any more whose end this signal could tell: it means that log files have been rotated. */
const onHangup = (handler: () => void): void => void process.removeAllListeners("SIGHUP").on("SIGHUP", handler)

/** Makes descriptors lead to the file that has the name now; where that cannot be opened they stay as they are. */
const reopen = async (file: string, descriptors: ReadonlyArray<number>): Promise<void> => {
  const next = await Effect.runPromise(Effect.result(openFile(file)))
  // The log goes on where it was.
  if (Result.isFailure(next)) return
  for (const descriptor of descriptors) Syscalls.dup2(next.success, descriptor)
  fs.closeSync(next.success)
}

const { O_APPEND, O_CREAT, O_NOCTTY, O_NOFOLLOW, O_NONBLOCK, O_WRONLY } = fs.constants

/** Opens a file to append to; not waiting for whoever reads a FIFO. No link of another user leads elsewhere. */
const openFile = (path: string): Effect.Effect<number, LogFileError> =>
  Effect.scoped(
    Effect.flatMap(HeldFolder.of(path, { followLink: true }), (held) =>
      Effect.tryPromise({
        try: () => {
          // What is below these is no link of anybody, but means another file all the same.
          const direct = held === path
          const flags = O_WRONLY | O_APPEND | O_CREAT | O_NONBLOCK | O_NOCTTY | (direct ? 0 : O_NOFOLLOW)
          return promisify(fs.open)(DiskPath.forNode(held), flags, 0o644)
        },
        catch: (error) =>
          (error as NodeJS.ErrnoException).code === "ENXIO"
            ? `${PathText.safe(path)}: nobody reads this FIFO`
            : ErrorMessage.of(error).replace(/, \w+ '.*'$/s, `: ${PathText.safe(path)}`),
      }),
    ),
  ).pipe(Effect.mapError((detail) => new LogFileError({ detail })))
