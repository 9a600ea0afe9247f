/**
 * Opens the repository that an address is of.
 */
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import * as Reference from "../../domain/datastore/Reference.ts"
import type * as SnapshotId from "../../domain/datastore/SnapshotId.ts"
import type { ArchiveBytes } from "../bytes/ArchiveBytes.ts"
import * as ChunkCache from "../bytes/ChunkCache.ts"
import * as PrefetchSource from "../bytes/PrefetchSource.ts"
import type { BlobStore } from "../blobs/BlobStore.ts"
import * as Locate from "./Locate.ts"
import type * as Location from "./Location.ts"
import type { Failure, OpenedRepository, RepositoryOptions } from "./Location.ts"

/** A repository, and what is meant in it. */
export interface InRepository extends OpenedRepository {
  /** The folder of this machine that it is in, if it is. */
  readonly folder: string | undefined
  readonly reference: Reference.Reference
}

/** What an address means: something in a repository, or archives. */
export type Opened =
  | ({ readonly _tag: "InRepository" } & InRepository)
  | Location.Files
  | Location.Archive
  | Location.Archives

const openDatastore = (
  store: BlobStore,
  copies: ReadonlyArray<BlobStore>,
  others: ReadonlyArray<BlobStore>,
  options: RepositoryOptions & { readonly first: SnapshotId.GroupId | undefined },
  isFar: boolean,
) =>
  Effect.flatMap(
    Effect.promise(() => import("./OpenDatastore.ts")),
    (module) => module.open(store, copies, others, options, isFar),
  )

const openLooseIndex = (
  file: string,
  stores: ReadonlyArray<BlobStore>,
  options: RepositoryOptions,
): Effect.Effect<Opened, Failure, Scope.Scope> =>
  Effect.flatMap(
    Effect.promise(() => import("./OpenLooseIndex.ts")),
    (module) =>
      Effect.map(module.open(file, stores, options), (opened): Opened => ({ _tag: "InRepository", ...opened })),
  )

/** Opens what an address names. Archives are only located. */
export const open = Effect.fnUntraced(function* (
  text: string,
  options: RepositoryOptions,
): Effect.fn.Return<Opened, Failure, Scope.Scope> {
  const address = yield* Locate.parse(text, options)
  const located = yield* Locate.locate(address, options)
  const storesOf = (texts: ReadonlyArray<string> = []) => Effect.forEach(texts, (text) => Locate.store(text, options))
  if (located._tag === "Files" && options.chunks !== undefined && /\.[df]idx$/.test(located.path)) {
    const stores = yield* storesOf([...options.chunks, ...(options.also ?? [])])
    if (stores.length > 0) return yield* openLooseIndex(located.path, stores, options)
  }
  if (located._tag === "Files") return located
  if (located._tag === "Archive") {
    return { ...located, open: (payload) => Effect.flatMap(far(options), (ahead) => ahead(located.open(payload))) }
  }
  if (located._tag === "Datastore" && located.archiveIn !== undefined && address.reference === undefined) {
    const RemoteFolder = yield* Effect.promise(() => import("./RemoteFolder.ts"))
    const found = yield* RemoteFolder.archives(located.store, located.archiveIn)
    if (found !== undefined) {
      const ahead = yield* far(options)
      return { ...found, archives: found.archives.map(({ name, open }) => ({ name, open: ahead(open) })) }
    }
  }
  const copies = yield* storesOf(options.also)
  const others = yield* storesOf(options.chunks)
  const opened = yield* located._tag === "Backups"
    ? located.open(options, copies)
    : openDatastore(
        located.store,
        copies,
        others,
        { ...options, first: groupOf(address.reference) },
        located.folder === undefined,
      )
  return {
    _tag: "InRepository",
    ...opened,
    folder: located._tag === "Datastore" ? located.folder : undefined,
    reference: address.reference ?? Reference.whole,
  }
})

/** The group that a reference names. */
const groupOf = (reference: Reference.Reference | undefined): SnapshotId.GroupId | undefined =>
  reference?.type === undefined || reference.id === undefined
    ? undefined
    : { namespace: reference.namespace, type: reference.type, id: reference.id }

/** Makes archives to be read ahead, in pieces that are kept. */
const far = ({ chunkCache }: RepositoryOptions) =>
  Effect.map(ChunkCache.make(chunkCache, { isFar: true }), (cache) => {
    const ahead = ({ archive, payload }: ArchiveBytes): ArchiveBytes => ({
      archive: PrefetchSource.make(archive, cache),
      payload: payload._tag === "Absent" ? payload : { ...payload, source: PrefetchSource.make(payload.source, cache) },
    })
    return <E, R>(open: Effect.Effect<ArchiveBytes, E, R>) => Effect.map(open, ahead)
  })
