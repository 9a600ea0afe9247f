/**
 * The folders of a repository as a path template says (see `PathTemplate`), in place of those on disk.
 *
 * A folder is made of the groups, or backups, whose paths go through it. A folder that holds all of one group, and nothing
 * else, is what the folder of a group is. Two backups in one place are an error of the folder that they would be in.
 */
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import type * as Namespace from "../../domain/datastore/Namespace.ts"
import * as PathTemplate from "../../domain/datastore/PathTemplate.ts"
import * as SnapshotId from "../../domain/datastore/SnapshotId.ts"
import { type ArchiveError, unavailable } from "../archive/ArchiveError.ts"
import type { Read } from "../archive/ArchiveTree.ts"
import * as GroupFolder from "./GroupFolder.ts"
import { toArchiveError } from "../repository/OpenedFiles.ts"
import { RepositoryError } from "../repository/RepositoryError.ts"
import type * as VirtualItem from "./VirtualItem.ts"
import * as WalkRepository from "../repository/WalkRepository.ts"

/** How the folders are made. */
export interface Options extends GroupFolder.Options {
  readonly template: PathTemplate.PathTemplate
  /** What is shown: this namespace, and those in it, whose names begin below it. */
  readonly namespace: Namespace.Namespace
}

/** Something with a path of which the first names are behind. */
type Coming = { readonly names: ReadonlyArray<string> } & (
  | { readonly _tag: "Group"; readonly group: SnapshotId.GroupId }
  | { readonly _tag: "Backup"; readonly id: SnapshotId.SnapshotId }
)

/** What stands under one name. */
type Below = ReadonlyArray<Coming>

/** The root. Fails where two groups would have one place: the template does not tell them apart. */
export const make = Effect.fnUntraced(function* (
  options: Options,
): Effect.fn.Return<VirtualItem.Folder, RepositoryError> {
  const { mtimeSeconds, namespace, repository, snapshotFolder, template } = options
  /** The names up to that of the time are the same for all backups of a group. */
  const first = template.names.findIndex((name) => !PathTemplate.isOfGroup(name))
  const [ofGroup, ofBackup] = [template.names.slice(0, first), template.names.slice(first)]
  const within = (group: SnapshotId.GroupId): SnapshotId.GroupId => ({
    ...group,
    namespace: group.namespace.slice(namespace.length),
  })
  const groups = Stream.runCollect(
    WalkRepository.groups(repository, { within: { namespace, type: undefined, id: undefined, time: undefined } }),
  )

  const clash = PathTemplate.clash(template, (yield* groups).map(within))
  if (clash !== undefined) {
    const [one, other] = clash.map(SnapshotId.groupPath)
    const detail = `the path template ${template.text} gives backups of ${one} and of ${other} the same place; add what tells them apart: %type, %id, %ns`
    return yield* new RepositoryError({ path: repository.name, check: "Ambiguous", detail })
  }

  const folder = (items: Read<ReadonlyArray<VirtualItem.Item>>): VirtualItem.Folder => ({
    items,
    isFixed: false,
    mtimeSeconds,
  })

  /** The backups of a group that has come to the name of the time. */
  const backupsOf = (group: SnapshotId.GroupId): Read<Below> =>
    Effect.map(GroupFolder.backupsOf(options, group), (all) =>
      all.map(({ id, name }) => ({ _tag: "Backup", id, names: PathTemplate.expand(ofBackup, within(group), name) })),
    )

  const folderOf = (coming: Below): VirtualItem.Folder => {
    const [only, ...others] = coming
    const [name, ...rest] = ofBackup
    return only?._tag === "Group" && only.names.length === 0 && others.length === 0 && rest.length === 0
      ? GroupFolder.make(
          options,
          only.group,
          (time) => PathTemplate.expand([name as never], within(only.group), time)[0] as string,
        )
      : folder(itemsOf(coming))
  }

  const itemsOf = Effect.fnUntraced(function* (
    coming: Below,
  ): Effect.fn.Return<ReadonlyArray<VirtualItem.Item>, ArchiveError> {
    const byName = new Map<string, Array<Coming>>()
    for (const one of coming) {
      const all = one._tag === "Group" && one.names.length === 0 ? yield* backupsOf(one.group) : [one]
      for (const { names, ...other } of all) {
        const [name, ...rest] = names as readonly [string, ...Array<string>]
        byName.set(name, [...(byName.get(name) ?? []), { ...other, names: rest } as Coming])
      }
    }
    const items: Array<VirtualItem.Item> = []
    for (const [name, below] of byName) {
      const here = below.find((one) => one._tag === "Backup" && one.names.length === 0)
      if (here?._tag !== "Backup") items.push({ _tag: "Folder", name, folder: folderOf(below) })
      else if (below.length === 1) items.push({ _tag: "Folder", name, folder: snapshotFolder(here.id) })
      else {
        const where = below.map((one) =>
          one._tag === "Group" ? SnapshotId.groupPath(one.group) : SnapshotId.format(one.id),
        )
        return yield* unavailable(
          repository.name,
          `${where.join(" and ")} would both be ${name}, by the path template ${template.text}`,
        )
      }
    }
    return items
  })

  return folder(
    Effect.flatMap(Effect.mapError(groups, toArchiveError), (found) =>
      itemsOf(found.map((group) => ({ _tag: "Group", group, names: PathTemplate.expand(ofGroup, within(group), "") }))),
    ),
  )
})
