/**
 * What a server gives out: a tree for each address, and where it is of a datastore the repository behind it.
 */
import type * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import * as Reference from "../domain/datastore/Reference.ts"
import * as SnapshotId from "../domain/datastore/SnapshotId.ts"
import * as Namespace from "../domain/datastore/Namespace.ts"
import * as PathText from "../domain/PathText.ts"
import type { ArchiveTree } from "../services/archive/ArchiveTree.ts"
import type { HistoryIndex } from "../services/index/HistoryIndex.ts"
import type { Repository } from "../services/repository/Repository.ts"
import type * as Archive from "../services/tree/Archive.ts"
import type * as TreeWalk from "../services/tree/TreeWalk.ts"
import * as ApiError from "./api/ApiError.ts"

/** What one address names. */
export interface Served {
  /** In the paths of the API: a name, unique among those that are served. */
  readonly id: string
  readonly address: string
  readonly archive: Archive.Archive<ArchiveTree>
  /** Opens it anew, with the keys that are there by now; absent where keys make no difference. */
  readonly reopen?: Effect.Effect<Archive.Archive<ArchiveTree>, { readonly message: string }> | undefined
  /** The backups in it, where its tree has them by their names. */
  readonly backups: Backups | undefined
}

/** The same while it cannot be opened, because its key is not at hand. */
export interface Locked extends Pick<Served, "id" | "address" | "backups"> {
  readonly archive: undefined
  /** Which key is wanted. */
  readonly reason: { readonly id: string; readonly message: string }
  readonly reopen: NonNullable<Served["reopen"]>
}

/** Where the backups of a tree are. */
export interface Backups {
  readonly repository: Repository
  /** What the root of the tree is. */
  readonly root: Reference.Reference
  /** Its index, if there is one by now. */
  readonly index: Effect.Effect<HistoryIndex | undefined>
}

/** The entry at a path as the API has it. */
export const find = ({ archive }: Served, path: string): Effect.Effect<TreeWalk.Found, ApiError.ApiError> =>
  ApiError.orAnswer(archive.find(PathText.parse(path)))

/** The path of a backup in a tree, or of a group (without a time); with a slash before it. */
export const pathOf = (root: Reference.Reference, id: SnapshotId.GroupId & { readonly time?: string }): string => {
  const group = SnapshotId.groupPath(id)
  const whole = id.time === undefined ? group : `${group}/${id.time}`
  return `/${whole.slice(prefixOf(root).length)}`.replace(/^\/+/, "/")
}

/** What a path of a tree means in its repository; `undefined` for what is in no backup and leads to none. */
export const referenceOf = (root: Reference.Reference, path: string): Reference.Reference | undefined => {
  const parsed = Reference.parse(`${prefixOf(root)}${path}`)
  return Result.isSuccess(parsed) ? parsed.success : undefined
}

const prefixOf = ({ id, namespace, time, type }: Reference.Reference): string => {
  if (type !== undefined && id !== undefined) {
    const group = SnapshotId.groupPath({ namespace, type, id })
    return time === undefined ? group : `${group}/${time}`
  }
  const above = namespace.length === 0 ? "" : Namespace.toPath(namespace)
  return type === undefined ? above : `${above}/${type}`.replace(/^\//, "")
}

/** The names for addresses, in their order: the last part of each, with a number where two have the same. */
export const idsOf = (addresses: ReadonlyArray<string>): ReadonlyArray<string> => {
  const taken = new Set<string>()
  return addresses.map((address) => {
    const last =
      address
        .replace(/[/:]+$/, "")
        .split(/\/|::/)
        .at(-1) ?? ""
    const base = last.replace(/[^A-Za-z0-9._-]/g, "_").replace(/^\.+/, "") || "backups"
    let id = base
    for (let number = 2; taken.has(id); number++) id = `${base}-${number}`
    taken.add(id)
    return id
  })
}
