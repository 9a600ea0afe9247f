/**
 * Index files without their datastore, as a repository of one backup: `.didx` or `.fidx` files that were copied, or saved from
 * a disk, of which the chunks are elsewhere (see `SalvagedManifest` for what that means).
 */
import * as path from "node:path"
import * as Effect from "effect/Effect"
import * as Namespace from "../../domain/datastore/Namespace.ts"
import * as Reference from "../../domain/datastore/Reference.ts"
import * as SnapshotFile from "../../domain/datastore/SnapshotFile.ts"
import type * as SnapshotId from "../../domain/datastore/SnapshotId.ts"
import type { BlobStore } from "../blobs/BlobStore.ts"
import * as OpenSnapshot from "./OpenSnapshot.ts"
import type { Repository } from "./Repository.ts"
import { fromBlob } from "./RepositoryError.ts"

/** Whether a file can be an index, by its name. */
export const isIndex = (file: string): boolean => {
  const storage = SnapshotFile.storage(path.basename(file))
  return storage === "dynamic" || storage === "fixed"
}

/** The backup that they are of, for whoever asks. */
const ID: SnapshotId.SnapshotId = { namespace: Namespace.root, type: "host", id: "index", time: "1970-01-01T00:00:00Z" }

/** The repository in which an index is all there is, with its payload half if that is beside it; and what is meant there. */
export const make = (
  folder: BlobStore,
  name: string,
  options: OpenSnapshot.Options,
): { readonly repository: Repository; readonly reference: Reference.Reference } => {
  const payload = SnapshotFile.payloadOf(name)
  const snapshot: Repository["snapshot"] = Effect.fnUntraced(function* (id) {
    const items = yield* Effect.mapError(folder.list(""), fromBlob)
    const names = items.flatMap((item) => (item.name === name || item.name === payload ? [item.name] : []))
    const read = (file: string, limit: number) => Effect.mapError(folder.read(file, limit), fromBlob)
    return yield* OpenSnapshot.open(id, { name: folder.name, names, read }, { ...options, unfinished: "open" })
  })
  return {
    repository: {
      name: folder.name,
      namespaces: () => Effect.succeed([]),
      groups: (namespace) => Effect.succeed(namespace.length === 0 ? [ID] : []),
      group: () => Effect.succeed({ owner: undefined, notes: undefined }),
      snapshots: () => Effect.succeed([ID]),
      isFinished: () => Effect.succeed(true),
      snapshot,
    },
    reference: {
      ...Reference.whole,
      type: ID.type,
      id: ID.id,
      time: ID.time,
      archive: SnapshotFile.withoutStorage(name),
    },
  }
}
