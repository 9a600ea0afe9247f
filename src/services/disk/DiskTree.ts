/**
 * A tree of files on disk, read by descriptor: for each entry what an archive stores of it.
 *
 * Guarantees: no symbolic link is followed below the root, so what is read lies in the tree even while somebody moves
 * things about; only files and directories are ever opened; names are bytes; access times are left alone where that is
 * permitted. Few directories have a descriptor at a time, however deep the tree is: the others are opened again when
 * they are needed, and must be the same then. Descriptors that are still open are closed by the scope.
 *
 * Listing, status and attributes are read by plain system calls, which hold up the program for as long as the disk
 * takes, and so are small pieces of contents; larger ones are read on a thread unless they are in the page cache. It
 * does not walk: the order, what to leave out and when to give others a turn are the caller's.
 */
import * as fs from "node:fs"
import { getSystemErrorMessage, getSystemErrorName } from "node:util"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import type * as Scope from "effect/Scope"
import type { ErrorId } from "../../domain/ErrorId.ts"
import * as Errno from "../../domain/Errno.ts"
import type { ByteBuilder } from "../../domain/ByteBuilder.ts"
import * as ByteBuilders from "../../domain/ByteBuilder.ts"
import * as Bytes from "../../domain/Bytes.ts"
import { S_IFDIR, S_IFMT, S_IFREG } from "../../domain/pxar/Entry.ts"
import type { Metadata } from "../../domain/pxar/EntryEncoder.ts"
import * as FeatureFlags from "../../domain/pxar/FeatureFlags.ts"
import * as PathText from "../../domain/PathText.ts"
import * as Preadv2 from "../posix/Preadv2.ts"
import * as Syscalls from "../posix/ReadSyscalls.ts"
import { UsedDescriptor } from "../posix/UsedDescriptor.ts"
import * as DiskAttributes from "./DiskAttributes.ts"
import type { DiskWarning } from "./DiskWarning.ts"
import { isDirectory, OpenFolders, terminated } from "./OpenFolders.ts"
import { type Opened, pathIn, pathOf } from "./Opened.ts"

export { type Opened, pathIn, pathOf }

/** A system call on the tree failed. */
export class SourceTreeError extends Schema.TaggedError<SourceTreeError>()("SourceTreeError", {
  /** As `PathText` prints it: relative to the root, `.` for the root itself; the path given to `open` if that failed. */
  path: Schema.String,
  /** What was tried, as "open". */
  operation: Schema.String,
  /** `ENOENT`, `EACCES`, … */
  code: Schema.String,
  detail: Schema.String,
}) {
  static readonly ids = {
    Missing: "PXF-TREE-MISSING",
    Denied: "PXF-TREE-DENIED",
    Failed: "PXF-TREE-READ",
  } as const satisfies Record<string, ErrorId>
  /** See docs/errors.md. */
  get id(): ErrorId {
    if (this.code === "EACCES" || this.code === "EPERM") return SourceTreeError.ids.Denied
    const isMissing = this.operation === "open" && (this.code === "ENOENT" || this.code === "ENOTDIR")
    return isMissing ? SourceTreeError.ids.Missing : SourceTreeError.ids.Failed
  }
  override get message(): string {
    return `${this.path}: cannot ${this.operation}: ${this.detail}`
  }
}

/** Names in a directory, in ascending order of their bytes (§6.1). */
export interface Listing {
  readonly count: number
  readonly nameAt: (index: number) => Uint8Array
  /** The name with a NUL behind it, as system calls want it. */
  readonly terminatedAt: (index: number) => Uint8Array
  /** The type bits of its mode, at the time of listing. */
  readonly typeAt: (index: number) => number
}

/** Of a directory without entries. */
export const emptyListing: Listing = {
  count: 0,
  nameAt: () => Bytes.empty,
  terminatedAt: () => Bytes.empty,
  typeAt: () => 0,
}

type Read<A> = Effect.Effect<A, SourceTreeError>

/** A tree on disk. But for lists, which are made when they are run, its effects have ended where nothing waits (see `AtOnce`). */
export interface DiskTree {
  readonly root: Opened
  readonly list: (directory: Opened) => Read<Listing>
  /** Opens the entry with number `index` in a listing of `directory`. What is opened is to be closed. */
  readonly open: (directory: Opened, listing: Listing, index: number) => Read<Opened>
  /** Everything that ENTRY and the attribute items store. Warnings name attributes that are missing in it. */
  readonly metadata: (
    entry: Opened,
  ) => Effect.Effect<{ readonly metadata: Metadata; readonly warnings: ReadonlyArray<DiskWarning> }>
  /** Target of a symbolic link. */
  readonly readLink: (entry: Opened) => Read<Uint8Array>
  /**
   * Reads bytes of a file from `offset` on, as many as are at hand, 0 at the end. After an interruption `target` may
   * still be written to.
   */
  readonly read: (file: Opened, target: Uint8Array, offset: number) => Read<number>
  readonly close: (entry: Opened) => void
}

