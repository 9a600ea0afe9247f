/**
 * What `pxar-fuse unmount` does (see `UnmountCommand`).
 *
 * It returns when the process that served has ended, so that nothing holds the archive any more; of a mount in use, when
 * it is out of sight.
 */
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import * as Runtime from "effect/Runtime"
import { placeWord } from "../../fuse/mount/MountError.ts"
import { Mounter } from "../../fuse/mount/Mounter.ts"
import type * as MountTable from "../../fuse/mount/MountTable.ts"
import * as Unmount from "../../fuse/mount/Unmount.ts"
import type * as ControlClient from "./ControlClient.ts"
import * as Holders from "./Holders.ts"
import * as MountPoint from "./MountPoint.ts"
import * as Mounts from "./Mounts.ts"
import * as Patience from "./Patience.ts"
import * as ExitCode from "../ExitCode.ts"
import * as Terminal from "../Terminal.ts"

/** What is mounted there stays. */
export class UnmountError extends Data.TaggedError("UnmountError")<{
  readonly place: string
  readonly detail: string
}> {
  static readonly ids = { Any: "PXF-UNMOUNT-FAILED" }
  /** See docs/errors.md. */
  get id(): string {
    return UnmountError.ids.Any
  }
  override readonly [Runtime.errorExitCode] = /EPERM|not permitted|denied/i.test(this.detail)
    ? ExitCode.NOT_PERMITTED
    : ExitCode.MOUNT_FAILED
  override get message(): string {
    return `cannot unmount ${this.place}: ${this.detail}`
  }
}

/** How long a process may take to end after its mount is gone, and when that is said to be so. */
const PATIENCE = "10 seconds"
const SILENCE = "2 seconds"

export interface Input {
  readonly mountPoints: ReadonlyArray<string>
}

/** Each of several, whatever becomes of the others, and what became of it; the exit code is that of the worst end. */
export const handler = Effect.fn("unmount")(function* ({ mountPoints }: Input) {
  yield* Effect.forEach(mountPoints, MountPoint.check, { discard: true })
  const [only] = mountPoints
  if (only !== undefined && mountPoints.length === 1) return yield* unmount(only, Terminal.detail)
  const ends = yield* Effect.forEach(mountPoints, (mountPoint) =>
    Effect.result(Terminal.report(unmount(mountPoint, Terminal.note))),
  )
  const codes = ends.filter(Result.isFailure).map(({ failure }) => failure.code)
  const worst = codes.toSorted((a, b) => seriousness(a) - seriousness(b))[0]
  if (worst !== undefined) return yield* new ExitCode.Ended({ code: worst })
})

/** How few things are worse than an exit code: a bug, a mount that stays for any reason, and last one that is not there. */
const seriousness = (code: number): number =>
  code === ExitCode.INTERNAL
    ? 0
    : [ExitCode.MOUNT_FAILED, ExitCode.NOT_PERMITTED, ExitCode.NOT_MOUNTED].indexOf(code) + 2

/** `done` says what nobody need hear of one mount that is ended as it should be. */
const unmount = Effect.fnUntraced(function* (mountPoint: string, done: (text: string) => Effect.Effect<void>) {
  const place = placeWord(mountPoint)
  const { entry, server } = yield* patiently(place, "what is mounted there to be found", Mounts.find(mountPoint))
  if (entry === undefined && server?.report.device !== undefined) return yield* wasUnmounted(place, server)
  if (entry === undefined) {
    return yield* new UnmountError({ place, detail: "it was mounted by somebody else; end its process" })
  }
  const how = yield* Unmount.how()
  const { euid } = yield* Mounter
  if (how === "fusermount3" && entry.owner !== euid) {
    const detail = `permission denied: it was mounted by user ${entry.owner}`
    return yield* new UnmountError({ place, detail })
  }
  const holder = yield* patiently(place, "a look at who else has it mounted", Holders.find(entry))
  const busy = yield* takeAway(how, entry, place)
  if (busy !== undefined) {
    return yield* Terminal.say(`${place} is in use (${busy}): detached, it ends with its last user`)
  }
  yield* done(`${place} is unmounted`)
  if (holder !== undefined && (yield* holder.isThere)) {
    return yield* Terminal.say(`${place} is unmounted, but ${holder.text}: its process ends when that is unmounted too`)
  }
  if (server !== undefined) yield* untilEnded(place, server)
}, Effect.scoped)

/**
 * Takes a mount out of the tree; why it was busy, if it was. Others may try the same at the same time: whoever comes second
 * finds done what he wanted.
 */
const takeAway = Effect.fnUntraced(function* (
  how: Unmount.How,
  entry: MountTable.Entry,
  place: string,
): Effect.fn.Return<string | undefined, UnmountError> {
  const detach = (lazy: boolean) => patiently(place, waitedFor[how], Unmount.detach(how, entry, lazy))
  const unmounted = yield* Effect.result(detach(false))
  if (Result.isSuccess(unmounted) || !(yield* Mounts.isThere(entry))) return undefined
  const detached = yield* Effect.result(detach(true))
  if (Result.isSuccess(detached)) return unmounted.failure.detail
  if (!(yield* Mounts.isThere(entry))) return undefined
  return yield* new UnmountError({ place, detail: detached.failure.detail })
})

/** What an unmount waits for. */
const waitedFor: Readonly<Record<Unmount.How, string>> = {
  root: "the kernel to unmount it (a file system on the way to it may hang)",
  fusermount3: "fusermount3",
  fusermount: "fusermount",
}

/** How long a step may take that usually takes no time at all. */
const DEADLINE = "30 seconds"

const patiently = <A, E, R>(
  place: string,
  what: string,
  effect: Effect.Effect<A, E, R>,
): Effect.Effect<A, E | UnmountError, R> =>
  Patience.wait(effect, {
    silence: SILENCE,
    say: Terminal.say(`${place}: waiting for ${what}`),
    deadline: DEADLINE,
    giveUp: Effect.suspend(() => new UnmountError({ place, detail: `waited ${DEADLINE} in vain for ${what}` })),
  })

/** Somebody else has just unmounted it, or it was in use then. */
const wasUnmounted = (place: string, { ended, report }: ControlClient.Server): Effect.Effect<void> =>
  Effect.timeoutOrElse(ended, {
    duration: SILENCE,
    orElse: () => Terminal.say(`${place} is unmounted already; process ${report.pid} ends with its last user`),
  })

const untilEnded = (place: string, { ended, report }: ControlClient.Server): Effect.Effect<void> => {
  const wait = Effect.timeoutOrElse(ended, {
    duration: PATIENCE,
    orElse: () => Terminal.say(`${place} is unmounted, but process ${report.pid} has not ended yet`),
  })
  const said = Effect.andThen(
    Effect.sleep(SILENCE),
    Effect.andThen(Terminal.say(`${place} is unmounted; waiting for process ${report.pid} to end`), Effect.never),
  )
  return Effect.raceFirst(wait, said)
}
