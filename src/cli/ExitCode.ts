/**
 * Exit codes: one for each class of failure, the same in all commands.
 *
 * `meanings` is what `--help` and the man page say; a test holds the table of docs/cli.md to it. Errors are told by
 * their tags, not by their classes: most commands need to load only few of these.
 */
import * as Cause from "effect/Cause"
import * as Context from "effect/Context"
import * as Data from "effect/Data"
import type * as Ref from "effect/Ref"
import * as Runtime from "effect/Runtime"
import type { PatternError } from "../domain/pxar/ExcludePattern.ts"
import type { DeviceLost } from "../fuse/session/FuseDevice.ts"
import type { MountError, Reason } from "../fuse/mount/MountError.ts"
import type { PathError } from "../services/tree/Archive.ts"
import type { ArchiveError } from "../services/archive/ArchiveError.ts"
import type { TargetError } from "../services/create/ArchiveTarget.ts"
import type { WriteError } from "../services/create/ArchiveWriter.ts"
import type { SinkError } from "../services/bytes/ByteSink.ts"
import type { SourceTreeError } from "../services/disk/DiskTree.ts"
import type { ExtractError } from "../services/extract/Extractor.ts"
import type { OpenError } from "../services/bytes/FileSource.ts"
import type { Overforget } from "../services/LookupRegistry.ts"
import type { CollectionError } from "../services/virtual/FileRepository.ts"
import type { AddressError } from "../domain/datastore/Address.ts"
import type { BlobError } from "../services/blobs/BlobStore.ts"
import type { HealError } from "../services/heal/HealTarget.ts"
import type { DiskCacheError } from "../services/blobs/DiskCache.ts"
import type { IndexError } from "../services/index/IndexFile.ts"
import type { HttpError } from "../services/http/HttpError.ts"
import type { KeyError } from "../services/keys/KeyRing.ts"
import type { RepositoryError } from "../services/repository/RepositoryError.ts"
import type { SelectionError } from "../services/tree/Selection.ts"
import type { ListenError } from "../web/WebServer.ts"

export const SUCCESS = 0
export const INTERNAL = 1
export const USAGE = 2
export const NO_ARCHIVE = 3
export const NOT_PXAR = 4
export const UNSUPPORTED = 5
export const DAMAGED = 6
export const READ_FAILED = 7
export const NO_ENTRY = 8
export const OUTPUT_FAILED = 9
export const MOUNT_POINT_MISSING = 10
export const MOUNT_POINT_OCCUPIED = 11
export const ARCHIVE_INSIDE = 12
export const NO_FUSE = 13
export const NOT_PERMITTED = 14
export const NO_FUSERMOUNT = 15
export const MOUNT_FAILED = 16
export const NOT_MOUNTED = 17
export const NO_FUSE_NATIVE = 18
export const SESSION_LOST = 20
export const NOTES = 30
export const DIFFERENT = 31
export const INCOMPLETE = 32
export const TARGET = 33
export const KEY = 34
export const UNHEALTHY = 35
export const INTERRUPTED = 130
/** Whether there is no archive where one was looked for. */
export const isNoArchive = (code: number): boolean => code === NO_ARCHIVE || code === NOT_PXAR

/** What a shell shows for a program that ended by SIGPIPE. */
export const OUTPUT_CLOSED = 141

