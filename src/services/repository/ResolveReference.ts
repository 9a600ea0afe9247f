/**
 * What a reference means in a repository: `latest`, the beginning of a time, an archive that is left out.
 *
 * What is ambiguous, or not there, fails with the choices.
 */
import * as Effect from "effect/Effect"
import { fault } from "../../domain/datastore/DatastoreFault.ts"
import * as Namespace from "../../domain/datastore/Namespace.ts"
import { LATEST, type Reference } from "../../domain/datastore/Reference.ts"
import * as SnapshotFile from "../../domain/datastore/SnapshotFile.ts"
import * as SnapshotId from "../../domain/datastore/SnapshotId.ts"
import type { Repository, Snapshot } from "./Repository.ts"
import { fromFault, RepositoryError } from "./RepositoryError.ts"

/** What is meant. */
export type Resolved =
  /** A namespace, type, group or backup: a folder with many things in it. */
  | {
      readonly _tag: "Level"
      readonly level: Pick<Reference, "namespace" | "type" | "id" | "time">
    }
  | { readonly _tag: "File"; readonly snapshot: Snapshot; readonly file: SnapshotFile.Shown }

/** Choices that a message names. */
const MAX_CHOICES = 12

/** Finds what is meant. The path within an archive is the caller's. */
export const resolve = Effect.fnUntraced(function* (
  repository: Repository,
  reference: Reference,
): Effect.fn.Return<Resolved, RepositoryError> {
  const { archive, id, namespace, type } = reference
  if (type === undefined || id === undefined || reference.time === undefined) return { _tag: "Level", level: reference }
  const found = yield* snapshotOf(repository, { namespace, type, id }, reference.time)
  const snapshot = yield* repository.snapshot(found)
  if (archive !== undefined) {
    const file = SnapshotFile.resolve(snapshot.files, archive)
    if (file !== undefined) return { _tag: "File", snapshot, file }
    const detail = `there is no ${archive} in this backup${among(snapshot.files.map(({ shown }) => shown))}`
    return yield* fromFault(pathOf(repository, found), fault("ArchiveNotFound", detail))
  }
  const [file, ...others] = snapshot.files.filter(({ kind }) => kind === "archive")
  return file !== undefined && others.length === 0
    ? { _tag: "File", snapshot, file }
    : { _tag: "Level", level: { namespace, type, id, time: found.time } }
})

/** The backup of a group that a time, the beginning of one, or `latest` means. */
export const snapshotOf = Effect.fnUntraced(function* (
  repository: Repository,
  group: SnapshotId.GroupId,
  time: string,
): Effect.fn.Return<SnapshotId.SnapshotId, RepositoryError> {
  const all = yield* repository.snapshots(group)
  const path = `${repository.name}/${SnapshotId.groupPath(group)}`
  if (all.length === 0) {
    return yield* fromFault(path, fault("ArchiveNotFound", "there is no backup of this group"))
  }
  if (time === LATEST) {
    for (const id of all.toReversed()) if (yield* repository.isFinished(id)) return id
    return yield* fromFault(path, fault("SnapshotUnfinished", "none of its backups is finished"))
  }
  const meant = all.filter((id) => id.time.startsWith(time))
  const [id, ...others] = meant
  if (id !== undefined && others.length === 0) return id
  if (id === undefined) {
    const detail = `there is no backup of ${time}${among(all.map((other) => other.time).toReversed())}`
    return yield* fromFault(path, fault("ArchiveNotFound", detail))
  }
  const choices = list(meant.map((other) => other.time).toReversed())
  return yield* new RepositoryError({ path, check: "Ambiguous", detail: `${time} may be any of ${choices}` })
})

/** Fails if a reference without an archive names something that is not there. An empty namespace is there. */
export const require = Effect.fnUntraced(function* (
  repository: Repository,
  { id, namespace, time, type }: Pick<Reference, "namespace" | "type" | "id" | "time">,
): Effect.fn.Return<void, RepositoryError> {
  const path = [repository.name, Namespace.toPath(namespace), type].filter(Boolean).join("/")
  if (namespace.length > 0) {
    const there = yield* repository.namespaces(namespace.slice(0, -1))
    const isThere = there.some((other) => other.at(-1) === namespace.at(-1))
    if (!isThere) return yield* fromFault(path, fault("ArchiveNotFound", "there is no such namespace"))
  }
  if (type === undefined) return
  if (id !== undefined) return void (yield* snapshotOf(repository, { namespace, type, id }, time ?? LATEST))
  const groups = yield* repository.groups(namespace)
  if (groups.some((group) => group.type === type)) return
  return yield* fromFault(path, fault("ArchiveNotFound", "there is no backup of this type"))
})

/** An error of those who need one archive, where a reference means many things. */
export const notOneArchive = (repository: Repository, choices: ReadonlyArray<string>): RepositoryError =>
  new RepositoryError({
    path: repository.name,
    check: "Ambiguous",
    detail: `one archive is wanted, as in ${repository.name}::TYPE/ID/latest/NAME.pxar${among(choices)}`,
  })

const pathOf = (repository: Repository, id: SnapshotId.SnapshotId): string =>
  `${repository.name}/${SnapshotId.format(id)}`

const among = (choices: ReadonlyArray<string>): string => (choices.length === 0 ? "" : `; there is ${list(choices)}`)

const list = (choices: ReadonlyArray<string>): string =>
  choices.length <= MAX_CHOICES
    ? choices.join(", ")
    : `${choices.slice(0, MAX_CHOICES).join(", ")} and ${choices.length - MAX_CHOICES} more`
