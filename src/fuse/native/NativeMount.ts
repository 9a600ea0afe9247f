/**
 * A mount made and served by libfuse 2, as a scoped resource.
 *
 * libfuse mounts, and reads requests on threads of its own until the connection ends. This process unmounts by the same
 * rules as for the kernel transport, and sees the end of the connection through a duplicate of libfuse's descriptor.
 * Closing the scope unmounts; if files are open the mount is detached and its connection aborted, so that whoever uses
 * it is told and libfuse's threads end. All operations have been answered then.
 *
 * Where the connection cannot be aborted (see `ConnectionAbort`) those who have files open get EIO until they close
 * them, and libfuse's threads stay until then.
 */
import * as fs from "node:fs"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import type * as Scope from "effect/Scope"
import * as ConnectionAbort from "../mount/ConnectionAbort.ts"
import * as Fusermount from "../mount/Fusermount.ts"
import * as FuseMount from "../mount/FuseMount.ts"
import * as ConnectionSyscalls from "./ConnectionSyscalls.ts"
import { codeOf, MountError, OPEN_DEVICE, refusal } from "../mount/MountError.ts"
import * as MountOptions from "../mount/MountOptions.ts"
import * as Unmount from "../mount/Unmount.ts"
import * as NativeLibrary from "./NativeLibrary.ts"
import type * as NativeSession from "./NativeSession.ts"

export interface NativeMount extends Unmount.Identified {
  /** Ends when nobody can use the file system any more. */
  readonly disconnected: Effect.Effect<void>
  /** Unmounts, and takes it from those who use it. */
  readonly end: Effect.Effect<void>
}

/** Mounts, with what the session does for libfuse's operations. Fails with the reasons of `MountError`. */
export const mount = Effect.fnUntraced(function* (
  session: Pick<NativeSession.NativeSession, "operations" | "settle">,
  { onLazyUnmount = Effect.logWarning, ...options }: FuseMount.Options,
): Effect.fn.Return<NativeMount, MountError, Scope.Scope> {
  const library = yield* NativeLibrary.load
  if (MountOptions.passedDescriptor(options.mountPoint) !== undefined) {
    return yield* failed(
      options.mountPoint,
      "libfuse 2 mounts by itself: take --transport kernel for a connection that is mounted",
    )
  }
  const mountPoint = yield* FuseMount.freeMountPoint(options)
  if (!mountPoint.isWellFormed()) {
    return yield* failed(mountPoint, "libfuse 2 is given paths as text, and this is not UTF-8: take --transport kernel")
  }
  const source = options.options.fsname ?? options.fsname
  const text = MountOptions.libfuseOptions(options.options, source)
  yield* Effect.forEach([mountPoint, text], (text) =>
    Buffer.byteLength(text) + OPTION.length > NativeLibrary.MAX_TEXT
      ? failed(
          mountPoint,
          `fuse-native takes ${NativeLibrary.MAX_TEXT} bytes of path and of options: shorten it (-o fsname=NAME)`,
        )
      : Effect.void,
  )
  yield* Effect.try({
    try: () => fs.accessSync("/dev/fuse", fs.constants.R_OK | fs.constants.W_OK),
    catch: (error) => refusal(mountPoint, OPEN_DEVICE, codeOf(error)),
  })
  const refused = whyRefused(mountPoint, MountOptions.helperOptions(options.options, source))
  return yield* Effect.uninterruptible(attach(library, session, mountPoint, text, refused, onLazyUnmount))
})

/** libfuse 2's own: it is what mounts. */
const HELPER = "fusermount"

/**
 * Why libfuse did not mount. As root it has said so on stderr; the helper's complaint it suppresses, so that is asked
 * again.
 */
const whyRefused = Effect.fnUntraced(function* (
  mountPoint: string,
  helperOptions: string,
): Effect.fn.Return<never, MountError> {
  const how = yield* Unmount.how(HELPER)
  if (how === "root") return yield* failed(mountPoint, "libfuse refused: see its message before this one")
  yield* Fusermount.run(mountPoint, ["-o", helperOptions], { program: HELPER })
  // Now it could: a mount that nobody serves.
  yield* Effect.ignore(Unmount.detachTopmost(how, mountPoint))
  return yield* failed(mountPoint, "libfuse refused; try again")
})

/** The binding puts this before the options. */
const OPTION = "-o"

/** Not to be interrupted: between the mount call and the returned value nobody else could undo it. */
const attach = Effect.fnUntraced(function* (
  library: NativeLibrary.Library,
  session: Pick<NativeSession.NativeSession, "operations" | "settle">,
  mountPoint: string,
  options: string,
  refused: Effect.Effect<never, MountError>,
  onLazyUnmount: (detail: string) => Effect.Effect<void>,
): Effect.fn.Return<NativeMount, MountError, Scope.Scope> {
  const before = ConnectionSyscalls.blockingDevices()
  const connection = library.mount(mountPoint, options, session.operations)
  if (connection === false) return yield* refused
  const descriptor = [...ConnectionSyscalls.blockingDevices()].find((descriptor) => !before.has(descriptor))
  if (descriptor !== undefined) ConnectionSyscalls.closeOnExec(descriptor)
  const how = yield* Unmount.how(HELPER)
  const disconnected = Deferred.makeUnsafe<void>()
  yield* Effect.addFinalizer(() =>
    Effect.gen(function* () {
      yield* session.settle
      connection.detach()
      if (descriptor !== undefined && Deferred.isDoneUnsafe(disconnected)) yield* closed(descriptor)
    }),
  )
  const { unmount, ...identified } = yield* Unmount.identify(how, mountPoint, onLazyUnmount).pipe(
    Effect.onError(() => Effect.ignore(Unmount.detachTopmost(how, mountPoint))),
  )
  if (descriptor !== undefined) yield* watch(descriptor, disconnected)
  const abort = ConnectionAbort.abort(mountPoint, identified.device)
  const end = Effect.gen(function* () {
    if (!(yield* identified.unmountIfFree)) yield* Effect.andThen(abort, unmount)
    // It may have been detached by somebody else, and still be in use.
    const ended = yield* Effect.timeoutOption(Deferred.await(disconnected), PATIENCE)
    if (Option.isNone(ended)) yield* abort
  })
  yield* Effect.addFinalizer(() => end)
  return { ...identified, unmount, end: Effect.uninterruptible(end), disconnected: Deferred.await(disconnected) }
})

/** How long the end waits for libfuse, which has nothing to do then but to notice. */
const PATIENCE = "1 second"

const watch = Effect.fnUntraced(function* (
  descriptor: number,
  disconnected: Deferred.Deferred<void>,
): Effect.fn.Return<void, never, Scope.Scope> {
  const watch = ConnectionSyscalls.watch(descriptor, () => Deferred.doneUnsafe(disconnected, Effect.void))
  if (typeof watch === "number") {
    return yield* Effect.logError(`the end of the mount will not be noticed (errno ${-watch})`)
  }
  yield* Effect.addFinalizer(() => Effect.callback<void>((resume) => watch.close(() => resume(Effect.void))))
})

/** libfuse tells nobody that it has finished with a descriptor. */
const closed = (descriptor: number): Effect.Effect<void> =>
  Effect.suspend(() =>
    ConnectionSyscalls.isDevice(descriptor) ? Effect.andThen(Effect.sleep("1 milli"), closed(descriptor)) : Effect.void,
  ).pipe(Effect.timeoutOption(PATIENCE), Effect.asVoid)

const failed = (mountPoint: string, detail: string) =>
  Effect.fail(new MountError({ reason: "Failed", mountPoint, detail }))
