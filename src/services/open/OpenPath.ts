/**
 * What is at a path of this machine: a datastore, or what is left of one, or archive files.
 */
import * as fs from "node:fs"
import * as path from "node:path"
import * as Effect from "effect/Effect"
import type * as Address from "../../domain/datastore/Address.ts"
import { OpenError } from "../bytes/FileSource.ts"
import * as DiskPath from "../posix/DiskPath.ts"
import type { BlobStore } from "../blobs/BlobStore.ts"
import * as FolderBlobStore from "../blobs/FolderBlobStore.ts"
import type { Failure, Located } from "./Location.ts"

/** Looks at a path. A reference can only be into a datastore. */
export const open = Effect.fnUntraced(function* (address: Address.Address): Effect.fn.Return<Located, Failure> {
  const given = (address as Extract<Address.Address, { _tag: "Path" }>).path
  const stats = fs.statSync(DiskPath.forNode(given), { throwIfNoEntry: false })
  if (address.reference !== undefined && stats === undefined) {
    return yield* new OpenError({ path: given, code: "ENOENT", detail: "no such folder" })
  }
  // Absolute: it is read when the process has gone to another folder.
  const folder = path.resolve(given)
  const isFolder = stats?.isDirectory() === true
  if (!isFolder && address.reference === undefined) return { _tag: "Files", path: given, isFolder }
  const store = FolderBlobStore.make(folder)
  return address.reference !== undefined || (yield* isDatastore(store))
    ? { _tag: "Datastore", store, folder }
    : { _tag: "Files", path: given, isFolder }
})

const isDatastore = (store: BlobStore): Effect.Effect<boolean, Failure> =>
  Effect.flatMap(
    Effect.promise(() => import("../repository/DatastoreRepository.ts")),
    (module) => module.isDatastoreOrLeft(store),
  )
