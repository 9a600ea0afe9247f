/**
 * Tells whoever waits for a mount that it is ready: the parent in the foreground, a supervisor by descriptor (s6), and
 * systemd (sd_notify(3)).
 */
import * as fs from "node:fs"
import { getSystemErrorName } from "node:util"
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import * as Runtime from "effect/Runtime"
import * as ErrorMessage from "../ErrorMessage.ts"
import * as ExitCode from "../ExitCode.ts"
import * as Syscalls from "../internal/ProcessSyscalls.ts"
import type { Parent } from "./Parent.ts"

/** Somebody asked to be told, and cannot be. */
export class NotifyError extends Data.TaggedError("NotifyError")<{ readonly detail: string }> {
  override readonly [Runtime.errorExitCode] = ExitCode.USAGE
  override get message(): string {
    return `cannot tell that the mount is ready: ${this.detail}`
  }
}

/** Tells the parent of a process in the background; `false` if the parent is gone. */
export const tellParent = ({ descriptor }: Parent): Effect.Effect<boolean> =>
  Effect.sync(() => {
    try {
      fs.writeSync(descriptor, "ready")
      fs.closeSync(descriptor)
      return true
    } catch {
      return false
    }
  })

/** Writes a newline to a descriptor and closes it. */
export const tellDescriptor = (descriptor: number): Effect.Effect<void, NotifyError> =>
  Effect.try({
    try: () => {
      const status = fs.fstatSync(descriptor)
      // Any other open descriptor is one of this process's own.
      if (!status.isFIFO() && !status.isSocket() && !status.isFile()) throw new Error("not a pipe, socket or file")
      fs.writeSync(descriptor, "\n")
      fs.closeSync(descriptor)
    },
    catch: (error) =>
      new NotifyError({
        detail: `descriptor ${descriptor}: ${ErrorMessage.of(error)}`,
      }),
  })

const SOCKET = "NOTIFY_SOCKET"

/** Sends assignments to the service manager that is named in the environment, if there is one. sd_notify(3). */
export const tellServiceManager = (assignments: Readonly<Record<string, string | number>>): Effect.Effect<void> =>
  Effect.suspend(() => {
    const socket = process.env[SOCKET] ?? ""
    if (socket === "") return Effect.void
    const lines = Object.entries(assignments).map(([name, value]) => `${name}=${value}`)
    const result = Syscalls.sendDatagram(socket, Buffer.from(lines.join("\n")), { wait: true })
    return result < 0
      ? Effect.logWarning(`cannot notify ${socket} (${SOCKET}): ${getSystemErrorName(result)}`)
      : Effect.void
  })
