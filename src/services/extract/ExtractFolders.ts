/**
 * The folders that an extraction is in, as descriptors.
 *
 * Guarantees: a folder is entered by its name in the folder above it and never through a symbolic link; one whose
 * descriptor was given up is only entered again if it is still the same folder; at most `MAX_OPEN` are open at a time,
 * however deep the tree is; nothing recurses. Folders are made when they are needed, for as long as nothing in them is
 * extracted they are not.
 *
 * It restores no attributes: new folders are open to their owner only until somebody does.
 */
import * as Errno from "../../domain/Errno.ts"
import * as Bytes from "../../domain/Bytes.ts"
import { S_IFDIR, S_IFMT } from "../../domain/pxar/Entry.ts"
import * as XattrList from "../../domain/pxar/XattrList.ts"
import type { Problems } from "./ExtractProblem.ts"
import * as Syscalls from "../posix/WriteSyscalls.ts"
import * as ReadSyscalls from "../posix/ReadSyscalls.ts"

export interface Folder {
  /** The target folder itself has none. */
  readonly parent: Folder | undefined
  readonly name: Uint8Array
  /** Length of its path (see `ExtractPath`). */
  readonly pathLength: number
  /** Whether it may be there already: its attributes are then replaced if it is selected. */
  readonly selected: boolean
  /** -1 for one that is not open. */
  fd: number
  state: "Pending" | "Made" | "Failed"
  /** Whether this run made it. */
  created: boolean
  /** Whether what is made in it gets an ACL from it. */
  inheritsAcl: boolean
  /** Which file it is, from when it was entered first. */
  identity: Identity | undefined
}

/** Which file something is. */
export interface Identity {
  readonly device: number
  readonly inodeLow: number
  readonly inodeHigh: number
}

export interface Options {
  /** Whether a folder that is selected may be there already. */
  readonly allowExistingDirs: boolean
  /** Whether what is no folder makes way for one. */
  readonly overwrite: boolean
  readonly acls: boolean
  /** Whether new folders are hidden from others until their modes are restored. */
  readonly permissions: boolean
}

/** Most folders that are open at a time, the target and a borrowed one not counted. */
export const MAX_OPEN = 64
/** Folders that are kept open when the way to one is walked again. */
const KEEP = 32

const { EEXIST, ENOTDIR, ELOOP } = Errno.code

export class ExtractFolders {
  readonly root: Folder
  /** The open folders on the way to the innermost one, without the root, from the outside in. */
  private open: Array<Folder> = []
  private readonly options: Options
  private readonly problems: Problems

  /** Takes over `fd`, the open target folder. */
  constructor(
    fd: number,
    root: { readonly selected: boolean; readonly created: boolean },
    options: Options,
    problems: Problems,
  ) {
    this.options = options
    this.problems = problems
    this.root = {
      ...root,
      parent: undefined,
      name: Bytes.empty,
      pathLength: 0,
      fd,
      state: "Made",
      inheritsAcl: options.acls && Syscalls.xattrSize(fd, XattrList.ACL_DEFAULT) > 0,
      identity: undefined,
    }
  }

  /** A folder that is not made yet. */
  child(parent: Folder, name: Uint8Array, selected: boolean, pathLength: number): Folder {
    return {
      parent,
      name,
      pathLength,
      selected,
      fd: -1,
      state: "Pending",
      created: false,
      inheritsAcl: false,
      identity: undefined,
    }
  }

  /** Makes and opens a folder and those above it, as far as they are not; `false` if that failed, which is reported. */
  enter(folder: Folder): boolean {
    if (folder.fd >= 0) return true
    if (folder.state === "Made") return this.reopen(folder)
    const missing: Array<Folder> = []
    let at: Folder = folder
    while (at.state === "Pending" && at.parent !== undefined) {
      missing.push(at)
      at = at.parent
    }
    if (at.state === "Failed" || (at.fd < 0 && !this.reopen(at))) return false
    for (let next = missing.pop(); next !== undefined; next = missing.pop()) {
      if (!this.make(next, at.fd, at.inheritsAcl)) return false
      at = next
    }
    return true
  }

  /** Runs `complete` and gives the innermost folder up. The one above it is open then. */
  leave(folder: Folder, complete: () => void): void {
    if (folder.fd < 0) return
    // Before the folder gets its mode: that may keep its owner from looking up.
    const above = folder.parent === undefined ? -1 : openAbove(folder.parent, folder.fd)
    complete()
    if (folder.parent === undefined) return
    ReadSyscalls.close(folder.fd)
    folder.fd = -1
    this.open.pop()
    if (above >= 0) this.keepOpen(folder.parent, above)
  }

  /** A descriptor of a folder that was made in this run, to be given back; or a negative errno. */
  borrow(folder: Folder): number {
    if (folder.fd >= 0) return folder.fd
    const path: Array<Folder> = []
    let at = folder
    while (at.fd < 0 && at.parent !== undefined) {
      path.push(at)
      at = at.parent
    }
    let fd = at.fd
    for (let next = path.pop(); next !== undefined; next = path.pop()) {
      const inner = openSame(next, fd)
      if (fd !== at.fd) ReadSyscalls.close(fd)
      if (inner < 0) return inner
      fd = inner
    }
    return fd
  }

