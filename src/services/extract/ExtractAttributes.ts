/**
 * Gives a file that was just created the owner, attributes, mode and times of its entry.
 *
 * The order keeps everything: the owner first, because changing it takes set-id bits and capabilities away; extended
 * attributes while the mode still permits it; the mode; the ACLs, which a change of mode would narrow; capabilities
 * after the last change of owner and content; times; project id and chattr flags last. An immutable file cannot even get
 * its name, so that is a step of its own. A folder comes after everything in it.
 *
 * Never more permission than the entry gave: without the owner there are no set-id bits, and without the ACL the group
 * has its own permissions and not the ACL's mask. What cannot be restored is reported, and the rest is restored.
 */
import * as Bytes from "../../domain/Bytes.ts"
import * as Errno from "../../domain/Errno.ts"
import type { Entry, Xattr } from "../../domain/pxar/Entry.ts"
import { noAttributes } from "../../domain/pxar/Entry.ts"
import * as FeatureFlags from "../../domain/pxar/FeatureFlags.ts"
import * as PathText from "../../domain/PathText.ts"
import * as XattrList from "../../domain/pxar/XattrList.ts"
import type { Kind, Problems } from "./ExtractProblem.ts"
import * as Syscalls from "../posix/WriteSyscalls.ts"
import * as ReadSyscalls from "../posix/ReadSyscalls.ts"

/** What to restore. */
export interface Restore {
  readonly owner: boolean
  /** Modes and, with `acls`, access ACLs. */
  readonly permissions: boolean
  /** `user.*`, `trusted.*` and other names that are neither ACLs nor capabilities. */
  readonly xattrs: boolean
  readonly acls: boolean
  readonly fcaps: boolean
}

/** Owner of a file as it is. */
export interface Owner {
  readonly uid: number
  readonly gid: number
}

const S_ISUID = 0o4000
const S_ISGID = 0o2000
const PERMISSIONS = 0o7777

/** An id that is none: it means "leave as it is" to the kernel. */
const NO_ID = 0xffff_ffff

const ENOSPC = Errno.code.ENOSPC
const ENODATA = Errno.code.ENODATA
const EOPNOTSUPP = Errno.code.EOPNOTSUPP

/** Times in this range every file system can keep. */
const MAX_TIME = 0x7fff_ffffn

/** The bits of `FS_IOC_SETFLAGS` that the flags of an entry can stand for, each with its flag. */
const chattr: ReadonlyArray<readonly [bit: number, flag: bigint]> = Array.from({ length: 31 }, (_, index) => {
  const bit = 2 ** index
  return [bit, FeatureFlags.fromChattr(bit)] as const
}).filter(([, flag]) => flag !== 0n)
const chattrFlags = chattr.reduce((all, [, flag]) => all | flag, 0n)

/** Bits that keep names from being added to a file, and everything else from being changed. */
const PROTECTING = 0x10 | 0x20
/** Bits that have to be there before the content: no compression, compression, no copy on write. */
const BEFORE_CONTENT = 0x400 | 0x4 | 0x80_0000

const chattrBits = (entry: Entry): number => {
  // Most entries have none, and numbers of this kind are made anew by every operation.
  if (entry.flags === 0n || (entry.flags & chattrFlags) === 0n) return 0
  return chattr.reduce((bits, [bit, flag]) => ((entry.flags & flag) === 0n ? bits : bits | bit), 0)
}

const setBits = (fd: number, bits: number): number => {
  const present = ReadSyscalls.getFlags(fd)
  if (present < 0) return present
  return (present & bits) === bits ? 0 : Syscalls.setFlags(fd, (present | bits) >>> 0)
}

/** Sets the flags of a new file that count only if it is empty. Whether that worked is seen by `apply`. */
export const prepare = (fd: number, entry: Entry): void => {
  const bits = chattrBits(entry) & BEFORE_CONTENT
  if (bits !== 0) setBits(fd, bits)
}

/** Removes the ACL that a new file got from its folder. */
export const disinherit = (fd: number, problems: Problems): void => {
  const result = Syscalls.removeXattr(fd, XattrList.ACL_ACCESS)
  if (result < 0 && result !== -ENODATA && result !== -EOPNOTSUPP) {
    problems.add("Acl", "the ACL that it got from its folder cannot be removed", result)
  }
}

