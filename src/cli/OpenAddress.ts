/**
 * Opens what a user names where an archive can be named (see `Address`): an archive file, a folder of them, a datastore, or
 * anything in it.
 */
import * as fs from "node:fs"
import * as path from "node:path"
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import type * as Scope from "effect/Scope"
import * as Address from "../domain/datastore/Address.ts"
import * as Namespace from "../domain/datastore/Namespace.ts"
import * as Reference from "../domain/datastore/Reference.ts"
import * as RepositoryString from "../domain/datastore/RepositoryString.ts"
import * as Digest from "../domain/datastore/Digest.ts"
import * as PathText from "../domain/PathText.ts"
import type { ArchiveError } from "../services/archive/ArchiveError.ts"
import * as ArchiveReader from "../services/archive/ArchiveReader.ts"
import type { ArchiveTree } from "../services/archive/ArchiveTree.ts"
import * as StreamReader from "../services/archive/StreamReader.ts"
import * as ArchiveBytes from "../services/bytes/ArchiveBytes.ts"
import * as ByteSource from "../services/bytes/ByteSource.ts"
import * as ByteStream from "../services/bytes/ByteStream.ts"
import { OpenError } from "../services/bytes/FileSource.ts"
import * as ChunkCache from "../services/repository/ChunkCache.ts"
import type { Lost } from "../services/repository/ChunkedSource.ts"
import * as ChunkStore from "../services/repository/ChunkStore.ts"
import * as DatastoreRepository from "../services/repository/DatastoreRepository.ts"
import * as FileRepository from "../services/repository/FileRepository.ts"
import * as DiskPath from "../services/posix/DiskPath.ts"
import * as FolderBlobStore from "../services/repository/FolderBlobStore.ts"
import * as KeyRing from "../services/repository/KeyRing.ts"
import type { Repository, Snapshot } from "../services/repository/Repository.ts"
import type { RepositoryError } from "../services/repository/RepositoryError.ts"
import * as ResolveReference from "../services/repository/ResolveReference.ts"
import * as RepositoryTree from "../services/repository/RepositoryTree.ts"
import * as Archive from "../services/tree/Archive.ts"
import * as SubfolderTree from "../services/tree/SubfolderTree.ts"
import * as ExitCode from "./ExitCode.ts"
import * as Keys from "./repository/Keys.ts"
import type { Given } from "./repository/RepositoryFlags.ts"
import * as Terminal from "./Terminal.ts"

/** How to open it. */
export interface Options extends Given {
  /** Of an archive file: its payload archive, where that is not beside it. */
  readonly payload?: string | undefined
  /** Names of the folders of backups. */
  readonly timeTemplate?: string | undefined
  /** How long what is open stays so unused. */
  readonly idle?: Duration.Input | undefined
  /** Whether it is walked only once, so that standard input (`-`) or a FIFO will do. */
  readonly once?: boolean | undefined
  /** Of a reader. */
  readonly reader?: Partial<ArchiveReader.Options> | undefined
}

/** What can be wrong. */
export type Failure =
  | Address.AddressError
  | ArchiveError
  | Archive.PathError
  | ExitCode.Usage
  | FileRepository.CollectionError
  | KeyRing.KeyError
  | OpenError
  | RepositoryError

/** Whose the folders are that are in no archive. */
const thisUser = () => ({ uid: process.geteuid?.() ?? 0, gid: process.getegid?.() ?? 0 })

/** A repository, and what is meant in it. */
export interface InRepository {
  readonly repository: Repository
  /** The chunks of the repository. */
  readonly chunks: ChunkStore.ChunkStore
  /** The folder it is in. */
  readonly folder: string
  readonly reference: Reference.Reference
}

const exists = (path: string): boolean => fs.existsSync(DiskPath.forNode(path))

/** Reads an address. One without a location (`::host/elsa`) is of the repository that `PBS_REPOSITORY` names. */
export const parse = (text: string): Effect.Effect<Address.Address, Address.AddressError | ExitCode.Usage> =>
  Effect.suspend((): Effect.Effect<Address.Address, Address.AddressError | ExitCode.Usage> => {
    if (!text.startsWith("::") || exists(text)) return read(text)
    const place = process.env["PBS_REPOSITORY"]
    if (place === undefined || place === "") {
      const detail = `${text}: names no repository; write one before the ::, or set PBS_REPOSITORY`
      return Effect.fail(new ExitCode.Usage({ detail }))
    }
    const isName = !exists(place) && Result.isSuccess(RepositoryString.parse(place))
    // A name alone is a datastore of a server on this machine.
    return read(`${isName && !place.includes(":") ? `${RepositoryString.defaults.host}:` : ""}${place}${text}`)
  })

