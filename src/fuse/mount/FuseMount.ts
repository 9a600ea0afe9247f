/**
 * A FUSE mount as a scoped resource: the kernel connection is there while the scope is open.
 *
 * Root mounts with mount(2), everybody else through fusermount3, and a mount point `/dev/fd/N` is a connection that a
 * privileged parent has mounted already (fuse-protocol §1). Closing the scope unmounts first (lazily if the
 * mount is busy) and closes the descriptor then, once. Nothing here makes this process wait for its own file system:
 * mount and unmount run on another thread or in another process, everything else looks at proc only.
 *
 * It does not speak on the descriptor: a mount that nobody serves blocks whoever enters it.
 */
import * as fs from "node:fs"
import { getSystemErrorName, promisify } from "node:util"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import * as DiskPath from "../../services/posix/DiskPath.ts"
import * as Libc from "../../services/posix/Libc.ts"
import * as DeviceSyscalls from "../session/DeviceSyscalls.ts"
import * as MountSyscalls from "./MountSyscalls.ts"
import * as Fusermount from "./Fusermount.ts"
import { check, codeOf, MountError, OPEN_DEVICE, refusal, placeWord } from "./MountError.ts"
import * as MountOptions from "./MountOptions.ts"
import * as MountProbe from "./MountProbe.ts"
import { Mounter } from "./Mounter.ts"
import * as MountTable from "./MountTable.ts"
import * as Unmount from "./Unmount.ts"

export type { Unmounted } from "./Unmount.ts"

/** A mount that nobody serves yet. */
export interface FuseMount {
  /** Open on `/dev/fuse`, non-blocking, close-on-exec; closed by the scope. */
  readonly descriptor: number
  /** Absolute, without symbolic links. */
  readonly mountPoint: string
  readonly how: "root" | "fusermount3" | "fusermount" | "passed"
  /** `major:minor` of the file system; undefined for `passed`. */
  readonly device: string | undefined
  /** See {@link unmount}. */
  readonly unmount: Effect.Effect<Unmount.Unmounted>
  /** Unmounts if nobody uses the mount; whether it is gone now. Never for `passed`. */
  readonly unmountIfFree: Effect.Effect<boolean>
}

/** Where and how to mount. */
export interface Options {
  /** An empty directory, or `/dev/fd/N` for a connection that is already mounted. */
  readonly mountPoint: string
  /** Source to show in the mount table, unless the options name one: the archive's path. */
  readonly fsname: string
  readonly options: MountOptions.MountOptions
  /** Replace a mount whose server is gone, which otherwise is an error. */
  readonly replaceDead?: boolean | undefined
  /** Runs when an unmount found the mount busy, with one line about it; logs a warning unless given. */
  readonly onLazyUnmount?: ((detail: string) => Effect.Effect<void>) | undefined
}

/**
 * Mounts; closing the scope unmounts and closes the descriptor. Fails with the reasons of {@link MountError}, and leaves
 * nothing behind then. Once the device is being opened it is not interrupted.
 */
export const mount = Effect.fnUntraced(function* (
  options: Options,
): Effect.fn.Return<FuseMount, MountError, Scope.Scope> {
  const passed = MountOptions.passedDescriptor(options.mountPoint)
  const attach =
    passed === undefined ? attachAt(yield* freeMountPoint(options), options) : adopt(options.mountPoint, passed)
  return yield* Effect.acquireRelease(attach, (mount) => Effect.andThen(mount.unmount, close(mount.descriptor)))
})

/** Unmounts now. Can be repeated: the first outcome other than `failed` and `covered` stays. The descriptor remains open. */
export const unmount = (mount: FuseMount): Effect.Effect<Unmount.Unmounted> => mount.unmount

