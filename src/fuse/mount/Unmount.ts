/**
 * Unmounting a FUSE file system, by umount2(2) as root and by fusermount3 otherwise.
 *
 * A mount is known by its id in the mount table, wherever its mount point has been moved to: what somebody has mounted
 * over it, or in its place, is never touched, and whoever owns a folder on the way cannot lead it elsewhere. Nothing here
 * enters a file system: it works for one that nobody serves, and in the process that serves it.
 */
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Result from "effect/Result"
import type * as Scope from "effect/Scope"
import * as Fusermount from "./Fusermount.ts"
import { Mounter } from "./Mounter.ts"
import { check, MountError, placeWord, refusal } from "./MountError.ts"
import * as MountPlace from "./MountPlace.ts"
import * as MountSyscalls from "./MountSyscalls.ts"
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
export const how = (helper: Fusermount.Program = "fusermount3"): Effect.Effect<How> =>
  Effect.map(Mounter, ({ euid }) => (euid === 0 ? "root" : helper))

/**
 * Takes this mount out of the tree; `lazy`: also while it is in use. Fails if something else is there now. The helper makes
 * sure by itself that it unmounts nothing but what its user has mounted.
 */
export const detach = (how: How, entry: MountTable.Entry, lazy: boolean): Effect.Effect<void, MountError> =>
  how === "root"
    ? Effect.scoped(detachAsRoot(entry, lazy))
    : Fusermount.run(MountTable.pathOf(entry), lazy ? ["-u", "-z"] : ["-u"], { program: how })

const detachAsRoot = Effect.fnUntraced(function* (
  entry: MountTable.Entry,
  lazy: boolean,
): Effect.fn.Return<void, MountError, Scope.Scope> {
  const mountPoint = MountTable.pathOf(entry)
  const place = yield* Effect.mapError(MountPlace.hold(entry.mountPoint), (code) => refusal(mountPoint, "open", code))
  if (!(yield* MountPlace.isStill(place, entry))) {
    const detail = "what was mounted there is not there any more, or covered; nothing was unmounted"
    return yield* new MountError({ reason: "Failed", mountPoint, detail })
  }
  const result = yield* MountPlace.unmount(place, lazy ? MountSyscalls.MNT_DETACH : 0)
  yield* check(mountPoint, "umount2", result)
})

/** The same for whatever is topmost at `mountPoint` (absolute, without symbolic links) now, lazily; nothing there is no error. */
export const detachTopmost = (how: How, mountPoint: string): Effect.Effect<void, MountError> =>
  Effect.flatMap(MountTable.find(mountPoint), (entry) => (entry === undefined ? Effect.void : detach(how, entry, true)))

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
  const command = how === "root" ? "umount" : `${how} -u`
  let told = false

  const tellCovered = Effect.fnUntraced(function* (now: MountTable.Entry) {
    if (told) return
    told = true
    const place = placeOf(now)
    const over = yield* Effect.orElseSucceed(MountTable.find(now.mountPoint), () => undefined)
    const what = over === undefined ? "hidden by a mount further up" : `covered by a mount of ${over.fsType}`
    yield* Effect.logError(
      `${place} is ${what} and stays, without answering: unmount that, then type ${command} ${place}`,
    )
  })

  return Effect.gen(function* () {
    const before = yield* reach(entry, mayBeGone)
    if (before._tag === "gone") return "gone"
    if (before._tag === "covered") return yield* Effect.as(tellCovered(before.entry), "covered" as const)
    const place = placeOf(before.entry)
    const unmounted = yield* Effect.result(detach(how, before.entry, false))
    if (Result.isSuccess(unmounted)) return "unmounted"
    // It may have been moved just then.
    const now = yield* reach(entry, mayBeGone)
    if (now._tag === "gone") return "gone"
    const detached = yield* Effect.result(detach(how, now.entry, true))
    if (Result.isSuccess(detached)) {
      yield* onLazyUnmount(`${place} is in use (${unmounted.failure.detail}): detached, it ends with its last user`)
      return "detached"
    }
    yield* Effect.logError(`${place} is still mounted (${detached.failure.detail}): type ${command} ${place}`)
    return "failed"
  })
}

const placeOf = (entry: MountTable.Entry): string => placeWord(MountTable.pathOf(entry))

/** Unmounts if nobody uses the mount; whether it is gone now. */
export const unmountIfFree = (how: How, entry: MountTable.Entry, mayBeGone: () => boolean): Effect.Effect<boolean> =>
  Effect.flatMap(reach(entry, mayBeGone), (before) =>
    before._tag === "reachable"
      ? Effect.match(detach(how, before.entry, false), {
          onFailure: () => false,
          onSuccess: () => true,
        })
      : Effect.succeed(before._tag === "gone"),
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

/** Where a mount is now. */
type Reach =
  /** A path lookup of its mount point ends in it. */
  | { readonly _tag: "reachable"; readonly entry: MountTable.Entry }
  | { readonly _tag: "covered"; readonly entry: MountTable.Entry }
  | { readonly _tag: "gone" }

const GONE: Reach = { _tag: "gone" }

/** Looks for a mount: by its id, because the folder of its mount point, or one above, may have been renamed. */
const reach = (entry: MountTable.Entry, mayBeGone: () => boolean): Effect.Effect<Reach> =>
  MountTable.read.pipe(
    Effect.flatMap((entries): Effect.Effect<Reach> => {
      const isThis = (other: MountTable.Entry | undefined): boolean =>
        other?.id === entry.id && other.device === entry.device
      const now = entries.find(isThis)
      if (now === undefined) return Effect.succeed(GONE)
      const topmost = isThis(MountTable.topmost(entries, now.mountPoint))
      if (!mayBeGone()) return Effect.succeed({ _tag: topmost ? "reachable" : "covered", entry: now })
      // Another mount has got its id and number, or its connection was aborted (`umount -f`) and it is still there, dead.
      if (!topmost || !now.mountPoint.equals(entry.mountPoint)) return Effect.succeed(GONE)
      const answer = MountProbe.probe(now.mountPoint)
      return Effect.map(answer, (answer) => (answer === "dead" ? { _tag: "reachable", entry: now } : GONE))
    }),
    // Without a mount table the mount is rather taken for ours than left behind.
    Effect.orElseSucceed((): Reach => ({ _tag: "reachable", entry })),
  )
