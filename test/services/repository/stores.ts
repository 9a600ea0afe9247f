/** Repositories over the fixtures, for tests of this room. */
import * as fs from "node:fs"
import * as path from "node:path"
import { Effect, Redacted } from "effect"
import { type BlobStore, fromMap } from "../../../src/services/blobs/BlobStore.ts"
import * as ChunkCache from "../../../src/services/bytes/ChunkCache.ts"
import * as ChunkStore from "../../../src/services/chunks/ChunkStore.ts"
import * as DatastoreRepository from "../../../src/services/repository/DatastoreRepository.ts"
import * as FolderBlobStore from "../../../src/services/blobs/FolderBlobStore.ts"
import * as KeyRing from "../../../src/services/keys/KeyRing.ts"
import * as Datastores from "../../support/Datastores.ts"

/** The keys in files of the fixtures, all with one passphrase. */
export const keyRing = (files: ReadonlyArray<string>, passphrase?: string) =>
  KeyRing.make(
    files.map((path) => ({ path, text: fs.readFileSync(path, "utf8") })),
    () => Effect.succeed(passphrase === undefined ? undefined : Redacted.make(passphrase)),
  )

/** Keys 1 and 2 of the three stores, by name. */
export const keys = (names: ReadonlyArray<"key1" | "key2">) =>
  keyRing(names.map((name) => Datastores.keyFile(`${name}-none.json`)))

export interface Options extends Partial<DatastoreRepository.Options> {
  readonly capacity?: number | undefined
  readonly isFar?: boolean | undefined
  readonly verify?: boolean | undefined
}

/** The repository in a store of blobs. */
export const over = Effect.fnUntraced(function* (
  store: BlobStore,
  { capacity, isFar, verify, ...options }: Options = {},
) {
  const cache = yield* ChunkCache.make(capacity, { isFar })
  const chunks = ChunkStore.make({ stores: [store, ...(options.copies ?? [])], cache, verify })
  return yield* DatastoreRepository.open(store, { keys: KeyRing.empty, chunks, ...options })
})

/** The repository in a folder. */
export const at = (folder: string, options?: Options) => over(FolderBlobStore.make(folder), options)

/** A store in memory of what is in a folder. */
export const inMemory = (folder: string): BlobStore => {
  const files = fs.readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile())
  return fromMap(
    new Map(
      files.map((entry) => {
        const file = path.join(entry.parentPath, entry.name)
        return [path.relative(folder, file), new Uint8Array(fs.readFileSync(file))]
      }),
    ),
  )
}
