/**
 * Archive files as one tree, each under its file name: those named, and those in a folder named.
 *
 * Which there are, and how large, is looked up once. An archive is opened when it is first used and closed when it has
 * not been used for a while; when it is opened again it must be the same file still, by size and time, because what has
 * been shown of it stays in the kernel. One that cannot be opened costs what is below it.
 */
import * as fs from "node:fs"
import * as path from "node:path"
import { promisify } from "node:util"
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import type * as Scope from "effect/Scope"
import type { ErrorId } from "../../domain/ErrorId.ts"
import * as Bytes from "../../domain/Bytes.ts"
import * as ArchiveError from "../archive/ArchiveError.ts"
import type * as ArchiveFiles from "../archive/ArchiveFiles.ts"
import * as ArchiveReader from "../archive/ArchiveReader.ts"
import type { ArchiveTree } from "../archive/ArchiveTree.ts"
import * as ArchiveBytes from "../bytes/ArchiveBytes.ts"
import * as FileSource from "../bytes/FileSource.ts"
import { datastoreBelow } from "../disk/DatastoreBelow.ts"
import * as DiskPath from "../posix/DiskPath.ts"
import type * as VirtualItem from "./VirtualItem.ts"
import * as VirtualTree from "./VirtualTree.ts"

/**
 * Archives that cannot be shown as one tree: there are none in a folder, two have one file name, or a payload archive was
 * named, which would be that of all.
 */
export class CollectionError extends Schema.TaggedError<CollectionError>()("CollectionError", {
  reason: Schema.Literals(["NoArchives", "SameName", "PayloadNamed"]),
  detail: Schema.String,
}) {
  static readonly ids = {
    NoArchives: "PXF-COLLECTION-EMPTY",
    SameName: "PXF-COLLECTION-SAME-NAME",
    PayloadNamed: "PXF-COLLECTION-PAYLOAD",
  } as const satisfies Record<string, ErrorId>
  /** See docs/errors.md. */
  get id(): ErrorId {
    return CollectionError.ids[this.reason]
  }
  override get message(): string {
    return this.detail
  }
}

export interface Options extends ArchiveFiles.Options {
  /** How long an archive stays open unused; a minute unless given. */
  readonly idle?: Duration.Input | undefined
  /** Whose the folder of the archives is; root's unless given. */
  readonly owner?: VirtualItem.Owner | undefined
}

/** Archives that are shown as one tree. */
export interface Collection {
  readonly tree: ArchiveTree
  /** Absolute paths of the archives, in the order of their folders. */
  readonly archives: ReadonlyArray<string>
}

/** Whether these paths are a collection: several, or one that is a folder. */
export const isCollection = (paths: ReadonlyArray<string>): Effect.Effect<boolean> =>
  paths.length !== 1
    ? Effect.succeed(true)
    : Effect.match(status(paths[0] as string), {
        // Whoever opens it says what is wrong with it.
        onFailure: () => false,
        onSuccess: (found) => found.isDirectory(),
      })

/** The tree of the archives at `paths`; those in a folder in the order of their names. */
export const open = Effect.fnUntraced(function* (
  paths: ReadonlyArray<string>,
  options: Options = {},
): Effect.fn.Return<Collection, FileSource.OpenError | CollectionError, Scope.Scope> {
  if (options.payload !== undefined) {
    const detail = `${options.payload}: a payload archive can be named for one archive only, not for a folder of archives`
    return yield* new CollectionError({ reason: "PayloadNamed", detail })
  }
  const archives = (yield* Effect.forEach(paths, archivesAt)).flat()
  const byName = new Map<string, string>()
  const items: Array<VirtualItem.Item> = []
  let size = 0
  let newest = 0n
  for (const archive of archives) {
    const name = path.basename(archive)
    const other = byName.get(name)
    if (other !== undefined) {
      const detail = `${other} and ${archive} would be one folder, ${name}: mount them one at a time`
      return yield* new CollectionError({ reason: "SameName", detail })
    }
    byName.set(name, archive)
    const identity = yield* identify(archive)
    const bytes = identity.archive.size + (identity.payload?.size ?? 0)
    const open = openSame(archive, identity, options)
    items.push({ _tag: "Archive", name, archive: { archive, size: bytes, open } })
    size += bytes
    if (identity.archive.mtimeNanos > newest) newest = identity.archive.mtimeNanos
  }
  const tree = yield* VirtualTree.make({
    name: paths.join(", "),
    root: { items: Effect.succeed(items), isFixed: true, mtimeSeconds: Number(newest / 1_000_000_000n) },
    size,
    idle: options.idle,
    uid: options.owner?.uid ?? 0,
    gid: options.owner?.gid ?? 0,
  })
  return { tree, archives }
})

