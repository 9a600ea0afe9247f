/**
 * Opens what is meant in a repository: one archive as bytes, or an archive, a backup, a group, the whole repository as a tree.
 */
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import type * as PathTemplate from "../../domain/datastore/PathTemplate.ts"
import type * as SnapshotFile from "../../domain/datastore/SnapshotFile.ts"
import * as SnapshotId from "../../domain/datastore/SnapshotId.ts"
import * as PathText from "../../domain/PathText.ts"
import * as ArchiveReader from "../archive/ArchiveReader.ts"
import type { ArchiveTree } from "../archive/ArchiveTree.ts"
import type * as ArchiveBytes from "../bytes/ArchiveBytes.ts"
import type { Repository, Snapshot } from "../repository/Repository.ts"
import type { RepositoryError } from "../repository/RepositoryError.ts"
import * as ResolveReference from "../repository/ResolveReference.ts"
import * as RepositoryTree from "../virtual/RepositoryTree.ts"
import * as Archive from "../tree/Archive.ts"
import * as Losses from "../tree/Losses.ts"
import * as SubfolderTree from "../tree/SubfolderTree.ts"
import type { Failure } from "./Location.ts"
import type { InRepository } from "./OpenRepository.ts"

/** How it is opened. */
export interface Options {
  /** Of an archive file: its payload archive, where that is not beside it. */
  readonly payload?: string | undefined
  /** Names of the folders of backups. */
  readonly timeTemplate?: string | undefined
  /** Where the folders of backups are, of a repository or a namespace. */
  readonly pathTemplate?: PathTemplate.PathTemplate | undefined
  /** See `RepositoryTree`. */
  readonly besideBackups?: RepositoryTree.Options["besideBackups"]
  /** How long what is open stays so unused. */
  readonly idle?: Duration.Input | undefined
  /** Whose the folders are that are in no archive: root's unless given. */
  readonly owner?: { readonly uid: number; readonly gid: number } | undefined
  /** See `RepositoryTree`. */
  readonly onLost?: ((lost: Losses.Lost) => Effect.Effect<void>) | undefined
  /** Of a reader. */
  readonly reader?: Partial<ArchiveReader.Options> | undefined
}

/** A file of a backup whose indexes tell what is in a tree. */
export interface Stored {
  /** The name at the root of the tree that it is, or all of what is below; `undefined` for the whole tree. */
  readonly name: string | undefined
  readonly snapshot: Snapshot
  readonly file: SnapshotFile.Shown
}

/** A tree that has been opened. */
export interface Tree {
  readonly tree: ArchiveTree
  /** What the address means in it, where that is no folder: a path as it can be given to a command. */
  readonly file: Uint8Array | undefined
  /** The archives and images that the contents are in, where all are of one backup. */
  readonly stored?: Effect.Effect<ReadonlyArray<Stored>, RepositoryError> | undefined
}

/** The bytes of one archive. */
export const bytes = Effect.fnUntraced(function* ({
  reference,
  repository,
}: InRepository): Effect.fn.Return<ArchiveBytes.ArchiveBytes, Failure, Scope.Scope> {
  const resolved = yield* ResolveReference.resolve(repository, reference)
  if (resolved._tag === "File" && resolved.file.kind === "archive")
    return yield* resolved.snapshot.archive(resolved.file)
  return yield* ResolveReference.notOneArchive(repository, yield* archivesIn(repository, resolved))
})

/** Names of the archives in a backup, where that is what is meant. */
const archivesIn = Effect.fnUntraced(function* (
  repository: Repository,
  resolved: ResolveReference.Resolved,
): Effect.fn.Return<ReadonlyArray<string>, RepositoryError> {
  if (resolved._tag === "File") return namesOf(resolved.snapshot)
  const { id, namespace, time, type } = resolved.level
  if (type === undefined || id === undefined || time === undefined) return []
  return namesOf(yield* repository.snapshot({ namespace, type, id, time }))
})

const namesOf = ({ files }: Snapshot): ReadonlyArray<string> =>
  files.filter(({ kind }) => kind === "archive").map(({ shown }) => shown)

/** The tree of one archive of a repository. */
const archiveTree = Effect.fnUntraced(function* (
  { name }: Repository,
  { file, snapshot }: Extract<ResolveReference.Resolved, { readonly _tag: "File" }>,
  { onLost, reader }: Options,
): Effect.fn.Return<ArchiveTree, Failure> {
  const { archive, payload } = yield* snapshot.archive(file)
  const tree = yield* ArchiveReader.make(archive, payload, reader)
  if (onLost === undefined) return tree
  return Losses.make(onLost).tree({ ...tree, archive: `${name}/${SnapshotId.format(snapshot.id)}/${file.shown}` })
})

/** What tells what contents consist of; `undefined` for more than one backup. */
const storedOf = (repository: Repository, resolved: ResolveReference.Resolved): Tree["stored"] => {
  const all = (snapshot: Snapshot): ReadonlyArray<Stored> =>
    snapshot.files.flatMap((file) =>
      file.kind === "archive" || file.kind === "image" ? [{ name: file.shown, snapshot, file }] : [],
    )
  if (resolved._tag === "File") {
    const { file, snapshot } = resolved
    return Effect.succeed(file.kind === "archive" ? [{ name: undefined, snapshot, file }] : all(snapshot))
  }
  const { id, namespace, time, type } = resolved.level
  if (type === undefined || id === undefined || time === undefined) return undefined
  return Effect.map(repository.snapshot({ namespace, type, id, time }), all)
}

/** The tree of whatever is meant; or of a folder in an archive. */
export const tree = Effect.fnUntraced(function* (
  found: InRepository,
  options: Options,
): Effect.fn.Return<Tree, Failure, Scope.Scope> {
  const { reference } = found
  const resolved = yield* ResolveReference.resolve(found.repository, reference)
  const whole =
    resolved._tag === "File" && resolved.file.kind === "archive"
      ? yield* archiveTree(found.repository, resolved, options)
      : yield* RepositoryTree.make(found.repository, {
          ...options.reader,
          timeTemplate: options.timeTemplate,
          pathTemplate: options.pathTemplate,
          besideBackups: options.besideBackups,
          idle: options.idle,
          onLost: options.onLost,
          root: resolved._tag === "Level" ? resolved.level : resolved.snapshot.id,
          ...(options.owner ?? { uid: 0, gid: 0 }),
          mtimeSeconds: Math.floor(Date.now() / 1000),
        })
  // So that a missing key is told as such, and not as a file that cannot be read.
  if (resolved._tag === "File" && resolved.file.kind === "blob") yield* resolved.snapshot.blob(resolved.file.name)
  else if (resolved._tag === "File" && resolved.file.kind !== "archive")
    yield* resolved.snapshot.stream(resolved.file.name)
  const within =
    resolved._tag === "File" && resolved.file.kind !== "archive" ? PathText.parse(resolved.file.shown) : reference.path
  const stored = storedOf(found.repository, resolved)
  if (within.length === 0) return { tree: whole, file: undefined, stored }
  const { entry, node } = yield* Archive.fromReader(whole).find(within)
  return entry.body._tag === "Directory"
    ? { tree: SubfolderTree.make(whole, node), file: undefined, stored }
    : { tree: whole, file: within, stored }
})
