/**
 * A command that goes on in the background: this program once more, in a session of its own.
 *
 * The parent tells the child the settings that it has read, so that only one of them reads a command line. It waits until
 * the child says that it is ready, and passes on what that writes on stderr until then. It ends with the child's exit
 * code if the child ends before, and ends the child if it is itself told to end. It is not a supervisor: once the child is
 * ready the two know nothing of each other.
 */
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Runtime from "effect/Runtime"
import * as ExitCode from "../ExitCode.ts"
import * as Launch from "./Launch.ts"
import type * as Settings from "./Settings.ts"

/** This program cannot be started again. */
export class StartError extends Data.TaggedError("StartError")<{ readonly detail: string }> {
  static readonly ids = { Any: "PXF-MOUNT-BACKGROUND" }
  /** See docs/errors.md. */
  get id(): string {
    return StartError.ids.Any
  }
  override readonly [Runtime.errorExitCode] = ExitCode.MOUNT_FAILED
  override get message(): string {
    return `cannot go on in the background: ${this.detail}`
  }
}

/**
 * Mounts in the background; `descriptors` are passed on, as far as they are open. Ends when the mount is ready.
 */
export const start = (
  settings: Settings.Settings,
  descriptors: ReadonlyArray<number>,
): Effect.Effect<void, ExitCode.Ended | StartError> =>
  Effect.acquireUseRelease(
    Effect.map(withholdInherited, () => Launch.launch(settings, descriptors)),
    untilReady,
    (launched, exit) => (Exit.isSuccess(exit) ? Effect.sync(launched.leave) : Effect.promise(launched.end)),
  )

const withholdInherited: Effect.Effect<void> = Effect.suspend(() =>
  Launch.mayHaveInherited()
    ? Effect.promise(async () => {
        // This loads koffi, and most processes have inherited nothing.
        const Syscalls = await import("../internal/ProcessSyscalls.ts")
        Syscalls.closeOnExec(3)
      })
    : Effect.void,
)

const untilReady = ({ outcome }: Launch.Launched): Effect.Effect<void, ExitCode.Ended | StartError> =>
  Effect.flatMap(
    Effect.promise(() => outcome),
    (outcome): Effect.Effect<void, ExitCode.Ended | StartError> => {
      switch (outcome._tag) {
        case "Ready":
          return Effect.void
        case "Ended":
          return Effect.fail(new ExitCode.Ended({ code: outcome.code }))
        case "NotStarted":
          return Effect.fail(new StartError({ detail: outcome.detail }))
      }
    },
  )
