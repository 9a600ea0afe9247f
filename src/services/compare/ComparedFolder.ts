/**
 * A folder on disk as a tree to compare with an archive.
 *
 * Read by descriptor and without following links (see `DiskTree`). Of what may not be opened the status is known, and
 * nothing else. Attributes are read where archives keep them: of files and folders; `trusted.*` only root can see.
 */
import { getSystemErrorMessage, getSystemErrorName } from "node:util"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import type * as Scope from "effect/Scope"
import * as Bytes from "../../domain/Bytes.ts"
import type { Attributes, Body, Entry } from "../../domain/pxar/Entry.ts"
import { noAttributes, S_IFBLK, S_IFCHR, S_IFDIR, S_IFIFO, S_IFLNK, S_IFMT, S_IFREG } from "../../domain/pxar/Entry.ts"
import * as PathText from "../../domain/PathText.ts"
import * as AtOnce from "../AtOnce.ts"
import type { ComparedTree, Item, Listing, Unknown } from "./ComparedTree.ts"
import type { PlainFiles } from "./PlainFiles.ts"
import { Caller } from "../posix/Caller.ts"
import * as Syscalls from "../posix/ReadSyscalls.ts"
import * as DiskTree from "../disk/DiskTree.ts"

/** A file, folder or whatever else on disk. */
export interface FolderItem extends Item {
  /** Its path, empty for the root: made when something is wrong. */
  readonly path: () => Uint8Array
  readonly opened: DiskTree.Opened | undefined
  /** Why it is not open. */
  readonly denied: DiskTree.SourceTreeError | undefined
}

type Read<A> = Effect.Effect<A, DiskTree.SourceTreeError>

/** The tree in the folder at `path`. A symbolic link there is followed, none below. */
export const open = Effect.fnUntraced(function* (
  path: string,
): Effect.fn.Return<ComparedTree<FolderItem>, DiskTree.SourceTreeError, Scope.Scope> {
  const tree = yield* DiskTree.open(path)
  const { euid } = yield* Caller
  const seesTrusted = euid === 0

  const item = (opened: DiskTree.Opened): Read<FolderItem> => {
    const { status } = opened
    const isLink = (status.mode & S_IFMT) === S_IFLNK
    const target = isLink ? tree.readLink(opened) : Effect.succeed(Bytes.empty)
    const known: Unknown["attributes"] = opened.fd < 0 ? "all" : seesTrusted ? "none" : "trusted"
    return AtOnce.flatMap(target, (target) =>
      AtOnce.flatMap(tree.metadata(opened), ({ metadata: { attributes }, warnings }) => {
        const made = makeItem(() => DiskTree.pathOf(opened), status, target, attributes, known, opened, undefined)
        if (warnings.length === 0) return Effect.succeed(made)
        return Effect.as(
          Effect.forEach(warnings, ({ message }) => Effect.logWarning(message)),
          made,
        )
      }),
    )
  }

  /** What is known of an entry that may not be opened. */
  const unopened = (
    directory: DiskTree.Opened,
    listing: DiskTree.Listing,
    index: number,
    denied: DiskTree.SourceTreeError,
  ): Read<FolderItem> =>
    Effect.suspend(() => {
      const path = () => DiskTree.pathIn(directory, listing.nameAt(index))
      const status = Syscalls.statusAt(directory.fd, listing.terminatedAt(index))
      return typeof status === "number"
        ? failure(path(), "look at", getSystemErrorName(status), getSystemErrorMessage(status))
        : Effect.succeed(makeItem(path, status, Bytes.empty, noAttributes, "all", undefined, denied))
    })

  const openChild = (directory: DiskTree.Opened, listing: DiskTree.Listing, index: number): Read<FolderItem> =>
    AtOnce.flatMap(tree.open(directory, listing, index), (entry) => {
      const made = item(entry)
      return AtOnce.hasEnded(made) && Exit.isSuccess(made)
        ? made
        : Effect.onError(made, () => Effect.sync(() => tree.close(entry)))
    })

  const list = Effect.fnUntraced(function* (
    directory: FolderItem,
  ): Effect.fn.Return<Listing<FolderItem>, DiskTree.SourceTreeError> {
    const { opened } = directory
    if (opened === undefined) return yield* notOpen(directory)
    const listing = yield* tree.list(opened)
    return {
      count: listing.count,
      nameAt: listing.nameAt,
      plain: plainFiles(opened, listing),
      open: (index) =>
        AtOnce.catch_(openChild(opened, listing, index), (error) =>
          error.code === "EACCES" || error.code === "EPERM"
            ? unopened(opened, listing, index, error)
            : Effect.fail(error),
        ),
      errors: [],
    }
  })

  const read = (file: FolderItem, offset: number, target: Uint8Array): Read<void> => {
    if (file.opened === undefined) return notOpen(file)
    if (target.length === 0) return Effect.void
    return AtOnce.flatMap(tree.read(file.opened, target, offset), (count) =>
      count === 0
        ? failure(file.path(), "read", "EIO", "the file has become shorter meanwhile")
        : read(file, offset + count, target.subarray(count)),
    )
  }

  return {
    name: path,
    root: Effect.suspend(() => item(tree.root)),
    list,
    read,
    close: ({ opened }) =>
      Effect.sync(() => {
        if (opened !== undefined) tree.close(opened)
      }),
  }
})

