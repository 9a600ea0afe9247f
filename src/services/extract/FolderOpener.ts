/**
 * Makes and opens a folder in a folder that is open, or enters the one that is there.
 *
 * Guarantees: what is opened is what was made, or a folder that may be extracted into; a symbolic link is followed only
 * where that is asked for, and never out of the target; what is no folder stays until a folder that is whole takes its
 * place. A second name of this run that means a folder of its own here is noticed: it is never mixed with the first.
 */
import * as Bytes from "../../domain/Bytes.ts"
import * as Errno from "../../domain/Errno.ts"
import { S_IFDIR, S_IFLNK, S_IFMT } from "../../domain/pxar/Entry.ts"
import * as XattrList from "../../domain/pxar/XattrList.ts"
import * as HiddenName from "../disk/HiddenName.ts"
import * as NameSyscalls from "../posix/NameSyscalls.ts"
import * as ReadSyscalls from "../posix/ReadSyscalls.ts"
import * as Syscalls from "../posix/WriteSyscalls.ts"
import type { Overwrite } from "./Existing.ts"
import * as ExtractAttributes from "./ExtractAttributes.ts"
import type { Kind, Problems } from "./ExtractProblem.ts"
import type { Folder } from "./Folder.ts"
import type { Identity } from "./Identity.ts"
import { InodeSet } from "./InodeSet.ts"
import * as Leftovers from "./Leftovers.ts"

export interface Options {
  /** Whether a folder that is selected may be there already. */
  readonly allowExistingDirs: boolean
  readonly overwrite: Overwrite
  /** Whether a link to a folder makes way for a folder. */
  readonly force: boolean
  /** Whether a link to a folder stands for that folder. */
  readonly keepDirectorySymlink: boolean
  /** Whether folders of different paths can become one, because beginnings of paths are left out. */
  readonly mergesFolders: boolean
  readonly acls: boolean
  /** Whether new folders are hidden from others until their modes are restored. */
  readonly permissions: boolean
  /** As whom folders are made. */
  readonly euid: number
}

/** Opens folders; what it returns is a descriptor, `ABSENT`, or `REFUSED` after a problem was reported. */
export interface FolderOpener {
  /** `root` is the open target, `parent` the folder above, which is open or absent. */
  readonly open: (folder: Folder, parent: Folder, root: number) => number
}

const REFUSED = -1
/** The folder is not there, and was not made. */
export const ABSENT = -2

export const SAME_NAME = "its name is the same as another one's of this archive on this file system, which is there"

const EEXIST = Errno.code.EEXIST

/** Why a folder is not opened: adds the problem. */
type Fail = (folder: Folder, kind: Kind, detail: string, errno?: number) => typeof REFUSED

const failing =
  (problems: Problems): Fail =>
  (folder, kind, detail, errno) => {
    problems.add(kind, detail, errno, folder.pathLength)
    return REFUSED
  }

/** What is to be done about what is there already. */
type Judgement = "Enter" | "EnterLink" | "Replace" | typeof REFUSED

/** Whether what has a folder's name, with `status`, is entered or makes way. */
const judge = (
  options: Options,
  fail: Fail,
  folder: Folder,
  parent: Folder,
  root: number,
  { mode, ...status }: ReadSyscalls.Status,
): Judgement => {
  const type = mode & S_IFMT
  if (isOfThisRun(parent, status) && !(type === S_IFDIR && options.mergesFolders)) {
    return fail(folder, "Exists", SAME_NAME)
  }
  if (type === S_IFDIR) {
    // Folders on the way to what was asked for may be there in any case.
    return options.allowExistingDirs || !folder.selected || isOfThisRun(parent, status)
      ? "Enter"
      : fail(folder, "Exists", "is there already")
  }
  const replaces = options.overwrite === "always" || options.overwrite === "if-changed"
  if (type === S_IFLNK && leadsToFolder(folder, parent, root)) {
    if (options.keepDirectorySymlink) return "EnterLink"
    return replaces && options.force ? "Replace" : fail(folder, "DirectoryLink", "is a symbolic link to a folder")
  }
  return replaces ? "Replace" : fail(folder, "Exists", "is there already")
}

