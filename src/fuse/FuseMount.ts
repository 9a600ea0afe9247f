/**
 * A FUSE mount as a scoped resource: the kernel connection is there while the scope is open.
 *
 * Root mounts with mount(2), everybody else through fusermount3, and a mount point `/dev/fd/N` is a connection that a
 * privileged parent has mounted already (guides/fuse-kernel.md §1). Closing the scope unmounts first (lazily if the
 * mount is busy) and closes the descriptor then, once. Nothing here makes this process wait for its own file system:
 * mount and unmount run on another thread or in another process, everything else looks at proc only.
 *
 * It does not speak on the descriptor: a mount that nobody serves blocks whoever enters it.
 */
import { spawn } from "node:child_process"
import * as fs from "node:fs"
import { getSystemErrorName, promisify } from "node:util"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Result from "effect/Result"
import type * as Scope from "effect/Scope"
import * as MountSyscalls from "./internal/MountSyscalls.ts"
import { MountError, type Reason, shellWord } from "./MountError.ts"
import * as MountOptions from "./MountOptions.ts"
import * as MountTable from "./MountTable.ts"

/**
 * What an unmount did: `detached` was busy and ends with its last user, `gone` was unmounted by somebody else or is not
 * ours to unmount (`passed`), `failed` is still mounted, and the log says why.
 */
export type Unmounted = "unmounted" | "detached" | "gone" | "failed"

/** A mount that nobody serves yet. */
export interface FuseMount {
  /** Open on `/dev/fuse`, non-blocking, close-on-exec; closed by the scope. */
  readonly descriptor: number
  /** Absolute, without symbolic links. */
  readonly mountPoint: string
  readonly how: "root" | "fusermount3" | "passed"
  /** `major:minor` of the file system; undefined for `passed`. */
  readonly device: string | undefined
  /** See {@link unmount}. */
  readonly unmount: Effect.Effect<Unmounted>
}

/** Where and how to mount. */
export interface Options {
  /** An empty directory, or `/dev/fd/N` for a connection that is already mounted. */
  readonly mountPoint: string
  /** Source to show in the mount table, unless the options name one: the archive's path. */
  readonly fsname: string
  readonly options: MountOptions.MountOptions
  /** Runs when an unmount found the mount busy, with one line about it; logs a warning unless given. */
  readonly onLazyUnmount?: (detail: string) => Effect.Effect<void>
}

/**
 * Mounts; closing the scope unmounts and closes the descriptor. Fails with the reasons of {@link MountError}, and leaves
 * nothing behind then. Once the device is being opened it is not interrupted.
 */
export const mount = Effect.fnUntraced(function* (
  options: Options,
): Effect.fn.Return<FuseMount, MountError, Scope.Scope> {
  const passed = passedDescriptor(options.mountPoint)
  const attach =
    passed === undefined ? attachAt(yield* freeMountPoint(options), options) : adopt(options.mountPoint, passed)
  return yield* Effect.acquireRelease(attach, (mount) => Effect.andThen(mount.unmount, close(mount.descriptor)))
})

/** The descriptor that a mount point `/dev/fd/N` names. */
export const passedDescriptor = (mountPoint: string): number | undefined => {
  const match = /^\/dev\/fd\/(\d{1,9})$/.exec(mountPoint)
  return match === null ? undefined : Number(match[1])
}

/** Unmounts now. Can be repeated: the first outcome other than `failed` stays. The descriptor remains open. */
export const unmount = (mount: FuseMount): Effect.Effect<Unmounted> => mount.unmount

/** The mount point as the mount table will show it, if a file system can be mounted there. */
const freeMountPoint = Effect.fnUntraced(function* ({ mountPoint, options }: Options) {
  const path = yield* attempt(mountPoint, "realpath", () => fs.promises.realpath(mountPoint))
  // The table before the directory: a dead or hanging mount must not be touched.
  const present = yield* MountTable.find(path)
  // fstab's x-systemd.automount: whoever looks into the directory waits for the very mount that is being made.
  if (present?.fsType === "autofs") return path
  if (present !== undefined) {
    const word = shellWord(path)
    const detail = `already a mount point of ${present.fsType}: unmount it (umount ${word}, or fusermount3 -u ${word})`
    return yield* new MountError({ reason: "MountPointOccupied", mountPoint: path, detail })
  }
  if (!(yield* attempt(path, "opendir", () => isEmpty(path))) && !options.nonEmpty) {
    const detail = "the directory is not empty: choose another, or add -o nonempty"
    return yield* new MountError({ reason: "MountPointOccupied", mountPoint: path, detail })
  }
  return path
})

const isEmpty = async (path: string): Promise<boolean> => {
  const directory = await fs.promises.opendir(path)
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
    }),
  )

