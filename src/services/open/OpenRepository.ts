/**
 * Opens the repository that an address is of.
 */
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import * as Reference from "../../domain/datastore/Reference.ts"
import type { BlobStore } from "../repository/BlobStore.ts"
import * as ChunkStore from "../repository/ChunkStore.ts"
import * as DatastoreRepository from "../repository/DatastoreRepository.ts"
import * as FarPlace from "./FarPlace.ts"
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
export type Opened = ({ readonly _tag: "InRepository" } & InRepository) | Location.Files | Location.Archive

/** Opens what an address names. Archives are only located. */
export const open = Effect.fnUntraced(function* (
  text: string,
  options: RepositoryOptions,
): Effect.fn.Return<Opened, Failure, Scope.Scope> {
  const address = yield* Locate.parse(text, options)
  const located = yield* Locate.locate(address, options)
  if (located._tag === "Files" || located._tag === "Archive") return located
  const copies = yield* Effect.forEach(options.also ?? [], (text) => Locate.store(text, options))
  const opened = yield* located._tag === "Backups"
    ? located.open(options, copies)
    : inDatastore(located.store, copies, options, located.folder === undefined)
  return {
    _tag: "InRepository",
    ...opened,
    folder: located._tag === "Datastore" ? located.folder : undefined,
    reference: address.reference ?? Reference.whole,
  }
})

/** The repository in a datastore. */
const inDatastore = Effect.fnUntraced(function* (
  store: BlobStore,
  copies: ReadonlyArray<BlobStore>,
  options: RepositoryOptions,
  isFar: boolean,
): Effect.fn.Return<OpenedRepository, Failure, Scope.Scope> {
  const { cache, over } = yield* FarPlace.make(options, isFar)
  const { onHealed, verifyChunks: verify } = options
  const chunks = ChunkStore.make({ stores: [over(store), ...copies.map(over)], cache, verify, onHealed })
  return {
    cache,
    repository: yield* DatastoreRepository.open(store, { ...options, keys: yield* options.keys, chunks, copies }),
  }
})