/** Opens the folder that a link on disk stands for. */
const openLinked = (fail: Fail, folder: Folder, root: number): number => {
  const fd = openLink(folder, root)
  if (fd === -Errno.code.ENOSYS) return fail(folder, "DirectoryLink", "following links takes Linux 5.6")
  if (fd < 0) return fail(folder, "DirectoryLink", "is a symbolic link that leads to no folder inside the target", fd)
  folder.isLink = true
  return fd
}

/** Makes folders that are not there. */
export const making = (options: Options, problems: Problems): FolderOpener => {
  const fail = failing(problems)

  /** Makes the folder under `name` and opens it. */
  const create = (folder: Folder, parent: Folder, name: Uint8Array): number => {
    const result = Syscalls.makeFolder(parent.fd, name, options.permissions ? 0o700 : 0o777)
    if (result === -EEXIST) return ABSENT
    if (result < 0) return fail(folder, "NotCreated", "cannot make the folder", result)
    const fd = Syscalls.openFolder(parent.fd, name)
    if (fd < 0) return fail(folder, "NotCreated", "cannot open the folder", fd)
    const status = ReadSyscalls.statusOf(fd)
    if (typeof status === "number" || !isFresh(fd, status, parent.fd, options.euid)) {
      ReadSyscalls.close(fd)
      return fail(folder, "Replaced", "was replaced when it had just been made")
    }
    folder.created = true
    folder.identity = status
    folder.diskName = name
    parent.written?.add(status)
    if (parent.inheritsAcl) {
      // What it inherited is not in the archive, and would be passed on.
      Syscalls.removeXattr(fd, XattrList.ACL_DEFAULT)
      Syscalls.removeXattr(fd, XattrList.ACL_ACCESS)
    }
    return fd
  }

  /** Enters the folder that is there, by `fd`. */
  const enter = (folder: Folder, parent: Folder, fd: number): number => {
    if (fd < 0) return fd === REFUSED ? fd : fail(folder, "NotCreated", "cannot open the folder", fd)
    const status = ReadSyscalls.statusOf(fd)
    if (typeof status === "number") {
      ReadSyscalls.close(fd)
      return fail(folder, "NotCreated", "cannot look at the folder", status)
    }
    folder.identity = status
    const flags = ExtractAttributes.unprotect(fd)
    if (flags < 0) {
      ReadSyscalls.close(fd)
      return fail(folder, "NotCreated", ExtractAttributes.PROTECTED, flags)
    }
    folder.lockedFlags ??= flags === 0 ? undefined : flags
    folder.lockedMode ??= unlock(fd, status, options.euid)
    folder.written = new InodeSet()
    folder.inheritsAcl = options.acls && Syscalls.xattrSize(fd, XattrList.ACL_DEFAULT) > 0
    parent.written?.add(status)
    Leftovers.remove(fd, problems, folder.pathLength)
    return fd
  }

  return {
    open: (folder, parent, root) => {
      const made = create(folder, parent, folder.name)
      if (made !== ABSENT) return made
      const status = NameSyscalls.status(parent.fd, folder.name)
      if (typeof status === "number") return fail(folder, "NotCreated", "cannot look at what is there", status)
      switch (judge(options, fail, folder, parent, root, status)) {
        case "Enter":
          return enter(folder, parent, openUnlocked(folder, parent.fd, options.euid))
        case "EnterLink":
          return enter(folder, parent, openLinked(fail, folder, root))
        case "Replace":
          folder.aside = true
          return create(folder, parent, HiddenName.make())
        default:
          return REFUSED
      }
    },
  }
}

/** What a folder that is not opened would be. */
export interface Missing {
  /** It would be made, in the place of something else if it `replaces` that. */
  readonly report: (folder: Folder, replaces: boolean) => void
  /** The kind of problem that a folder is which cannot be looked at. */
  readonly kind: Kind
}