const plainFiles = (directory: DiskTree.Opened, listing: DiskTree.Listing): PlainFiles => {
  const status = Syscalls.briefStatus()
  let fd = -1
  return {
    hasFlags: false,
    look: (index) => {
      if (directory.fd < 0 || listing.typeAt(index) !== S_IFREG) return undefined
      fd = Syscalls.openAt(directory.fd, listing.terminatedAt(index), false)
      if (fd < 0) return undefined
      if (Syscalls.statusInto(fd, status) === 0 && status.nlink === 1 && !Syscalls.mayHaveXattrs(fd)) return status
      Syscalls.close(fd)
      return undefined
    },
    read: (target) => Syscalls.readAt(fd, target, 0) === target.length,
    leave: () => void Syscalls.close(fd),
  }
}

const notOpen = (item: FolderItem): Read<never> =>
  item.denied === undefined
    ? Effect.die(new Error("an entry that is not open, and nothing says why"))
    : Effect.fail(item.denied)

const failure = (path: Uint8Array, operation: string, code: string, detail: string): Read<never> =>
  Effect.fail(new DiskTree.SourceTreeError({ path: PathText.print(path), operation, code, detail }))

const makeItem = (
  path: () => Uint8Array,
  status: Syscalls.Status,
  target: Uint8Array,
  attributes: Attributes,
  unknownAttributes: Unknown["attributes"],
  opened: DiskTree.Opened | undefined,
  denied: DiskTree.SourceTreeError | undefined,
): FolderItem => {
  const entry: Entry = {
    _tag: "Entry",
    start: 0,
    end: 0,
    mode: status.mode,
    flags: 0n,
    uid: status.uid,
    gid: status.gid,
    mtimeSeconds: status.mtimeSeconds,
    mtimeNanos: status.mtimeNanos,
    attributes,
    body: bodyOf(status, target),
    findings: [],
  }
  const group = entry.body._tag === "File" && status.nlink > 1 ? Syscalls.identityOf(status) : undefined
  return { path, entry, group, unknown: { attributes: unknownAttributes, flags: true }, opened, denied }
}

const bodyOf = (status: Syscalls.Status, target: Uint8Array): Body => {
  switch (status.mode & S_IFMT) {
    case S_IFREG:
      return { _tag: "File", content: { source: "archive", start: 0, length: status.size } }
    case S_IFDIR:
      return { _tag: "Directory", contentsStart: 0 }
    case S_IFLNK:
      return { _tag: "Symlink", target }
    case S_IFCHR:
    case S_IFBLK:
      return { _tag: "Device", major: BigInt(status.major), minor: BigInt(status.minor) }
    case S_IFIFO:
      return { _tag: "Fifo" }
    default:
      return { _tag: "Socket" }
  }
}
