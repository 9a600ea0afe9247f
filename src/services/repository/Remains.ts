/**
 * What is left of a datastore that is no whole: chunks without backups, or backups without chunks.
 */
import * as Effect from "effect/Effect"
import * as SnapshotId from "../../domain/datastore/SnapshotId.ts"
import type { BlobError, BlobStore } from "../blobs/BlobStore.ts"

/** Chunks, as far as they were counted. */
export interface Chunks {
  /** Folders of chunks: up to 65,536. */
  readonly folders: number
  /** Chunks in all of them; estimated from some if there are many. */
  readonly chunks: number
}

/** Folders that are looked into. */
const SAMPLE = 64

const isChunk = (name: string): boolean => /^[0-9a-f]{64}$/.test(name)

const listed = (store: BlobStore, folder: string) =>
  Effect.catch(store.list(folder), (error) => (error.reason === "NotFound" ? Effect.succeed([]) : Effect.fail(error)))

/** Counts the chunks of a store. */
export const chunks = Effect.fnUntraced(function* (store: BlobStore): Effect.fn.Return<Chunks, BlobError> {
  const folders = (yield* listed(store, ".chunks")).filter(({ kind }) => kind === "folder")
  const step = Math.max(1, Math.floor(folders.length / SAMPLE))
  const sample = folders.filter((_, at) => at % step === 0)
  let found = 0
  for (const { name } of sample) {
    found += (yield* listed(store, `.chunks/${name}`)).filter((item) => isChunk(item.name)).length
  }
  return {
    folders: folders.length,
    chunks: sample.length === 0 ? 0 : Math.round((found * folders.length) / sample.length),
  }
})

/** Whether there are backups: the folder of a time in a group, in a namespace or in none. */
export const hasBackups = Effect.fnUntraced(function* (store: BlobStore): Effect.fn.Return<boolean, BlobError> {
  const here = yield* listed(store, "")
  for (const { kind, name } of here) {
    if (kind !== "folder") continue
    if (name === "ns") {
      const namespaces = (yield* listed(store, "ns")).map((item) => `ns/${item.name}`)
      for (const namespace of namespaces) {
        const types = (yield* listed(store, namespace)).filter((item) => SnapshotId.isType(item.name))
        for (const type of types) if (yield* hasTimes(store, `${namespace}/${type.name}`)) return true
      }
    }
    if (SnapshotId.isType(name) && (yield* hasTimes(store, name))) return true
  }
  return false
})

const hasTimes = Effect.fnUntraced(function* (store: BlobStore, type: string): Effect.fn.Return<boolean, BlobError> {
  for (const group of yield* listed(store, type)) {
    if (group.kind !== "folder") continue
    if ((yield* listed(store, `${type}/${group.name}`)).some(({ name }) => SnapshotId.isTime(name))) return true
  }
  return false
})
