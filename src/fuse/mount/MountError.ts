/**
 * Why an archive could not be mounted.
 *
 * The message is one line: what went wrong, where, and what the person can do about it. It is not about a mount that
 * works and then loses its kernel connection: that is the session's error.
 */
import { getSystemErrorName } from "node:util"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import * as PathText from "../../domain/PathText.ts"
import type { ErrorId } from "../../domain/ErrorId.ts"

/** A mount that did not come to be. */
export class MountError extends Schema.TaggedError<MountError>()("MountError", {
  reason: Schema.Literals([
    "MountPointMissing",
    "MountPointNotDirectory",
    /** Already a mount point, below a dead mount, or not empty without the option `nonempty`. */
    "MountPointOccupied",
    /** The archive lies below the mount point. */
    "ArchiveInside",
    /** No `/dev/fuse`, or no kernel module behind it. */
    "NoDevice",
    /** `/dev/fuse`, mount(2) or fusermount3 refused. */
    "NotPermitted",
    /** No `fusermount3` on PATH. */
    "NoFusermount",
    /** The package `fuse-native`, or libfuse 2 that it needs, is missing or does not work here. */
    "NoFuseNative",
    /** A mount option that is unknown, refused or has a bad value. */
    "UnknownOption",
    /** Anything else. */
    "Failed",
  ]),
  /** Absent for `UnknownOption` and `NoFuseNative`: options are read before the mount point is looked at. */
  mountPoint: Schema.optionalKey(Schema.String),
  /** The call and errno name, what a helper printed, or what is wrong with an option. */
  detail: Schema.String,
}) {
  static readonly ids = {
    MountPointMissing: "PXF-MOUNT-POINT-MISSING",
    MountPointNotDirectory: "PXF-MOUNT-POINT-NOT-A-FOLDER",
    MountPointOccupied: "PXF-MOUNT-POINT-OCCUPIED",
    ArchiveInside: "PXF-MOUNT-ARCHIVE-INSIDE",
    NoDevice: "PXF-MOUNT-NO-FUSE",
    NotPermitted: "PXF-MOUNT-DENIED",
    NoFusermount: "PXF-MOUNT-NO-FUSERMOUNT",
    NoFuseNative: "PXF-MOUNT-NO-FUSE-NATIVE",
    UnknownOption: "PXF-MOUNT-OPTION",
    Failed: "PXF-MOUNT-FAILED",
  } as const satisfies Record<string, ErrorId>
  /** See docs/errors.md. */
  get id(): ErrorId {
    return MountError.ids[this.reason]
  }
  override get message(): string {
    return describe(this).replace(/\p{Cc}/gu, "?")
  }
}

/** What kind of thing went wrong. */
export type Reason = MountError["reason"]

/** `text` as one word of a shell command line. */
export const shellWord = (text: string): string =>
  /^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", String.raw`'\''`)}'`

/** The same of a path as this program passes it on (see `DiskPath`): what cannot be shown stands as `\\xHH`. */
export const placeWord = (path: string): string => shellWord(PathText.safe(path))

const describe = ({ reason, mountPoint = "", detail }: MountError): string => {
  const place = placeWord(mountPoint)
  const failure = `cannot mount on ${place}`
  switch (reason) {
    case "MountPointMissing":
      return `${failure}: no such directory: create it (mkdir -p ${place})`
    case "MountPointNotDirectory":
      return `${failure}: not a directory: an archive is mounted on an empty directory`
    case "NoDevice":
      return `${failure}: no FUSE in this kernel (${detail}): load it (modprobe fuse), in a container pass in /dev/fuse`
    case "NotPermitted":
      return `${failure}: ${detail}: mount as root or on a directory you own; a container needs CAP_SYS_ADMIN and /dev/fuse`
    case "NoFusermount":
      return `${failure}: no fusermount3 on PATH: install the package fuse3 (apt-get install fuse3), or mount as root`
    case "NoFuseNative":
      return `--transport fuse-native: ${detail}`
    case "UnknownOption":
      return `mount option ${detail}`
    case "ArchiveInside":
      return `${failure}: ${detail}: mount it somewhere else`
    case "Failed":
      return mountPoint === "" ? detail : `${failure}: ${detail}`
    case "MountPointOccupied":
      return `${failure}: ${detail}`
  }
}

/** The result of a system call: a negative one is an errno. */
export const check = (mountPoint: string, call: string, result: number): Effect.Effect<number, MountError> =>
  result < 0 ? Effect.fail(refusal(mountPoint, call, getSystemErrorName(result))) : Effect.succeed(result)

/** What a call on `/dev/fuse` is called in {@link refusal}. */
export const OPEN_DEVICE = "open /dev/fuse"

/** The error of a call that failed with this errno name. */
export const refusal = (mountPoint: string, call: string, code: string): MountError => {
  const detail = `${call}: ${code}`
  if (call === OPEN_DEVICE && code === "ENOENT") return new MountError({ reason: "NoDevice", mountPoint, detail })
  if (code === "ENOTCONN") {
    const advice = "the server of a mount in the way is gone: unmount that (fusermount3 -u, or umount)"
    return new MountError({ reason: "MountPointOccupied", mountPoint, detail: `${detail}: ${advice}` })
  }
  return new MountError({ reason: reasons.get(code) ?? "Failed", mountPoint, detail })
}

const reasons = new Map<string, Reason>([
  ["ENOENT", "MountPointMissing"],
  ["ENOTDIR", "MountPointNotDirectory"],
  ["EPERM", "NotPermitted"],
  ["EACCES", "NotPermitted"],
  ["ENODEV", "NoDevice"],
  ["ENXIO", "NoDevice"],
])

/** `ENOENT` and the like; Node's own name for arguments that never reach the kernel. */
export const codeOf = (error: unknown): string =>
  error instanceof Error && "code" in error ? String(error.code) : String(error)