type How = "root" | "fusermount3"

/** Not to be interrupted: between the mount call and the returned value nobody else could undo it. */
const attachAt = Effect.fnUntraced(function* (
  mountPoint: string,
  { fsname, options, onLazyUnmount = Effect.logWarning }: Options,
) {
  const how: How = process.geteuid?.() === 0 ? "root" : "fusermount3"
  const mountBy = how === "root" ? mountAsRoot : mountByHelper
  const descriptor = yield* mountBy(mountPoint, options.fsname ?? fsname, options)
  return yield* register(how, mountPoint, descriptor, onLazyUnmount).pipe(
    Effect.onError(() => Effect.andThen(abandon(how, mountPoint), close(descriptor))),
  )
})

const mountAsRoot = Effect.fnUntraced(function* (
  mountPoint: string,
  source: string,
  options: MountOptions.MountOptions,
) {
  const descriptor = yield* attempt(mountPoint, openCall, openDevice)
  const data = MountOptions.kernelData(options, descriptor, process.getuid?.() ?? 0, process.getgid?.() ?? 0)
  const type = MountOptions.kernelType(options)
  yield* MountSyscalls.mount({ source, target: mountPoint, type, flags: MountOptions.kernelFlags(options), data }).pipe(
    Effect.flatMap((result) => check(mountPoint, "mount", result)),
    Effect.onError(() => close(descriptor)),
  )
  return descriptor
})

const openCall = "open /dev/fuse"

const openDevice = (): Promise<number> => promisify(fs.open)("/dev/fuse", fs.constants.O_RDWR | fs.constants.O_NONBLOCK)

const mountByHelper = (
  mountPoint: string,
  source: string,
  options: MountOptions.MountOptions,
): Effect.Effect<number, MountError> =>
  Effect.acquireUseRelease(
    Effect.suspend(() => {
      const pair = MountSyscalls.socketPair()
      return typeof pair === "number"
        ? Effect.fail(refusal(mountPoint, "socketpair", getSystemErrorName(pair)))
        : Effect.succeed(pair)
    }),
    Effect.fnUntraced(function* ([ours, theirs]) {
      yield* fusermount(mountPoint, ["-o", MountOptions.helperOptions(options, source)], theirs)
      // Without the descriptor the mount is dead.
      return yield* check(mountPoint, "recvmsg", MountSyscalls.receiveDescriptor(ours)).pipe(
        Effect.onError(() => abandon("fusermount3", mountPoint)),
      )
    }),
    ([ours, theirs]) => Effect.andThen(close(ours), close(theirs)),
  )

/** Learns what identifies the new mount, so that it, and no other, is unmounted later. */
const register = Effect.fnUntraced(function* (
  how: How,
  mountPoint: string,
  descriptor: number,
  onLazyUnmount: (detail: string) => Effect.Effect<void>,
) {
  yield* check(mountPoint, "fcntl", MountSyscalls.setNonBlocking(descriptor))
  const entry = yield* MountTable.find(mountPoint)
  if (entry === undefined) {
    return yield* new MountError({ reason: "Failed", mountPoint, detail: "the new mount is not in the mount table" })
  }
  const unmount = yield* Effect.cachedWithTTL(unmountEntry(how, mountPoint, entry, onLazyUnmount), (exit) =>
    Exit.isSuccess(exit) && exit.value !== "failed" ? Duration.infinity : Duration.zero,
  )
  return {
    descriptor,
    mountPoint,
    how,
    device: entry.device,
    unmount: Effect.uninterruptible(unmount),
  } satisfies FuseMount
})

const unmountEntry = Effect.fnUntraced(function* (
  how: How,
  mountPoint: string,
  entry: MountTable.Entry,
  onLazyUnmount: (detail: string) => Effect.Effect<void>,
): Effect.fn.Return<Unmounted> {
  const isThere = MountTable.find(mountPoint).pipe(
    Effect.map((now) => now?.id === entry.id && now.device === entry.device),
    // Without a mount table the mount is rather taken for ours than left behind.
    Effect.orElseSucceed(() => true),
  )
  if (!(yield* isThere)) return "gone"
  const unmounted = yield* Effect.result(detach(how, mountPoint, false))
  if (Result.isSuccess(unmounted)) return "unmounted"
  if (!(yield* isThere)) return "gone"
  const detached = yield* Effect.result(detach(how, mountPoint, true))
  const place = shellWord(mountPoint)
  if (Result.isSuccess(detached)) {
    yield* onLazyUnmount(`${place} is in use (${unmounted.failure.detail}): detached, it ends with its last user`)
    return "detached"
  }
  const command = how === "root" ? "umount" : "fusermount3 -u"
  yield* Effect.logError(`${place} is still mounted (${detached.failure.detail}): type ${command} ${place}`)
  return "failed"
})