/** Makes nothing: for runs that say what they would do, and for looking at what was done. */
export const looking = (options: Options, problems: Problems, { kind, report }: Missing): FolderOpener => {
  const fail = failing(problems)
  const absent = (folder: Folder, replaces: boolean): number => {
    report(folder, replaces)
    return ABSENT
  }
  return {
    open: (folder, parent, root) => {
      if (parent.state === "Absent") return absent(folder, false)
      const status = NameSyscalls.status(parent.fd, folder.name)
      if (status === -Errno.code.ENOENT) return absent(folder, false)
      if (typeof status === "number") return fail(folder, kind, "cannot look at what is there", status)
      const judgement = judge(options, fail, folder, parent, root, status)
      if (judgement === REFUSED) return REFUSED
      if (judgement === "Replace") return absent(folder, true)
      const fd =
        judgement === "EnterLink" ? openLinked(fail, folder, root) : Syscalls.openFolder(parent.fd, folder.name)
      if (fd < 0) return fd === REFUSED ? fd : fail(folder, kind, "cannot open the folder", fd)
      folder.identity = status
      folder.written = new InodeSet()
      parent.written?.add(status)
      return fd
    },
  }
}

/** Whether what is in a folder was put there by this run. */
const isOfThisRun = (parent: Folder, status: Identity): boolean =>
  parent.written === undefined || parent.written.has(status)

/** Opens the folder that a link on disk leads to, inside the target. */
export const openLink = (folder: Folder, root: number): number => {
  const path = pathOnDisk(folder)
  return path.length > MAX_PATH ? -Errno.code.ELOOP : NameSyscalls.openInRoot(root, path)
}

/** Longest path that a system call takes, without the NUL. */
const MAX_PATH = 4095
const SLASH = Bytes.fromText("/")

const pathOnDisk = (folder: Folder): Uint8Array => {
  const names: Array<Uint8Array> = []
  for (let at = folder; at.parent !== undefined; at = at.parent) {
    if (names.length > 0) names.push(SLASH)
    names.push(at.diskName)
  }
  return Bytes.concat(names.toReversed())
}

/** Whether a link leads to a folder: inside the target, or as everybody else sees it. */
const leadsToFolder = (folder: Folder, parent: Folder, root: number): boolean => {
  for (const fd of [openLink(folder, root), NameSyscalls.openFollowing(parent.fd, folder.name)]) {
    if (fd < 0) continue
    ReadSyscalls.close(fd)
    return true
  }
  return false
}

/** Opens a folder that is there, made readable if it is one's own. */
const openUnlocked = (folder: Folder, parent: number, euid: number): number => {
  const fd = Syscalls.openFolder(parent, folder.name)
  if (fd !== -Errno.code.EACCES) return fd
  const node = Syscalls.openNode(parent, folder.name)
  if (node < 0) return node
  const status = ReadSyscalls.statusOf(node)
  if (typeof status !== "number" && (status.mode & S_IFMT) === S_IFDIR) folder.lockedMode = unlock(node, status, euid)
  ReadSyscalls.close(node)
  return folder.lockedMode === undefined ? fd : Syscalls.openFolder(parent, folder.name)
}

/** Makes a folder of one's own writable, and returns the mode to go back to. */
export const unlock = (fd: number, { mode, uid }: ReadSyscalls.Status, euid: number): number | undefined => {
  if ((mode & 0o700) === 0o700 || uid !== euid) return undefined
  return Syscalls.setMode(fd, (mode & 0o7777) | 0o700) === 0 ? mode & 0o7777 : undefined
}

/**
 * Whether the folder `fd` can be the one that was just made: it is empty, and belongs to whom what is made here belongs
 * to. Between the two calls others can put something else in its place where they may write.
 */
const isFresh = (fd: number, status: ReadSyscalls.Status, parent: number, euid: number): boolean => {
  let entries = 0
  let size = 0
  do {
    size = ReadSyscalls.readEntries(fd, () => entries++)
    if (size < 0 || entries > 2) return false
  } while (size > 0)
  return status.uid === euid || status.uid === ownerOfNew(parent)
}

/** Who owns what this process makes in a folder: some network file systems give it to somebody else. */
const ownerOfNew = (parent: number): number | undefined => {
  const name = HiddenName.make()
  const fd = Syscalls.createFile(parent, name, 0o600)
  if (fd < 0) return undefined
  const status = ReadSyscalls.statusOf(fd)
  ReadSyscalls.close(fd)
  Syscalls.unlink(parent, name)
  return typeof status === "number" ? undefined : status.uid
}