/** Restores the attributes of `entry` on the file `fd`, whose owner and mode are `owner`; `protect` is to follow. */
export const apply = (
  fd: number,
  entry: Entry,
  owner: Owner & { readonly mode: number },
  restore: Restore,
  problems: Problems,
): void => {
  const isSymlink = entry.body._tag === "Symlink"
  const now =
    restore.owner && (owner.uid !== entry.uid || owner.gid !== entry.gid) ? setOwner(fd, entry, owner, problems) : owner
  if (entry.attributes === noAttributes) {
    if (restore.permissions && !isSymlink) setMode(fd, entry, now, owner.mode, problems)
  } else {
    const { findings, xattrs } = XattrList.fromEntry(entry)
    for (const { detail } of findings) problems.add("Anomaly", detail)
    if (restore.xattrs)
      for (const xattr of xattrs) if (kindOf(xattr) === "Xattr") setXattr(fd, xattr, "Xattr", problems)
    if (restore.permissions && !isSymlink) setMode(fd, entry, now, owner.mode, problems)
    if (restore.acls) for (const xattr of xattrs) if (kindOf(xattr) === "Acl") setAcl(fd, xattr, restore, problems)
    if (restore.fcaps) {
      for (const xattr of xattrs) if (kindOf(xattr) === "Capability") setXattr(fd, xattr, "Capability", problems)
    }
  }
  for (const { detail } of entry.findings) problems.add("Anomaly", detail)
  setTime(fd, entry, problems)
  setProjectId(fd, entry, problems)
  setFlags(fd, chattrBits(entry) & ~PROTECTING, problems)
}

/** Makes a file that has its name immutable or append-only, if its entry is. */
export const protect = (fd: number, entry: Entry, problems: Problems): void =>
  setFlags(fd, chattrBits(entry) & PROTECTING, problems)

/** Restores the owner, or at least the group, and returns who they are then. */
const setOwner = (fd: number, entry: Entry, owner: Owner, problems: Problems): Owner => {
  const { gid, uid } = entry
  const detail = `owner ${uid}:${gid} not restored`
  if (uid === NO_ID || gid === NO_ID) {
    problems.add("Owner", `${detail}: no such id`)
    return owner
  }
  const result = Syscalls.setOwner(fd, uid, gid)
  if (result === 0) return entry
  problems.add("Owner", detail, result)
  return gid !== owner.gid && Syscalls.setOwner(fd, NO_ID, gid) === 0 ? { uid: owner.uid, gid } : owner
}

const setMode = (fd: number, entry: Entry, owner: Owner, present: number, problems: Problems): void => {
  let mode = entry.mode & PERMISSIONS
  if (entry.body._tag !== "Directory") {
    // A program must not get the rights of somebody who did not own it.
    const dropped = (owner.uid === entry.uid ? 0 : mode & S_ISUID) | (owner.gid === entry.gid ? 0 : mode & S_ISGID)
    if (dropped !== 0) {
      mode &= ~dropped
      problems.addExpected(
        "Mode",
        `mode 0${(entry.mode & PERMISSIONS).toString(8)} without its set-id bits: the owner is not restored`,
      )
    }
  }
  const wanted = groupOwnMode(entry, mode)
  // Most files were created with their mode.
  if (wanted === (present & PERMISSIONS)) return
  const result = Syscalls.setMode(fd, wanted)
  if (result < 0) {
    addFailure(problems, "Mode", `mode 0${mode.toString(8)} not restored`, result)
  } else if ((mode & S_ISGID) !== 0) {
    // The kernel drops the bit, without an error, for one who is not in the group.
    const status = ReadSyscalls.statusOf(fd)
    if (typeof status !== "number" && (status.mode & S_ISGID) === 0) {
      problems.addExpected("Mode", `mode 0${mode.toString(8)} without its set-group-id bit: not in group ${owner.gid}`)
    }
  }
}

/** The mode with the owning group's own permissions in place of the ACL's mask (§8.2). */
const groupOwnMode = (entry: Entry, mode: number): number => {
  const own = entry.attributes.aclGroupObj
  return own === undefined ? mode : (mode & ~0o070) | (mode & (Number(own & 7n) << 3))
}

/** Which option an attribute goes by; none if it is not restored at all. */
export const kindOf = ({ name }: Xattr): "Xattr" | "Acl" | "Capability" | undefined =>
  XattrList.isXfsAcl(name)
    ? undefined
    : Bytes.equals(name, XattrList.CAPABILITY)
      ? "Capability"
      : Bytes.equals(name, XattrList.ACL_ACCESS) || Bytes.equals(name, XattrList.ACL_DEFAULT)
        ? "Acl"
        : "Xattr"

