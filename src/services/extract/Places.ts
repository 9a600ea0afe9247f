/**
 * The names of entries on disk: what is there already, whether it makes way, and how what was made aside takes its place.
 *
 * Guarantees: what is there stays until its replacement is whole, and is then replaced in one step where the file system
 * can do that; nothing that this run has extracted is ever replaced by it, also where two names of the archive are one
 * on the file system.
 */
import * as Bytes from "../../domain/Bytes.ts"
import * as Errno from "../../domain/Errno.ts"
import { S_IFDIR, S_IFMT } from "../../domain/pxar/Entry.ts"
import * as HiddenName from "../disk/HiddenName.ts"
import * as NameSyscalls from "../posix/NameSyscalls.ts"
import * as ReadSyscalls from "../posix/ReadSyscalls.ts"
import * as Syscalls from "../posix/WriteSyscalls.ts"
import * as Existing from "./Existing.ts"
import type { Counts } from "./Counts.ts"
import type { ExtractLinks, Written } from "./ExtractLinks.ts"
import type { Problems } from "./ExtractProblem.ts"
import type { Folder } from "./Folder.ts"
import { SAME_NAME } from "./FolderOpener.ts"
import { isSame } from "./Identity.ts"
import * as TreeRemoval from "./TreeRemoval.ts"
import type { Target } from "./Target.ts"

/** What is where an entry is to be: nothing, something that makes way, or a folder that does. */
export type Place = "New" | "Over" | "OverFolder"

export interface Policy extends Existing.Policy {
  /** Whether folders make way for what is no folder. */
  readonly force: boolean
}

const EEXIST = Errno.code.EEXIST

export class Places {
  private readonly policy: Policy
  private readonly links: ExtractLinks
  private readonly problems: Problems
  private readonly counts: Counts
  /** Names in the folder that was asked about last, as keys. */
  private listed: { readonly folder: Folder; readonly names: ReadonlySet<string> } | undefined

  constructor(policy: Policy, links: ExtractLinks, problems: Problems, counts: Counts) {
    this.policy = policy
    this.links = links
    this.problems = problems
    this.counts = counts
  }

  /** Where an entry goes; `undefined` if what is there stays, which is counted or reported. */
  look(folder: Folder, found: Target, linkTo: Written | undefined): Place | undefined {
    // Everything in a folder of this run is of this run: it shows when a name is taken.
    if (folder.written === undefined || folder.state === "Absent") return "New"
    const { entry, name } = found
    const status = NameSyscalls.status(folder.fd, name)
    // What is wrong shows when the entry is made.
    if (typeof status === "number") return "New"
    const isFolder = (status.mode & S_IFMT) === S_IFDIR
    if (folder.written.has(status) && (isFolder || status.nlink === 1 || !this.isListed(folder, name))) {
      this.problems.add("Exists", SAME_NAME)
      return undefined
    }
    if (isFolder) return this.lookAtFolder()
    switch (this.decide(folder, found, status, linkTo)) {
      case "Replace":
        return "Over"
      case "InTheWay":
        this.problems.add("Exists", "is there already")
        return undefined
      case "Newer":
        this.counts.newer++
        folder.written.add(status)
        return undefined
      case "Keep":
        this.counts.kept++
        folder.written.add(status)
        if (entry.body._tag === "File" && found.link === undefined) this.links.add(found.nameStart, folder, status)
        return undefined
    }
  }

  /** Gives what is called `hidden` its name. Returns 0, or an errno after which it is still called `hidden`. */
  put(folder: Folder, hidden: Uint8Array, name: Uint8Array, place: Place): number {
    switch (place) {
      case "New":
        return renameNew(folder.fd, hidden, name)
      case "Over":
        return NameSyscalls.renameOver(folder.fd, hidden, name)
      case "OverFolder":
        return this.putOverFolder(folder.fd, hidden, name)
    }
  }

