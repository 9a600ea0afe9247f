/**
 * A path in each backup of its group: time as its own dimension.
 *
 * Two versions are told apart by what the archive says of them (kind, size, time, owner, mode), not by their contents.
 */
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import type { BackupJson, RowJson, VersionJson } from "../domain/json/WebJson.ts"
import type * as SnapshotId from "../domain/datastore/SnapshotId.ts"
import * as PathText from "../domain/PathText.ts"
import type * as Reference from "../domain/datastore/Reference.ts"
import * as SnapshotDetails from "../services/repository/SnapshotDetails.ts"
import * as WalkRepository from "../services/repository/WalkRepository.ts"
import type { Repository } from "../services/repository/Repository.ts"
import * as ApiError from "./api/ApiError.ts"
import * as Rows from "./Rows.ts"
import * as Served from "./Served.ts"

/** Most backups that are told of at once. */
const MAX_BACKUPS = 20_000

/** The backups of a repository; of a group of it, if one is named. */
export const backups = Effect.fnUntraced(function* (
  served: Served.Served,
  { details, group }: { readonly details: boolean; readonly group: string | undefined },
): Effect.fn.Return<ReadonlyArray<BackupJson>, ApiError.ApiError> {
  if (served.backups === undefined) return []
  const { repository, root } = served.backups
  const found = yield* WalkRepository.snapshots(repository, { within: root }).pipe(
    Stream.filter((id) => group === undefined || groupOf(root, id) === group),
    Stream.take(MAX_BACKUPS),
    Stream.runCollect,
    ApiError.orAnswer,
  )
  return yield* Effect.forEach(found, (id) =>
    Effect.map(details ? detailsOf(repository, id) : Effect.undefined, (details) => ({
      path: Served.pathOf(root, id),
      group: groupOf(root, id),
      time: id.time,
      ...(details && { details }),
    })),
  )
})

/** The folder of a group; the root if that is the backup itself. */
const groupOf = (root: Reference.Reference, { id, namespace, type }: SnapshotId.GroupId): string =>
  root.time === undefined ? Served.pathOf(root, { namespace, type, id }) : "/"

const detailsOf = (repository: Repository, id: SnapshotId.SnapshotId) =>
  Effect.gen(function* () {
    const group = yield* Effect.orElseSucceed(repository.group(id), () => ({ owner: undefined, notes: undefined }))
    const read = yield* Effect.result(repository.snapshot(id))
    return SnapshotDetails.make(
      id,
      group,
      read._tag === "Success" ? read.success : undefined,
      read._tag === "Failure" ? read.failure : undefined,
    )
  })

/** The versions of a path, the oldest first. */
export const of = Effect.fnUntraced(function* (
  served: Served.Served,
  path: string,
): Effect.fn.Return<ReadonlyArray<VersionJson>, ApiError.ApiError> {
  const all = yield* backups(served, { details: false, group: undefined })
  const own = all.find((backup) => path === backup.path || path.startsWith(`${backup.path}/`))
  if (own === undefined) return []
  const within = path.slice(own.path.length)
  let last: RowJson | undefined
  const versions: Array<VersionJson> = []
  for (const backup of all.filter(({ group }) => group === own.group)) {
    const there = `${backup.path}${within}`
    const found = yield* Effect.result(served.archive.find(PathText.parse(there)))
    const common = { backup: backup.path, time: backup.time, path: there }
    if (found._tag === "Success") {
      const row = Rows.fromFound(found.success)
      const state = last === undefined ? "first" : Rows.isSame(last, row) ? "same" : "changed"
      last = row
      versions.push({ ...common, state, row })
    } else if (found.failure._tag === "PathError") {
      last = undefined
      versions.push({ ...common, state: "absent" })
    } else {
      versions.push({ ...common, state: "unreadable", problem: found.failure.message })
    }
    yield* Effect.yieldNow
  }
  return versions
})
