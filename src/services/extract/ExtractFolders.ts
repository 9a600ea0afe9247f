/**
 * The folders that an extraction is in, as descriptors.
 *
 * Guarantees: a folder is entered by its name in the folder above it, through a symbolic link only where its opener says
 * so; one whose descriptor was given up is only entered again if it is still the same folder; at most `MAX_OPEN` are open
 * at a time, however deep the tree is; nothing recurses. Folders are opened, or made, when they are needed: for as long
 * as nothing in them is extracted they are not. One that takes the place of something else does so when it is left, and
 * only if nothing is missing in it.
 *
 * It restores no attributes: new folders are open to their owner only until somebody does.
 */
import * as Errno from "../../domain/Errno.ts"
import * as NameSyscalls from "../posix/NameSyscalls.ts"
import * as ReadSyscalls from "../posix/ReadSyscalls.ts"
import * as Syscalls from "../posix/WriteSyscalls.ts"
import * as ExtractAttributes from "./ExtractAttributes.ts"
import type { Problems } from "./ExtractProblem.ts"
import type { Folder } from "./Folder.ts"
import { ABSENT, type FolderOpener, openLink } from "./FolderOpener.ts"
import { isSame } from "./Identity.ts"
import * as TreeRemoval from "./TreeRemoval.ts"

/** Most folders that are open at a time, the target and a borrowed one not counted. */
export const MAX_OPEN = 64
/** Folders that are kept open when the way to one is walked again. */
const KEEP = 32

/** What is done to a folder that is complete. */
export interface Completion {
  readonly complete: (fd: number) => void
  /** What can only be done when it is in its place. */
  readonly seal: (fd: number) => void
}

/** A folder that takes another's place when it is whole. */
interface Aside {
  readonly folder: Folder
  /** Entries that were missing when it was begun. */
  readonly missing: number
}

export class ExtractFolders {
  readonly root: Folder
  /** The open folders on the way to the innermost one, without the root, from the outside in. */
  private open: Array<Folder> = []
  private readonly asides: Array<Aside> = []
  private readonly opener: FolderOpener
  private readonly problems: Problems

  /** The descriptor of `root`, the target folder, stays the caller's. */
  constructor(root: Folder, opener: FolderOpener, problems: Problems) {
    this.root = root
    this.opener = opener
    this.problems = problems
  }

  /** Makes and opens a folder and those above it, as far as they are not; `false` if that failed, which is reported. */
  enter(folder: Folder): boolean {
    if (folder.fd >= 0 || folder.state === "Absent") return true
    if (folder.state === "Made") return this.reopen(folder)
    const missing: Array<Folder> = []
    let at: Folder = folder
    while (at.state === "Pending" && at.parent !== undefined) {
      missing.push(at)
      at = at.parent
    }
    if (at.state === "Failed" || (at.state === "Made" && at.fd < 0 && !this.reopen(at))) return false
    for (let next = missing.pop(); next !== undefined; next = missing.pop()) {
      const fd = this.opener.open(next, at, this.root.fd)
      if (fd === ABSENT) next.state = "Absent"
      else if (fd < 0) {
        next.state = "Failed"
        return false
      } else {
        next.state = "Made"
        if (next.aside) this.asides.push({ folder: next, missing: this.problems.missing })
        this.keepOpen(next, fd)
      }
      at = next
    }
    return true
  }

