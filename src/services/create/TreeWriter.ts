/**
 * Writes a tree of files on disk into an archive: walks it depth first in the order of §6.1, leaves out what patterns
 * and options exclude, links later names of a file to its first one.
 *
 * Memory is one listing for each folder on the way to the current entry and a record for each file with names still to
 * come. It goes on past what cannot be read, with a warning; others get a turn every 20 milliseconds at least,
 * system calls that wait for a disk aside.
 */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as ByteBuilders from "../../domain/ByteBuilder.ts"
import * as Bytes from "../../domain/Bytes.ts"
import {
  noAttributes,
  S_IFBLK,
  S_IFCHR,
  S_IFDIR,
  S_IFIFO,
  S_IFLNK,
  S_IFMT,
  S_IFREG,
  S_IFSOCK,
} from "../../domain/pxar/Entry.ts"
import type { Metadata } from "../../domain/pxar/EntryEncoder.ts"
import * as ExcludePattern from "../../domain/pxar/ExcludePattern.ts"
import * as ItemType from "../../domain/pxar/ItemType.ts"
import { type ArchiveWriter, type ContentSource, WriteError } from "./ArchiveWriter.ts"
import type { SinkError } from "../bytes/ByteSink.ts"
import { identityOf } from "../posix/ReadSyscalls.ts"
import * as SourcePatterns from "./SourcePatterns.ts"
import type { Listing, Opened, DiskTree } from "../disk/DiskTree.ts"
import * as SourceTrees from "../disk/DiskTree.ts"
import { type Kind, DiskWarning } from "../disk/DiskWarning.ts"

/** How far the writing has come. The object is the same each time, its numbers grow. */
export interface Progress {
  /** Entries written, the root and hard links included. */
  entries: number
  /** Bytes of file contents written. */
  contentBytes: number
}

export interface Options<E> {
  /** The patterns given by the caller, in their order. */
  readonly exclude: ReadonlyArray<ExcludePattern.Pattern>
  /** Gets those that have decided about something. */
  readonly used: Set<ExcludePattern.Pattern>
  /** Added to the root as its last child, under `ExcludePattern.RECORD_NAME`, in place of a file of that name. */
  readonly record: Uint8Array | undefined
  /** Whether folders on another file system than the root's stay empty. */
  readonly oneFileSystem: boolean
  readonly deviceNodes: boolean
  readonly fifos: boolean
  readonly sockets: boolean
  /** Identities of files that are left out because they are the archive. */
  readonly leftOut: ReadonlySet<string>
  /** Called for each entry and for each piece of a large file. */
  readonly onProgress: (progress: Progress) => void
  /** Told of everything that is not stored as it was found; failing ends the archive. */
  readonly onWarning: (warning: DiskWarning) => Effect.Effect<void, E>
}

/** A folder whose children are being written. */
interface Frame {
  readonly directory: Opened
  readonly listing: Listing
  readonly patterns: ExcludePattern.Patterns | undefined
  /** Length of the path of a child without its name. */
  readonly pathLength: number
  next: number
}

/** The first name of a file with several. */
interface FirstName {
  readonly position: number
  readonly path: Uint8Array
  /** Names still to come. */
  remaining: number
}

/** Bytes of holes that are worth a word. */
const HUGE = 1024 ** 3

const PSEUDO =
  "on a file system whose sizes mean nothing, as proc: its files are stored cut off or filled up with zeros; better " +
  "leave it out"

/** Nanoseconds after which other fibers get a turn: 20 ms. */
const TURN = 20_000_000n

