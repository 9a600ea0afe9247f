/**
 * How the backups of a group grow, and what they share (see `Stats`): read from their indexes, without any chunk or key.
 */
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import type { GroupStatsJson } from "../domain/json/WebJson.ts"
import * as Stats from "../services/history/Stats.ts"
import * as WalkRepository from "../services/repository/WalkRepository.ts"
import * as ApiError from "./api/ApiError.ts"
import * as Served from "./Served.ts"

/** Of the group whose folder is at a path. */
export const of = Effect.fnUntraced(function* (
  served: Served.Served,
  path: string,
): Effect.fn.Return<GroupStatsJson, ApiError.ApiError> {
  const notThere = new ApiError.NotFound({ id: "PXF-PATH-NOT-FOUND", message: `${path}: not a group of backups` })
  if (served.backups === undefined) return yield* notThere
  const { repository, root } = served.backups
  const [group] = yield* WalkRepository.groups(repository, { within: root }).pipe(
    Stream.filter((group) => Served.pathOf(root, group) === path),
    Stream.take(1),
    Stream.runCollect,
    ApiError.orAnswer,
  )
  if (group === undefined) return yield* notThere
  const { chunks, distinct, size, snapshots, unreadable } = yield* ApiError.orAnswer(
    Stats.collect(repository, { within: { ...group, time: root.time } }),
  )
  return {
    size,
    distinct,
    chunks,
    unreadable: unreadable.length,
    backups: snapshots.map(({ added, id, only, size }) => ({
      path: Served.pathOf(root, id),
      time: id.time,
      size,
      added,
      only,
    })),
  }
})
