/**
 * All mounts of archives: what the mount table shows, together with what the processes that serve them say.
 *
 * Nothing here enters a mount. One of somebody else is seen in the mount table only.
 */
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import * as Runtime from "effect/Runtime"
import type * as Scope from "effect/Scope"
import { type MountError, placeWord } from "../../fuse/mount/MountError.ts"
import * as MountOptions from "../../fuse/mount/MountOptions.ts"
import * as MountProbe from "../../fuse/mount/MountProbe.ts"
import * as MountTable from "../../fuse/mount/MountTable.ts"
import * as DiskPath from "../../services/posix/DiskPath.ts"
import * as ExitCode from "../ExitCode.ts"
import * as ControlClient from "./ControlClient.ts"

/** No archive is mounted there. */
export class NotMounted extends Data.TaggedError("NotMounted")<{
  readonly mountPoint: string
  /** What is mounted there instead. */
  readonly fsType?: string | undefined
}> {
  static readonly ids = { Any: "PXF-NOT-MOUNTED" }
  /** See docs/errors.md. */
  get id(): string {
    return NotMounted.ids.Any
  }
  override readonly [Runtime.errorExitCode] = ExitCode.NOT_MOUNTED
  override get message(): string {
    const { fsType, mountPoint } = this
    const place = placeWord(mountPoint)
    return fsType === undefined
      ? `nothing is mounted on ${place}`
      : `not an archive but ${fsType} is mounted on ${place}`
  }
}

export interface Mount {
  readonly entry: MountTable.Entry | undefined
  /** The process that serves it, if it can be asked. */
  readonly server: ControlClient.Server | undefined
}

/** `unknown`: served by a process that cannot be asked; `detached`: in use, but no longer in the mount table. */
export type State = "served" | "detached" | "dead" | "silent" | "unknown"

/** What the mount table shows, unless somebody has asked for another `subtype`. */
const FS_TYPE = MountOptions.kernelType(MountOptions.defaults)

/** All mounts, in the order of the mount table; those that are not in it last. */
export const all: Effect.Effect<ReadonlyArray<Mount>, MountError, Scope.Scope> = Effect.gen(function* () {
  const entries = yield* MountTable.read
  const servers = yield* ControlClient.all
  const mounts = entries.flatMap((entry) => {
    const mount = { entry, server: servers.find(serves(entry)) }
    return isArchive(mount) ? [mount] : []
  })
  const unlisted = servers.filter((server) => !mounts.some((mount) => mount.server === server))
  return [...mounts, ...unlisted.map((server) => ({ entry: undefined, server }))]
})

/** Nobody can speak for another user's mount. */
const serves =
  (entry: MountTable.Entry) =>
  ({ owner, report }: ControlClient.Server): boolean =>
    report.device === entry.device && owner === entry.owner

const isArchive = ({ entry, server }: Mount): boolean => server !== undefined || entry?.fsType === FS_TYPE

/** The mount at a path as somebody has typed it. Only its owner's processes are asked. */
export const find = Effect.fnUntraced(function* (
  mountPoint: string,
): Effect.fn.Return<Mount, MountError | NotMounted, Scope.Scope> {
  const entry = yield* MountTable.at(mountPoint)
  if (entry !== undefined) {
    const servers = yield* ControlClient.ofOwner(entry.owner)
    const mount = { entry, server: servers.find(serves(entry)) }
    return isArchive(mount) ? mount : yield* new NotMounted({ mountPoint, fsType: entry.fsType })
  }
  const absolute = DiskPath.resolve(mountPoint)
  const found = (yield* all).find((mount) => mount.entry === undefined && mount.server?.report.mount_point === absolute)
  return found ?? (yield* new NotMounted({ mountPoint }))
})

/** Whether a mount is still in the table. The kernel gives the numbers of one that has ended to another at once. */
export const isThere = ({ device, id, mountPoint }: MountTable.Entry): Effect.Effect<boolean> =>
  MountTable.read.pipe(
    Effect.map((entries) =>
      entries.some((entry) => entry.id === id && entry.device === device && entry.mountPoint.equals(mountPoint)),
    ),
    Effect.orElseSucceed(() => true),
  )

/** What can be said of a mount without waiting for it; only its owner's question is passed on to the server. */
export const state = ({ entry, server }: Mount): Effect.Effect<State> => {
  if (server !== undefined) {
    return Effect.succeed(entry === undefined && server.report.device !== undefined ? "detached" : "served")
  }
  if (entry?.owner !== process.geteuid?.()) return Effect.succeed("unknown")
  return Effect.map(MountProbe.probe(entry?.mountPoint ?? Buffer.alloc(0)), (answer) =>
    answer === "answers" ? "unknown" : answer,
  )
}
