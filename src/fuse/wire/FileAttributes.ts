/**
 * Flags and project quota id of a file, as the read-only ioctls of `chattr` and its kin show them.
 *
 * Only `FS_IOC_GETFLAGS` (`lsattr`) and `FS_IOC_FSGETXATTR` (`lsattr -p`, `xfs_io`): the kernel asks with these for
 * files and folders (`fuse_fileattr_get` in fs/fuse/ioctl.c, since 5.13).
 */
import * as Bytes from "../../domain/Bytes.ts"
import type { Entry } from "../../domain/pxar/Entry.ts"
import * as FeatureFlags from "../../domain/pxar/FeatureFlags.ts"
import { FS_IOC_FSGETXATTR, FS_IOC_GETFLAGS, FSXATTR } from "./Abi.ts"

/** What there is to show of a file. */
export interface FileAttributes {
  /** `FS_*_FL`, unsigned. */
  readonly flags: number
  /** 0 for none. */
  readonly projectId: number
}

/** What an entry says. */
export const fromEntry = (entry: Entry): FileAttributes => ({
  flags: FeatureFlags.toChattr(entry.flags),
  projectId: Number(BigInt.asUintN(32, entry.attributes.quotaProjectId ?? 0n)),
})

/** The data that an ioctl reads; `undefined` for an ioctl that there is not, or that has less room. */
export const answer = (command: number, room: number, attributes: FileAttributes): Uint8Array | undefined => {
  const value = encode(command, attributes)
  return value === undefined || value.length > room ? undefined : value
}

const encode = (command: number, { flags, projectId }: FileAttributes): Uint8Array | undefined => {
  switch (command) {
    case FS_IOC_GETFLAGS: {
      const value = new Uint8Array(4)
      Bytes.dataView(value).setUint32(0, flags, true)
      return value
    }
    case FS_IOC_FSGETXATTR: {
      const value = new Uint8Array(FSXATTR.size)
      const view = Bytes.dataView(value)
      view.setUint32(FSXATTR.xflags, extendedFlags(flags), true)
      view.setUint32(FSXATTR.projid, projectId, true)
      return value
    }
    default:
      return undefined
  }
}

/** `FS_*_FL` and the `FS_XFLAG_*` that means the same. */
const pairs: ReadonlyArray<readonly [flag: number, extended: number]> = [
  [0x10, 0x8], // immutable
  [0x20, 0x10], // append only
  [0x8, 0x20], // synchronous
  [0x80, 0x40], // no access times
  [0x40, 0x80], // no dump
  [0x2000_0000, 0x200], // children inherit the project id
]

const extendedFlags = (flags: number): number =>
  pairs.reduce((all, [flag, extended]) => ((flags & flag) === 0 ? all : all | extended), 0)
