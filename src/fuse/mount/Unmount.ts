/**
 * Unmounting a FUSE file system, by umount2(2) as root and by fusermount3 otherwise.
 *
 * A mount is known by its id in the mount table: what somebody has mounted over it, or in its place, is never touched.
 * Nothing here enters a file system: it works for one that nobody serves, and in the process that serves it.
 */
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Result from "effect/Result"
import * as Fusermount from "./Fusermount.ts"
import * as MountSyscalls from "./MountSyscalls.ts"
import { check, MountError, shellWord } from "./MountError.ts"
import * as MountProbe from "./MountProbe.ts"
import * as MountTable from "./MountTable.ts"

/**
 * What an unmount did: `detached` was busy and ends with its last user; `gone` was unmounted by somebody else or is not
 * ours to unmount (`passed`); `covered` cannot be reached because another file system is mounted over it, and `failed` is
 * still mounted for another reason. The log says of these two what to do.
 */
export type Unmounted = "unmounted" | "detached" | "gone" | "covered" | "failed"

/** By system call as root, else by the helper of libfuse 3, or of libfuse 2 for what that has mounted. */
export type How = "root" | "fusermount3" | "fusermount"

/** How this process mounts and unmounts, with this helper if need be. */
export const how = (helper: Fusermount.Program = "fusermount3"): How => (process.geteuid?.() === 0 ? "root" : helper)

/** Takes what is topmost at `mountPoint` out of the tree; `lazy`: also while it is in use. */
export const detach = (how: How, mountPoint: string, lazy: boolean): Effect.Effect<void, MountError> =>
  how === "root"
    ? Effect.flatMap(
        MountSyscalls.unmount(mountPoint, MountSyscalls.UMOUNT_NOFOLLOW | (lazy ? MountSyscalls.MNT_DETACH : 0)),
        (result) => Effect.asVoid(check(mountPoint, "umount2", result)),
      )
    : Fusermount.run(mountPoint, lazy ? ["-u", "-z"] : ["-u"], { program: how })

/**
 * Unmounts, lazily if the mount is in use; `onLazyUnmount` is then told, with one line. Can be run again; that a mount is
 * covered is logged once.
 */
export const make = (
  how: How,
  entry: MountTable.Entry,
  mayBeGone: () => boolean,
  onLazyUnmount: (detail: string) => Effect.Effect<void>,
): Effect.Effect<Unmounted> => {
  const mountPoint = entry.mountPoint.toString()
  const place = shellWord(mountPoint)
  const command = how === "root" ? "umount" : `${how} -u`
  let told = false

  const tellCovered = Effect.gen(function* () {
    if (told) return
    told = true
    const over = yield* Effect.orElseSucceed(MountTable.find(mountPoint), () => undefined)
    const what = over === undefined ? "hidden by a mount further up" : `covered by a mount of ${over.fsType}`
    yield* Effect.logError(
      `${place} is ${what} and stays, without answering: unmount that, then type ${command} ${place}`,
    )
  })

  return Effect.gen(function* () {
    const before = yield* reach(entry, mayBeGone)
    if (before === "covered") yield* tellCovered
    if (before !== "reachable") return before
    const unmounted = yield* Effect.result(detach(how, mountPoint, false))
    if (Result.isSuccess(unmounted)) return "unmounted"
    if ((yield* reach(entry, mayBeGone)) === "gone") return "gone"
    const detached = yield* Effect.result(detach(how, mountPoint, true))
    if (Result.isSuccess(detached)) {
      yield* onLazyUnmount(`${place} is in use (${unmounted.failure.detail}): detached, it ends with its last user`)
      return "detached"
    }
    yield* Effect.logError(`${place} is still mounted (${detached.failure.detail}): type ${command} ${place}`)
    return "failed"
  })
}

/** Unmounts if nobody uses the mount; whether it is gone now. */
export const unmountIfFree = (how: How, entry: MountTable.Entry, mayBeGone: () => boolean): Effect.Effect<boolean> =>
  Effect.flatMap(reach(entry, mayBeGone), (before) =>
    before === "reachable"
      ? Effect.match(detach(how, entry.mountPoint.toString(), false), {
          onFailure: () => false,
          onSuccess: () => true,
        })
      : Effect.succeed(before === "gone"),
  )

/** A mount that can be unmounted, and is not mistaken for another. */
export interface Identified {
  /** Absolute, without symbolic links. */
  readonly mountPoint: string
  readonly how: How
  /** `major:minor` of the file system. */
  readonly device: string
  /** See {@link make}. Can be repeated: the first outcome other than `failed` and `covered` stays. */
  readonly unmount: Effect.Effect<Unmounted>
  /** See {@link unmountIfFree}. */
  readonly unmountIfFree: Effect.Effect<boolean>
}

/**
 * Learns what identifies the new mount, so that it, and no other, is unmounted later. Once `mayBeGone` is true the mount
 * table may show another under its id and number.
 */
export const identify = Effect.fnUntraced(function* (
  how: How,
  mountPoint: string,
  onLazyUnmount: (detail: string) => Effect.Effect<void>,
  mayBeGone: () => boolean = () => false,
): Effect.fn.Return<Identified, MountError> {
  const entry = yield* MountTable.find(mountPoint)
  if (entry === undefined) {
    return yield* new MountError({ reason: "Failed", mountPoint, detail: "the new mount is not in the mount table" })
  }
  const once = yield* Effect.cachedWithTTL(make(how, entry, mayBeGone, onLazyUnmount), (exit) =>
    Exit.isSuccess(exit) && exit.value !== "failed" && exit.value !== "covered" ? Duration.infinity : Duration.zero,
  )
  return {
    mountPoint,
    how,
    device: entry.device,
    unmount: Effect.uninterruptible(once),
    unmountIfFree: Effect.uninterruptible(unmountIfFree(how, entry, mayBeGone)),
  }
})

/** Whether a path lookup of its mount point ends in this mount. */
const reach = (entry: MountTable.Entry, mayBeGone: () => boolean): Effect.Effect<"reachable" | "covered" | "gone"> =>
  MountTable.read.pipe(
    Effect.flatMap((entries) => {
      const isThis = (other: MountTable.Entry | undefined): boolean =>
        other?.id === entry.id && other.device === entry.device && other.mountPoint.equals(entry.mountPoint)
      if (!entries.some(isThis)) return Effect.succeed("gone" as const)
      const topmost = isThis(MountTable.topmost(entries, entry.mountPoint))
      if (!mayBeGone()) return Effect.succeed(topmost ? ("reachable" as const) : ("covered" as const))
      // Another mount has got its id and number, or its connection was aborted (`umount -f`) and it is still there, dead.
      if (!topmost) return Effect.succeed("gone" as const)
      const answer = MountProbe.probe(entry.mountPoint.toString())
      return Effect.map(answer, (answer) => (answer === "dead" ? ("reachable" as const) : ("gone" as const)))
    }),
    // Without a mount table the mount is rather taken for ours than left behind.
    Effect.orElseSucceed(() => "reachable" as const),
  )
