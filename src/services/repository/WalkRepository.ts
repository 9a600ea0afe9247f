/**
 * The backups of a repository, one after the other: namespaces within namespaces, groups by type and name, the oldest
 * backup first.
 */
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import * as Filter from "../../domain/datastore/Filter.ts"
import * as Namespace from "../../domain/datastore/Namespace.ts"
import { LATEST, type Reference } from "../../domain/datastore/Reference.ts"
import type { GroupId, SnapshotId } from "../../domain/datastore/SnapshotId.ts"
import type { Repository } from "./Repository.ts"
import type { RepositoryError } from "./RepositoryError.ts"

/** Which backups. */
export interface Options {
  /** Where to begin: in a namespace, type or group, with a time or the beginning of one. */
  readonly within?: Pick<Reference, "namespace" | "type" | "id" | "time"> | undefined
  /** Those that any of these means; all if there is none. */
  readonly filters?: ReadonlyArray<Filter.Filter> | undefined
}

/** The groups, one after the other. */
export const groups = (repository: Repository, { within }: Options = {}): Stream.Stream<GroupId, RepositoryError> =>
  Stream.flatMap(namespacesOf(repository, within), (namespace) =>
    Stream.fromIterableEffect(
      Effect.map(repository.groups(namespace), (found) =>
        found.filter(
          ({ id, type }) =>
            (within?.type === undefined || within.type === type) && (within?.id === undefined || within.id === id),
        ),
      ),
    ),
  )

/** The backups, one after the other. */
export const snapshots = (repository: Repository, options: Options = {}): Stream.Stream<SnapshotId, RepositoryError> =>
  Stream.flatMap(groups(repository, options), (group) => ofGroup(repository, group, options))

/** The backups of a group that are meant. */
export const ofGroup = (
  repository: Repository,
  group: GroupId,
  { filters = [], within }: Options = {},
): Stream.Stream<SnapshotId, RepositoryError> =>
  Stream.fromIterableEffect(
    Effect.gen(function* () {
      const found = yield* repository.snapshots(group)
      const time = within?.time
      const meant =
        time === LATEST
          ? yield* newest(repository, found)
          : found.filter((id) => time === undefined || id.time.startsWith(time))
      const [latest] = filters.some(Filter.wantsLatest) ? yield* newest(repository, found) : []
      return meant.filter((id) => Filter.matchesAny(filters, id, id === latest))
    }),
  )

/** The newest finished backup, if there is one. */
const newest = Effect.fnUntraced(function* (
  repository: Repository,
  found: ReadonlyArray<SnapshotId>,
): Effect.fn.Return<ReadonlyArray<SnapshotId>, RepositoryError> {
  for (const id of found.toReversed()) if (yield* repository.isFinished(id)) return [id]
  return []
})

/** A type is of one namespace, as in a path; without one, all namespaces below are meant. */
const namespacesOf = (repository: Repository, within: Options["within"]) => {
  const at = within?.namespace ?? Namespace.root
  return within?.type === undefined ? namespaces(repository, at) : Stream.succeed(at)
}

const namespaces = (
  repository: Repository,
  at: Namespace.Namespace,
): Stream.Stream<Namespace.Namespace, RepositoryError> =>
  Stream.concat(
    Stream.succeed(at),
    Stream.flatMap(Stream.fromIterableEffect(repository.namespaces(at)), (below) => namespaces(repository, below)),
  )
