/**
 * The process that serves a mount, from its first message to its last.
 *
 * All it opens has been undone when it ends, whatever ends it. Its errors have been logged then.
 */
import * as Effect from "effect/Effect"
import * as Ref from "effect/Ref"
import * as Result from "effect/Result"
import type * as Scope from "effect/Scope"
import * as PathTemplate from "../../domain/datastore/PathTemplate.ts"
import * as PathText from "../../domain/PathText.ts"
import * as Mount from "../../fuse/Mount.ts"
import * as MountOptions from "../../fuse/mount/MountOptions.ts"
import type { View } from "../../fuse/bridge/View.ts"
import * as ArchiveReader from "../../services/archive/ArchiveReader.ts"
import * as OpenTree from "../../services/open/OpenTree.ts"
import * as DiskPath from "../../services/posix/DiskPath.ts"
import * as Traffic from "../../services/bytes/Traffic.ts"
import * as Compiler from "../Compiler.ts"
import * as ControlServer from "../control/ControlServer.ts"
import * as MountReport from "../control/MountReport.ts"
import * as ExitCode from "../ExitCode.ts"
import * as OpenAddress from "../OpenAddress.ts"
import * as Operands from "../Operands.ts"
import * as Progress from "../Progress.ts"
import * as Memory from "../Memory.ts"
import * as RequestCounts from "../control/RequestCounts.ts"
import * as Terminal from "../Terminal.ts"
import type * as BesideMount from "../serve/BesideMount.ts"
import * as AutoMountPoint from "./AutoMountPoint.ts"
import * as IdleTimeout from "./IdleTimeout.ts"
import * as MountLog from "./MountLog.ts"
import type { Parent } from "./Parent.ts"
import * as PidFile from "./PidFile.ts"
import * as Readiness from "./Readiness.ts"
import * as RequestLog from "./RequestLog.ts"
import type { Settings } from "./Settings.ts"

/** Starts the page beside the mount. It is given by whoever has it: most mounts have none, and load nothing of it. */
export type StartPage = typeof BesideMount.start

/** Mounts and serves until the end; `parent` is who waits for the mount to be ready. */
export const serve = Effect.fnUntraced(function* (settings: Settings, parent: Parent | undefined, page?: StartPage) {
  Memory.keepYoungGenerationSmall()
  Compiler.optimizeLate()
  const log = yield* MountLog.open({ ...settings, background: parent !== undefined })
  yield* Effect.scoped(run(settings, parent, page, log)).pipe(
    Terminal.reportTo(Effect.logFatal),
    Effect.provide(log.layer),
  )
})

const run = Effect.fnUntraced(function* (
  settings: Settings,
  parent: Parent | undefined,
  page: StartPage | undefined,
  log: MountLog.MountLog,
) {
  const { archives, idleTimeout } = settings
  const interactive = parent?.interactive ?? Terminal.isInteractive()
  if (settings.autoMountpoint) yield* AutoMountPoint.make(settings.mountPoint)
  const places: Array<Traffic.Traffic> = []
  const mounted = yield* Effect.provideService(mount(settings, parent, page, log), Traffic.Watched, places)
  yield* Effect.addFinalizer(() => Effect.flatMap(mounted.counters, (counters) => Effect.logInfo(summary(counters))))
  // An address is the same from everywhere.
  const absolute = archives.map((archive) => (/^[a-z0-9]+:/.test(archive) ? archive : DiskPath.resolve(archive)))
  yield* answerQuestions(mounted, absolute, places[0])
  yield* Effect.raceFirst(mounted.ready, mounted.ended)
  yield* Ref.set(yield* ExitCode.OnInterrupt, ExitCode.SUCCESS)
  if (settings.transport === "auto")
    yield* log.say(`${mounted.mountPoint} is served by the transport ${mounted.transport}`)
  if (settings.verbose || settings.debug || (interactive && !settings.quiet)) {
    yield* log.say(greeting(archives.join(", "), mounted.mountPoint, parent, interactive))
  }
  yield* announce(settings, mounted.mountPoint, parent, log)
  if (idleTimeout !== undefined) yield* Effect.forkScoped(IdleTimeout.unmountWhenIdle(mounted, idleTimeout))
  yield* mounted.ended
})