const status = (file: string): Effect.Effect<fs.BigIntStats, FileSource.OpenError> =>
  Effect.tryPromise({
    try: () => promisify(fs.stat)(DiskPath.forNode(file), { bigint: true }),
    catch: (error) => FileSource.fromNode(file, error),
  })

/** The archive at a path, or all that are in the folder there. */
const archivesAt = Effect.fnUntraced(function* (
  given: string,
): Effect.fn.Return<ReadonlyArray<string>, FileSource.OpenError | CollectionError> {
  const absolute = path.resolve(given)
  if (!(yield* status(absolute)).isDirectory()) return [absolute]
  const names = yield* Effect.tryPromise({
    try: () => promisify(fs.readdir)(DiskPath.forNode(absolute), { encoding: "buffer" }),
    catch: (error) => FileSource.fromNode(absolute, error),
  })
  const archives: Array<string> = []
  for (const name of names
    .map(Bytes.toText)
    .filter((name) => /\.m?pxar$/.test(name))
    .toSorted()) {
    const archive = path.join(absolute, name)
    // Links that lead nowhere, and folders of such a name, are none.
    const found = yield* Effect.option(status(archive))
    if (found._tag === "Some" && found.value.isFile()) archives.push(archive)
  }
  if (archives.length > 0) return archives
  const below = yield* datastoreBelow(absolute)
  const hint = below === undefined ? "" : `, but ${below} is a datastore`
  return yield* new CollectionError({ reason: "NoArchives", detail: `${given}: no archive in this folder${hint}` })
})

/** What must not change while an archive is closed. */
interface Identity {
  readonly archive: FileIdentity
  /** Of the payload archive beside it, if there is one. */
  readonly payload: FileIdentity | undefined
}

interface FileIdentity {
  /** Bytes. */
  readonly size: number
  readonly mtimeNanos: bigint
}

const identify = Effect.fnUntraced(function* (archive: string): Effect.fn.Return<Identity, FileSource.OpenError> {
  const payload = ArchiveBytes.payloadBeside(archive)
  return {
    archive: identityOf(yield* status(archive)),
    payload:
      payload === undefined
        ? undefined
        : yield* Effect.match(status(payload), { onFailure: () => undefined, onSuccess: identityOf }),
  }
})

const identityOf = ({ mtimeNs, size }: fs.BigIntStats): FileIdentity => ({ size: Number(size), mtimeNanos: mtimeNs })

const isSame = (a: FileIdentity | undefined, b: FileIdentity | undefined): boolean =>
  a?.size === b?.size && a?.mtimeNanos === b?.mtimeNanos

/** Opens an archive that must still be what it was. */
const openSame = Effect.fnUntraced(function* (
  archive: string,
  identity: Identity,
  options: Options,
): Effect.fn.Return<ArchiveTree, ArchiveError.ArchiveError, Scope.Scope> {
  const unavailable = (error: FileSource.OpenError) => ArchiveError.unavailable(archive, error.detail)
  const files = yield* Effect.result(ArchiveBytes.open(archive))
  // Looked at after opening, and before reading: what is put in its place from now on is not what was opened.
  const now = yield* Effect.mapError(identify(archive), unavailable)
  if (!isSame(now.archive, identity.archive) || !isSame(now.payload, identity.payload)) {
    return yield* ArchiveError.unavailable(archive, "has changed since it was mounted: unmount, and mount it again")
  }
  const opened = yield* Effect.mapError(Effect.fromResult(files), unavailable)
  return yield* ArchiveReader.make(opened.archive, opened.payload, options)
})