/** The mount point as the mount table will show it, if a file system can be mounted there. */
export const freeMountPoint = Effect.fnUntraced(function* ({
  mountPoint,
  options,
  replaceDead = false,
}: Pick<Options, "mountPoint" | "options" | "replaceDead">): Effect.fn.Return<string, MountError> {
  const { path, present } = yield* resolve(mountPoint)
  // fstab's x-systemd.automount: whoever looks into the directory waits for the very mount that is being made.
  if (present?.fsType === "autofs") return path
  if (present !== undefined) {
    const word = placeWord(path)
    const isOurs = present.fsType === "fuse.pxar-fuse"
    const unmount = `unmount it (${isOurs ? "pxar-fuse unmount" : "umount"} ${word}, or fusermount3 -u ${word})`
    const isDead = present.fsType.startsWith("fuse") && (yield* MountProbe.probe(present.mountPoint)) === "dead"
    if (isDead && replaceDead) {
      yield* Unmount.detach(yield* Unmount.how(), present, true)
      // There may be another below it.
      return yield* freeMountPoint({ mountPoint, options, replaceDead })
    }
    const detail = isDead
      ? `a mount whose server is gone is in the way: replace it (--force) or ${unmount}`
      : `already a mount point of ${isOurs ? "pxar-fuse" : present.fsType}: ${unmount}`
    return yield* new MountError({ reason: "MountPointOccupied", mountPoint: path, detail })
  }
  if (!(yield* attempt(path, "opendir", () => isEmpty(path))) && !options.nonEmpty) return yield* notEmpty(path)
  return path
})

const notEmpty = (mountPoint: string): MountError => {
  const detail = "the directory is not empty: choose another, or add -o nonempty"
  return new MountError({ reason: "MountPointOccupied", mountPoint, detail })
}

/** A path without symbolic links, and what is mounted there. A mount there is not touched: it may be dead, or hang. */
const resolve = Effect.fnUntraced(function* (mountPoint: string) {
  const present = yield* MountTable.at(mountPoint)
  if (present !== undefined) return { path: MountTable.pathOf(present), present }
  const path = yield* attempt(mountPoint, "realpath", () => DiskPath.realpath(DiskPath.resolve(mountPoint)))
  return { path, present: yield* MountTable.find(path) }
})

const isEmpty = async (path: string): Promise<boolean> => {
  const directory = await promisify(fs.opendir)(DiskPath.forNode(path))
  try {
    return (await directory.read()) === null
  } finally {
    await directory.close()
  }
}

/** A connection that somebody else has mounted. */
const adopt = (mountPoint: string, descriptor: number): Effect.Effect<FuseMount, MountError> =>
  Effect.suspend(() =>
    Effect.as(check(mountPoint, "fcntl", MountSyscalls.setNonBlocking(descriptor)), {
      descriptor,
      mountPoint,
      how: "passed",
      device: undefined,
      unmount: Effect.succeed("gone"),
      unmountIfFree: Effect.succeed(false),
    }),
  )

/** Not to be interrupted: between the mount call and the returned value nobody else could undo it. */
const attachAt = Effect.fnUntraced(function* (
  mountPoint: string,
  { fsname, options, onLazyUnmount = Effect.logWarning }: Options,
) {
  const how = yield* Unmount.how()
  const mountBy = how === "root" ? mountAsRoot : mountByHelper
  const { descriptor, at } = yield* mountBy(mountPoint, options.fsname ?? fsname, options)
  return yield* register(how, at, descriptor, onLazyUnmount).pipe(
    Effect.onError(() => Effect.andThen(abandon(how, at), close(descriptor))),
  )
})

/** A mount by its descriptor, and where it is: the folder may have been moved meanwhile. */
interface Attached {
  readonly descriptor: number
  readonly at: string
}

const mountAsRoot = Effect.fnUntraced(function* (
  mountPoint: string,
  source: string,
  options: MountOptions.MountOptions,
): Effect.fn.Return<Attached, MountError> {
  const { gid, uid } = yield* Mounter
  const descriptor = yield* attempt(mountPoint, OPEN_DEVICE, openDevice)
  const data = MountOptions.kernelData(options, descriptor, uid, gid)
  const type = MountOptions.kernelType(options)
  const at = yield* Effect.scoped(
    Effect.gen(function* () {
      const target = yield* holdTarget(mountPoint, options)
      const call = { source, target, type, flags: MountOptions.kernelFlags(options), data }
      yield* Effect.flatMap(MountSyscalls.mount(call), (result) => check(mountPoint, "mount", result))
      return target === mountPoint ? mountPoint : DiskPath.fromNode(fs.readlinkSync(target, "buffer"))
    }),
  ).pipe(Effect.onError(() => close(descriptor)))
  return { descriptor, at }
})

