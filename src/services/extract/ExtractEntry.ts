/**
 * Extracts single entries into folders that are open.
 *
 * Guarantees: an entry is created, never opened if it is there already, so nothing is written through a link and into
 * no file that has another name elsewhere; one whose content cannot be had does not stay behind, half written; a hard
 * link leads to a file that this run has written, or becomes a file of its own.
 *
 * A small file takes one read and a handful of system calls, one after the other, with no effect between them.
 */
import * as Effect from "effect/Effect"
import * as Errno from "../../domain/Errno.ts"
import type { Content } from "../../domain/pxar/Entry.ts"
import { S_IFMT, S_IFREG } from "../../domain/pxar/Entry.ts"
import type { ArchiveError } from "../archive/ArchiveError.ts"
import type { ArchiveTree, Found } from "../archive/ArchiveTree.ts"
import * as ExtractAttributes from "./ExtractAttributes.ts"
import type { ExtractFolders, Folder, Identity } from "./ExtractFolders.ts"
import { isSame } from "./ExtractFolders.ts"
import type { ExtractLinks, Written } from "./ExtractLinks.ts"
import type { Problems } from "./ExtractProblem.ts"
import * as Syscalls from "../posix/WriteSyscalls.ts"
import * as ReadSyscalls from "../posix/ReadSyscalls.ts"

export interface Context {
  readonly reader: ArchiveTree
  readonly folders: ExtractFolders
  readonly links: ExtractLinks
  readonly problems: Problems
  readonly restore: ExtractAttributes.Restore
  /** Whether what is there already, and is no folder, makes way. */
  readonly overwrite: boolean
  readonly counts: Counts
  /** Called when the first `done` bytes of a large file are written. */
  readonly onContent: (content: Content, done: number) => Effect.Effect<void>
}

/** What is to be extracted. */
export type Target = Omit<Found, "_tag">

/** What was extracted, by kind. */
export interface Counts {
  folders: number
  files: number
  hardLinks: number
  symlinks: number
  devices: number
  fifos: number
  sockets: number
  /** Devices, FIFOs and sockets left out because the options say so. */
  omitted: number
  /** Bytes of contents, holes included. */
  bytes: number
}

export const noCounts = (): Counts => ({
  folders: 0,
  files: 0,
  hardLinks: 0,
  symlinks: 0,
  devices: 0,
  fifos: 0,
  sockets: 0,
  omitted: 0,
  bytes: 0,
})

export interface ExtractEntry {
  /** Extracts anything but a folder into `folder`, which is open. */
  readonly extract: (folder: Folder, found: Target) => Effect.Effect<void>
  /** Removes the file that is being written, if there is one. */
  readonly abandon: () => void
}

/** Bytes of content read at once, at most. */
const CHUNK = 1024 * 1024
/** Bytes of zeros that become a hole, at a multiple of themselves. */
const HOLE = 4096
const zeros = Buffer.alloc(HOLE)

const { EPERM, EIO, EEXIST, EISDIR } = Errno.code