const setXattr = (
  fd: number,
  { name, value }: Xattr,
  kind: "Xattr" | "Acl" | "Capability",
  problems: Problems,
): void => {
  const result = Syscalls.setXattr(fd, name, value)
  if (result === 0) return
  const detail = `${PathText.print(name)} not restored`
  // Not the disk is full, but the room for attributes of one file.
  if (result === -ENOSPC)
    problems.add(kind, `${detail}: ${value.length} bytes are more than this file system has room for`)
  else addFailure(problems, kind, detail, result)
}

/** What is not open for reading or writing is changed through `/proc`, and there is no other file to be missing. */
const addFailure = (problems: Problems, kind: Kind, detail: string, errno: number): void =>
  errno === -Errno.code.ENOENT
    ? problems.add(kind, `${detail}: that takes /proc, which is not mounted`)
    : problems.add(kind, detail, errno)

const setAcl = (fd: number, xattr: Xattr, restore: Restore, problems: Problems): void => {
  // The access ACL is most of the mode.
  if (!restore.permissions && Bytes.equals(xattr.name, XattrList.ACL_ACCESS)) return
  setXattr(fd, xattr, "Acl", problems)
}

const setTime = (fd: number, entry: Entry, problems: Problems): void => {
  const { mtimeNanos, mtimeSeconds } = entry
  const result = Syscalls.setModified(fd, mtimeSeconds, mtimeNanos)
  if (result < 0) return problems.add("Time", "modification time not restored", result)
  if (mtimeSeconds >= 0n && mtimeSeconds <= MAX_TIME) return
  // The kernel takes the nearest that the file system has, without an error.
  const status = ReadSyscalls.statusOf(fd)
  if (typeof status !== "number" && status.mtimeSeconds !== mtimeSeconds) {
    problems.add("Time", `modification time ${mtimeSeconds} s: this file system cannot keep it`)
  }
}

const setProjectId = (fd: number, entry: Entry, problems: Problems): void => {
  const id = entry.attributes.quotaProjectId
  if (id === undefined) return
  if (id > 0xffff_ffffn) return problems.add("ProjectId", `project id ${id}: no such id`)
  const result = Syscalls.setProjectId(fd, Number(id))
  if (result < 0) problems.add("ProjectId", `project id ${id} not restored`, result)
}

const setFlags = (fd: number, bits: number, problems: Problems): void => {
  if (bits === 0) return
  const result = setBits(fd, bits)
  // All or nothing: one bit that the file system does not have keeps the others back.
  if (result < 0) for (const [bit] of chattr) if ((bits & bit) !== 0) setBits(fd, bit)
  const present = ReadSyscalls.getFlags(fd)
  if (present < 0) return problems.add("Flags", `chattr flags 0x${bits.toString(16)} not restored`, present)
  const absent = bits & ~present
  if (absent === 0) return
  const detail = `chattr flags 0x${absent.toString(16)} not restored`
  if (result < 0) problems.add("Flags", detail, result)
  else problems.add("Flags", `${detail}: this file system does not have them`)
}

/** Whether the file may be so protected that it takes no more names. */
export const isProtected = (entry: Entry): boolean => (chattrBits(entry) & PROTECTING) !== 0

/** Why a folder is left alone that `unprotect` cannot make writable. */
export const PROTECTED =
  "is immutable or append-only, so that nothing can be put into it (chattr -i -a, as root, makes it writable)"

/**
 * Makes an immutable or append-only folder take files. Returns the flags that it then lost, 0 if it had none of them, or the
 * negative errno of the refusal.
 */
export const unprotect = (fd: number): number => {
  const present = ReadSyscalls.getFlags(fd)
  const lost = present < 0 ? 0 : present & PROTECTING
  if (lost === 0) return 0
  const result = Syscalls.setFlags(fd, (present & ~PROTECTING) >>> 0)
  return result < 0 ? result : lost
}

/** Gives a folder the flags back that `unprotect` took. */
export const protectAgain = (fd: number, lost: number): void => void setBits(fd, lost)

/** Runs `change` while the open file `fd` is not protected. */
export const withoutProtection = (fd: number, change: () => number): number => {
  const bits = ReadSyscalls.getFlags(fd)
  if (bits < 0) return bits
  const lifted = Syscalls.setFlags(fd, (bits & ~PROTECTING) >>> 0)
  if (lifted < 0) return lifted
  const result = change()
  const restored = Syscalls.setFlags(fd, bits)
  return restored < 0 && result >= 0 ? restored : result
}
