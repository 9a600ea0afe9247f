/**
 * What is open of a repository: backups, streams and blobs, each once and for as long as it is used, and a while longer.
 */
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as RcMap from "effect/RcMap"
import * as Result from "effect/Result"
import type * as Scope from "effect/Scope"
import type * as SnapshotFile from "../../domain/datastore/SnapshotFile.ts"
import * as SnapshotId from "../../domain/datastore/SnapshotId.ts"
import * as ArchiveError from "../archive/ArchiveError.ts"
import type { Read } from "../archive/ArchiveTree.ts"
import type { ArchiveBytes } from "../bytes/ArchiveBytes.ts"
import type { ChunkedSource } from "../chunks/ChunkedSource.ts"
import type { Repository, Snapshot } from "./Repository.ts"
import type { RepositoryError } from "./RepositoryError.ts"

/** What is open. */
export interface OpenedFiles {
  /** A backup, for as long as it is used. */
  readonly snapshot: <A>(
    id: SnapshotId.SnapshotId,
    use: (snapshot: Snapshot) => Effect.Effect<A, RepositoryError>,
  ) => Effect.Effect<A, RepositoryError>
  /** An archive, until the scope ends. */
  readonly archive: (
    id: SnapshotId.SnapshotId,
    file: SnapshotFile.Shown,
  ) => Effect.Effect<ArchiveBytes, ArchiveError.ArchiveError, Scope.Scope>
  /** A stream by its name in the manifest, for as long as it is used. */
  readonly stream: <A>(id: SnapshotId.SnapshotId, name: string, use: (source: ChunkedSource) => Read<A>) => Read<A>
  /** The content of a blob by its name in the manifest. */
  readonly blob: (id: SnapshotId.SnapshotId, name: string) => Read<Uint8Array>
}

/** An error of a repository, as one of what is read in it. */
export const toArchiveError = ({ detail, path }: RepositoryError): ArchiveError.ArchiveError =>
  ArchiveError.unavailable(path, detail)

/** Opens nothing yet. What is open is closed when it has not been used for `idle`, and with the scope. */
export const make = Effect.fnUntraced(function* (
  repository: Repository,
  idle: Duration.Input,
): Effect.fn.Return<OpenedFiles, never, Scope.Scope> {
  const idleTimeToLive = Duration.fromInputUnsafe(idle)
  const parse = (key: string) => Result.getOrThrow(SnapshotId.parse(key))
  const split = (key: string): readonly [snapshot: string, file: string] => {
    const slash = key.lastIndexOf("/")
    return [key.slice(0, slash), key.slice(slash + 1)]
  }
  const snapshots = yield* RcMap.make({
    idleTimeToLive,
    lookup: (key: string) =>
      Effect.tap(repository.snapshot(parse(key)), ({ warnings }) =>
        Effect.forEach(warnings, ({ message }) => Effect.logWarning(`${repository.name}/${key}: ${message}`)),
      ),
  })
  const snapshotAt = (key: string) =>
    // What has failed is tried again: it may have been pruned, finished or repaired meanwhile.
    Effect.tapError(RcMap.get(snapshots, key), () => RcMap.invalidate(snapshots, key))
  const streams = yield* RcMap.make({
    idleTimeToLive,
    lookup: (key: string) => {
      const [snapshot, file] = split(key)
      return Effect.flatMap(snapshotAt(snapshot), (found) => found.stream(file))
    },
  })
  const blobs = yield* RcMap.make({
    idleTimeToLive,
    lookup: (key: string) => {
      const [snapshot, file] = split(key)
      return Effect.flatMap(snapshotAt(snapshot), (found) => found.blob(file))
    },
  })
  const used = <A>(map: RcMap.RcMap<string, A, RepositoryError>, key: string) =>
    Effect.mapError(
      Effect.tapError(RcMap.get(map, key), () => RcMap.invalidate(map, key)),
      toArchiveError,
    )
  return {
    snapshot: <A>(id: SnapshotId.SnapshotId, use: (snapshot: Snapshot) => Effect.Effect<A, RepositoryError>) =>
      Effect.scoped(Effect.flatMap(snapshotAt(SnapshotId.format(id)), use)),
    archive: (id: SnapshotId.SnapshotId, file: SnapshotFile.Shown) =>
      Effect.mapError(
        Effect.flatMap(snapshotAt(SnapshotId.format(id)), (snapshot) => snapshot.archive(file)),
        toArchiveError,
      ),
    stream: <A>(id: SnapshotId.SnapshotId, name: string, use: (source: ChunkedSource) => Read<A>): Read<A> =>
      Effect.scoped(Effect.flatMap(used(streams, `${SnapshotId.format(id)}/${name}`), use)),
    blob: (id: SnapshotId.SnapshotId, name: string): Read<Uint8Array> =>
      Effect.scoped(used(blobs, `${SnapshotId.format(id)}/${name}`)),
  }
})