const read = (text: string): Effect.Effect<Address.Address, Address.AddressError> =>
  Effect.fromResult(Address.parse(text, { whole: exists(text), location: exists(Address.location(text)) }))

const FOLDER = "give the path of its folder: on the server's disk, a copy, or a network mount of it"

/** What is not there yet, and what to do. */
const refusals: Record<Address.Scheme, string> = {
  https:
    "archives on a web server cannot be opened yet; copy the file to this machine, or mount the server (rclone, davfs2)",
  s3: "datastores in a bucket cannot be opened yet; copy the bucket to this machine, or mount it (rclone, s3fs)",
  pbs: `datastores cannot be read through a backup server yet; ${FOLDER}`,
  place: "places with a name cannot be used yet; write the path that is meant",
}

/** The repository that an address is of, with the keys at hand; `undefined` for an archive file or a folder of them. */
export const repository = Effect.fnUntraced(function* (
  text: string,
  options: Given,
  { keys = true }: { readonly keys?: boolean | undefined } = {},
): Effect.fn.Return<InRepository | undefined, Failure, Scope.Scope> {
  const address = yield* parse(text)
  if (address._tag !== "Path") {
    const refusal = refusals[address._tag === "Remote" ? address.scheme : "pbs"]
    return yield* new ExitCode.Usage({ detail: `${Address.format(address)}: ${refusal}` })
  }
  if (address.reference !== undefined && !exists(address.path)) {
    return yield* new OpenError({ path: address.path, code: "ENOENT", detail: "no such folder" })
  }
  const isFolder = fs.statSync(DiskPath.forNode(address.path), { throwIfNoEntry: false })?.isDirectory() ?? false
  // Absolute: it is read when the process has gone to another folder.
  const folder = path.resolve(address.path)
  const store = FolderBlobStore.make(folder)
  if (address.reference === undefined && !(isFolder && (yield* DatastoreRepository.isDatastore(store)))) {
    return undefined
  }
  const cache = yield* ChunkCache.make(options.chunkCache)
  const chunks = ChunkStore.make({ stores: [store], cache, verify: !options.noVerifyChunks })
  const opened = yield* DatastoreRepository.open(store, {
    keys: keys ? yield* Keys.open(options) : KeyRing.empty,
    chunks,
    unsigned: options.allowUnsigned ? "allow" : "refuse",
    missing: options.missing,
    onLost: sayLost,
  })
  return { repository: opened, chunks, folder, reference: yield* within(address.reference, options.namespace) }
})

/** A reference in the namespace that was given apart from it. */
const within = Effect.fnUntraced(function* (
  reference: Reference.Reference = Reference.whole,
  text: string | undefined,
): Effect.fn.Return<Reference.Reference, ExitCode.Usage> {
  if (text === undefined) return reference
  const namespace = Namespace.parse(text)
  if (Result.isFailure(namespace)) return yield* new ExitCode.Usage({ detail: `--namespace: ${namespace.failure}` })
  if (reference.namespace.length > 0) {
    return yield* new ExitCode.Usage({ detail: "the namespace is given twice: with --namespace and after the ::" })
  }
  return { ...reference, namespace: namespace.success }
})

const sayLost = ({ digest, end, fault, start, stream }: Lost): Effect.Effect<void> =>
  Terminal.say(
    `${stream}: bytes ${start} to ${end} are zeros in place of the chunk ${Digest.toHex(digest)}, which ${fault.detail}`,
    "Warn",
  )

/** One archive, by its bytes; or as a stream, which has none that can be read at a place. */
export interface Bytes extends ArchiveBytes.ArchiveBytes {
  readonly reader?: Effect.Effect<ArchiveReader.ArchiveReader, ArchiveError> | undefined
}