  /** Gives an unnamed file its name. */
  putUnnamed(folder: Folder, fd: number, name: Uint8Array, place: Place): number {
    if (place === "New") return NameSyscalls.linkUnnamed(fd, folder.fd, name)
    const hidden = HiddenName.make()
    const linked = NameSyscalls.linkUnnamed(fd, folder.fd, hidden)
    if (linked < 0) return linked
    const result = this.put(folder, hidden, name, place)
    if (result < 0) Syscalls.unlink(folder.fd, hidden)
    return result
  }

  /** Says why something did not get its name. */
  report(folder: Folder, what: string, errno: number): void {
    if (errno !== -EEXIST) return this.problems.add("NotCreated", `cannot create the ${what}`, errno)
    this.problems.add("Exists", folder.written === undefined ? SAME_NAME : "is there already")
  }

  private lookAtFolder(): Place | undefined {
    const { force, overwrite } = this.policy
    const replaces = overwrite === "always" || overwrite === "if-changed"
    if (replaces && force) return "OverFolder"
    this.problems.add("Exists", replaces ? "a folder is in its place" : "is there already")
    return undefined
  }

  private decide(
    folder: Folder,
    { entry, link, name }: Target,
    status: ReadSyscalls.Status,
    linkTo: Written | undefined,
  ): Existing.Decision {
    const { overwrite } = this.policy
    if (link !== undefined && linkTo !== undefined && overwrite !== "refuse") {
      if (isSame(linkTo.identity, status)) return "Keep"
      // A copy of what it should be another name of.
      if (overwrite === "if-changed") return "Replace"
    }
    return Existing.decide(this.policy, folder.fd, name, status, entry)
  }

  private putOverFolder(directory: number, hidden: Uint8Array, name: Uint8Array): number {
    const exchanged = NameSyscalls.exchange(directory, hidden, name)
    if (exchanged === 0) {
      this.removeFolder(directory, hidden)
      return 0
    }
    if (exchanged !== -Errno.code.EINVAL && exchanged !== -Errno.code.ENOSYS) return exchanged
    const old = HiddenName.make()
    const moved = NameSyscalls.renameOver(directory, name, old)
    if (moved < 0) return moved
    const result = renameNew(directory, hidden, name)
    if (result < 0) NameSyscalls.renameOver(directory, old, name)
    else this.removeFolder(directory, old)
    return result
  }

  private removeFolder(directory: number, name: Uint8Array): void {
    const result = TreeRemoval.remove(directory, name)
    const detail = `the folder that was in its place is left as ${Buffer.from(name).toString("latin1")}`
    if (result < 0) this.problems.add("NotDeleted", detail, result)
  }

  /** Whether a name is on disk byte for byte: then what it means is not there under another name only. */
  private isListed(folder: Folder, name: Uint8Array): boolean {
    if (this.listed?.folder !== folder) this.listed = { folder, names: list(folder.fd) }
    return this.listed.names.has(Bytes.toKey(name))
  }
}

const list = (fd: number): ReadonlySet<string> => {
  const names = new Set<string>()
  for (let size = ReadSyscalls.rewind(fd); size >= 0;) {
    size = ReadSyscalls.readEntries(fd, (terminated) => names.add(Bytes.toKey(terminated.subarray(0, -1))))
    if (size === 0) break
  }
  return names
}

/** Renames to a name that is free; -EEXIST if it is not. */
const renameNew = (directory: number, hidden: Uint8Array, name: Uint8Array): number => {
  const result = NameSyscalls.renameNoReplace(directory, hidden, name)
  if ((result !== -Errno.code.EINVAL && result !== -Errno.code.ENOSYS) || !Syscalls.isName(name)) return result
  const linked = Syscalls.makeLink(directory, hidden, directory, name)
  if (linked === 0) return Syscalls.unlink(directory, hidden)
  if (linked === -EEXIST) return linked
  // Neither is possible here: between the look and the step somebody can take the name, and loses it again.
  const status = NameSyscalls.status(directory, name)
  if (typeof status !== "number") return -EEXIST
  return NameSyscalls.renameOver(directory, hidden, name)
}