const detach = (how: How, mountPoint: string, lazy: boolean): Effect.Effect<void, MountError> =>
  how === "root"
    ? Effect.flatMap(
        MountSyscalls.unmount(mountPoint, MountSyscalls.UMOUNT_NOFOLLOW | (lazy ? MountSyscalls.MNT_DETACH : 0)),
        (result) => Effect.asVoid(check(mountPoint, "umount2", result)),
      )
    : fusermount(mountPoint, lazy ? ["-u", "-z"] : ["-u"])

/** For a mount that came to be but cannot be used. */
const abandon = (how: How, mountPoint: string): Effect.Effect<void> =>
  Effect.ignore(detach(how, mountPoint, true), { log: "Error", message: `${shellWord(mountPoint)} is still mounted` })

/** Runs fusermount3(1) to its end; with `socket` as descriptor 3, through which it hands out the mounted descriptor. */
const fusermount = (
  mountPoint: string,
  flags: ReadonlyArray<string>,
  socket?: number,
): Effect.Effect<void, MountError> =>
  Effect.uninterruptible(
    Effect.callback((resume) => {
      const fail = (reason: Reason, detail: string) =>
        resume(Effect.fail(new MountError({ reason, mountPoint, detail })))
      const failToSpawn = (error: unknown) => {
        const code = codeOf(error)
        fail(code === "ENOENT" || code === "EACCES" ? "NoFusermount" : "Failed", `spawn fusermount3: ${code}`)
      }
      try {
        const child = spawn("fusermount3", [...flags, "--", mountPoint], {
          stdio: ["ignore", "ignore", "pipe", socket ?? "ignore"],
          env: { ...process.env, _FUSE_COMMFD: "3" },
          // Its own session: a Ctrl-C for this process must not kill it between the mount and the answer.
          detached: true,
        })
        let complaint = ""
        child.stderr?.setEncoding("utf8").on("data", (text: string) => (complaint += text))
        child.on("error", failToSpawn)
        child.on("close", (code, signal) => {
          if (code === 0) return resume(Effect.void)
          fail(
            helperReason(complaint),
            complaint.trim().replaceAll("\n", "; ") || `fusermount3: exit ${code ?? signal}`,
          )
        })
      } catch (error) {
        failToSpawn(error)
      }
    }),
  )

/** fusermount3 tells its reasons in English only (util/fusermount.c). */
const helperReason = (complaint: string): Reason => {
  if (/fuse device not found/.test(complaint)) return "NoDevice"
  return /not permitted|denied|not owned|no write access|user_allow_other|forbidden|too many/.test(complaint)
    ? "NotPermitted"
    : "Failed"
}

const close = (descriptor: number): Effect.Effect<void> =>
  Effect.try({ try: () => fs.closeSync(descriptor), catch: codeOf }).pipe(
    Effect.ignore({ log: "Error", message: `closing descriptor ${descriptor}` }),
  )

const attempt = <A>(mountPoint: string, call: string, run: () => Promise<A>): Effect.Effect<A, MountError> =>
  Effect.tryPromise({ try: run, catch: (error) => refusal(mountPoint, call, codeOf(error)) })

/** The result of a system call: a negative one is an errno. */
const check = (mountPoint: string, call: string, result: number): Effect.Effect<number, MountError> =>
  result < 0 ? Effect.fail(refusal(mountPoint, call, getSystemErrorName(result))) : Effect.succeed(result)

const refusal = (mountPoint: string, call: string, code: string): MountError => {
  const detail = `${call}: ${code}`
  if (call === openCall && code === "ENOENT") return new MountError({ reason: "NoDevice", mountPoint, detail })
  if (code === "ENOTCONN") {
    const advice = "the server of a mount in the way is gone: unmount that (fusermount3 -u, or umount)"
    return new MountError({ reason: "MountPointOccupied", mountPoint, detail: `${detail}: ${advice}` })
  }
  return new MountError({ reason: reasons.get(code) ?? "Failed", mountPoint, detail })
}

const reasons = new Map<string, Reason>([
  ["ENOENT", "MountPointMissing"],
  ["ENOTDIR", "MountPointNotDirectory"],
  ["EPERM", "NotPermitted"],
  ["EACCES", "NotPermitted"],
  ["ENODEV", "NoDevice"],
  ["ENXIO", "NoDevice"],
])

/** `ENOENT` and the like; Node's own name for arguments that never reach the kernel. */
const codeOf = (error: unknown): string =>
  error instanceof Error && "code" in error ? String(error.code) : String(error)
