/**
 * Mounting an archive: the entry points of this room.
 *
 * Each gives a mount that lives as long as its scope, and is served by a fiber of that scope. `ended` tells when it
 * was unmounted from outside, and fails when the session broke: that unmounts too, and who still uses it gets ENOTCONN.
 * Closing the scope unmounts (lazily if files are open), interrupts the requests under way, waits for them and releases
 * everything the kernel still held.
 *
 * Whoever uses the mount must be another process: a synchronous call on it from here waits for itself for ever.
 */
import * as fs from "node:fs"
import * as path from "node:path"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type * as Scope from "effect/Scope"
import type * as Stream from "effect/Stream"
import * as PathText from "../domain/PathText.ts"
import type * as NodeId from "../domain/pxar/NodeId.ts"
import type { ArchiveError } from "../services/archive/ArchiveError.ts"
import * as ArchiveFiles from "../services/archive/ArchiveFiles.ts"
import { ArchiveTree } from "../services/archive/ArchiveTree.ts"
import type { PathError } from "../services/tree/Archive.ts"
import type { OpenError } from "../services/bytes/FileSource.ts"
import * as ArchiveBytes from "../services/bytes/ArchiveBytes.ts"
import * as DiskPath from "../services/posix/DiskPath.ts"
import * as LookupRegistry from "../services/LookupRegistry.ts"
import * as FileRepository from "../services/virtual/FileRepository.ts"
import * as Bridge from "./bridge/Bridge.ts"
import * as BridgeSpans from "./bridge/BridgeSpans.ts"
import type { Counters } from "./session/Counters.ts"
import * as FuseMount from "./mount/FuseMount.ts"
import * as Export from "./bridge/Export.ts"
import * as FuseServer from "./FuseServer.ts"
import * as PayloadMissing from "./PayloadMissing.ts"
import { MountError } from "./mount/MountError.ts"
import { Mounter } from "./mount/Mounter.ts"
import * as MountOptions from "./mount/MountOptions.ts"
import * as MountTable from "./mount/MountTable.ts"
import type * as Observer from "./session/Observer.ts"
import type * as Session from "./session/Session.ts"
import * as MappedIds from "./bridge/MappedIds.ts"
import * as PrivateRoot from "./bridge/PrivateRoot.ts"
import * as View from "./bridge/View.ts"

export type { Counters }

/** An archive that is mounted and served. */
export interface Mounted {
  /** Absolute path. */
  readonly mountPoint: string
  /** How operations reach this program. */
  readonly transport: "kernel" | "fuse-native"
  readonly how: FuseMount.FuseMount["how"]
  /** `major:minor` of the file system, as in the mount table; undefined for a connection that was mounted already. */
  readonly device: string | undefined
  /** Ends when the kernel has agreed on a protocol: from then on the file system answers. */
  readonly ready: Effect.Effect<void>
  /** Ends when the file system was unmounted; fails when the session broke, which also unmounts. */
  readonly ended: Effect.Effect<void, Session.SessionError>
  /**
   * Runs an effect that needs the mount. If the session breaks meanwhile the effect is interrupted, and the whole
   * fails with the session's error.
   */
  readonly whileMounted: <A, E, R>(effect: Effect.Effect<A, E, R>) => Effect.Effect<A, E | Session.SessionError, R>
  /** Unmounts now. */
  readonly unmount: Effect.Effect<FuseMount.Unmounted>
  /** Unmounts if nobody uses the mount; whether it is gone now. */
  readonly unmountIfFree: Effect.Effect<boolean>
  /** Requests and replies so far. */
  readonly counters: Effect.Effect<Counters>
  /** Requests under way. */
  readonly inFlight: Effect.Effect<number>
  /** Nodes that the kernel holds, the root included. */
  readonly held: Effect.Effect<ReadonlyArray<NodeId.NodeId>>
  /** Bytes that the caches hold. */
  readonly memory: ArchiveTree["memory"]
  /** The kernel's requests from now on, until the session ends (see `Session`). */
  readonly events: Stream.Stream<Observer.RequestEvent>
}

/** A mount for as long as its layer lives. */
export const Mount: Context.Service<Mounted, Mounted> = Context.Service("pxar-fuse/fuse/Mount")

/** Mounts an archive file: `mountPath`. */
export const layerFile = (
  archive: string,
  options: Options & ArchiveFiles.Options,
): Layer.Layer<Mounted, OpenError | ArchiveError | PathError | MountError> =>
  Layer.effect(Mount, mountPath(archive, options))

/** Mounts the tree in `ArchiveTree`. */
export const layer = (
  options: SourceOptions,
): Layer.Layer<Mounted, ArchiveError | PathError | MountError, ArchiveTree> =>
  Layer.effect(
    Mount,
    Effect.flatMap(ArchiveTree, (tree) => mountTree(tree, options)),
  )