/** What each code means. */
export const meanings: ReadonlyArray<readonly [code: number, meaning: string]> = [
  [SUCCESS, "done; for `mount` also after `SIGINT`, `SIGTERM` and `umount`"],
  [INTERNAL, "a bug in this program: please report it"],
  [USAGE, "wrong command line, mount option or pattern"],
  [NO_ARCHIVE, "no such archive or folder"],
  [NOT_PXAR, "not a pxar archive"],
  [
    UNSUPPORTED,
    "not supported: a payload archive in place of the archive, an unknown version, a missing payload archive, an old Node",
  ],
  [DAMAGED, "damaged: truncated, bytes after the end, or contradictory"],
  [READ_FAILED, "something could not be read (I/O error)"],
  [NO_ENTRY, "no such path in the archive, or not a file"],
  [OUTPUT_FAILED, "stdout could not be written to"],
  [MOUNT_POINT_MISSING, "the mount point is missing or not a folder"],
  [MOUNT_POINT_OCCUPIED, "the mount point is occupied: a mount already, or not empty"],
  [ARCHIVE_INSIDE, "the archive is inside its own mount point"],
  [NO_FUSE, "no `/dev/fuse`"],
  [NOT_PERMITTED, "permission denied"],
  [NO_FUSERMOUNT, "no `fusermount3`"],
  [MOUNT_FAILED, "mounting or unmounting failed in another way"],
  [NOT_MOUNTED, "`unmount`, `status`: no archive is mounted there"],
  [NO_FUSE_NATIVE, "no `fuse-native`, or no libfuse 2 for it"],
  [SESSION_LOST, "the connection to the kernel broke, or kernel and program disagreed"],
  [NOTES, "`verify`: consistent, but with notes"],
  [DIFFERENT, "`diff`: there are differences"],
  [
    INCOMPLETE,
    "something is missing or not as it was: what `create` or `extract` left out, the end of an archive; `diff`: only reading would tell",
  ],
  [TARGET, "what is to be written is there already, or cannot be written"],
  [KEY, "a key or passphrase is missing or wrong"],
  [UNHEALTHY, "`doctor`: something does not work"],
  [INTERRUPTED, "interrupted (commands other than `mount`)"],
  [OUTPUT_CLOSED, "stdout was closed early (`| head`)"],
]

/** The exit code of this process when SIGINT or SIGTERM ends it. Those are the normal end of a mount that is ready. */
export class OnInterrupt extends Context.Service<OnInterrupt, Ref.Ref<number>>()("pxar-fuse/cli/OnInterrupt") {}

const mountReasons: Readonly<Record<Reason, number>> = {
  MountPointMissing: MOUNT_POINT_MISSING,
  MountPointNotDirectory: MOUNT_POINT_MISSING,
  MountPointOccupied: MOUNT_POINT_OCCUPIED,
  ArchiveInside: ARCHIVE_INSIDE,
  NoDevice: NO_FUSE,
  NotPermitted: NOT_PERMITTED,
  NoFusermount: NO_FUSERMOUNT,
  NoFuseNative: NO_FUSE_NATIVE,
  UnknownOption: USAGE,
  Failed: MOUNT_FAILED,
}

const repositoryIds: Readonly<Record<string, number>> = {
  "PXF-REPOSITORY-NOT-A-DATASTORE": NO_ARCHIVE,
  "PXF-REPOSITORY-UNFINISHED": NO_ENTRY,
  "PXF-REPOSITORY-NOT-FOUND": NO_ENTRY,
  "PXF-REPOSITORY-AMBIGUOUS": USAGE,
  "PXF-REPOSITORY-KEY-REQUIRED": KEY,
  "PXF-REPOSITORY-WRONG-KEY": KEY,
  "PXF-REPOSITORY-READ": READ_FAILED,
  "PXF-SERVER-UNREACHABLE": NO_ARCHIVE,
  "PXF-SERVER-CERTIFICATE": NOT_PERMITTED,
  "PXF-SERVER-FINGERPRINT": NOT_PERMITTED,
  "PXF-SERVER-PASSWORD": NOT_PERMITTED,
  "PXF-SERVER-LOGIN": NOT_PERMITTED,
  "PXF-SERVER-SECOND-FACTOR": NOT_PERMITTED,
  "PXF-SERVER-PERMISSION": NOT_PERMITTED,
  "PXF-SERVER-UNAVAILABLE": READ_FAILED,
  "PXF-SERVER-LOST": READ_FAILED,
  "PXF-SERVER-REFUSED": READ_FAILED,
  "PXF-SERVER-ANSWER": READ_FAILED,
}

