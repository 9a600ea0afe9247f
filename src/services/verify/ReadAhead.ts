/**
 * Manifests and indexes of backups, read a few backups ahead of whoever goes through all of them: far away nobody waits for
 * each of them.
 */
import * as Effect from "effect/Effect"
import type * as Result from "effect/Result"
import * as Stream from "effect/Stream"
import type { SnapshotId } from "../../domain/datastore/SnapshotId.ts"
import type { Repository, Snapshot, StreamIndex } from "../repository/Repository.ts"
import type { RepositoryError } from "../repository/RepositoryError.ts"

/** A backup that was read; its indexes are at hand. */
export interface Backup {
  readonly id: SnapshotId
  readonly read: Result.Result<Snapshot, RepositoryError>
}

/** Backups read at once, and indexes of each: of a large disk an index has 10 MB. */
const BACKUPS = 4
const INDEXES = 4

/** The backups in their order. */
export const backups = <E>(repository: Repository, ids: Stream.Stream<SnapshotId, E>): Stream.Stream<Backup, E> =>
  Stream.mapEffect(ids, (id) => Effect.map(Effect.result(read(repository, id)), (read) => ({ id, read })), {
    concurrency: BACKUPS,
  })

const read = Effect.fnUntraced(function* (
  repository: Repository,
  id: SnapshotId,
): Effect.fn.Return<Snapshot, RepositoryError> {
  const snapshot = yield* repository.snapshot(id)
  const indexes = new Map<string, Result.Result<StreamIndex, RepositoryError>>()
  yield* Effect.forEach(
    snapshot.manifest.files.filter(({ storage }) => storage !== undefined && storage !== "blob"),
    ({ name }) => Effect.map(Effect.result(snapshot.index(name)), (index) => indexes.set(name, index)),
    { concurrency: INDEXES, discard: true },
  )
  return {
    ...snapshot,
    index: (name) => {
      const known = indexes.get(name)
      return known === undefined ? snapshot.index(name) : Effect.fromResult(known)
    },
  }
})