/** Mounts what `Bridge` shows, which counts in `LookupRegistry`. */
export const layerNoDeps = (
  options: SourceOptions,
): Layer.Layer<Mounted, MountError, Bridge.Bridge | LookupRegistry.LookupRegistry> =>
  Layer.effect(
    Mount,
    Effect.gen(function* () {
      return yield* mountBridge(yield* Bridge.Bridge, yield* LookupRegistry.LookupRegistry, options)
    }),
  )

/**
 * Mounts, and ends when the mount ends: nothing remains to be done for a program that only serves it. `Layer.launch` would
 * stay. Fails when the session broke.
 */
export const launch = <E, R>(layer: Layer.Layer<Mounted, E, R>): Effect.Effect<void, E | Session.SessionError, R> =>
  Effect.scoped(Effect.flatMap(Layer.build(layer), (services) => Context.get(services, Mount).ended))

/**
 * What speaks to the kernel: this library itself, or libfuse 2 through the optional package `fuse-native`, which carries
 * less (docs/fuse-native.md). `auto` is the first that can mount.
 */
export type TransportChoice = "kernel" | "fuse-native" | "auto"

/** Where and how to mount. */
export interface Options {
  /** `kernel` unless given. */
  readonly transport?: TransportChoice | undefined
  /** An empty folder, or `/dev/fd/N` for a connection that is mounted already. */
  readonly mountPoint: string
  /** `MountOptions.defaults` unless given. */
  readonly options?: MountOptions.MountOptions | undefined
  /** Replace a mount there whose server is gone; otherwise that is an error. */
  readonly replaceDead?: boolean | undefined
  /** How to show what is mounted; as it is by default. Not for `mountBridge`: a bridge has its view. */
  readonly view?: View.View | undefined
  /** Bytes that the kernel reads ahead at most; `Init.READ_AHEAD` unless given. Only root may have more than 128 KiB. */
  readonly readAhead?: number | undefined
  /**
   * Put the next files into the kernel's page cache for who reads a folder in order (docs/performance.md); true unless given. Not
   * while there is an `observer`, nor through `fuse-native`.
   */
  readonly prefetch?: boolean | undefined
  /** Told when the file system is busy at the end and is unmounted lazily. */
  readonly onLazyUnmount?: ((detail: string) => Effect.Effect<void>) | undefined
  /** Told of every request of the kernel, the first included. */
  readonly observer?: Observer.Observer | undefined
  /** A span for every operation, for the tracer in the context; off unless given, because it costs more than most of them. */
  readonly spans?: boolean | undefined
}

/** For a mount of something else than a file. */
export interface SourceOptions extends Options {
  /** What the mount table shows as the source, unless the mount options name one; the archive's name by default. */
  readonly fsname?: string | undefined
  /** Folder that is read for as long as the mount is there: the mount point may be neither in it nor above it. */
  readonly store?: string | undefined
}

/**
 * Mounts an archive file; or several, or all that are in a folder, each as a folder (see `FileRepository`). A payload
 * archive can be named for a single archive only.
 */
export const mountPaths = Effect.fnUntraced(function* (
  archives: ReadonlyArray<string>,
  options: Options & FileRepository.Options,
): Effect.fn.Return<
  Mounted,
  OpenError | FileRepository.CollectionError | ArchiveError | PathError | MountError,
  Scope.Scope
> {
  const [first, ...others] = archives
  if (first !== undefined && !(yield* FileRepository.isCollection(archives))) return yield* mountPath(first, options)
  if (options.options?.nfsExport === true) {
    return yield* FuseServer.noExport("goes with one archive only: the numbers of several do not last")
  }
  const { euid, gid } = yield* Mounter
  const collection = yield* FileRepository.open(archives, { owner: { uid: euid, gid }, ...options })
  for (const archive of collection.archives) yield* refuseInside(archive, options.mountPoint)
  yield* PayloadMissing.warn(collection.archives)
  const source = DiskPath.resolve(first ?? "")
  return yield* mountTree(collection.tree, {
    ...options,
    fsname: others.length === 0 ? source : `${source}+${others.length}`,
  })
})

/** Opens an archive file, with the payload archive beside it if there is one, and mounts it. */
export const mountPath = Effect.fnUntraced(function* (
  archive: string,
  options: Options & ArchiveFiles.Options,
): Effect.fn.Return<Mounted, OpenError | ArchiveError | PathError | MountError, Scope.Scope> {
  const reader = yield* ArchiveFiles.open(archive, options)
  const absolute = DiskPath.resolve(archive)
  yield* refuseInside(absolute, options.mountPoint)
  if (reader.version === 2 && options.payload === undefined) {
    yield* ArchiveBytes.payloadBeside(archive) === undefined
      ? PayloadMissing.warnUnnamed(archive)
      : PayloadMissing.warn([archive])
  }
  return yield* mountTree(reader, { ...options, fsname: absolute })
})