const httpReasons: Readonly<Record<HttpError["reason"], number>> = {
  NotFound: NO_ARCHIVE,
  Denied: NOT_PERMITTED,
  NoRanges: UNSUPPORTED,
  Encoded: UNSUPPORTED,
  Changed: READ_FAILED,
  TooLarge: DAMAGED,
  Failed: READ_FAILED,
}

type KnownError =
  | AddressError
  | BlobError
  | HttpError
  | KeyError
  | ListenError
  | RepositoryError
  | ArchiveError
  | CollectionError
  | DeviceLost
  | HealError
  | DiskCacheError
  | IndexError
  | ExtractError
  | MountError
  | OpenError
  | Overforget
  | PathError
  | PatternError
  | SelectionError
  | SinkError
  | SourceTreeError
  | TargetError
  | WriteError

/** The exit code of an error. An error may know its own; without one it is a bug. */
export const fromError = (error: unknown): number =>
  fromKnown(error as KnownError | undefined) ?? Runtime.getErrorExitCode(error)

const fromKnown = (error: KnownError | undefined): number | undefined => {
  switch (error?._tag) {
    case "AddressError":
    case "ListenError":
      return USAGE
    case "BlobError":
      return { NotFound: NO_ARCHIVE, Denied: NOT_PERMITTED, TooLarge: DAMAGED, Failed: READ_FAILED }[error.reason]
    case "HttpError":
      return httpReasons[error.reason]
    case "KeyError":
      return KEY
    case "RepositoryError":
      return repositoryIds[error.id] ?? DAMAGED
    case "ArchiveError":
      return fromArchiveError(error)
    case "CollectionError":
      return error.reason === "NoArchives" ? NO_ARCHIVE : USAGE
    case "DeviceLost":
    case "Overforget":
      return SESSION_LOST
    case "ExtractError":
      return error.reason === "Target" ? TARGET : INCOMPLETE
    case "MountError":
      return mountReasons[error.reason]
    case "OpenError":
      return isDenied(error.code) ? NOT_PERMITTED : NO_ARCHIVE
    case "PathError":
      return NO_ENTRY
    case "PatternError":
    case "SelectionError":
      return USAGE
    case "HealError":
    case "DiskCacheError":
    case "IndexError":
    case "SinkError":
    case "TargetError":
      return TARGET
    case "SourceTreeError":
      return fromSourceTree(error)
    case "WriteError":
      return UNSUPPORTED
    default:
      return undefined
  }
}

const isDenied = (code: string): boolean => code === "EACCES" || code === "EPERM"

const fromArchiveError = (error: ArchiveError): number => {
  switch (error.kind) {
    case "IO":
      return READ_FAILED
    case "Unsupported":
      return UNSUPPORTED
    default:
      return error.id === "PXF-ARCHIVE-NOT-PXAR" ? NOT_PXAR : DAMAGED
  }
}

const fromSourceTree = ({ code, operation }: SourceTreeError): number => {
  if (isDenied(code)) return NOT_PERMITTED
  return operation === "open" && (code === "ENOENT" || code === "ENOTDIR") ? NO_ARCHIVE : READ_FAILED
}

/** The exit code of a command that failed. */
export const fromCause = (cause: Cause.Cause<unknown>, onInterrupt: number): number =>
  Cause.hasInterruptsOnly(cause) ? onInterrupt : fromError(Cause.squash(cause))

/** The end of a command that has said all there is to say: nothing more is printed. */
export class Ended extends Data.TaggedError("Ended")<{ readonly code: number }> {
  override readonly [Runtime.errorExitCode] = this.code
}

/** A command line whose parts do not go together. */
export class Usage extends Data.TaggedError("Usage")<{ readonly detail: string }> {
  override readonly [Runtime.errorExitCode] = USAGE
  override get message(): string {
    return this.detail
  }
}