export const make = (context: Context): ExtractEntry => {
  const { counts, folders, links, overwrite, problems, reader, restore } = context
  const buffer = Buffer.allocUnsafeSlow(CHUNK)
  /** The file whose content is being written. */
  let current: { readonly folder: Folder; readonly name: Uint8Array; readonly fd: number } | undefined

  /** Makes something by `attempt`; what is in the way makes way, if it may, but for a folder (-EEXIST). */
  const place = (folder: Folder, name: Uint8Array, attempt: () => number): number => {
    const result = attempt()
    if (result !== -EEXIST || !overwrite) return result
    const status = statusOf(folder.fd, name)
    const removed = Syscalls.unlink(folder.fd, name)
    if (removed === 0 && status !== undefined) links.remove(status)
    return removed === -EISDIR ? -EEXIST : removed < 0 ? removed : attempt()
  }

  const reportExisting = (): void => problems.add("Exists", overwrite ? "a folder is in its place" : "is there already")

  /** As `place`; a negative errno was reported. */
  const create = (folder: Folder, name: Uint8Array, what: string, attempt: () => number): number => {
    const result = place(folder, name, attempt)
    if (result === -EEXIST) reportExisting()
    else if (result < 0) problems.add("NotCreated", `cannot create the ${what}`, result)
    return result
  }

  const createFile = (folder: Folder, { entry, name }: Target): number => {
    const mode = restore.permissions ? 0o600 : 0o666
    const fd = create(folder, name, "file", () => Syscalls.createFile(folder.fd, name, mode))
    if (fd >= 0) ExtractAttributes.prepare(fd, entry)
    return fd
  }

  const discard = (folder: Folder, name: Uint8Array, fd: number): void => {
    ReadSyscalls.close(fd)
    Syscalls.unlink(folder.fd, name)
  }

  const abandon = (): void => {
    if (current === undefined) return
    discard(current.folder, current.name, current.fd)
    current = undefined
  }

  /** What remains to be done for a file when its content is written. Closes it. */
  const finishFile = (folder: Folder, found: Target, fd: number, length: number): void => {
    const status = ReadSyscalls.statusOf(fd)
    if (typeof status === "number") {
      problems.add("NotCreated", "cannot look at the file", status)
      return discard(folder, found.name, fd)
    }
    if (status.size < length) {
      const result = Syscalls.setSize(fd, length)
      if (result < 0) {
        problems.add("NotCreated", "cannot write the file", result)
        return discard(folder, found.name, fd)
      }
    }
    if (folder.inheritsAcl) ExtractAttributes.disinherit(fd, problems)
    ExtractAttributes.apply(fd, found.entry, status, restore, problems)
    const closed = ReadSyscalls.close(fd)
    if (closed < 0) problems.add("NotCreated", "cannot write the file", closed)
    if (found.link === undefined) links.add(found.nameStart, folder, status)
    else links.move(found.link.target, folder, found.name, status)
    counts.files++
    counts.bytes += length
  }

  const unreadable = (error: ArchiveError): void => problems.add("Unreadable", error.message)

  /** Writes a file whose whole content is in the buffer. */
  const writeSmall = (folder: Folder, found: Target, length: number): void => {
    const fd = createFile(folder, found)
    if (fd < 0) return
    const result = writeData(fd, buffer.subarray(0, length), 0)
    if (result === 0) return finishFile(folder, found, fd, length)
    problems.add("NotCreated", "cannot write the file", result)
    discard(folder, found.name, fd)
  }

  const writeLarge = Effect.fnUntraced(function* (
    folder: Folder,
    found: Target,
    content: Content,
  ): Effect.fn.Return<void> {
    const fd = createFile(folder, found)
    if (fd < 0) return
    current = { folder, name: found.name, fd }
    const { length } = content
    for (let at = 0; at < length; at += CHUNK) {
      const target = buffer.subarray(0, Math.min(CHUNK, length - at))
      const error = yield* Effect.match(reader.content(found.node, at, target), {
        onFailure: (error) => error,
        onSuccess: () => undefined,
      })
      if (error !== undefined) {
        unreadable(error)
        return abandon()
      }
      const result = writeData(fd, target, at)
      if (result < 0) {
        problems.add("NotCreated", "cannot write the file", result)
        return abandon()
      }
      yield* context.onContent(content, at + target.length)
    }
    current = undefined
    finishFile(folder, found, fd, length)
  })

  const file = (folder: Folder, found: Target, content: Content): Effect.Effect<void> => {
    const { length } = content
    if (length > CHUNK) return writeLarge(folder, found, content)
    if (length === 0) return Effect.sync(() => writeSmall(folder, found, 0))
    return Effect.match(reader.content(found.node, 0, buffer.subarray(0, length)), {
      onFailure: unreadable,
      onSuccess: () => writeSmall(folder, found, length),
    })
  }

  /** Restores the attributes of something that is not to be opened: it must be of the type that was created. */
  const finishNode = (folder: Folder, { entry, name }: Target): void => {
    const fd = Syscalls.openNode(folder.fd, name)
    if (fd < 0) return problems.add("Replaced", "cannot be opened after it was created", fd)
    const status = ReadSyscalls.statusOf(fd)
    if (typeof status === "number" || (status.mode & S_IFMT) !== (entry.mode & S_IFMT) || status.nlink !== 1) {
      problems.add("Replaced", "was replaced when it had just been created")
    } else {
      if (folder.inheritsAcl && entry.body._tag !== "Symlink") ExtractAttributes.disinherit(fd, problems)
      ExtractAttributes.apply(fd, entry, status, restore, problems)
    }
    ReadSyscalls.close(fd)
  }

  const symlink = (folder: Folder, found: Target, target: Uint8Array): void => {
    const { name } = found
    if (create(folder, name, "symbolic link", () => Syscalls.makeSymlink(target, folder.fd, name)) < 0) return
    counts.symlinks++
    finishNode(folder, found)
  }

  const node = (
    folder: Folder,
    found: Target,
    kind: "devices" | "fifos" | "sockets",
    major: bigint,
    minor: bigint,
  ): void => {
    const { entry, name } = found
    const what = kind === "devices" ? `device ${major}:${minor}` : kind.slice(0, -1)
    const mode = (entry.mode & S_IFMT) | (restore.permissions ? 0o600 : 0o666)
    if (create(folder, name, what, () => Syscalls.makeNode(folder.fd, name, mode, major, minor)) < 0) return
    counts[kind]++
    finishNode(folder, found)
  }

  /** Links to a file of this run; `false` if that was not possible, `true` also if that was reported. */
  const linkTo = (folder: Folder, { entry, name }: Target, written: Written, from: Uint8Array): boolean => {
    const directory = folders.borrow(written.folder)
    if (directory < 0) {
      problems.add("Copied", "hard link became a file of its own, its target cannot be reached", directory)
      return false
    }
    const link = (): number => Syscalls.makeLink(directory, from, folder.fd, name)
    let result = place(folder, name, link)
    if (result === -EPERM && ExtractAttributes.isProtected(entry)) {
      result = linkProtected(directory, from, written.identity, () => place(folder, name, link))
    }
    folders.giveBack(written.folder, directory)
    if (result === -EEXIST) {
      reportExisting()
      return true
    }
    if (result < 0) {
      problems.add("Copied", "hard link became a file of its own", result)
      return false
    }
    if (isWritten(folder.fd, name, written.identity)) {
      counts.hardLinks++
      return true
    }
    // What stands at the target's name is not what was written there, and must not get another name here.
    Syscalls.unlink(folder.fd, name)
    problems.add("Copied", "hard link became a file of its own, its target was replaced")
    return false
  }

  const hardLink = Effect.fnUntraced(function* (
    folder: Folder,
    found: Target,
    target: number,
    content: Content,
  ): Effect.fn.Return<void> {
    const written = links.find(target)
    if (written !== undefined) {
      const targetName = reader.name({ ...found.node, nameStart: target })
      const from = written.name ?? (yield* Effect.orElseSucceed(targetName, () => undefined))
      if (from !== undefined && linkTo(folder, found, written, from)) return
    }
    yield* file(folder, found, content)
  })

  const extract = (folder: Folder, found: Target): Effect.Effect<void> => {
    const { body } = found.entry
    switch (body._tag) {
      case "File":
        return found.link === undefined
          ? file(folder, found, body.content)
          : hardLink(folder, found, found.link.target, body.content)
      case "Symlink":
        return Effect.sync(() => symlink(folder, found, body.target))
      case "Device":
        return Effect.sync(() => node(folder, found, "devices", body.major, body.minor))
      case "Fifo":
        return Effect.sync(() => node(folder, found, "fifos", 0n, 0n))
      case "Socket":
        return Effect.sync(() => node(folder, found, "sockets", 0n, 0n))
      case "Directory":
        return Effect.die(new Error("a folder is not extracted in one step"))
    }
  }

  return { extract, abandon }
}