/**
 * The folder that was found free, held open so that nobody can put a link to another in its place: the path of the open
 * folder, for mount(2).
 */
const holdTarget = Effect.fnUntraced(function* (
  mountPoint: string,
  { nonEmpty }: MountOptions.MountOptions,
): Effect.fn.Return<string, MountError, Scope.Scope> {
  // Opening it would wait for the mount that is being made. It is the automounter's, and nobody else's.
  if ((yield* MountTable.find(mountPoint))?.fsType === "autofs") return mountPoint
  const flags = Libc.O_PATH | fs.constants.O_DIRECTORY | fs.constants.O_NOFOLLOW
  const folder = yield* Effect.acquireRelease(
    attempt(mountPoint, "open", () => promisify(fs.open)(DiskPath.forNode(mountPoint), flags)),
    close,
  )
  const held = `/proc/self/fd/${folder}`
  const found = yield* attempt(mountPoint, "readlink", () => promisify(fs.readlink)(held, "buffer"))
  if (DiskPath.fromNode(found) !== mountPoint) {
    const detail = "the folder was replaced by another just now"
    return yield* new MountError({ reason: "Failed", mountPoint, detail })
  }
  if (!nonEmpty && !(yield* attempt(mountPoint, "opendir", () => isEmpty(held)))) return yield* notEmpty(mountPoint)
  return held
})

const openDevice = (): Promise<number> => promisify(fs.open)("/dev/fuse", fs.constants.O_RDWR | fs.constants.O_NONBLOCK)

const mountByHelper = (
  mountPoint: string,
  source: string,
  options: MountOptions.MountOptions,
): Effect.Effect<Attached, MountError> =>
  Effect.acquireUseRelease(
    Effect.suspend(() => {
      const pair = MountSyscalls.socketPair()
      return typeof pair === "number"
        ? Effect.fail(refusal(mountPoint, "socketpair", getSystemErrorName(pair)))
        : Effect.succeed(pair)
    }),
    Effect.fnUntraced(function* ([ours, theirs]) {
      yield* Fusermount.run(mountPoint, ["-o", MountOptions.helperOptions(options, source)], { socket: theirs })
      // Without the descriptor the mount is dead.
      const descriptor = yield* check(mountPoint, "recvmsg", MountSyscalls.receiveDescriptor(ours)).pipe(
        Effect.onError(() => abandon("fusermount3", mountPoint)),
      )
      return { descriptor, at: mountPoint }
    }),
    ([ours, theirs]) => Effect.andThen(close(ours), close(theirs)),
  )

const register = Effect.fnUntraced(function* (
  how: Unmount.How,
  mountPoint: string,
  descriptor: number,
  onLazyUnmount: (detail: string) => Effect.Effect<void>,
) {
  yield* check(mountPoint, "fcntl", MountSyscalls.setNonBlocking(descriptor))
  const mayBeGone = () => DeviceSyscalls.mayBeGone(descriptor)
  return { descriptor, ...(yield* Unmount.identify(how, mountPoint, onLazyUnmount, mayBeGone)) } satisfies FuseMount
})

/** For a mount that came to be but cannot be used. */
const abandon = (how: Unmount.How, mountPoint: string): Effect.Effect<void> =>
  Effect.ignore(Unmount.detachTopmost(how, mountPoint), {
    log: "Error",
    message: `${placeWord(mountPoint)} is still mounted`,
  })

const close = (descriptor: number): Effect.Effect<void> =>
  Effect.try({ try: () => fs.closeSync(descriptor), catch: codeOf }).pipe(
    Effect.ignore({ log: "Error", message: `closing descriptor ${descriptor}` }),
  )

const attempt = <A>(mountPoint: string, call: string, run: () => Promise<A>): Effect.Effect<A, MountError> =>
  Effect.tryPromise({ try: run, catch: (error) => refusal(mountPoint, call, codeOf(error)) })
