/**
 * How large backups are, what they share, and how they grow. Only indexes are read: no chunk, and no key is needed.
 *
 * Sizes are those of chunks as they are decoded. Two passes over all indexes: in the first it is found out who has a chunk,
 * in the second what that means for each backup.
 */
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import type { SnapshotId } from "../../domain/datastore/SnapshotId.ts"
import type { Repository, StreamIndex } from "../repository/Repository.ts"
import type { RepositoryError } from "../repository/RepositoryError.ts"
import * as WalkRepository from "../repository/WalkRepository.ts"
import { DigestTable } from "./DigestTable.ts"

/** A backup in numbers: bytes. */
export interface SnapshotStats {
  readonly id: SnapshotId
  /** All archives and images. */
  readonly size: number
  /** Chunks that no backup before it has, by time. */
  readonly added: number
  /** Chunks that no other backup has: what removing it would free. */
  readonly only: number
}

/** All of them. */
export interface Stats {
  /** The oldest first. */
  readonly snapshots: ReadonlyArray<SnapshotStats>
  readonly unreadable: ReadonlyArray<{ readonly id: SnapshotId; readonly error: RepositoryError }>
  /** Sum of the sizes. */
  readonly size: number
  /** Bytes of all chunks, each counted once. */
  readonly distinct: number
  readonly chunks: number
}

/** Shared by several backups. Others have the number of their backup, from 1. */
const SHARED = -1

/** Backups whose indexes are read at once. */
const AT_ONCE = 4

/** Reads the indexes of all backups that are meant. `onProgress` hears how many of how many are done. */
export const collect = Effect.fnUntraced(function* (
  repository: Repository,
  options: WalkRepository.Options,
  onProgress: (done: number, all: number) => void = () => {},
): Effect.fn.Return<Stats, RepositoryError> {
  const ids = (yield* Stream.runCollect(WalkRepository.snapshots(repository, options))).toSorted((a, b) =>
    a.time < b.time ? -1 : a.time > b.time ? 1 : 0,
  )
  const table = new DigestTable()
  const unreadable: Array<{ id: SnapshotId; error: RepositoryError }> = []
  const found: Array<{ id: SnapshotId; size: number; added: number; number: number }> = []
  let done = 0
  let distinct = 0

  const each = (use: (id: SnapshotId, number: number, indexes: ReadonlyArray<StreamIndex>) => void, isFirst: boolean) =>
    Stream.fromIterable(ids.entries()).pipe(
      Stream.mapEffect(
        ([at, id]) => Effect.map(Effect.result(indexesOf(repository, id)), (read) => ({ at, id, read })),
        { concurrency: AT_ONCE },
      ),
      Stream.runForEach(({ at, id, read }) =>
        Effect.sync(() => {
          onProgress(++done, 2 * ids.length)
          if (read._tag === "Success") use(id, at + 1, read.success)
          else if (isFirst && read.failure.check !== "SnapshotUnfinished") unreadable.push({ id, error: read.failure })
        }),
      ),
    )

  yield* each((id, number, indexes) => {
    let size = 0
    let added = 0
    for (const { index } of indexes) {
      size += index.size
      for (let chunk = 0; chunk < index.count; chunk++) {
        const at = table.at(index.digest(chunk))
        const owner = table.getFirst(at)
        if (owner === 0) {
          const length = index.end(chunk) - index.start(chunk)
          table.setFirst(at, number)
          table.setSecond(at, length)
          added += length
        } else if (owner !== number) table.setFirst(at, SHARED)
      }
    }
    distinct += added
    found.push({ id, size, added, number })
  }, true)

  const only = new Map<number, number>()
  yield* each((_, number, indexes) => {
    let sum = 0
    for (const { index } of indexes) {
      for (let chunk = 0; chunk < index.count; chunk++) {
        const at = table.at(index.digest(chunk))
        if (table.getFirst(at) !== number) continue
        sum += table.getSecond(at)
        // Counted: a chunk may be in a backup twice.
        table.setFirst(at, SHARED)
      }
    }
    only.set(number, sum)
  }, false)

  const snapshots = found.map(({ added, id, number, size }) => ({ id, size, added, only: only.get(number) ?? 0 }))
  return {
    snapshots,
    unreadable,
    size: snapshots.reduce((sum, { size }) => sum + size, 0),
    distinct,
    chunks: table.count,
  }
})

/** The indexes of a backup, of all archives and images with their payloads. */
const indexesOf = Effect.fnUntraced(function* (
  repository: Repository,
  id: SnapshotId,
): Effect.fn.Return<ReadonlyArray<StreamIndex>, RepositoryError> {
  const snapshot = yield* repository.snapshot(id)
  const names = snapshot.files.flatMap(({ kind, name, payload }) =>
    kind === "blob" ? [] : [name, ...(payload === undefined ? [] : [payload])],
  )
  return yield* Effect.forEach(names, (name) => snapshot.index(name))
})
