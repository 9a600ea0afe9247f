/**
 * What `pxar-fuse unmount` does (see `UnmountCommand`).
 *
 * It returns when the process that served has ended, so that nothing holds the archive any more; of a mount in use, when
 * it is out of sight.
 */
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Runtime from "effect/Runtime"
import { shellWord } from "../../fuse/mount/MountError.ts"
import * as Unmount from "../../fuse/mount/Unmount.ts"
import * as Mounts from "./Mounts.ts"
import * as ExitCode from "../ExitCode.ts"
import * as Terminal from "../Terminal.ts"

/** What is mounted there stays. */
export class UnmountError extends Data.TaggedError("UnmountError")<{
  readonly place: string
  readonly detail: string
}> {
  override readonly [Runtime.errorExitCode] = /EPERM|not permitted|denied/i.test(this.detail)
    ? ExitCode.NOT_PERMITTED
    : ExitCode.MOUNT_FAILED
  override get message(): string {
    return `cannot unmount ${this.place}: ${this.detail}`
  }
}

/** How long a process may take to end after its mount is gone. */
const PATIENCE = "10 seconds"

export interface Input {
  readonly mountPoints: ReadonlyArray<string>
}

/** Each of them, whatever becomes of the others; the exit code is that of the first that stays. */
export const handler = Effect.fn("unmount")(function* ({ mountPoints }: Input) {
  const [only] = mountPoints
  if (only !== undefined && mountPoints.length === 1) return yield* unmount(only)
  const ends = yield* Effect.forEach(mountPoints, (mountPoint) => Effect.exit(Terminal.report(unmount(mountPoint))))
  yield* ends.find(Exit.isFailure) ?? Effect.void
})

const unmount = Effect.fnUntraced(function* (mountPoint: string) {
  const { entry, server } = yield* Mounts.find(mountPoint)
  const place = shellWord(mountPoint)
  if (entry === undefined) {
    return yield* new UnmountError({ place, detail: "it was mounted by somebody else; end its process" })
  }
  const path = entry.mountPoint.toString()
  const how = Unmount.how()
  if (how === "fusermount3" && entry.owner !== process.geteuid?.()) {
    const detail = `permission denied: it was mounted by user ${entry.owner}`
    return yield* new UnmountError({ place, detail })
  }
  const gone = yield* Unmount.detach(how, path, false).pipe(
    Effect.as(true),
    Effect.catch((busy) =>
      Unmount.detach(how, path, true).pipe(
        Effect.mapError(({ detail }) => new UnmountError({ place, detail })),
        Effect.andThen(Terminal.say(`${place} is in use (${busy.detail}): detached, it ends with its last user`)),
        Effect.as(false),
      ),
    ),
  )
  if (gone) yield* Terminal.detail(`${place} is unmounted`)
  if (!gone || server === undefined) return
  yield* Effect.timeoutOrElse(server.ended, {
    duration: PATIENCE,
    orElse: () => Terminal.say(`${place} is unmounted, but process ${server.report.pid} has not ended yet`),
  })
}, Effect.scoped)