/** The same where an archive is read once, from front to back: standard input (`-`) or a FIFO will do, too. */
export const bytesOnce = Effect.fnUntraced(function* (
  text: string,
  options: Options,
): Effect.fn.Return<Bytes, Failure, Scope.Scope> {
  if (!ByteStream.isStream(text)) return yield* bytes(text, options)
  const payload = yield* ArchiveBytes.openPayload(text, options.payload)
  const stream = yield* ByteStream.open(text)
  const archive = ByteSource.fromBytes(new Uint8Array(0), stream.name)
  return { archive, payload, reader: StreamReader.make(stream, payload, options.reader?.limits) }
})

/** The bytes of one archive. */
export const bytes = Effect.fnUntraced(function* (
  text: string,
  options: Options,
): Effect.fn.Return<ArchiveBytes.ArchiveBytes, Failure, Scope.Scope> {
  const found = yield* repository(text, options)
  if (found === undefined) return yield* ArchiveBytes.open(text, options.payload)
  const resolved = yield* ResolveReference.resolve(found.repository, found.reference)
  if (resolved._tag === "File" && resolved.file.kind === "archive")
    return yield* resolved.snapshot.archive(resolved.file)
  return yield* ResolveReference.notOneArchive(found.repository, yield* archivesIn(found.repository, resolved))
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

/** A tree that has been opened. */
export interface Opened {
  readonly tree: ArchiveTree
  /** What the address means in it, where that is no folder: a path as it can be given to a command. */
  readonly file: Uint8Array | undefined
}

/** The tree of whatever is named: an archive, a backup, a group, a whole repository; or of a folder in an archive. */
export const tree = Effect.fnUntraced(function* (
  text: string,
  options: Options,
): Effect.fn.Return<Opened, Failure, Scope.Scope> {
  if (options.once === true && ByteStream.isStream(text)) {
    const payload = yield* ArchiveBytes.openPayload(text, options.payload)
    return {
      tree: yield* StreamReader.make(yield* ByteStream.open(text), payload, options.reader?.limits),
      file: undefined,
    }
  }
  const found = yield* repository(text, options)
  if (found === undefined) {
    if (yield* FileRepository.isCollection([text])) {
      return {
        tree: (yield* FileRepository.open([text], { payload: options.payload, owner: thisUser() })).tree,
        file: undefined,
      }
    }
    const { archive, payload } = yield* ArchiveBytes.open(text, options.payload)
    return { tree: yield* ArchiveReader.make(archive, payload, options.reader), file: undefined }
  }
  return yield* treeIn(found, options)
})

/** The same in a repository that is open already. */
export const treeIn = Effect.fnUntraced(function* (
  found: InRepository,
  options: Options,
): Effect.fn.Return<Opened, Failure, Scope.Scope> {
  const { reference } = found
  const resolved = yield* ResolveReference.resolve(found.repository, reference)
  const whole =
    resolved._tag === "File" && resolved.file.kind === "archive"
      ? yield* Effect.flatMap(resolved.snapshot.archive(resolved.file), ({ archive, payload }) =>
          ArchiveReader.make(archive, payload, options.reader),
        )
      : yield* RepositoryTree.make(found.repository, {
          ...options.reader,
          timeTemplate: options.timeTemplate,
          idle: options.idle,
          root: resolved._tag === "Level" ? resolved.level : resolved.snapshot.id,
          ...thisUser(),
          mtimeSeconds: Math.floor(Date.now() / 1000),
        })
  // So that a missing key is told as such, and not as a file that cannot be read.
  if (resolved._tag === "File" && resolved.file.kind === "blob") yield* resolved.snapshot.blob(resolved.file.name)
  else if (resolved._tag === "File" && resolved.file.kind !== "archive")
    yield* resolved.snapshot.stream(resolved.file.name)
  const within =
    resolved._tag === "File" && resolved.file.kind !== "archive" ? PathText.parse(resolved.file.shown) : reference.path
  if (within.length === 0) return { tree: whole, file: undefined }
  const { entry, node } = yield* Archive.fromReader(whole).find(within)
  return entry.body._tag === "Directory"
    ? { tree: SubfolderTree.make(whole, node), file: undefined }
    : { tree: whole, file: within }
})

/** The same for programs that go by path. */
export const archive = (
  text: string,
  options: Options,
): Effect.Effect<Archive.Archive<ArchiveTree>, Failure, Scope.Scope> =>
  Effect.map(tree(text, options), (opened) => Archive.fromReader(opened.tree))