/** `f_type` of proc, sysfs, debugfs, tracefs, cgroup and cgroup2, securityfs, configfs, pstore, bpf and efivarfs. */
const PSEUDO: ReadonlySet<number> = new Set([
  0x9fa0, 0x6265_6572, 0x6462_6720, 0x7472_6163, 0x27_e0eb, 0x6367_7270, 0x7363_6673, 0x6265_6570, 0x6165_676c,
  0xcafe_4a11, 0xde5e_81e4,
])

/** Most bytes that are read by a plain system call when they are not in the page cache. */
const PLAIN_READ = 256 * 1024

/** Opens the directory at `path` as the root of a tree. A symbolic link there is followed. */
export const open = Effect.fnUntraced(function* (
  path: string | Uint8Array,
  options: DiskAttributes.Options = {},
): Effect.fn.Return<DiskTree, SourceTreeError, Scope.Scope> {
  const openEntries = new Set<Opened>()
  const folders = new OpenFolders()
  const pseudo = new Set<number>()
  const featuresOf = new Map<number, bigint>()
  const readCached = Preadv2.make()
  const rootPath = typeof path === "string" ? Bytes.fromText(path) : path

  const close = (entry: Opened): void => {
    if (!openEntries.delete(entry)) return
    folders.leave(entry)
    entry.isClosed = true
    if (entry.used !== undefined) entry.used.discard()
    else if (entry.fd >= 0) Syscalls.close(entry.fd)
  }

  /** The features of the file system that `fd` is on; asked once for each device. */
  const features = (fd: number, device: number): bigint | number => {
    const known = featuresOf.get(device)
    if (known !== undefined) return known
    const type = Syscalls.fileSystemType(fd)
    if (type < 0) return type
    const found = FeatureFlags.ofFileSystem(type)
    if (PSEUDO.has(type)) pseudo.add(device)
    featuresOf.set(device, found)
    return found
  }

  /** Takes a fresh descriptor over: an open entry, or the error of the call that failed. */
  const adopt = (fd: number, parent: Opened | undefined, name: Uint8Array): Opened | number => {
    const abandon = (errno: number): number => {
      Syscalls.close(fd)
      return errno
    }
    const status = Syscalls.statusOf(fd)
    if (typeof status === "number") return abandon(status)
    const set = features(fd, status.device)
    if (typeof set === "number") return abandon(set)
    const entry: Opened = {
      parent,
      name,
      status,
      fd,
      features: set,
      isPseudo: pseudo.has(status.device),
      used: undefined,
      isClosed: false,
    }
    openEntries.add(entry)
    if (parent !== undefined && isDirectory(entry)) folders.keep(entry, fd)
    return entry
  }

  const root = yield* Effect.acquireRelease(
    Effect.suspend(() => {
      // Anything behind a NUL would be cut off silently.
      const fd = rootPath.includes(0) ? -EINVAL : Syscalls.openDirectory(terminated(rootPath))
      const adopted = fd < 0 ? fd : adopt(fd, undefined, Bytes.empty)
      return typeof adopted === "number" ? failure(rootPath, "open", adopted) : Effect.succeed(adopted)
    }),
    () =>
      Effect.sync(() => {
        for (const entry of openEntries) close(entry)
      }),
  )

  const openEntry = (directory: Opened, listing: Listing, index: number): Read<Opened> => {
    const name = listing.nameAt(index)
    const terminatedName = listing.terminatedAt(index)
    const above = folders.reach(directory)
    if (above < 0) return failure(pathOf(directory), "open", above)
    const type = listing.typeAt(index)
    if (type !== S_IFREG && type !== S_IFDIR) {
      const status = Syscalls.statusAt(above, terminatedName)
      if (typeof status === "number") return failure(pathIn(directory, name), "look at", status)
      if ((status.mode & S_IFMT) !== type) return replaced(directory, name)
      return Effect.succeed({
        parent: directory,
        name,
        status,
        fd: -1,
        features: directory.features,
        isPseudo: directory.isPseudo,
        used: undefined,
        isClosed: false,
      })
    }
    const fd = Syscalls.openAt(above, terminatedName, type === S_IFDIR)
    if (fd === -ELOOP || fd === -ENOTDIR || fd === -ENXIO) return replaced(directory, name)
    const entry = fd < 0 ? fd : adopt(fd, directory, name)
    if (typeof entry === "number") return failure(pathIn(directory, name), "open", entry)
    if ((entry.status.mode & S_IFMT) === type) return Effect.succeed(entry)
    close(entry)
    return replaced(directory, name)
  }

  return {
    root,
    close,
    list: (directory) =>
      Effect.suspend(() => {
        const fd = folders.reach(directory)
        return fd < 0 ? failure(pathOf(directory), "list", fd) : list(directory)
      }),
    open: openEntry,
    metadata: (entry) => Effect.succeed(DiskAttributes.read(entry, () => pathOf(entry), options)),
    readLink: (entry) => {
      if (entry.parent === undefined) return failure(pathOf(entry), "read link", -EINVAL)
      const above = folders.reach(entry.parent)
      const target = above < 0 ? above : Syscalls.readLinkAt(above, terminated(entry.name))
      return typeof target === "number" ? failure(pathOf(entry), "read link", target) : Effect.succeed(target)
    },
    read: (file, target, offset) => {
      if (target.length <= PLAIN_READ) {
        const count = Syscalls.readAt(file.fd, target, offset)
        return count < 0 ? failure(pathOf(file), "read", count) : Effect.succeed(count)
      }
      const cached = readCached(file.fd, target, offset)
      return cached > 0 ? Effect.succeed(cached) : readOnThread(file, target, offset)
    },
  }
})