/** Whether `name` is the regular file that was written. */
const isWritten = (directory: number, name: Uint8Array, identity: Identity): boolean => {
  const status = statusOf(directory, name)
  return status !== undefined && (status.mode & S_IFMT) === S_IFREG && isSame(status, identity)
}

/** Status of what is at `name`, whatever that is. */
const statusOf = (directory: number, name: Uint8Array): ReadSyscalls.Status | undefined => {
  const fd = Syscalls.openNode(directory, name)
  if (fd < 0) return undefined
  const status = ReadSyscalls.statusOf(fd)
  ReadSyscalls.close(fd)
  return typeof status === "number" ? undefined : status
}

/** Links to an immutable or append-only file, which takes no more names otherwise. */
const linkProtected = (directory: number, from: Uint8Array, identity: Identity, link: () => number): number => {
  if (!isWritten(directory, from, identity)) return -EPERM
  const fd = Syscalls.openFile(directory, from)
  if (fd < 0) return fd
  const status = ReadSyscalls.statusOf(fd)
  const isTarget = typeof status !== "number" && isSame(status, identity)
  const result = isTarget ? ExtractAttributes.withoutProtection(fd, link) : -EPERM
  ReadSyscalls.close(fd)
  return result
}

/** Writes what is not zero of `data` at `offset`, which is a multiple of `HOLE`. Returns 0 or a negative errno. */
const writeData = (fd: number, data: Buffer, offset: number): number => {
  let from = 0
  while (from < data.length) {
    while (from < data.length && isHole(data, from)) from += HOLE
    let to = from
    while (to < data.length && !isHole(data, to)) to += HOLE
    const end = Math.min(to, data.length)
    while (from < end) {
      const written = Syscalls.writeAt(fd, data.subarray(from, end), offset + from)
      if (written <= 0) return written === 0 ? -EIO : written
      from += written
    }
    from = to
  }
  return 0
}

/** Whether the block at `from` is whole and zero. */
const isHole = (data: Buffer, from: number): boolean =>
  data[from] === 0 &&
  from + HOLE <= data.length &&
  data[from + HOLE - 1] === 0 &&
  data.compare(zeros, 0, HOLE, from, from + HOLE) === 0