const mount = Effect.fnUntraced(function* (
  settings: Settings,
  parent: Parent | undefined,
  page: StartPage | undefined,
  log: MountLog.MountLog,
) {
  const interactive = parent?.interactive ?? Terminal.isInteractive()
  const options = yield* Effect.fromResult(MountOptions.parse(settings.options))
  const observer = settings.debug ? yield* RequestLog.make : undefined
  const [first = "", ...others] = settings.archives
  const givesOut = settings.serve !== undefined
  const found = others.length === 0 ? yield* OpenAddress.open(first, settings, { givesOut }) : undefined
  const isWide = found?._tag === "InRepository" && found.reference.type === undefined
  if (settings.pathTemplate !== undefined && !isWide) {
    return yield* new ExitCode.Usage({
      detail: "--path-template is for the mount of a whole datastore or of a namespace",
    })
  }
  const hasGroups = found?._tag === "InRepository" && found.reference.time === undefined
  if (settings.versions && (!hasGroups || settings.layout !== "backups")) {
    return yield* new ExitCode.Usage({
      detail: "--versions is for the mount of a datastore, or of a namespace, type or group of it",
    })
  }
  return yield* Progress.during({ screen: screen(interactive && !settings.quiet, log) }, (progress) => {
    const mountOptions = {
      mountPoint: settings.mountPoint,
      payload: settings.payload,
      transport: settings.transport,
      options,
      replaceDead: settings.force,
      readAhead: settings.readAhead,
      prefetch: !settings.noPrefetch,
      ...(settings.cacheSize !== undefined && ArchiveReader.caches(settings.cacheSize)),
      observer,
      idle: settings.closeAfter,
      view: view(settings, progress),
    }
    if (settings.layout === "previous-versions") return mountVersions(found, settings, mountOptions)
    if (found !== undefined && settings.serve !== undefined && page !== undefined) {
      return mountBeside(found, settings, settings.serve, parent, page, mountOptions)
    }
    return found === undefined || found._tag === "Files"
      ? Mount.mountPaths(settings.archives, mountOptions)
      : mountOpened(found, settings, mountOptions)
  })
})

/** Where backups are to stand; what the command line says has been read once before. */
const template = ({ pathTemplate }: Settings): PathTemplate.PathTemplate | undefined =>
  pathTemplate === undefined ? undefined : Result.getOrThrow(PathTemplate.parse(pathTemplate))

/** The tree of what is named. */
const treeOf = Effect.fnUntraced(function* (found: OpenAddress.Opened, settings: Settings) {
  const reader = settings.cacheSize === undefined ? undefined : ArchiveReader.caches(settings.cacheSize)
  const { file, tree } = yield* OpenTree.tree(found, {
    ...settings,
    besideBackups: yield* besideBackups(found, settings),
    idle: settings.closeAfter,
    owner: OpenAddress.thisUser(),
    onLost: OpenAddress.onLost(settings),
    pathTemplate: template(settings),
    reader,
  })
  if (file !== undefined) {
    const detail = `${settings.archives.join(" ")}: names a file; what is mounted is an archive or a folder`
    return yield* new ExitCode.Usage({ detail })
  }
  return tree
})

const mountOpened = Effect.fnUntraced(function* (
  found: OpenAddress.Opened,
  settings: Settings,
  options: Mount.SourceOptions,
) {
  const tree = yield* treeOf(found, settings)
  return yield* Mount.mountTree(tree, { ...options, fsname: settings.archives.join(" "), store: storeOf(found) })
})

const storeOf = (found: OpenAddress.Opened): string | undefined =>
  found._tag === "InRepository" ? found.folder : found._tag === "Files" ? DiskPath.resolve(found.path) : undefined

/** The page first: that its port is taken is said before anything is mounted. */
const mountBeside = Effect.fnUntraced(function* (
  found: OpenAddress.Opened,
  settings: Settings,
  beside: NonNullable<Settings["serve"]>,
  parent: Parent | undefined,
  page: StartPage,
  options: Mount.SourceOptions,
) {
  const tree = yield* treeOf(found, settings)
  const address = settings.archives.join(" ")
  const named = settings.pathTemplate === undefined && settings.timeTemplate === undefined
  const link = yield* page({ ...beside, cacheDir: settings.cacheDir }, address, found, tree, named)
  // In the background the parent tells it.
  if (parent === undefined) process.stdout.write(`${link}\n`)
  return yield* Mount.mountTree(tree, { ...options, fsname: address, store: storeOf(found) })
})