const { EINVAL, ENXIO, ENOTDIR, ELOOP, EIO } = Errno.code

const failure = (path: Uint8Array, operation: string, errno: number) =>
  Effect.fail(
    new SourceTreeError({
      path: path.length === 0 ? "." : PathText.print(path),
      operation,
      code: getSystemErrorName(errno),
      detail: getSystemErrorMessage(errno),
    }),
  )

/** The entry is no longer what the listing said. */
const replaced = (directory: Opened, name: Uint8Array) =>
  Effect.fail(
    new SourceTreeError({
      path: PathText.print(pathIn(directory, name)),
      operation: "open",
      code: REPLACED,
      detail: "it was replaced by something of another kind meanwhile",
    }),
  )

/** The code of a `SourceTreeError` for an entry that is no longer of the kind it had when it was listed. */
export const REPLACED = "REPLACED"

const list = (directory: Opened): Read<Listing> => {
  const names = ByteBuilders.make(4096)
  const starts: Array<number> = []
  const types: Array<number> = []
  const add = (name: Uint8Array, type: number): void => {
    if (name[0] === DOT && (name.length === 2 || (name.length === 3 && name[1] === DOT))) return
    starts.push(names.length)
    types.push(type)
    ByteBuilders.append(names, name)
  }
  let size = Syscalls.rewind(directory.fd)
  do {
    if (size < 0) return failure(pathOf(directory), "list", size)
    size = Syscalls.readEntries(directory.fd, add)
  } while (size !== 0)
  return Effect.succeed(sortedListing(directory, names, starts, types))
}

const DOT = 0x2e

const sortedListing = (
  directory: Opened,
  names: ByteBuilder,
  starts: ReadonlyArray<number>,
  types: ReadonlyArray<number>,
): Listing => {
  const { bytes, length } = names
  const order = new Uint32Array(starts.length)
  for (let i = 0; i < order.length; i++) order[i] = i
  order.sort((a, b) => compareAt(bytes, starts[a] as number, starts[b] as number))
  const terminatedAt = (index: number): Uint8Array => {
    const number = order[index] as number
    return bytes.subarray(starts[number], starts[number + 1] ?? length)
  }
  return {
    count: order.length,
    nameAt: (index) => terminatedAt(index).subarray(0, -1),
    terminatedAt,
    typeAt: (index) => {
      const type = types[order[index] as number] as number
      if (type !== DT_UNKNOWN) return type << 12
      const status = Syscalls.statusAt(directory.fd, terminatedAt(index))
      return typeof status === "number" ? 0 : status.mode & S_IFMT
    },
  }
}

/** The `DT_*` of a file system that does not tell; the others are the type bits of a mode, shifted. */
const DT_UNKNOWN = 0

/** Orders NUL-terminated names as `Bytes.compare` orders them without the NUL. */
const compareAt = (bytes: Uint8Array, a: number, b: number): number => {
  for (let i = 0; ; i++) {
    const left = bytes[a + i] as number
    const difference = left - (bytes[b + i] as number)
    if (difference !== 0 || left === 0) return difference
  }
}

const readOnThread = (file: Opened, target: Uint8Array, offset: number): Read<number> =>
  Effect.callback<number, SourceTreeError>((resume) => {
    const used = (file.used ??= new UsedDescriptor(file.fd))
    used.begin()
    fs.read(file.fd, target, 0, target.length, offset, (error, count) => {
      used.end()
      resume(error === null ? Effect.succeed(count) : failure(pathOf(file), "read", error.errno ?? -EIO))
    })
  })
