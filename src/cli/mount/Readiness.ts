/**
 * Tells whoever waits for a mount that it is ready: the parent in the foreground, a supervisor by descriptor (s6), and
 * systemd (sd_notify(3)). The mount waits for none of them: one that has no room for the word gets it later.
 */
import * as fs from "node:fs"
import { getSystemErrorName } from "node:util"
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import * as Runtime from "effect/Runtime"
import type * as Scope from "effect/Scope"
import * as Errno from "../../domain/Errno.ts"
import * as ErrorMessage from "../ErrorMessage.ts"
import * as ExitCode from "../ExitCode.ts"
import * as Syscalls from "../internal/ProcessSyscalls.ts"
import * as PatientWriter from "./PatientWriter.ts"
import type { Parent } from "./Parent.ts"

/** Somebody asked to be told, and cannot be. */
export class NotifyError extends Data.TaggedError("NotifyError")<{ readonly detail: string }> {
  static readonly ids = { Any: "PXF-MOUNT-NOTIFY" }
  /** See docs/errors.md. */
  get id(): string {
    return NotifyError.ids.Any
  }
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

/** Milliseconds between two tries. */
const PAUSE = 100

/** Tries until it is done, in the background unless it is done at once. */
const untilDone = <E>(attempt: Effect.Effect<boolean, E>): Effect.Effect<void, E, Scope.Scope> => {
  const again: Effect.Effect<void, E> = Effect.flatMap(Effect.andThen(Effect.sleep(PAUSE), attempt), (done) =>
    done ? Effect.void : again,
  )
  return Effect.flatMap(attempt, (done) =>
    done ? Effect.void : Effect.asVoid(Effect.forkScoped(Effect.ignore(again))),
  )
}

/** Writes a newline to a descriptor and closes it. */
export const tellDescriptor = (descriptor: number): Effect.Effect<void, NotifyError, Scope.Scope> =>
  untilDone(
    Effect.try({
      try: () => {
        const status = fs.fstatSync(descriptor)
        // Any other open descriptor is one of this process's own.
        if (!status.isFIFO() && !status.isSocket() && !status.isFile()) throw new Error("not a pipe, socket or file")
        if (!PatientWriter.hasRoom(descriptor)) return false
        fs.writeSync(descriptor, "\n")
        fs.closeSync(descriptor)
        return true
      },
      catch: (error) =>
        new NotifyError({
          detail: `descriptor ${descriptor}: ${ErrorMessage.of(error)}`,
        }),
    }),
  )

const SOCKET = "NOTIFY_SOCKET"

type Assignments = Readonly<Record<string, string | number>>

/** Sends assignments to the service manager that is named in the environment, if there is one. sd_notify(3). */
export const tellServiceManager = (assignments: Assignments): Effect.Effect<void, never, Scope.Scope> =>
  untilDone(Effect.map(notify(assignments), (result) => result !== -EAGAIN))

/** The same at the end, when there is no later. */
export const tellServiceManagerNow = (assignments: Assignments): Effect.Effect<void> =>
  Effect.asVoid(notify(assignments))

const { EAGAIN } = Errno.code

const notify = (assignments: Assignments): Effect.Effect<number> =>
  Effect.suspend(() => {
    const socket = process.env[SOCKET] ?? ""
    if (socket === "") return Effect.succeed(0)
    const lines = Object.entries(assignments).map(([name, value]) => `${name}=${value}`)
    const result = Syscalls.sendDatagram(socket, Buffer.from(lines.join("\n")))
    return result < 0 && result !== -EAGAIN
      ? Effect.as(Effect.logWarning(`cannot notify ${socket} (${SOCKET}): ${getSystemErrorName(result)}`), result)
      : Effect.succeed(result)
  })