/** Mounts a tree: an archive that is open already, or many. */
export const mountTree = Effect.fnUntraced(function* (
  tree: ArchiveTree,
  { view = {}, ...options }: SourceOptions,
): Effect.fn.Return<Mounted, ArchiveError | PathError | MountError, Scope.Scope> {
  if (options.store !== undefined) {
    yield* refuseInside(options.store, options.mountPoint)
    yield* refuseWithin(options.store, options.mountPoint)
  }
  // Nobody shall wait for the count to hear that the mount point is none.
  if (view.linkCounts === true && MountOptions.passedDescriptor(options.mountPoint) === undefined) {
    yield* FuseMount.freeMountPoint({ ...options, options: options.options ?? MountOptions.defaults })
  }
  const shown = yield* View.open(tree, view)
  const registry = yield* LookupRegistry.make(shown.tree.root, shown.tree.ids)
  const bridge = shown.decorate(Bridge.eager(shown.tree, registry, { sharesLinks: view.linkCounts === true }))
  const exported = options.options?.nfsExport === true ? Export.make(bridge, shown.tree, registry) : bridge
  return yield* mountBridge(exported, registry, { ...options, fsname: options.fsname ?? tree.archive })
})

/** Mounts what a bridge shows, which counts in `registry`. */
export const mountBridge = (
  bridge: Bridge.Bridge,
  registry: Pick<LookupRegistry.LookupRegistry, "held">,
  options: SourceOptions,
): Effect.Effect<Mounted, MountError, Scope.Scope> =>
  Effect.flatMap(Mounter, ({ euid, gid, maps }) => {
    const mapped = MappedIds.isComplete(maps) ? bridge : MappedIds.make(bridge, maps)
    const isPrivate = options.options?.allowRoot === true
    return serveBridge(isPrivate ? PrivateRoot.make(mapped, { uid: euid, gid }) : mapped, registry, options)
  })

const serveBridge = (
  bridge: Bridge.Bridge,
  registry: Pick<LookupRegistry.LookupRegistry, "held">,
  options: SourceOptions,
): Effect.Effect<Mounted, MountError, Scope.Scope> => {
  const shown = options.spans === true ? BridgeSpans.make(bridge) : bridge
  const mountOptions = {
    ...options,
    fsname: options.fsname ?? "pxar",
    options: options.options ?? MountOptions.defaults,
  }
  const kernel = Effect.suspend(() => FuseServer.kernel(shown, mountOptions))
  const native = Effect.suspend(() => FuseServer.native(shown, mountOptions))
  const served = { kernel, "fuse-native": native, auto: firstOf(kernel, native) }[options.transport ?? "kernel"]
  return Effect.map(served, (served) => ({
    ...served,
    whileMounted: (effect) => Effect.raceFirst(effect, Effect.andThen(served.ended, Effect.never)),
    held: registry.held,
  }))
}

/** Errors that say nothing of what is to be mounted, or where: another transport may do better. */
const ofTheTransport: ReadonlySet<MountError["reason"]> = new Set([
  "NoDevice",
  "NotPermitted",
  "NoFusermount",
  "Failed",
])

/** The second, where the first cannot mount. If neither can, the error is the first one's, and the second's is logged. */
const firstOf = <A, R>(
  first: Effect.Effect<A, MountError, R>,
  second: Effect.Effect<A, MountError, R>,
): Effect.Effect<A, MountError, R> =>
  Effect.catchIf(
    first,
    ({ reason }) => ofTheTransport.has(reason),
    (error) => Effect.catch(second, (other) => Effect.andThen(Effect.logWarning(other.message), Effect.fail(error))),
  )

/** An archive below its own mount point could not be opened again. */
const refuseInside = Effect.fnUntraced(function* (
  archive: string,
  mountPoint: string,
): Effect.fn.Return<void, MountError> {
  // A mount that is there already is not touched: it may hang.
  const present = yield* MountTable.at(mountPoint)
  const folder = present === undefined ? realPath(mountPoint) : MountTable.pathOf(present)
  const file = realPath(archive)
  // What cannot be resolved is refused with its own message, when it is mounted on.
  if (folder === undefined || file === undefined) return
  const below = path.relative(folder, file)
  if (below === ".." || below.startsWith("../")) return
  return yield* new MountError({
    reason: "ArchiveInside",
    mountPoint,
    detail: `the archive ${PathText.safe(archive)} is inside the mount point and would be hidden by its own mount`,
  })
})

/** What reads a folder must not find itself there. */
const refuseWithin = (store: string, mountPoint: string): Effect.Effect<void, MountError> =>
  Effect.suspend(() => {
    const folder = realPath(store)
    const point = realPath(mountPoint)
    if (folder === undefined || point === undefined || path.relative(folder, point).startsWith("..")) return Effect.void
    return Effect.fail(
      new MountError({
        reason: "ArchiveInside",
        mountPoint,
        detail: `it is inside the datastore ${PathText.safe(store)}: mount elsewhere`,
      }),
    )
  })

const realPath = (file: string): string | undefined => {
  try {
    return DiskPath.fromNode(fs.realpathSync.native(DiskPath.forNode(file), "buffer"))
  } catch {
    return undefined
  }
}