/** Writes everything from the root's ENTRY to the end of the archive, but does not finish the writer. */
export const write = Effect.fnUntraced(function* <E>(
  tree: DiskTree,
  writer: ArchiveWriter,
  options: Options<E>,
): Effect.fn.Return<Progress, SinkError | WriteError | SourceTrees.SourceTreeError | E> {
  const progress: Progress = { entries: 0, contentBytes: 0 }
  const frames: Array<Frame> = []
  const firstNames = new Map<string, FirstName>()
  const path = ByteBuilders.make(4096)
  const oneByte = new Uint8Array(1)
  /** Devices of file systems whose sizes mean nothing, as far as they were said. */
  const pseudo = new Set<number>()

  const warn = (kind: Kind, at: Uint8Array, detail: string): Effect.Effect<void, E> =>
    options.onWarning(new DiskWarning({ kind, path: at, detail }))

  /** Turns a failure of the tree into a warning that names the entry, and leaves that out. */
  const leaveOut = (directory: Opened, name: Uint8Array) => (error: SourceTrees.SourceTreeError) =>
    Effect.as(
      warn(kindOf(error), SourceTrees.pathIn(directory, name), `cannot ${error.operation}: ${error.detail}; left out`),
      undefined,
    )

  const metadataOf = (entry: Opened): Effect.Effect<Metadata, E> =>
    Effect.flatMap(tree.metadata(entry), ({ metadata, warnings }) =>
      warnings.length === 0
        ? Effect.succeed(metadata)
        : Effect.as(Effect.forEach(warnings, options.onWarning, { discard: true }), metadata),
    )

  /** The listing of a folder; `undefined` if that is left out. */
  const list = (directory: Opened): Effect.Effect<Listing | undefined, SourceTrees.SourceTreeError | E> => {
    const { name, parent } = directory
    // Without its root there is nothing to go on with.
    if (parent === undefined) return tree.list(directory)
    if (options.oneFileSystem && directory.status.device !== tree.root.status.device) {
      const warning = warn("MountPoint", SourceTrees.pathOf(directory), "another file system; contents left out")
      return Effect.as(warning, SourceTrees.emptyListing)
    }
    return Effect.catch(tree.list(directory), leaveOut(parent, name))
  }

  /** Begins a folder that is open, or leaves it out. `path` holds its path with a slash behind it. */
  const enter = Effect.fnUntraced(function* (
    directory: Opened,
    outer: ExcludePattern.Patterns | undefined,
  ): Effect.fn.Return<void, SinkError | WriteError | SourceTrees.SourceTreeError | E> {
    const listing = yield* list(directory)
    if (listing === undefined) return tree.close(directory)
    const metadata = yield* metadataOf(directory)
    yield* directory.parent === undefined ? writer.beginRoot(metadata) : writer.beginDirectory(directory.name, metadata)
    if (directory.isPseudo && !pseudo.has(directory.status.device)) {
      pseudo.add(directory.status.device)
      yield* warn("Pseudo", SourceTrees.pathOf(directory), PSEUDO)
    }
    const patterns = yield* SourcePatterns.read(tree, directory, listing, outer, path.length, options.onWarning)
    frames.push({ directory, listing, patterns, pathLength: path.length, next: 0 })
    written()
  })

  const written = (): void => {
    progress.entries++
    options.onProgress(progress)
  }

  // One for all files: they are written one after the other.
  const reader = {
    file: tree.root,
    offset: 0,
    error: undefined as SourceTrees.SourceTreeError | undefined,
  }
  const content: ContentSource = {
    read: (target) =>
      Effect.map(Effect.catch(tree.read(reader.file, target, reader.offset), endHere), (count) => {
        if (reader.offset > 0) options.onProgress(progress)
        reader.offset += count
        progress.contentBytes += count
        return count
      }),
  }
  const endHere = (error: SourceTrees.SourceTreeError) => {
    reader.error = error
    return Effect.succeed(0)
  }

  const addFile = Effect.fnUntraced(function* (file: Opened): Effect.fn.Return<void, SinkError | WriteError | E> {
    const { name, status } = file
    const identity = status.nlink > 1 || options.leftOut.size > 0 ? identityOf(status) : ""
    if (options.leftOut.has(identity)) {
      return yield* warn("Itself", SourceTrees.pathOf(file), "is the archive that is being written; left out")
    }
    const first = firstNames.get(identity)
    if (first !== undefined) {
      yield* writer.addHardLink(name, first.position, first.path)
      if (--first.remaining === 0) firstNames.delete(identity)
      return written()
    }
    const holes = status.size - 512 * status.blocks
    if (holes >= HUGE) {
      if (file.isPseudo)
        return yield* warn("Unsized", SourceTrees.pathOf(file), `claims ${status.size} bytes; left out`)
      const detail = `has ${holes} bytes of holes in its ${status.size}; they are stored as zeros`
      yield* warn("Sparse", SourceTrees.pathOf(file), detail)
    }
    // Of an empty file nothing is read otherwise, and those of proc say that they are empty.
    if (status.size === 0 && (yield* Effect.orElseSucceed(tree.read(file, oneByte, 0), () => 0)) > 0) {
      yield* reportSize(file, 1, undefined)
    }
    const metadata = yield* metadataOf(file)
    reader.file = file
    reader.offset = 0
    reader.error = undefined
    const { available, position } = yield* writer.addFile(name, metadata, status.size, content)
    if (reader.error !== undefined || available !== status.size) {
      // The byte that shows a file has grown is not written.
      if (available > status.size) progress.contentBytes -= available - status.size
      yield* reportSize(file, available, reader.error)
    }
    if (status.nlink > 1) {
      const path = SourceTrees.pathOf(file)
      // A path too long for a HARDLINK item: the other names are stored as files of their own.
      if (path.length <= LINK_PATH_MAX) firstNames.set(identity, { position, path, remaining: status.nlink - 1 })
    }
    written()
  })

  const reportSize = (file: Opened, available: number, error: SourceTrees.SourceTreeError | undefined) => {
    const path = SourceTrees.pathOf(file)
    const { size } = file.status
    if (error !== undefined) return warn("Damaged", path, `${error.detail}; zeros from byte ${available} on`)
    if (file.isPseudo || size === 0) {
      const stored = available < size ? `stored with zeros from byte ${available} on` : "cut off there"
      return warn(
        available < size ? "Shrunk" : "Grown",
        path,
        `its size of ${size} bytes is not that of its content; ${stored}`,
      )
    }
    return available < size
      ? warn("Shrunk", path, `only ${available} of ${size} bytes were left; filled up with zeros`)
      : warn("Grown", path, `has grown beyond its ${size} bytes; cut off there`)
  }

  const addOther = Effect.fnUntraced(function* (entry: Opened): Effect.fn.Return<void, SinkError | WriteError | E> {
    const { name, parent, status } = entry
    const type = status.mode & S_IFMT
    const metadata = yield* metadataOf(entry)
    if (type === S_IFLNK && parent !== undefined) {
      const target = yield* Effect.catch(tree.readLink(entry), leaveOut(parent, name))
      if (target === undefined) return
      yield* writer.addSymlink(name, metadata, target)
    } else if (type === S_IFIFO) {
      yield* writer.addFifo(name, metadata)
    } else if (type === S_IFSOCK) {
      yield* writer.addSocket(name, metadata)
    } else if (type === S_IFCHR || type === S_IFBLK) {
      yield* writer.addDevice(name, metadata, BigInt(status.major), BigInt(status.minor))
    } else {
      return yield* warn("Unfit", SourceTrees.pathOf(entry), "of a kind that archives do not have; left out")
    }
    written()
  })

  const isWanted = (frame: Frame, name: Uint8Array, type: number): boolean => {
    if (type === S_IFIFO && !options.fifos) return false
    if (type === S_IFSOCK && !options.sockets) return false
    if ((type === S_IFCHR || type === S_IFBLK) && !options.deviceNodes) return false
    if (frames.length === 1 && options.record !== undefined && Bytes.equals(name, ExcludePattern.RECORD_NAME))
      return false
    if (frame.patterns === undefined) return true
    path.length = frame.pathLength
    ByteBuilders.append(path, name)
    const pattern = ExcludePattern.deciding(frame.patterns, path.bytes, path.length, type === S_IFDIR)
    if (pattern === undefined) return true
    options.used.add(pattern)
    return !pattern.excludes
  }

  yield* enter(
    tree.root,
    options.exclude.length === 0 ? undefined : { patterns: options.exclude, base: 0, outer: undefined },
  )
  const clock = yield* Clock.Clock
  let turn = clock.monotonicTimeNanosUnsafe()
  for (let frame = frames.at(-1); frame !== undefined; frame = frames.at(-1)) {
    const { directory, listing } = frame
    if (frame.next === listing.count) {
      frames.pop()
      if (frames.length === 0) break
      tree.close(directory)
      yield* writer.endDirectory
      continue
    }
    const index = frame.next++
    const name = listing.nameAt(index)
    const type = listing.typeAt(index)
    if (isWanted(frame, name, type)) {
      const entry = yield* Effect.catch(tree.open(directory, listing, index), leaveOut(directory, name))
      if (entry !== undefined) {
        if (type === S_IFDIR) {
          path.length = frame.pathLength
          ByteBuilders.append(path, name)
          ByteBuilders.append(path, SLASH)
          yield* enter(entry, frame.patterns)
        } else {
          const added = type === S_IFREG ? addFile(entry) : addOther(entry)
          yield* Effect.catchIf(added, isUnfit, (error) =>
            warn("Unfit", SourceTrees.pathOf(entry), `${error.detail}; left out`),
          )
          tree.close(entry)
        }
      }
    }
    if (clock.monotonicTimeNanosUnsafe() - turn > TURN) {
      yield* Effect.yieldNow
      turn = clock.monotonicTimeNanosUnsafe()
    }
  }
  if (options.record !== undefined) {
    const { record } = options
    yield* writer.addFile(ExcludePattern.RECORD_NAME, recordMetadata, record.length, contentOf(record))
    progress.contentBytes += record.length
    written()
  }
  return progress
})

const SLASH = Bytes.fromText("/")

/** A refusal of the writer, which has then written nothing. */
const isUnfit = (error: unknown): error is WriteError => error instanceof WriteError

/** Longest path that a HARDLINK item holds (§1.5). */
const LINK_PATH_MAX = ItemType.HARDLINK.maxContent - 9

const kindOf = (error: SourceTrees.SourceTreeError): Kind =>
  error.code === "ENOENT" ? "Vanished" : error.code === SourceTrees.REPLACED ? "Replaced" : "Unreadable"

/** The record of exclude patterns as the reference writes it. */
const recordMetadata: Metadata = {
  mode: S_IFREG | 0o600,
  flags: 0n,
  uid: 0,
  gid: 0,
  mtimeSeconds: 0n,
  mtimeNanos: 0,
  attributes: noAttributes,
}

const contentOf = (bytes: Uint8Array): ContentSource => {
  let at = 0
  return {
    read: (target) =>
      Effect.sync(() => {
        const part = bytes.subarray(at, at + target.length)
        target.set(part)
        at += part.length
        return part.length
      }),
  }
}