  /** Ends the use of a borrowed descriptor. */
  giveBack(folder: Folder, fd: number): void {
    if (fd !== folder.fd) ReadSyscalls.close(fd)
  }

  /** Closes everything. */
  close(): void {
    for (const folder of this.open) {
      ReadSyscalls.close(folder.fd)
      folder.fd = -1
    }
    this.open = []
    ReadSyscalls.close(this.root.fd)
    this.root.fd = -1
  }

  private make(folder: Folder, parentFd: number, inheritsAcl: boolean): boolean {
    const mode = this.options.permissions ? 0o700 : 0o777
    let result = Syscalls.makeFolder(parentFd, folder.name, mode)
    if (result === -EEXIST) result = this.makeWay(folder, parentFd, mode)
    if (result === -EEXIST) return this.fail(folder, "Exists", "is there already")
    if (result < 0) return this.fail(folder, "NotCreated", "cannot make the folder", result)
    const existed = result === EXISTED
    const fd = Syscalls.openFolder(parentFd, folder.name)
    if (fd < 0) return this.fail(folder, "NotCreated", "cannot open the folder", fd)
    const status = ReadSyscalls.statusOf(fd)
    if (typeof status === "number") {
      ReadSyscalls.close(fd)
      return this.fail(folder, "NotCreated", "cannot look at the folder", status)
    }
    folder.state = "Made"
    folder.created = !existed
    folder.identity = { device: status.device, inodeLow: status.inodeLow, inodeHigh: status.inodeHigh }
    if (existed) folder.inheritsAcl = this.options.acls && Syscalls.xattrSize(fd, XattrList.ACL_DEFAULT) > 0
    else if (inheritsAcl) {
      // What it inherited is not in the archive, and would be passed on.
      Syscalls.removeXattr(fd, XattrList.ACL_DEFAULT)
      Syscalls.removeXattr(fd, XattrList.ACL_ACCESS)
    }
    this.keepOpen(folder, fd)
    return true
  }

  /** What to do with something that has a folder's name: nothing if the folder may be there, `EXISTED` then. */
  private makeWay(folder: Folder, parentFd: number, mode: number): number {
    const node = Syscalls.openNode(parentFd, folder.name)
    if (node < 0) return node
    const status = ReadSyscalls.statusOf(node)
    ReadSyscalls.close(node)
    if (typeof status === "number") return status
    if ((status.mode & S_IFMT) === S_IFDIR) {
      // Folders on the way to what was asked for may be there in any case.
      return this.options.allowExistingDirs || !folder.selected ? EXISTED : -EEXIST
    }
    if (!this.options.overwrite) return -EEXIST
    const removed = Syscalls.unlink(parentFd, folder.name)
    return removed < 0 ? removed : Syscalls.makeFolder(parentFd, folder.name, mode)
  }

  private fail(folder: Folder, kind: "Exists" | "NotCreated" | "Replaced", detail: string, errno?: number): false {
    folder.state = "Failed"
    this.problems.add(kind, detail, errno, folder.pathLength)
    return false
  }

  private keepOpen(folder: Folder, fd: number): void {
    folder.fd = fd
    this.open.push(folder)
    if (this.open.length <= MAX_OPEN) return
    const outermost = this.open.shift() as Folder
    ReadSyscalls.close(outermost.fd)
    outermost.fd = -1
  }

  /** Opens a folder that was given up; then nothing between it and the target is open. */
  private reopen(folder: Folder): boolean {
    const path: Array<Folder> = []
    for (let at = folder; at.parent !== undefined && at.fd < 0; at = at.parent) path.push(at)
    const from = path.at(-1)?.parent as Folder
    let fd = from.fd
    for (let left = path.length - 1; left >= 0; left--) {
      const next = path[left] as Folder
      const inner = openSame(next, fd)
      if (fd !== from.fd && left + 1 >= KEEP) ReadSyscalls.close(fd)
      if (inner < 0) return this.fail(folder, "Replaced", "was moved or replaced while it was extracted into", inner)
      if (left < KEEP) this.keepOpen(next, inner)
      fd = inner
    }
    return true
  }
}

/** Result of `makeWay`: the folder is there. */
const EXISTED = 1

/** Opens a folder if it is the one that was made; a negative errno if not. */
const openSame = (folder: Folder, parentFd: number): number => {
  const fd = Syscalls.openFolder(parentFd, folder.name)
  if (fd < 0) return fd === -ENOTDIR ? -ELOOP : fd
  const status = ReadSyscalls.statusOf(fd)
  if (typeof status !== "number" && folder.identity !== undefined && isSame(status, folder.identity)) return fd
  ReadSyscalls.close(fd)
  return -ELOOP
}

/** Opens the folder above one that is open, if it is not open and still the same; a negative number if not. */
const openAbove = (above: Folder, fd: number): number => {
  if (above.fd >= 0) return -1
  const opened = Syscalls.openAbove(fd)
  if (opened < 0) return opened
  const status = ReadSyscalls.statusOf(opened)
  if (typeof status !== "number" && above.identity !== undefined && isSame(status, above.identity)) return opened
  ReadSyscalls.close(opened)
  return -ELOOP
}

/** Whether both are one file. */
export const isSame = (a: Identity, b: Identity): boolean =>
  a.inodeLow === b.inodeLow && a.inodeHigh === b.inodeHigh && a.device === b.device
