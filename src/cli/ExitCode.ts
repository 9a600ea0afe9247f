/**
 * Exit codes: one for each class of failure, the same in all commands.
 *
 * The README's table says the same; a test holds the two together.
 */
import * as Cause from "effect/Cause"
import * as CliError from "effect/cli/CliError"
import * as Context from "effect/Context"
import { DeviceLost } from "../fuse/FuseDevice.ts"
import { MountError, type Reason } from "../fuse/MountError.ts"
import { ArchiveError } from "../services/ArchiveError.ts"
import { OpenError } from "../services/FileSource.ts"
import { Overforget } from "../services/LookupRegistry.ts"

export const SUCCESS = 0
/** A bug in this program. */
export const INTERNAL = 1
export const USAGE = 2
export const NO_ARCHIVE = 3
export const NOT_PXAR = 4
export const UNSUPPORTED = 5
export const DAMAGED = 6
export const READ_FAILED = 7
export const MOUNT_POINT_MISSING = 10
export const MOUNT_POINT_OCCUPIED = 11
export const ARCHIVE_INSIDE = 12
export const NO_FUSE = 13
export const NOT_PERMITTED = 14
export const NO_FUSERMOUNT = 15
export const MOUNT_FAILED = 16
export const SESSION_LOST = 20
export const INTERRUPTED = 130

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
  if (error instanceof DeviceLost || error instanceof Overforget) return SESSION_LOST
  return CliError.isCliError(error) ? USAGE : INTERNAL
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

/** The exit code of a command that failed. */
export const fromCause = (cause: Cause.Cause<unknown>, onInterrupt: number): number =>
  Cause.hasInterruptsOnly(cause) ? onInterrupt : fromError(Cause.squash(cause))
