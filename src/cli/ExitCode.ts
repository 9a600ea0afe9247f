/**
 * Exit codes: one for each class of failure, the same in all commands.
 *
 * The README's table says the same; a test holds the two together.
 */
import * as Cause from "effect/Cause"
import * as CliError from "effect/cli/CliError"
import * as Context from "effect/Context"
import * as Data from "effect/Data"
import * as Runtime from "effect/Runtime"
import { PatternError } from "../domain/ExcludePattern.ts"
import { DeviceLost } from "../fuse/FuseDevice.ts"
import { MountError, type Reason } from "../fuse/MountError.ts"
import { PathError } from "../services/Archive.ts"
import { ArchiveError } from "../services/ArchiveError.ts"
import { TargetError } from "../services/create/ArchiveTarget.ts"
import { WriteError } from "../services/create/ArchiveWriter.ts"
import { SinkError } from "../services/create/ByteSink.ts"
import { OpenError } from "../services/FileSource.ts"
import { Overforget } from "../services/LookupRegistry.ts"
import { SelectionError } from "../services/Selection.ts"
import { SourceTreeError } from "../services/create/SourceTree.ts"

export const SUCCESS = 0
/** A bug in this program. */
export const INTERNAL = 1
export const USAGE = 2
export const NO_ARCHIVE = 3
export const NOT_PXAR = 4
export const UNSUPPORTED = 5
export const DAMAGED = 6
export const READ_FAILED = 7
/** A path or pattern that names nothing in the archive, or not what was asked for. */
export const NO_ENTRY = 8
/** Stdout could not be written to. */
export const OUTPUT_FAILED = 9
export const MOUNT_POINT_MISSING = 10
export const MOUNT_POINT_OCCUPIED = 11
export const ARCHIVE_INSIDE = 12
export const NO_FUSE = 13
export const NOT_PERMITTED = 14
export const NO_FUSERMOUNT = 15
export const MOUNT_FAILED = 16
export const SESSION_LOST = 20
/** `verify`: sound, but there are notes. */
export const NOTES = 30
/** `diff`: there are differences. */
export const DIFFERENT = 31
/** `create`, `extract`: finished or stopped, but something is missing or not as it was. */
export const INCOMPLETE = 32
/** What a command is to write to is there already, or cannot be written to. */
export const TARGET = 33
export const INTERRUPTED = 130
/** Stdout was closed before everything was written: what a shell shows for a program that ended by SIGPIPE. */
export const OUTPUT_CLOSED = 141

/** The exit code of a command that is ended by SIGINT or SIGTERM. For `mount` that is the normal end. */
export const OnInterrupt = Context.Reference<{ code: number }>("pxar-fuse/cli/OnInterrupt", {
  defaultValue: () => ({ code: INTERRUPTED }),
})

const mountReasons: Readonly<Record<Reason, number>> = {
  MountPointMissing: MOUNT_POINT_MISSING,
  MountPointNotDirectory: MOUNT_POINT_MISSING,
  MountPointOccupied: MOUNT_POINT_OCCUPIED,
  ArchiveInside: ARCHIVE_INSIDE,
  NoDevice: NO_FUSE,
  NotPermitted: NOT_PERMITTED,
  NoFusermount: NO_FUSERMOUNT,
  UnknownOption: USAGE,
  Failed: MOUNT_FAILED,
}

/** The exit code of an error. */
export const fromError = (error: unknown): number => {
  if (error instanceof MountError) return mountReasons[error.reason]
  if (error instanceof OpenError) {
    return error.code === "EACCES" || error.code === "EPERM" ? NOT_PERMITTED : NO_ARCHIVE
  }
  if (error instanceof ArchiveError) return fromArchiveError(error)
  if (error instanceof PathError) return NO_ENTRY
  if (error instanceof SelectionError) return USAGE
  if (error instanceof SourceTreeError) return fromSourceTree(error)
  if (error instanceof TargetError || error instanceof SinkError) return TARGET
  if (error instanceof WriteError) return UNSUPPORTED
  if (error instanceof PatternError) return USAGE
  if (error instanceof DeviceLost || error instanceof Overforget) return SESSION_LOST
  // An error may know its own; without one it is a bug, `INTERNAL`.
  return CliError.isCliError(error) ? USAGE : Runtime.getErrorExitCode(error)
}

const fromArchiveError = (error: ArchiveError): number => {
  switch (error.kind) {
    case "IO":
      return READ_FAILED
    case "Unsupported":
      return UNSUPPORTED
    default:
      // What does not even begin like an archive.
      return error.offset === 0 && (error.check === "H4" || error.check === "A1") ? NOT_PXAR : DAMAGED
  }
}

const fromSourceTree = ({ code, operation }: SourceTreeError): number => {
  if (code === "EACCES" || code === "EPERM") return NOT_PERMITTED
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
