/**
 * Extracts single entries into folders that are open.
 *
 * Guarantees: an entry is made aside, without a name or under a hidden one, and gets its own when it is whole, with its
 * attributes; what was there stays until then. Nothing is opened that was there before, so nothing is written through a
 * link and into no file that has another name elsewhere; a hard link leads to a file that this run has written, or found
 * to be right, or becomes a file of its own.
 *
 * A small file takes one read and a handful of system calls, one after the other, with no effect between them.
 */
import * as Effect from "effect/Effect"
import * as Errno from "../../domain/Errno.ts"
import type { Content, Entry } from "../../domain/pxar/Entry.ts"
import { S_IFMT } from "../../domain/pxar/Entry.ts"
import type { ArchiveError } from "../archive/ArchiveError.ts"
import type { ArchiveTree } from "../archive/ArchiveTree.ts"
import * as HiddenName from "../disk/HiddenName.ts"
import * as NameSyscalls from "../posix/NameSyscalls.ts"
import * as ReadSyscalls from "../posix/ReadSyscalls.ts"
import * as Syscalls from "../posix/WriteSyscalls.ts"
import type { Counts } from "./Counts.ts"
import * as ExtractAttributes from "./ExtractAttributes.ts"
import type { ExtractFolders } from "./ExtractFolders.ts"
import type { ExtractLinks, Written } from "./ExtractLinks.ts"
import type { Problems } from "./ExtractProblem.ts"
import * as FileData from "./FileData.ts"
import type { Folder } from "./Folder.ts"
import * as HardLinking from "./HardLinking.ts"
import type { Place, Places } from "./Places.ts"
import type { Target } from "./Target.ts"

export interface Context {
  readonly reader: ArchiveTree
  readonly folders: ExtractFolders
  readonly links: ExtractLinks
  readonly places: Places
  readonly problems: Problems
  readonly restore: ExtractAttributes.Restore
  readonly counts: Counts
  /** Called when the first `done` bytes of a large file are written. */
  readonly onContent: (content: Content, done: number) => Effect.Effect<void>
}

export interface ExtractEntry {
  /** Extracts anything but a folder into `folder`, which is open. */
  readonly extract: (folder: Folder, found: Target) => Effect.Effect<void>
  /** Removes the file that is being written, if there is one. */
  readonly abandon: () => void
}

/** Bytes of content read at once, at most. */
const CHUNK = 1024 * 1024

/** A file that is being written. */
interface Aside {
  readonly folder: Folder
  readonly fd: number
  /** `undefined` for a file without a name. */
  readonly hidden: Uint8Array | undefined
}

