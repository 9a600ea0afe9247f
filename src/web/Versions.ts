/**
 * A path in each backup of its group: time as its own dimension. Of what is in archives the versions are those of
 * `pxar-fuse versions`, by the index where there is one; of anything else the tree tells.
 */
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import type { BackupJson, RowJson, VersionJson } from "../domain/json/WebJson.ts"
import * as Bytes from "../domain/Bytes.ts"
import type * as SnapshotId from "../domain/datastore/SnapshotId.ts"
import * as PathText from "../domain/PathText.ts"
import type * as Reference from "../domain/datastore/Reference.ts"
import * as Edition from "../services/history/Edition.ts"
import * as History from "../services/history/Versions.ts"
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

/** The versions of a path, the oldest first: what it is in each backup. */
export const of = Effect.fnUntraced(function* (
  served: Served.Served,
  path: string,
): Effect.fn.Return<ReadonlyArray<VersionJson>, ApiError.ApiError> {
  if (served.backups === undefined) return []
  const { repository, root } = served.backups
  const reference = Served.referenceOf(root, path)
  const { archive, id, namespace, time, type } = reference ?? {}
  if (namespace === undefined || type === undefined || id === undefined) return []
  const group = { namespace, type, id }
  const ids = yield* ApiError.orAnswer(Stream.runCollect(WalkRepository.ofGroup(repository, group, { within: root })))
  const own = ids.find((each) => each.time === time)
  if (own === undefined || reference === undefined) return []
  const within = path.slice(Served.pathOf(root, own).length)
  const places = ids.map((each): Place => {
    const backup = Served.pathOf(root, each)
    return { backup, time: each.time, path: `${backup}${within}` }
  })
  if (archive !== undefined) {
    const found = yield* ApiError.orAnswer(Edition.ofGroup(repository, group, { within: root, archive }))
    const [series] = found.series
    if (series !== undefined) return yield* inArchives(served.backups, { ...found, series }, reference.path, places)
  }
  return yield* inTree(served, places)
})

/** Where a path is in a backup. */
type Place = Pick<VersionJson, "backup" | "path" | "time">

/** The versions of a path in archives. */
const inArchives = Effect.fnUntraced(function* (
  { index }: Served.Backups,
  { series, unreadable }: Pick<Edition.GroupArchives, "unreadable"> & { readonly series: Edition.Series },
  path: Uint8Array,
  places: ReadonlyArray<Place>,
): Effect.fn.Return<ReadonlyArray<VersionJson>> {
  const found = yield* History.of(series, path, { index: yield* index })
  const states = new Map<string, Omit<VersionJson, keyof Place>>()
  for (const { error, id } of unreadable) states.set(id.time, { state: "unreadable", problem: error.message })
  for (const { edition, error } of found.unreadable) {
    for (const { time } of edition.snapshots) states.set(time, { state: "unreadable", problem: error.message })
  }
  for (const { content, entry, path, snapshots } of found.versions) {
    const name = path.length > 1 ? path.subarray(path.lastIndexOf(SLASH) + 1) : Bytes.fromText(series.archive)
    const row = Rows.fromFound({ entry, name })
    for (const [at, { time }] of snapshots.entries()) {
      if (at > 0) states.set(time, { state: "same", row })
      else states.set(time, content === "first" ? { state: "first", row } : { state: "changed", content, row })
    }
  }
  return places.map((place): VersionJson => ({ ...place, ...(states.get(place.time) ?? { state: "absent" }) }))
})

const SLASH = 0x2f

/** The versions of what is in no archive, by what can be seen of it. */
const inTree = Effect.fnUntraced(function* (
  { archive }: Served.Served,
  places: ReadonlyArray<Place>,
): Effect.fn.Return<ReadonlyArray<VersionJson>> {
  let last: RowJson | undefined
  const versions: Array<VersionJson> = []
  for (const place of places) {
    const found = yield* Effect.result(archive.find(PathText.parse(place.path)))
    if (found._tag === "Success") {
      const row = Rows.fromFound(found.success)
      const state = last === undefined ? "first" : Rows.isSame(last, row) ? "same" : "changed"
      last = row
      versions.push({ ...place, state, row })
    } else if (found.failure._tag === "PathError") {
      last = undefined
      versions.push({ ...place, state: "absent" })
    } else {
      versions.push({ ...place, state: "unreadable", problem: found.failure.message })
    }
    yield* Effect.yieldNow
  }
  return versions
})
