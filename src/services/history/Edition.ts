/**
 * The archives of many backups, each state of one once: backups of what has not changed share an archive, to the last byte,
 * and their manifests tell so.
 */
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import * as Digest from "../../domain/datastore/Digest.ts"
import type * as Filter from "../../domain/datastore/Filter.ts"
import type { Reference } from "../../domain/datastore/Reference.ts"
import type * as SnapshotFile from "../../domain/datastore/SnapshotFile.ts"
import type { GroupId, SnapshotId } from "../../domain/datastore/SnapshotId.ts"
import type { ArchiveError } from "../archive/ArchiveError.ts"
import * as ArchiveReader from "../archive/ArchiveReader.ts"
import type { Repository, Snapshot } from "../repository/Repository.ts"
import type { RepositoryError } from "../repository/RepositoryError.ts"
import * as WalkRepository from "../repository/WalkRepository.ts"
import type { Streams } from "./ContentChunks.ts"

/** A state of an archive, and the backups that have it. */
export interface Edition {
  /** Checksums of its indexes, in hexadecimal: the same for the same bytes. */
  readonly checksum: string
  readonly file: SnapshotFile.Shown
  /** The oldest backup that has it. */
  readonly snapshot: Snapshot
  /** All of them, the oldest first. */
  readonly snapshots: ReadonlyArray<SnapshotId>
}

/** The states of one archive of a group. */
export interface Series {
  readonly group: GroupId
  /** Name of the archive as people call it. */
  readonly archive: string
  /** In the order of their oldest backups. */
  readonly editions: ReadonlyArray<Edition>
  /** All finished backups of the group, the oldest first. */
  readonly snapshots: ReadonlyArray<SnapshotId>
}

/** A backup that cannot be read. */
export interface Unreadable {
  readonly id: SnapshotId
  readonly error: RepositoryError
}

/** The archives of a group, and what of it cannot be read. Unfinished backups are neither. */
export interface GroupArchives {
  readonly series: ReadonlyArray<Series>
  readonly unreadable: ReadonlyArray<Unreadable>
}

/** Which backups and archives. */
export interface Options {
  readonly within?: Pick<Reference, "namespace" | "type" | "id" | "time"> | undefined
  readonly filters?: ReadonlyArray<Filter.Filter> | undefined
  /** Name of the archive; all unless given. */
  readonly archive?: string | undefined
}

/** Manifests that are read at once: small, and often far away. */
const AT_ONCE = 32

/** The archives, group by group. Memory grows with the backups of one group. */
export const groups = (repository: Repository, options: Options = {}): Stream.Stream<GroupArchives, RepositoryError> =>
  Stream.mapEffect(WalkRepository.groups(repository, options), (group) => ofGroup(repository, group, options))

/** The archives of one group. */
export const ofGroup = Effect.fnUntraced(function* (
  repository: Repository,
  group: GroupId,
  options: Options = {},
): Effect.fn.Return<GroupArchives, RepositoryError> {
  const ids = yield* Stream.runCollect(WalkRepository.ofGroup(repository, group, options))
  const read = yield* Effect.forEach(ids, (id) => Effect.result(repository.snapshot(id)), { concurrency: AT_ONCE })
  const unreadable: Array<Unreadable> = []
  const finished: Array<SnapshotId> = []
  const archives = new Map<string, Map<string, { edition: Edition; snapshots: Array<SnapshotId> }>>()
  for (const [at, result] of read.entries()) {
    const id = ids[at] as SnapshotId
    if (result._tag === "Failure") {
      if (result.failure.check !== "SnapshotUnfinished") unreadable.push({ id, error: result.failure })
      continue
    }
    const snapshot = result.success
    finished.push(id)
    for (const file of snapshot.files) {
      if (file.kind !== "archive" || (options.archive !== undefined && file.shown !== options.archive)) continue
      const checksum = checksumOf(snapshot, file)
      const editions = archives.get(file.shown) ?? new Map()
      archives.set(file.shown, editions)
      const known = editions.get(checksum)
      if (known !== undefined) known.snapshots.push(id)
      else {
        const snapshots = [id]
        editions.set(checksum, { edition: { checksum, file, snapshot, snapshots }, snapshots })
      }
    }
  }
  const series = [...archives].map(([archive, editions]) => ({
    group,
    archive,
    editions: [...editions.values()].map(({ edition }) => edition),
    snapshots: finished,
  }))
  return { series, unreadable }
})

const checksumOf = (snapshot: Snapshot, { name, payload }: SnapshotFile.Shown): string =>
  [name, payload]
    .flatMap((stored) => (stored === undefined ? [] : (snapshot.file(stored)?.checksum ?? [])))
    .map((checksum) => Digest.toHex(checksum as Uint8Array))
    .join("-")

/** An archive of a backup that is open. */
export interface Opened {
  readonly reader: ArchiveReader.ArchiveReader
  readonly streams: Streams
}

/** Opens an edition. Nothing of its payload is read for that, nor by whoever lists it. */
export const open = Effect.fnUntraced(function* (
  { file, snapshot }: Pick<Edition, "file" | "snapshot">,
  options?: Partial<ArchiveReader.Options>,
): Effect.fn.Return<Opened, ArchiveError | RepositoryError, Scope.Scope> {
  const bytes = yield* snapshot.archive(file)
  const reader = yield* ArchiveReader.make(bytes.archive, bytes.payload, { contents: "read", ...options })
  return { reader, streams: yield* streams(snapshot, file) }
})

/** The indexes of an archive. No key is needed. What keeps contents from being read is no reason to fail. */
export const streams = Effect.fnUntraced(function* (
  snapshot: Snapshot,
  { name, payload }: SnapshotFile.Shown,
): Effect.fn.Return<Streams, RepositoryError> {
  const { index: archive } = yield* snapshot.index(name)
  const contents = payload === undefined ? undefined : yield* Effect.option(snapshot.index(payload))
  return { archive, payload: contents?._tag === "Some" ? contents.value.index : undefined }
})