  /** Completes the innermost folder and gives it up. The one above it is open then. */
  leave(folder: Folder, { complete, seal }: Completion): void {
    if (folder.fd < 0) return
    const { fd, parent } = folder
    if (parent === undefined) {
      lock(folder)
      complete(fd)
      seal(fd)
      return protectAgain(folder, fd)
    }
    // Before the folder gets its mode: that may keep its owner from looking up.
    const above = openAbove(parent, fd)
    const aside = folder.aside ? this.endAside(folder) : undefined
    const isWhole = aside === undefined || aside.missing === this.problems.missing
    lock(folder)
    if (isWhole) complete(fd)
    this.open.pop()
    folder.fd = -1
    if (above >= 0) this.keepOpen(parent, above)
    const isPlaced = aside === undefined || this.takePlace(folder, isWhole)
    if (isWhole && isPlaced) seal(fd)
    protectAgain(folder, fd)
    ReadSyscalls.close(fd)
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
      const inner = this.openSame(next, fd)
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

  /** Ends everything: folders that were not left take no place, and their owners may not write to them any more. */
  close(): void {
    for (let aside = this.asides.pop(); aside !== undefined; aside = this.asides.pop()) {
      const parent = aside.folder.parent as Folder
      const fd = this.borrow(parent)
      if (fd < 0) continue
      TreeRemoval.remove(fd, aside.folder.diskName)
      this.giveBack(parent, fd)
    }
    for (const folder of this.open) {
      lock(folder)
      protectAgain(folder, folder.fd)
      ReadSyscalls.close(folder.fd)
      folder.fd = -1
    }
    this.open = []
    lock(this.root)
    protectAgain(this.root, this.root.fd)
  }

  private endAside(folder: Folder): Aside | undefined {
    const index = this.asides.findLastIndex((aside) => aside.folder === folder)
    return index < 0 ? undefined : this.asides.splice(index, 1)[0]
  }

  /** Puts a folder into the place of what is called as it will be. That stays where the folder is not whole. */
  private takePlace(folder: Folder, isWhole: boolean): boolean {
    const parent = folder.parent as Folder
    if (!this.enter(parent)) return false
    const { diskName, name } = folder
    if (!isWhole) {
      TreeRemoval.remove(parent.fd, diskName)
      folder.state = "Failed"
      const detail = "stays what it was: not all of the folder in its place could be extracted"
      this.problems.add("NotCreated", detail, undefined, folder.pathLength)
      return false
    }
    let result = NameSyscalls.exchange(parent.fd, diskName, name)
    if (result === -Errno.code.EINVAL || result === -Errno.code.ENOSYS) {
      // What it replaces is whole elsewhere: in the archive, and in the hidden folder.
      Syscalls.unlink(parent.fd, name)
      result = NameSyscalls.renameOver(parent.fd, diskName, name)
    } else if (result === 0) result = TreeRemoval.remove(parent.fd, diskName)
    if (result < 0) {
      this.problems.add("NotCreated", "cannot take the place of what is there", result, folder.pathLength)
      return false
    }
    folder.diskName = name
    folder.aside = false
    return true
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
      const inner = this.openSame(next, fd)
      if (fd !== from.fd && left + 1 >= KEEP) ReadSyscalls.close(fd)
      if (inner < 0) {
        folder.state = "Failed"
        const detail = "was moved or replaced while it was extracted into"
        this.problems.add("Replaced", detail, inner, folder.pathLength)
        return false
      }
      if (left < KEEP) this.keepOpen(next, inner)
      fd = inner
    }
    return true
  }

  /** Opens a folder if it is the one that was entered before; a negative errno if not. */
  private openSame(folder: Folder, parentFd: number): number {
    const fd = folder.isLink ? openLink(folder, this.root.fd) : Syscalls.openFolder(parentFd, folder.diskName)
    if (fd < 0) return fd === -Errno.code.ENOTDIR ? -Errno.code.ELOOP : fd
    const status = ReadSyscalls.statusOf(fd)
    if (typeof status !== "number" && folder.identity !== undefined && isSame(status, folder.identity)) return fd
    ReadSyscalls.close(fd)
    return -Errno.code.ELOOP
  }
}

/** Gives an open folder the mode back that it had before it was made writable. */
const lock = (folder: Folder): void => {
  if (folder.lockedMode !== undefined) Syscalls.setMode(folder.fd, folder.lockedMode)
  folder.lockedMode = undefined
}

/** Gives a folder the flags back that kept files from being put into it: the last that is done with it. */
const protectAgain = (folder: Folder, fd: number): void => {
  if (folder.lockedFlags !== undefined) ExtractAttributes.protectAgain(fd, folder.lockedFlags)
  folder.lockedFlags = undefined
}

/** Opens the folder above one that is open, if it is not open and still the same; a negative number if not. */
const openAbove = (above: Folder, fd: number): number => {
  if (above.fd >= 0) return -1
  const opened = Syscalls.openAbove(fd)
  if (opened < 0) return opened
  const status = ReadSyscalls.statusOf(opened)
  if (typeof status !== "number" && above.identity !== undefined && isSame(status, above.identity)) return opened
  ReadSyscalls.close(opened)
  return -Errno.code.ELOOP
}