export const make = (context: Context): ExtractEntry => {
  const { counts, folders, links, places, problems, reader, restore } = context
  const buffer = Buffer.allocUnsafeSlow(CHUNK)
  /** The file whose content is being written. */
  let current: Aside | undefined
  /** Whether files are made without a name, as far as is known. */
  let unnamed: boolean | undefined

  /** Makes a file aside; `undefined` if that failed, which is reported. */
  const createFile = (folder: Folder, entry: Entry): Aside | undefined => {
    unnamed ??= canName(folder.fd)
    if (unnamed) {
      // Nobody can open it yet, so most files have their mode from the start.
      const fd = NameSyscalls.createUnnamed(folder.fd, restore.permissions ? entry.mode & 0o777 : 0o666)
      if (fd >= 0) return prepared({ folder, fd, hidden: undefined }, entry)
      // Another file system than the first one can be without.
      unnamed = false
    }
    const hidden = HiddenName.make()
    const fd = Syscalls.createFile(folder.fd, hidden, restore.permissions ? 0o600 : 0o666)
    if (fd >= 0) return prepared({ folder, fd, hidden }, entry)
    problems.add("NotCreated", "cannot create the file", fd)
    return undefined
  }

  const prepared = (aside: Aside, entry: Entry): Aside => {
    ExtractAttributes.prepare(aside.fd, entry)
    return aside
  }

  const discard = ({ fd, folder, hidden }: Aside): void => {
    ReadSyscalls.close(fd)
    if (hidden !== undefined) Syscalls.unlink(folder.fd, hidden)
  }

  const abandon = (): void => {
    if (current !== undefined) discard(current)
    current = undefined
  }

  const notWritten = (aside: Aside, errno: number): void => {
    problems.add("NotCreated", "cannot write the file", errno)
    discard(aside)
  }

  /** What remains to be done for a file when its content is written. */
  const finishFile = (aside: Aside, found: Target, length: number, place: Place): void => {
    const { fd, folder, hidden } = aside
    const { entry, name } = found
    const status = ReadSyscalls.statusOf(fd)
    if (typeof status === "number") return notWritten(aside, status)
    if (status.size < length) {
      const result = Syscalls.setSize(fd, length)
      if (result < 0) return notWritten(aside, result)
    }
    if (folder.inheritsAcl) ExtractAttributes.disinherit(fd, problems)
    ExtractAttributes.apply(fd, entry, status, restore, problems)
    const isProtected = ExtractAttributes.isProtected(entry)
    if (hidden !== undefined && !isProtected) {
      // Some file systems tell only now that they have not taken everything.
      const closed = ReadSyscalls.close(fd)
      const result = closed < 0 ? closed : places.put(folder, hidden, name, place)
      if (result < 0) {
        places.report(folder, "file", result)
        Syscalls.unlink(folder.fd, hidden)
        return
      }
    } else {
      const result =
        hidden === undefined ? places.putUnnamed(folder, fd, name, place) : places.put(folder, hidden, name, place)
      if (result < 0) {
        places.report(folder, "file", result)
        return discard(aside)
      }
      if (isProtected) ExtractAttributes.protect(fd, entry, problems)
      ReadSyscalls.close(fd)
    }
    folder.written?.add(status)
    if (found.link === undefined) links.add(found.nameStart, folder, status)
    else links.move(found.link.target, folder, name, status)
    counts.files++
    counts.bytes += length
  }

  const unreadable = (error: ArchiveError): void => problems.add("Unreadable", error.message)

  /** Writes a file whose whole content is in the buffer. */
  const writeSmall = (folder: Folder, found: Target, length: number, place: Place): void => {
    const aside = createFile(folder, found.entry)
    if (aside === undefined) return
    const result = FileData.write(aside.fd, buffer.subarray(0, length), 0)
    if (result === 0) finishFile(aside, found, length, place)
    else notWritten(aside, result)
  }

  const writeLarge = Effect.fnUntraced(function* (
    folder: Folder,
    found: Target,
    content: Content,
    place: Place,
  ): Effect.fn.Return<void> {
    const aside = createFile(folder, found.entry)
    if (aside === undefined) return
    current = aside
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
      const result = FileData.write(aside.fd, target, at)
      if (result < 0) {
        problems.add("NotCreated", "cannot write the file", result)
        return abandon()
      }
      yield* context.onContent(content, at + target.length)
    }
    current = undefined
    finishFile(aside, found, length, place)
  })

  const file = (folder: Folder, found: Target, content: Content, place: Place | undefined): Effect.Effect<void> => {
    const { length } = content
    if (place === undefined) return Effect.void
    if (length > CHUNK) return writeLarge(folder, found, content, place)
    if (length === 0) return Effect.sync(() => writeSmall(folder, found, 0, place))
    return Effect.match(reader.content(found.node, 0, buffer.subarray(0, length)), {
      onFailure: unreadable,
      onSuccess: () => writeSmall(folder, found, length, place),
    })
  }

  /** Makes something that has no content aside, with its attributes, and gives it its name. */
  const node = (
    folder: Folder,
    found: Target,
    count: "devices" | "fifos" | "sockets" | "symlinks",
    what: string,
    create: (hidden: Uint8Array) => number,
  ): void => {
    const { entry, name } = found
    const place = places.look(folder, found, undefined)
    if (place === undefined) return
    const hidden = HiddenName.make()
    const created = create(hidden)
    if (created < 0) return problems.add("NotCreated", `cannot create the ${what}`, created)
    const fd = Syscalls.openNode(folder.fd, hidden)
    const status = fd < 0 ? fd : ReadSyscalls.statusOf(fd)
    if (typeof status === "number") {
      problems.add("Replaced", "cannot be opened after it was created", status)
    } else if ((status.mode & S_IFMT) !== (entry.mode & S_IFMT) || status.nlink !== 1) {
      problems.add("Replaced", "was replaced when it had just been created")
    } else {
      if (folder.inheritsAcl && entry.body._tag !== "Symlink") ExtractAttributes.disinherit(fd, problems)
      ExtractAttributes.apply(fd, entry, status, restore, problems)
      const result = places.put(folder, hidden, name, place)
      if (result === 0) {
        ExtractAttributes.protect(fd, entry, problems)
        folder.written?.add(status)
        counts[count]++
      } else {
        places.report(folder, what, result)
        Syscalls.unlink(folder.fd, hidden)
      }
    }
    if (fd >= 0) ReadSyscalls.close(fd)
  }

  const special = (
    folder: Folder,
    found: Target,
    count: "devices" | "fifos" | "sockets",
    major: bigint,
    minor: bigint,
  ): void => {
    const what = count === "devices" ? `device ${major}:${minor}` : count.slice(0, -1)
    const mode = (found.entry.mode & S_IFMT) | (restore.permissions ? 0o600 : 0o666)
    node(folder, found, count, what, (hidden) => Syscalls.makeNode(folder.fd, hidden, mode, major, minor))
  }

  /** Links to a file of this run; `false` if that was not possible, `true` also if that was reported. */
  const linkTo = (
    folder: Folder,
    { entry, name }: Target,
    written: Written,
    from: Uint8Array,
    place: Place,
  ): boolean => {
    const directory = folders.borrow(written.folder)
    if (directory < 0) {
      problems.add("Copied", "hard link became a file of its own, its target cannot be reached", directory)
      return false
    }
    // A link is whole from the start, so what is new needs no other name before.
    const own = place === "New" ? name : HiddenName.make()
    const link = (): number => Syscalls.makeLink(directory, from, folder.fd, own)
    let result = link()
    if (result === -Errno.code.EPERM && ExtractAttributes.isProtected(entry)) {
      result = HardLinking.linkProtected(directory, from, written.identity, link)
    }
    folders.giveBack(written.folder, directory)
    if (result === -Errno.code.EEXIST) {
      places.report(folder, "hard link", result)
      return true
    }
    if (result < 0) {
      problems.add("Copied", "hard link became a file of its own", result)
      return false
    }
    if (!HardLinking.isWritten(folder.fd, own, written.identity)) {
      // What stands at the target's name is not what was written there, and must not get another name here.
      Syscalls.unlink(folder.fd, own)
      problems.add("Copied", "hard link became a file of its own, its target was replaced")
      return false
    }
    const placed = place === "New" ? 0 : places.put(folder, own, name, place)
    if (placed < 0) {
      Syscalls.unlink(folder.fd, own)
      problems.add("Copied", "hard link became a file of its own", placed)
      return false
    }
    folder.written?.add(written.identity)
    counts.hardLinks++
    return true
  }

  const hardLink = Effect.fnUntraced(function* (
    folder: Folder,
    found: Target,
    target: number,
    content: Content,
  ): Effect.fn.Return<void> {
    const written = links.find(target)
    const place = places.look(folder, found, written)
    if (place === undefined) return
    if (written !== undefined) {
      const targetName = reader.name({ ...found.node, nameStart: target })
      const from = written.name ?? (yield* Effect.orElseSucceed(targetName, () => undefined))
      if (from !== undefined && linkTo(folder, found, written, from, place)) return
    }
    yield* file(folder, found, content, place)
  })

  const extract = (folder: Folder, found: Target): Effect.Effect<void> => {
    const { body } = found.entry
    links.enter(found.node.archive)
    switch (body._tag) {
      case "File":
        return found.link === undefined
          ? file(folder, found, body.content, places.look(folder, found, undefined))
          : hardLink(folder, found, found.link.target, body.content)
      case "Symlink":
        return Effect.sync(() =>
          node(folder, found, "symlinks", "symbolic link", (hidden) =>
            Syscalls.makeSymlink(body.target, folder.fd, hidden),
          ),
        )
      case "Device":
        return Effect.sync(() => special(folder, found, "devices", body.major, body.minor))
      case "Fifo":
        return Effect.sync(() => special(folder, found, "fifos", 0n, 0n))
      case "Socket":
        return Effect.sync(() => special(folder, found, "sockets", 0n, 0n))
      case "Directory":
        return Effect.die(new Error("a folder is not extracted in one step"))
    }
  }

  return { extract, abandon }
}

/** Whether a file without a name can get one: that takes a capability, Linux 6.10 or `/proc`. */
const canName = (directory: number): boolean => {
  const fd = NameSyscalls.createUnnamed(directory, 0o600)
  if (fd < 0) return false
  const name = HiddenName.make()
  const result = NameSyscalls.linkUnnamed(fd, directory, name)
  ReadSyscalls.close(fd)
  if (result === 0) Syscalls.unlink(directory, name)
  return result === 0
}
