/**
 * A whole repository as one tree: `[ns/NAME/...]TYPE/ID/TIME/FILE`, with the names as on disk, or as a template says.
 *
 * A level is listed without opening anything below it; backups that are made or pruned meanwhile appear and go. What is
 * opened is closed when it has not been used for a while.
 */
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import * as Namespace from "../../domain/datastore/Namespace.ts"
import type * as PathTemplate from "../../domain/datastore/PathTemplate.ts"
import type { Reference } from "../../domain/datastore/Reference.ts"
import * as SnapshotId from "../../domain/datastore/SnapshotId.ts"
import type * as TimeTemplate from "../../domain/datastore/TimeTemplate.ts"
import type * as ArchiveReader from "../archive/ArchiveReader.ts"
import type { ArchiveTree, Read } from "../archive/ArchiveTree.ts"
import * as Losses from "../tree/Losses.ts"
import * as GroupFolder from "./GroupFolder.ts"
import * as OpenedFiles from "../repository/OpenedFiles.ts"
import type { Repository } from "../repository/Repository.ts"
import type { RepositoryError } from "../repository/RepositoryError.ts"
import * as SnapshotFolder from "./SnapshotFolder.ts"
import * as TemplateFolders from "./TemplateFolders.ts"
import type * as VirtualItem from "./VirtualItem.ts"
import * as VirtualTree from "./VirtualTree.ts"

/** How a repository is shown. */
export interface Options extends Partial<ArchiveReader.Options> {
  /** What is the root: the repository, or a namespace, type, group or backup of it. */
  readonly root?: Pick<Reference, "namespace" | "type" | "id"> & { readonly time?: string | undefined }
  /** Names of the folders of backups; their times as on disk unless given. */
  readonly timeTemplate?: TimeTemplate.TimeTemplate | undefined
  /** Where the folders of backups are; as on disk unless given. Of a repository or a namespace. */
  readonly pathTemplate?: PathTemplate.PathTemplate | undefined
  /** What stands beside the backups of a group; nothing unless given. */
  readonly besideBackups?: GroupFolder.Options["besideBackups"]
  /** Whose everything is that is in no archive. */
  readonly uid: number
  readonly gid: number
  /** Seconds since the epoch: of folders that have no time of their own. */
  readonly mtimeSeconds: number
  /** Bytes of files that are lost for good read as zeros, and are told. Reading them fails unless this is given. */
  readonly onLost?: ((lost: Losses.Lost) => Effect.Effect<void>) | undefined
  /** How long what is open stays so unused; a minute unless given. */
  readonly idle?: Duration.Input | undefined
  /** Milliseconds for which a level is not listed again; a second unless given. */
  readonly fresh?: number | undefined
}

type Items = ReadonlyArray<VirtualItem.Item>

/**
 * Makes the tree. What is open is closed with the scope. Fails only where the path template gives backups of two groups one
 * place.
 */
export const make = Effect.fnUntraced(function* (
  repository: Repository,
  options: Options,
): Effect.fn.Return<ArchiveTree, RepositoryError, Scope.Scope> {
  const { idle = "1 minute", mtimeSeconds, pathTemplate: template, root = WHOLE, timeTemplate } = options
  const opened = yield* OpenedFiles.make(repository, idle)
  const losses = options.onLost && Losses.make(options.onLost)
  const snapshotFolder = SnapshotFolder.make(opened, { name: repository.name, reader: options, losses })
  const { besideBackups } = options
  const groupOptions = { repository, timeTemplate, mtimeSeconds, snapshotFolder, besideBackups }
  const groupFolder = (group: SnapshotId.GroupId) => GroupFolder.make(groupOptions, group)

  const folder = (items: Read<Items>): VirtualItem.Folder => ({ items, isFixed: false, mtimeSeconds })
  const read = <A>(effect: Effect.Effect<A, RepositoryError>): Read<A> =>
    Effect.mapError(effect, OpenedFiles.toArchiveError)

  const namespace = (at: Namespace.Namespace): VirtualItem.Folder =>
    folder(
      read(
        Effect.gen(function* () {
          const below = yield* repository.namespaces(at)
          const groups = yield* repository.groups(at)
          const types = SnapshotId.TYPES.filter((type) => groups.some((group) => group.type === type))
          return [
            ...types.map((name) => ({ _tag: "Folder" as const, name, folder: groupsOf(at, name) })),
            ...(below.length === 0 ? [] : [{ _tag: "Folder" as const, name: "ns", folder: namespaces(at) }]),
          ]
        }),
      ),
    )

  const namespaces = (parent: Namespace.Namespace): VirtualItem.Folder =>
    folder(
      read(
        Effect.map(repository.namespaces(parent), (below) =>
          below.map((at) => ({ _tag: "Folder", name: at.at(-1) as string, folder: namespace(at) })),
        ),
      ),
    )

  const groupsOf = (at: Namespace.Namespace, type: SnapshotId.BackupType): VirtualItem.Folder =>
    folder(
      read(
        Effect.map(repository.groups(at), (groups) =>
          groups
            .filter((group) => group.type === type)
            .map((group) => ({ _tag: "Folder", name: group.id, folder: groupFolder(group) })),
        ),
      ),
    )

  const rootFolder = Effect.gen(function* (): Effect.fn.Return<VirtualItem.Folder, RepositoryError> {
    const { id, namespace: at, time, type } = root
    if (type === undefined) {
      return template === undefined
        ? namespace(at)
        : yield* TemplateFolders.make({ ...groupOptions, template, namespace: at })
    }
    if (id === undefined) return groupsOf(at, type)
    const group = { namespace: at, type, id }
    return time === undefined ? groupFolder(group) : snapshotFolder({ ...group, time })
  })

  return yield* VirtualTree.make({ ...options, name: repository.name, root: yield* rootFolder })
})

const WHOLE: NonNullable<Options["root"]> = { namespace: Namespace.root, type: undefined, id: undefined }
