/**
 * A group as a folder: its backups, its owner and notes, and `latest`, a link to its newest finished backup.
 */
import * as Effect from "effect/Effect"
import * as SnapshotId from "../../domain/datastore/SnapshotId.ts"
import * as TimeTemplate from "../../domain/datastore/TimeTemplate.ts"
import type { Read } from "../archive/ArchiveTree.ts"
import { toArchiveError } from "../repository/OpenedFiles.ts"
import type { Repository } from "../repository/Repository.ts"
import * as VirtualItem from "./VirtualItem.ts"

/** A backup, and what it is called. */
export interface Named {
  readonly id: SnapshotId.SnapshotId
  readonly name: string
}

/** How groups are shown. */
export interface Options {
  readonly repository: Repository
  /** Names of times; as on disk unless given. */
  readonly timeTemplate: TimeTemplate.TimeTemplate | undefined
  /** Seconds since the epoch: of a group without backups. */
  readonly mtimeSeconds: number
  /** What stands beside the backups of a group; nothing unless given. */
  readonly besideBackups?: ((group: SnapshotId.GroupId) => VirtualItem.Item) | undefined
  readonly snapshotFolder: (id: SnapshotId.SnapshotId) => VirtualItem.Folder
}

/** The backups of a group with the names of their times, the oldest first. */
export const backupsOf = (
  { repository, timeTemplate }: Pick<Options, "repository" | "timeTemplate">,
  group: SnapshotId.GroupId,
): Read<ReadonlyArray<Named>> =>
  Effect.mapError(
    Effect.map(repository.snapshots(group), (ids) => TimeTemplate.names(timeTemplate, ids)),
    toArchiveError,
  )

/** Makes the folder. The name of a backup is that of its time, unless `nameOf` makes another one of that. */
export const make = (
  options: Options,
  group: SnapshotId.GroupId,
  nameOf: (time: string) => string = (time) => time,
): VirtualItem.Folder => {
  const { repository, snapshotFolder } = options
  const beside = options.besideBackups?.(group)
  let newest = options.mtimeSeconds
  const backups = Effect.map(backupsOf(options, group), (named) =>
    named.map(({ id, name }): Named => ({ id, name: nameOf(name) })),
  )

  /** Name of the newest backup that is finished; of the newest if none is. */
  const latest = Effect.gen(function* () {
    const all = yield* backups
    for (const { id, name } of all.toReversed()) {
      if (yield* Effect.mapError(repository.isFinished(id), toArchiveError)) return name
    }
    return all.at(-1)?.name ?? "."
  })

  return {
    items: Effect.gen(function* () {
      const all = yield* backups
      const last = all.at(-1)
      if (last !== undefined) newest = SnapshotId.toEpoch(last.id.time)
      const { notes, owner } = yield* Effect.mapError(repository.group(group), toArchiveError)
      const version = String(newest)
      return [
        ...all.map(({ id, name }): VirtualItem.Item => ({ _tag: "Folder", name, folder: snapshotFolder(id) })),
        ...(last === undefined
          ? []
          : [{ _tag: "Link" as const, name: "latest", target: latest, mtimeSeconds: newest, version }]),
        // A backup that a template gives its name comes before it.
        ...(beside === undefined || all.some(({ name }) => name === beside.name) ? [] : [beside]),
        ...(owner === undefined ? [] : [VirtualItem.text("owner", `${owner}\n`, newest)]),
        ...(notes === undefined ? [] : [VirtualItem.text("notes", notes, newest)]),
      ]
    }),
    isFixed: false,
    get mtimeSeconds() {
      return newest
    },
  }
}
