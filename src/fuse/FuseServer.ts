/**
 * Mounting and serving what a bridge shows, through one of two transports: this library's own session with the kernel, or
 * libfuse 2 (`fuse-native`).
 *
 * Both live as long as their scope, and end in the same order: unmounted first, then the requests under way are
 * interrupted and answered, then what they held is released.
 */
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Scope from "effect/Scope"
import type * as Bridge from "./bridge/Bridge.ts"
import * as FuseMount from "./mount/FuseMount.ts"
import * as KernelDevice from "./session/KernelDevice.ts"
import { MountError } from "./mount/MountError.ts"
import * as NativeMount from "./native/NativeMount.ts"
import * as NativeSession from "./native/NativeSession.ts"
import type * as Observer from "./session/Observer.ts"
import * as PageStore from "./session/PageStore.ts"
import * as ReadAhead from "./mount/ReadAhead.ts"
import * as Session from "./session/Session.ts"
import * as Init from "./wire/Init.ts"

/** A mount that is served. */
export interface Served
  extends
    Pick<FuseMount.FuseMount, "mountPoint" | "how" | "device" | "unmount" | "unmountIfFree">,
    Pick<Session.Session, "ready" | "counters" | "inFlight" | "events">,
    Pick<Bridge.Bridge, "memory"> {
  readonly transport: "kernel" | "fuse-native"
  /** Ends when the file system was unmounted; fails when the session broke, which also unmounts. */
  readonly ended: Effect.Effect<void, Session.SessionError>
}

export interface Options extends FuseMount.Options {
  readonly observer?: Observer.Observer | undefined
  /** Bytes. */
  readonly readAhead?: number | undefined
  /** Fill the kernel's page cache ahead of who reads in order; true unless given. */
  readonly prefetch?: boolean | undefined
}

/** Serves the kernel itself. */
export const kernel = Effect.fnUntraced(function* (
  bridge: Bridge.Bridge,
  options: Options,
): Effect.fn.Return<Served, MountError, Scope.Scope> {
  const connection = yield* Effect.acquireRelease(Scope.make(), disconnect)
  const mount = yield* Scope.provide(FuseMount.mount(options), connection)
  const channel = yield* Scope.provide(KernelDevice.make(mount.descriptor), connection)
  const pages =
    options.prefetch === false ? undefined : yield* Scope.provide(PageStore.make(mount.descriptor), connection)
  const session = yield* Session.make(channel, bridge, {
    pages,
    posixAcl: options.options.defaultPermissions,
    nfsExport: options.options.nfsExport,
    observer: options.observer,
    readAhead: options.readAhead,
  })
  // With an open connection that nobody serves, whoever still uses the mount would wait for ever.
  const serving = Effect.onError(session.serve, () => disconnect(connection))
  const end = pages === undefined ? mount.unmount : Effect.andThen(pages.end, mount.unmount)
  return yield* serve("kernel", bridge, session, mount, serving, end, options)
})

/** The option for NFS cannot be had. */
export const noExport = (why: string): MountError =>
  new MountError({ reason: "UnknownOption", detail: `nfs_export: ${why}` })

/** Unmounts, and closes the descriptor. */
const disconnect = (connection: Scope.Closeable): Effect.Effect<void> => Scope.close(connection, Exit.void)

/** Serves through libfuse 2. Fails with `NoFuseNative` where that is missing. */
export const native = Effect.fnUntraced(function* (
  bridge: Bridge.Bridge,
  options: Options,
): Effect.fn.Return<Served, MountError, Scope.Scope> {
  if (options.options.nfsExport) return yield* noExport("goes with --transport kernel only")
  const session = yield* NativeSession.make(bridge, options.observer)
  const mount = yield* NativeMount.mount(session, options)
  const serving = Effect.onError(Effect.raceFirst(mount.disconnected, session.failed), () => mount.end)
  return yield* serve("fuse-native", bridge, session, mount, serving, mount.end, options)
})

const serve = Effect.fnUntraced(function* (
  transport: Served["transport"],
  { memory }: Bridge.Bridge,
  { counters, events, inFlight, ready }: Pick<Session.Session, "ready" | "counters" | "inFlight" | "events">,
  { device, how, mountPoint, unmount, unmountIfFree }: Omit<FuseMount.FuseMount, "descriptor">,
  serving: Effect.Effect<void, Session.SessionError>,
  end: Effect.Effect<unknown>,
  options: Options,
): Effect.fn.Return<Served, never, Scope.Scope> {
  const fiber = yield* Effect.forkScoped(serving, { startImmediately: true })
  if (device !== undefined) {
    const readAhead = ReadAhead.set(device, options.readAhead ?? Init.READ_AHEAD)
    yield* Effect.forkScoped(Effect.andThen(ready, readAhead))
  }
  // The kernel may want answers while it unmounts: serving ends after that.
  yield* Effect.addFinalizer(() => end)
  return {
    transport,
    mountPoint,
    how,
    device,
    unmount,
    unmountIfFree,
    ready,
    counters,
    inFlight,
    events,
    memory,
    ended: Fiber.join(fiber),
  }
})
