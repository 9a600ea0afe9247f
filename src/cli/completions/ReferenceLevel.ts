/**
 * One level of a repository, as it can be typed in a reference: `[ns/NAME/...]TYPE/ID/TIME/ARCHIVE`.
 */
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import { isType } from "../../domain/datastore/SnapshotId.ts"
import { LATEST } from "../../domain/datastore/Reference.ts"
import type { Repository } from "../../services/repository/Repository.ts"
import type { RepositoryError } from "../../services/repository/RepositoryError.ts"
import * as WalkRepository from "../../services/repository/WalkRepository.ts"

/** What can stand behind `level`, which is empty or ends with a slash; a slash is behind what goes on. */
export const names = Effect.fnUntraced(function* (
  repository: Repository,
  level: string,
): Effect.fn.Return<ReadonlyArray<string>, RepositoryError> {
  const parts = level.split("/").slice(0, -1)
  const namespace: Array<string> = []
  while (parts[0] === "ns" && parts.length > 1) namespace.push(...parts.splice(0, 2).slice(1))
  const [type, id, time, ...more] = parts
  if (type === "ns") return (yield* repository.namespaces(namespace)).map((found) => `${found.at(-1)}/`)
  if (type === undefined) {
    const groups = yield* repository.groups(namespace)
    const types = [...new Set(groups.map((group) => `${group.type}/`))]
    return (yield* repository.namespaces(namespace)).length > 0 ? [...types, "ns/"] : types
  }
  if (!isType(type) || more.length > 0) return []
  if (id === undefined) {
    return (yield* repository.groups(namespace)).filter((group) => group.type === type).map((group) => `${group.id}/`)
  }
  const group = { namespace, type, id }
  if (time === undefined) {
    const snapshots = yield* repository.snapshots(group)
    return snapshots.length === 0 ? [] : [...snapshots.map((snapshot) => `${snapshot.time}/`), `${LATEST}/`]
  }
  const within = { ...group, time }
  const found = (yield* Stream.runCollect(WalkRepository.ofGroup(repository, group, { within }))).at(-1)
  if (found === undefined || !(yield* repository.isFinished(found))) return []
  return (yield* repository.snapshot(found)).files.map(({ shown }) => shown)
})
