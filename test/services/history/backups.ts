/** Backups of folders that change, made up, and what is in each of them: the model that answers are compared with. */
import { Effect, Result } from "effect"
import * as DynamicIndex from "../../../src/domain/datastore/DynamicIndex.ts"
import * as ChunkStore from "../../../src/services/chunks/ChunkStore.ts"
import type { SnapshotId } from "../../../src/domain/datastore/SnapshotId.ts"
import * as BlobStore from "../../../src/services/blobs/BlobStore.ts"
import * as BlobStoreWrappers from "../../../src/services/blobs/BlobStoreWrappers.ts"
import * as MemoryArchive from "../../../src/testing/MemoryArchive.ts"
import * as BackupMaker from "../../support/BackupMaker.ts"
import { make as makeRandom, type Random } from "../../support/Random.ts"
import * as stores from "../repository/stores.ts"

/** A file of the model. */
export interface File {
  readonly content: Uint8Array
  /** Seconds since the epoch. */
  readonly mtime: number
}

/** The files of a backup by their paths, `/a` or `/d/a`. */
export type Files = ReadonlyMap<string, File>

export interface Backup {
  readonly id: SnapshotId
  readonly files: Files
}

const NAMES = ["alpha", "beta", "gamma.txt", "delta", "d/alpha", "d/letter.txt", "d/e/deep", "zeta"]

const bytes = (random: Random, length: number): Uint8Array => Uint8Array.from({ length }, () => random.below(256))

/** Somebody worked on it: a file is new, changed, touched or gone; or nothing was done. */
const worked = (random: Random, before: Files, time: number): Files => {
  const files = new Map(before)
  for (let step = random.below(3); step > 0; step--) {
    const path = `/${NAMES[random.below(NAMES.length)] as string}`
    const file = files.get(path)
    if (file === undefined) files.set(path, { content: bytes(random, random.below(3000)), mtime: time })
    else if (random.below(3) === 0) files.delete(path)
    else if (random.below(2) === 0) files.set(path, { content: file.content, mtime: time })
    else files.set(path, { content: bytes(random, random.below(3000)), mtime: time })
  }
  return files
}

/** What metadata does not show: a file that is moved, or written anew with its size and time as they were. */
const workedUnseen = (random: Random, before: Files): Files => {
  const files = new Map(before)
  const [path, file] = [...files][random.below(files.size)] ?? []
  if (path === undefined || file === undefined) return files
  const other = `/${NAMES[random.below(NAMES.length)] as string}`
  if (random.below(2) === 0) files.set(path, { content: bytes(random, file.content.length), mtime: file.mtime })
  else if (other !== path) {
    files.delete(path)
    files.set(other, file)
  }
  return files
}

interface Folder {
  [name: string]: MemoryArchive.Node
}

const treeOf = (files: Files): MemoryArchive.Tree => {
  const root: Folder = {}
  for (const [path, { content, mtime }] of [...files].toSorted(([a], [b]) => (a < b ? -1 : 1))) {
    const names = path.slice(1).split("/")
    let folder = root
    for (const name of names.slice(0, -1)) folder = (folder[name] ??= {}) as Folder
    folder[names.at(-1) as string] = MemoryArchive.file(content, { mtime: new Date(mtime * 1000) })
  }
  return root
}

/** Names of the chunks of all streams whose names end so. */
const chunksOf = (blobs: ReadonlyMap<string, Uint8Array>, end: string): ReadonlyArray<string> =>
  [...blobs].flatMap(([name, bytes]) => {
    if (!name.endsWith(end)) return []
    const index = Result.getOrThrow(DynamicIndex.parse(bytes))
    return Array.from({ length: index.count }, (_, chunk) => ChunkStore.chunkPath(index.digest(chunk)))
  })

/** Backups of one host, day by day, and a repository with them. What is read of it is counted. */
export const make = Effect.fnUntraced(function* (
  seed: number,
  { days = 6, split = seed % 2 === 0, unseen = false } = {},
) {
  const random = makeRandom(seed)
  const blobs = new Map<string, Uint8Array>()
  const backups: Array<Backup> = []
  let files: Files = new Map()
  for (let day = 1; day <= days; day++) {
    const id: SnapshotId = { namespace: [], type: "host", id: "elsa", time: `2024-01-0${day}T00:00:00Z` }
    files = worked(random, files, Date.parse(id.time) / 1000)
    if (unseen) files = workedUnseen(random, files)
    const tree = treeOf(files)
    const parts = split ? yield* MemoryArchive.splitBytes(tree) : { archive: yield* MemoryArchive.bytes(tree) }
    const stored =
      "payload" in parts
        ? { "root.mpxar.didx": parts.archive, "root.ppxar.didx": parts.payload }
        : { "root.pxar.didx": parts.archive }
    yield* BackupMaker.make((name, made) => void blobs.set(name, made), { id, files: stored, chunkSize: 512 })
    backups.push({ id, files })
  }
  const { counts, store } = BlobStoreWrappers.counting(BlobStore.fromMap(blobs))
  /** Names of chunks that payloads alone have. */
  const payloadChunks = new Set(chunksOf(blobs, ".ppxar.didx"))
  for (const name of chunksOf(blobs, ".mpxar.didx")) payloadChunks.delete(name)
  return { backups, repository: yield* stores.over(store), counts, blobs, payloadChunks }
})
