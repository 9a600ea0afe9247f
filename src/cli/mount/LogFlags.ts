/**
 * Flags that say what a mount logs, how, and where.
 */
import * as Flag from "effect/cli/Flag"
import type * as LogLevel from "effect/LogLevel"
import * as Option from "effect/Option"
import * as Parameters from "../Parameters.ts"
import type { Format } from "../LogLine.ts"

export const flags = {
  quiet: Parameters.flag("quiet", "Log errors only"),
  verbose: Parameters.flag("verbose", "Say when the mount is ready, and count the requests at the end"),
  debug: Parameters.flag("debug", "Log every request of the kernel: operation, path, result, microseconds"),
  logFile: Flag.String("log-file").pipe(
    Flag.withDescription("Append messages to this file once the mount is ready (default in the background: syslog)"),
    Flag.withMetavar("FILE"),
    Flag.optional,
    Flag.map(Option.getOrUndefined),
  ),
  logFormat: Parameters.logFormat,
}

export interface Settings {
  readonly quiet: boolean
  readonly verbose: boolean
  readonly debug: boolean
  readonly logFile: string | undefined
  readonly logFormat: Format
}

/** The least important messages that are logged; the most talkative flag wins. */
export const level = ({ debug, quiet, verbose }: Settings): LogLevel.LogLevel => {
  if (debug) return "Debug"
  if (verbose) return "Info"
  return quiet ? "Error" : "Warn"
}
