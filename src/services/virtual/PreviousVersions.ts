/**
 * The backups of one archive as the snapshots that file servers show as "Previous Versions": `@GMT-YYYY.MM.DD-HH.MM.SS`, in
 * UTC, each with what was in the archive, or in one folder of it. That is the tree that `shadow_copy2` of Samba looks for.
 *
 * A backup is opened when somebody looks into it, and closed when it is idle. Only finished ones are shown; one that lacks the
 * archive or the folder is an empty folder, as a snapshot from before the folder was made.
 */
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import type { Reference } from "../../domain/datastore/Reference.ts"
import { LATEST } from "../../domain/datastore/Reference.ts"
import { fault } from "../../domain/datastore/DatastoreFault.ts"
import * as SnapshotFile from "../../domain/datastore/SnapshotFile.ts"
import * as SnapshotId from "../../domain/datastore/SnapshotId.ts"
import * as TimeTemplate from "../../domain/datastore/TimeTemplate.ts"
import * as ArchiveError from "../archive/ArchiveError.ts"
import * as ArchiveReader from "../archive/ArchiveReader.ts"
import type { ArchiveTree } from "../archive/ArchiveTree.ts"
import * as Archive from "../tree/Archive.ts"
import * as SubfolderTree from "../tree/SubfolderTree.ts"
import type { Repository } from "../repository/Repository.ts"
import { fromFault, type RepositoryError } from "../repository/RepositoryError.ts"
import * as ResolveReference from "../repository/ResolveReference.ts"
import type * as VirtualItem from "./VirtualItem.ts"
import * as VirtualTree from "./VirtualTree.ts"

/** How they are shown. */
export interface Options extends VirtualItem.Owner {
  /**
   * A group, or an archive of a backup of it and a path in that: the same archive and path of all backups are shown. Without
   * an archive it is the one that the backup has.
   */
  readonly reference: Reference
  /** Of the readers of archives. */
  readonly reader?: Partial<ArchiveReader.Options> | undefined
  /** How long a backup stays open unused; a minute unless given. */
  readonly idle?: Duration.Input | undefined
  /** Milliseconds for which the backups are not listed again; a second unless given. */
  readonly fresh?: number | undefined
}

/** The names of snapshots: what Samba's `shadow:format` is by default. */
export const TEMPLATE: TimeTemplate.TimeTemplate = "@GMT-%Y.%m.%d-%H.%M.%S"

/** Makes the tree. Fails if the reference leaves open which archive of which group is meant. */
export const make = Effect.fnUntraced(function* (
  repository: Repository,
  { reference, ...options }: Options,
): Effect.fn.Return<ArchiveTree, RepositoryError, Scope.Scope> {
  const { id, namespace, path, type } = reference
  if (type === undefined || id === undefined) {
    const detail = `one group is wanted, as in ${repository.name}::host/elsa, or an archive and a folder in it, as in ${repository.name}::host/elsa/latest/root.pxar/srv`
    return yield* fromFault(repository.name, fault("ArchiveNotFound", detail))
  }
  const group: SnapshotId.GroupId = { namespace, type, id }
  const meant = yield* ResolveReference.resolve(repository, { ...reference, time: reference.time ?? LATEST })
  if (meant._tag !== "File" || meant.file.kind !== "archive") {
    const { files } =
      meant._tag === "File"
        ? meant.snapshot
        : yield* repository.snapshot({ ...group, time: meant.level.time as string })
    const archives = files.flatMap(({ kind, shown }) => (kind === "archive" ? [shown] : []))
    return yield* ResolveReference.notOneArchive(repository, archives)
  }
  const { shown } = meant.file
  const mtimeSeconds = SnapshotId.toEpoch(meant.snapshot.id.time)
  /** Times of backups that are finished, which they stay. */
  const finished = new Set<string>()

  const version = (snapshot: SnapshotId.SnapshotId, name: string): VirtualItem.Item => {
    const archive = `${repository.name}/${SnapshotId.format(snapshot)}/${shown}`
    const mtimeSeconds = SnapshotId.toEpoch(snapshot.time)
    const empty = VirtualTree.make({
      ...options,
      name: archive,
      root: { items: Effect.succeed([]), isFixed: true, mtimeSeconds },
    })
    const open = Effect.gen(function* (): Effect.fn.Return<
      ArchiveTree,
      RepositoryError | ArchiveError.ArchiveError,
      Scope.Scope
    > {
      const { archive: openArchive, files } = yield* repository.snapshot(snapshot)
      const file = SnapshotFile.resolve(files, shown)
      if (file?.kind !== "archive") return yield* empty
      const bytes = yield* openArchive(file)
      const tree = yield* ArchiveReader.make(bytes.archive, bytes.payload, options.reader)
      if (path.length === 0) return tree
      const found = yield* Effect.catchTag(Archive.fromReader(tree).find(path), "PathError", () => Effect.undefined)
      return found?.entry.body._tag === "Directory" ? SubfolderTree.make(tree, found.node) : yield* empty
    })
    return {
      _tag: "Archive",
      name,
      archive: {
        archive,
        size: 0,
        open: Effect.mapError(open, (error) =>
          error._tag === "ArchiveError" ? error : ArchiveError.unavailable(error.path, error.detail),
        ),
      },
    }
  }

  /** So that programs which know the snapshots of ZFS find these (`httm`). */
  const snapshot: VirtualItem.Item = { _tag: "Link", name: "snapshot", target: Effect.succeed(".."), mtimeSeconds }
  const zfs: VirtualItem.Item = {
    _tag: "Folder",
    name: ".zfs",
    folder: { items: Effect.succeed([snapshot]), isFixed: true, mtimeSeconds },
  }

  const items = Effect.gen(function* () {
    const found: Array<VirtualItem.Item> = []
    for (const { id, name } of TimeTemplate.names(TEMPLATE, yield* repository.snapshots(group))) {
      if (!finished.has(id.time) && !(yield* repository.isFinished(id))) continue
      finished.add(id.time)
      found.push(version(id, name))
    }
    return [...found, zfs]
  })
  return yield* VirtualTree.make({
    ...options,
    name: repository.name,
    root: {
      items: Effect.mapError(items, ({ detail, path }) => ArchiveError.unavailable(path, detail)),
      isFixed: false,
      mtimeSeconds,
    },
  })
})
