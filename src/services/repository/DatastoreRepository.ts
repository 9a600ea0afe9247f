/**
 * The backups in a datastore: the folder of a server, the disk of a dead one, a copy, or a bucket (datastore §1).
 *
 * No lock is taken and nothing is written. A snapshot that is pruned while it is open costs that snapshot.
 */
import * as Effect from "effect/Effect"
import { fault } from "../../domain/datastore/DatastoreFault.ts"
import * as Namespace from "../../domain/datastore/Namespace.ts"
import { isSafeId } from "../../domain/datastore/SafeId.ts"
import * as SnapshotFile from "../../domain/datastore/SnapshotFile.ts"
import * as SnapshotId from "../../domain/datastore/SnapshotId.ts"
import type { BlobStore, Item } from "../blobs/BlobStore.ts"
import type { Files } from "./SnapshotFiles.ts"
import * as OpenSnapshot from "./OpenSnapshot.ts"
import * as Remains from "./Remains.ts"
import type { Repository } from "./Repository.ts"
import { fromBlob, fromFault, type RepositoryError } from "./RepositoryError.ts"

/** Bytes of a group's owner or notes. */
const MAX_TEXT = 1024 * 1024

const decoder = new TextDecoder()

/** Whether a store is a datastore: it has chunks (datastore §1.1). */
export const isDatastore = (store: BlobStore): Effect.Effect<boolean, RepositoryError> =>
  Effect.mapError(
    Effect.map(store.list(""), (items) => items.some(({ kind, name }) => kind === "folder" && name === ".chunks")),
    fromBlob,
  )

/** Whether a store is a datastore, or what is left of one that has lost its chunks: it has backups. */
export const isDatastoreOrLeft = (store: BlobStore): Effect.Effect<boolean, RepositoryError> =>
  Effect.flatMap(isDatastore(store), (isOne) =>
    isOne ? Effect.succeed(true) : Effect.mapError(Remains.hasBackups(store), fromBlob),
  )

/** How a datastore is opened. */
export interface Options extends OpenSnapshot.Options {
  /** Copies of it, which stand in for files of backups that are missing or damaged. What is not in the datastore is not shown. */
  readonly copies?: ReadonlyArray<BlobStore> | undefined
  /** A group that will be asked for: only where there is nothing of it one has to look whether this is a datastore. */
  readonly first?: SnapshotId.GroupId | undefined
}

/** Opens a datastore. Fails with `NotADatastore` if it has neither chunks nor backups. */
export const open = Effect.fnUntraced(function* (
  store: BlobStore,
  options: Options,
): Effect.fn.Return<Repository, RepositoryError> {
  const repository = make(store, options)
  const { first } = options
  const checked = Effect.flatMap(isDatastoreOrLeft(store), (isOne) =>
    isOne
      ? Effect.void
      : Effect.fail(fromFault(store.name, fault("NotADatastore", "is no datastore: it has no folder .chunks"))),
  )
  if (first === undefined || (yield* repository.snapshots(first)).length === 0) yield* checked
  return repository
})

/** The repository in a datastore. */
export const make = (store: BlobStore, options: Options): Repository => {
  const { copies = [] } = options

  const below = (namespace: Namespace.Namespace, name: string): string =>
    [...(namespace.length === 0 ? [] : [Namespace.toPath(namespace)]), name].join("/")

  /** Names of the folders in a folder that are of the right kind; none if it is not there. */
  const folders = (folder: string, isName: (name: string) => boolean) =>
    Effect.map(listed(store, folder), (items) =>
      items.flatMap(({ kind, name }) => (kind === "folder" && isName(name) ? [name] : [])).toSorted(),
    )

  const text = (blob: string): Effect.Effect<string | undefined, RepositoryError> =>
    Effect.catch(
      Effect.map(store.read(blob, MAX_TEXT), (bytes) => decoder.decode(bytes)),
      (error) => (error.reason === "NotFound" ? Effect.undefined : Effect.fail(fromBlob(error))),
    )

  return {
    name: store.name,
    namespaces: (parent) =>
      Effect.map(
        parent.length >= Namespace.MAX_DEPTH ? Effect.succeed([]) : folders(below(parent, "ns"), isSafeId),
        (names) => names.map((name) => [...parent, name]),
      ),
    groups: (namespace) =>
      Effect.map(
        Effect.forEach(SnapshotId.TYPES, (type) =>
          Effect.map(folders(below(namespace, type), isSafeId), (ids) => ids.map((id) => ({ namespace, type, id }))),
        ),
        (groups) => groups.flat(),
      ),
    group: (group) => {
      const path = SnapshotId.groupPath(group)
      return Effect.all({
        owner: Effect.map(text(`${path}/owner`), (owner) => owner?.split("\n")[0]),
        notes: text(`${path}/notes`),
      })
    },
    snapshots: (group) =>
      Effect.map(folders(SnapshotId.groupPath(group), SnapshotId.isTime), (times) =>
        times.map((time) => ({ ...group, time })),
      ),
    isFinished: (id) =>
      Effect.map(Effect.all([filesOfBackup(store, id), ...copies.map((copy) => filesOfCopy(copy, id))]), (all) =>
        all.some(({ names }) => names.includes(SnapshotFile.MANIFEST)),
      ),
    snapshot: Effect.fnUntraced(function* (id) {
      const folder = SnapshotId.format(id)
      const items = yield* listed(store, folder)
      if (items.length === 0) {
        return yield* fromFault(
          `${store.name}/${folder}`,
          fault("ArchiveNotFound", "there is no such backup, or it has just been pruned"),
        )
      }
      const others = yield* Effect.forEach(copies, (copy) => filesOfCopy(copy, id))
      return yield* OpenSnapshot.open(id, filesOf(store, folder, items), options, others)
    }),
  }
}

/** The files of a backup in a datastore, which has none if there is no such backup. */
export const filesOfBackup = (store: BlobStore, id: SnapshotId.SnapshotId): Effect.Effect<Files, RepositoryError> =>
  Effect.map(listed(store, SnapshotId.format(id)), (items) => filesOf(store, SnapshotId.format(id), items))

/** The same of a copy: one that cannot be read has nothing. */
export const filesOfCopy = (copy: BlobStore, id: SnapshotId.SnapshotId): Effect.Effect<Files> => {
  const folder = SnapshotId.format(id)
  return Effect.map(
    Effect.orElseSucceed(listed(copy, folder), () => []),
    (items) => filesOf(copy, folder, items),
  )
}

const filesOf = (store: BlobStore, folder: string, items: ReadonlyArray<Item>): Files => ({
  name: `${store.name}/${folder}`,
  names: items.flatMap(({ kind, name }) => (kind === "blob" ? [name] : [])),
  read: (name, limit) => readFile(store, folder, name, limit),
})

const listed = (store: BlobStore, folder: string): Effect.Effect<ReadonlyArray<Item>, RepositoryError> =>
  Effect.catch(store.list(folder), (error) =>
    error.reason === "NotFound" ? Effect.succeed([]) : Effect.fail(fromBlob(error)),
  )

const readFile = (
  store: BlobStore,
  folder: string,
  name: string,
  limit: number,
): Effect.Effect<Uint8Array, RepositoryError> =>
  Effect.mapError(store.read(`${folder}/${name}`, limit), (error) =>
    error.reason === "NotFound"
      ? fromFault(`${store.name}/${folder}/${name}`, fault("ArchiveNotFound", "is missing from the datastore"))
      : fromBlob(error),
  )