/** The folder of versions in each group, where that is asked for. */
const besideBackups = Effect.fnUntraced(function* (found: OpenAddress.Opened, settings: Settings) {
  if (!settings.versions || found._tag !== "InRepository") return undefined
  const VersionsFolder = yield* Effect.promise(() => import("../../services/history/VersionsFolder.ts"))
  const OpenIndex = yield* Effect.promise(() => import("../history/OpenIndex.ts"))
  const { closeAfter, timeTemplate } = settings
  const index = yield* OpenIndex.whenAsked(settings, found)
  return yield* VersionsFolder.make(found.repository, { idle: closeAfter, index, timeTemplate })
})

const mountVersions = Effect.fnUntraced(function* (
  found: OpenAddress.Opened | undefined,
  settings: Settings,
  options: Mount.SourceOptions,
) {
  if (found?._tag !== "InRepository") {
    const detail = `${settings.archives.join(" ")}: previous versions are those of a group in a datastore: DATASTORE::host/elsa`
    return yield* new ExitCode.Usage({ detail })
  }
  const reader = settings.cacheSize === undefined ? undefined : ArchiveReader.caches(settings.cacheSize)
  const PreviousVersions = yield* Effect.promise(() => import("../../services/virtual/PreviousVersions.ts"))
  const shown = { ...OpenAddress.thisUser(), reference: found.reference, idle: settings.closeAfter, reader }
  const tree = yield* PreviousVersions.make(found.repository, shown)
  return yield* Mount.mountTree(tree, { ...options, fsname: settings.archives.join(" "), store: found.folder })
})

/** The view that the settings ask for; counting links shows its progress. */
const view = ({ subdir, ...settings }: Settings, progress: Progress.Progress): View => ({
  subfolder: subdir === undefined ? undefined : (archive) => Operands.bytesOf(archive, subdir),
  uid: settings.uid,
  gid: settings.gid,
  fileMask: settings.fmask ?? settings.umask,
  directoryMask: settings.dmask ?? settings.umask,
  xattrs: !settings.noxattr,
  linkCounts: settings.linkCounts,
  onCount: ({ entries, position, size }) => progress.update({ entries, bytes: position, position, size }),
})

/** Where progress is drawn: on stderr, which in the background is a pipe to the parent's terminal. */
const screen = (interactive: boolean, log: MountLog.MountLog): Progress.Screen => ({
  isTTY: interactive,
  columns: process.stderr.columns ?? 80,
  write: log.draw,
})

/** Tells all who wait for the mount that it is ready. What goes wrong with that still reaches the terminal. */
const announce = Effect.fnUntraced(function* (
  { notifyFd, pidFile }: Settings,
  mountPoint: string,
  parent: Parent | undefined,
  log: MountLog.MountLog,
) {
  if (pidFile !== undefined) yield* PidFile.make(pidFile)
  if (notifyFd !== undefined) yield* Readiness.tellDescriptor(notifyFd)
  yield* log.settle
  if (parent !== undefined) yield* leave(parent)
  yield* Readiness.tellServiceManager({
    READY: 1,
    STATUS: `mounted on ${PathText.safe(mountPoint)}`,
    MAINPID: process.pid,
  })
  yield* Effect.addFinalizer(() => Readiness.tellServiceManagerNow({ STOPPING: 1 }))
})

/** For `pxar-fuse status`. A mount is worth having without it. */
const answerQuestions = (
  mounted: Mount.Mounted,
  archives: ReadonlyArray<string>,
  traffic: Traffic.Traffic | undefined,
): Effect.Effect<void, never, Scope.Scope> =>
  Effect.suspend(() => {
    const report = MountReport.of(mounted, archives, new Date(), traffic)
    return Effect.catch(ControlServer.listen(Effect.map(report, MountReport.encode)), (reason) =>
      Effect.logInfo(`pxar-fuse status will know little of this mount: ${reason}`),
    )
  })

const greeting = (archive: string, mountPoint: string, parent: Parent | undefined, interactive: boolean): string => {
  const text = `${archive} mounted on ${mountPoint}`
  if (!interactive) return text
  return parent === undefined
    ? `${text}; Ctrl-C or umount ends it`
    : `${text} by process ${process.pid}; pxar-fuse unmount ends it`
}

/** Lets the parent go. One that has gone before was told to end: so does the mount. */
const leave = (parent: Parent): Effect.Effect<void> =>
  Effect.suspend(() => {
    process.chdir("/")
    return Effect.flatMap(Readiness.tellParent(parent), (told) => (told ? Effect.void : Effect.interrupt))
  })

const summary = (counters: Mount.Counters): string =>
  `${RequestCounts.replies(counters)}; requests: ${RequestCounts.operations(counters.requests)}`
