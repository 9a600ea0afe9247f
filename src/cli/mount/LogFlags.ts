/**
 * Flags that say what a mount logs, how, and where.
 */
import * as Flag from "effect/cli/Flag"
import * as Parameters from "../Parameters.ts"

export const flags = {
  ...Parameters.messages,
  quiet: Flag.withAlias(Parameters.flag("quiet", "Log errors only"), "q"),
  verbose: Flag.withAlias(
    Parameters.flag("verbose", "Say when the mount is ready, and count the requests at the end"),
    "v",
  ),
  debug: Parameters.flag("debug", "Log every request of the kernel: operation, path, result, microseconds"),
  logFile: Flag.String("log-file").pipe(
    Flag.withDescription("Append messages to this file once the mount is ready (default in the background: syslog)"),
    Flag.withMetavar("FILE"),
    Parameters.optional,
  ),
}
