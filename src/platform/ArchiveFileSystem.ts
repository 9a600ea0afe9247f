/**
 * An archive as Effect's `FileSystem`: whatever reads files through Effect reads backups.
 *
 * Read-only: what would write fails with `PermissionDenied`, and nothing of this machine's disk is ever touched. Paths
 * are those of the archive, `/` is its root, and relative paths start there. Symbolic links are followed within the
 * archive, as after `chroot`: neither `..` nor a link leads out of it. Names are text as `PathText` prints it, so that
 * also those that are not UTF-8 can be listed and opened.
 *
 * What cannot be read because the archive is damaged is `InvalidData` with the `ArchiveError` as its cause; a folder
 * that cannot be listed in full is not listed. Messages name no path of this machine.
 *
 * In an entry point of its own, `pxar-fuse/FileSystem`, because Effect calls the interface unstable: it may change with
 * any release of Effect, and this module with it.
 */
import * as ByteSize from "effect/ByteSize"
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as PlatformError from "effect/PlatformError"
import * as Result from "effect/Result"
import * as Stream from "effect/Stream"
import * as Bytes from "../domain/Bytes.ts"
import type { Entry } from "../domain/pxar/Entry.ts"
import * as EntryKind from "../domain/pxar/EntryKind.ts"
import * as Inode from "../domain/pxar/Inode.ts"
import * as Stat from "../domain/pxar/Stat.ts"
import * as PathText from "../domain/PathText.ts"
import type { ArchiveError } from "../services/archive/ArchiveError.ts"
import * as Archive from "../services/tree/Archive.ts"
import type * as TreeWalk from "../services/tree/TreeWalk.ts"

/** Symbolic links followed in one path, as Linux has it. */
const MAX_LINKS = 40

const SLASH = 0x2f
const [DOT, DOTS, SEPARATOR] = [".", "..", "/"].map(Bytes.fromText) as [Uint8Array, Uint8Array, Uint8Array]

type Failing<A> = Effect.Effect<A, PlatformError.PlatformError>

const fail = (
  method: string,
  path: string,
  _tag: PlatformError.SystemErrorTag,
  description: string,
  cause?: unknown,
): PlatformError.PlatformError =>
  PlatformError.systemError({ _tag, module: "FileSystem", method, description, pathOrDescriptor: path, cause })

const fromArchive =
  (method: string, path: string) =>
  (error: ArchiveError | Archive.PathError): PlatformError.PlatformError => {
    if (error._tag === "ArchiveError") {
      return fail(method, path, error.kind === "IO" ? "Unknown" : "InvalidData", error.detail, error)
    }
    return error.reason === "NotFound"
      ? fail(method, path, "NotFound", "no such file or folder")
      : fail(method, path, "BadResource", error.reason === "NotAFile" ? "not a file" : "not a folder")
  }

const types: Readonly<Record<EntryKind.EntryKind, FileSystem.File.Type>> = {
  directory: "Directory",
  file: "File",
  symlink: "SymbolicLink",
  fifo: "FIFO",
  socket: "Socket",
  chardev: "CharacterDevice",
  blockdev: "BlockDevice",
}

const typeOf = (entry: Entry): FileSystem.File.Type => types[EntryKind.of(entry)]

/** What `stat` shows. Access, change and birth times are not in an archive, nor is the number of links. */
const infoOf = ({ entry, node }: TreeWalk.Found): FileSystem.File.Info => {
  const { blocks, gid, mode, mtimeNanos, mtimeSeconds, rdev, size, uid } = Stat.fromEntry(entry, node.id)
  return {
    type: typeOf(entry),
    mtime: Option.some(new Date(Number(mtimeSeconds) * 1000 + Math.floor(mtimeNanos / 1e6))),
    atime: Option.none(),
    birthtime: Option.none(),
    dev: 0n,
    ino: Option.some(BigInt(Inode.ofNode(node.id))),
    mode,
    nlink: Option.none(),
    uid: Option.some(uid),
    gid: Option.some(gid),
    rdev: Option.some(BigInt(rdev)),
    size: ByteSize.bytes(size),
    blksize: Option.some(ByteSize.bytes(Stat.BLOCK_SIZE)),
    blocks: Option.some(BigInt(blocks)),
  }
}

/** The names in a path, without empty ones and `.`. */
const namesOf = (path: Uint8Array): Array<Uint8Array> => {
  const names: Array<Uint8Array> = []
  for (let from = 0; from <= path.length;) {
    const slash = path.indexOf(SLASH, from)
    const to = slash < 0 ? path.length : slash
    const name = path.subarray(from, to)
    if (name.length > 0 && !Bytes.equals(name, DOT)) names.push(name)
    from = to + 1
  }
  return names
}

const joined = (names: ReadonlyArray<Uint8Array>): Uint8Array =>
  Bytes.concat(names.flatMap((name) => [SEPARATOR, name]))

/** An archive as a file system. */
export const make = (
  archive: Pick<Archive.Archive, "root" | "find" | "list" | "walk" | "read">,
): FileSystem.FileSystem => {
  /** The entry at a path; a link there is followed if `follow`, those on the way always. */
  const find = Effect.fnUntraced(function* (
    method: string,
    path: string,
    follow = true,
  ): Effect.fn.Return<TreeWalk.Found, PlatformError.PlatformError> {
    const ahead = namesOf(PathText.parse(path))
    if (!ahead.some((name) => Bytes.equals(name, DOTS))) {
      // Most paths lead over no link.
      const direct = yield* Effect.result(archive.find(joined(ahead)))
      if (Result.isSuccess(direct) && !(follow && direct.success.entry.body._tag === "Symlink")) return direct.success
    }
    const above: Array<Uint8Array> = []
    let links = 0
    let at = yield* Effect.mapError(archive.root, fromArchive(method, path))
    for (let name = ahead.shift(); name !== undefined; name = ahead.shift()) {
      if (at.entry.body._tag !== "Directory") return yield* fail(method, path, "BadResource", "not a folder")
      if (Bytes.equals(name, DOTS)) above.pop()
      else above.push(name)
      at = yield* Effect.mapError(archive.find(joined(above)), fromArchive(method, path))
      const { body } = at.entry
      if (body._tag !== "Symlink" || (ahead.length === 0 && !follow)) continue
      if (++links > MAX_LINKS) return yield* fail(method, path, "BadResource", "too many symbolic links")
      ahead.unshift(...namesOf(body.target))
      if (body.target[0] === SLASH) above.length = 0
      else above.pop()
      at = yield* Effect.mapError(archive.find(joined(above)), fromArchive(method, path))
    }
    return at
  })

  /** What is in a folder, or everything below it. */
  const list = (method: string, path: string, recursive: boolean): Failing<ReadonlyArray<TreeWalk.Found>> =>
    Effect.flatMap(find(method, path), (folder) => {
      const items: Stream.Stream<TreeWalk.Item, Archive.PathError> =
        folder.entry.body._tag === "Directory" && recursive
          ? Stream.drop(archive.walk(folder), 1)
          : archive.list(folder)
      return items.pipe(
        Stream.mapError(fromArchive(method, path)),
        // A further entry of a name (D9) is hidden by the first.
        Stream.filter((item) => item._tag === "Found" || item.error.check !== "D9"),
        Stream.mapEffect((item) =>
          item._tag === "Found" ? Effect.succeed(item) : Effect.fail(fromArchive(method, path)(item.error)),
        ),
        Stream.runCollect,
      )
    })

  const nameOf = ({ path }: TreeWalk.Found): string => PathText.print(path.subarray(path.lastIndexOf(SLASH) + 1))

  /** The position of `path` below that of its folder. */
  const below = (folder: TreeWalk.Found, { path }: TreeWalk.Found): string =>
    PathText.print(path.subarray(folder.path.length === 1 ? 1 : folder.path.length + 1))

  const readAt = (method: string, path: string, file: TreeWalk.Found, offset: bigint, length: number) =>
    offset > BigInt(Number.MAX_SAFE_INTEGER)
      ? Effect.succeed(new Uint8Array(0))
      : Effect.mapError(archive.read(file, Number(offset), length), fromArchive(method, path))

  const denied = (method: string, path: string): PlatformError.PlatformError =>
    fail(method, path, "PermissionDenied", "an archive is read-only")
  const refuse = (method: string) => (path: string) => Effect.fail(denied(method, path))
  const refuseTemporary = (method: string) => () => Effect.fail(denied(method, "/"))

  const openFile = (path: string, file: TreeWalk.Found): FileSystem.File => {
    let cursor = 0n
    const before = (method: string) =>
      PlatformError.badArgument({ module: "FileSystem", method, description: "a position before the start" })
    const readFrom = (
      method: string,
      length: number,
      position: bigint | undefined,
    ): Effect.Effect<Uint8Array, PlatformError.PlatformError> =>
      Effect.suspend(() => {
        if (position !== undefined && position < 0n) return Effect.fail(before(method))
        const from = position ?? cursor
        return Effect.map(readAt(method, path, file, from, length), (bytes) => {
          if (position === undefined) cursor = from + BigInt(bytes.length)
          return bytes
        })
      })
    return {
      [FileSystem.FileTypeId]: FileSystem.FileTypeId,
      stat: Effect.succeed(infoOf(file)),
      seek: (offset, from) =>
        Effect.suspend(() => {
          const position = from === "start" ? offset : cursor + offset
          if (position < 0n) return Effect.fail(before("seek"))
          cursor = position
          return Effect.succeed(position)
        }),
      sync: Effect.void,
      read: (buffer, options) =>
        Effect.map(readFrom("read", buffer.length, options?.position), (bytes) => {
          buffer.set(bytes)
          return bytes.length
        }),
      readAlloc: (size, options) =>
        Effect.map(readFrom("readAlloc", size, options?.position), (bytes) =>
          bytes.length === 0 ? Option.none() : Option.some(bytes),
        ),
      truncate: () => Effect.fail(denied("truncate", path)),
      write: () => Effect.fail(denied("write", path)),
      writeAll: () => Effect.fail(denied("writeAll", path)),
    }
  }

  return FileSystem.make({
    access: (path, options) =>
      Effect.flatMap(find("access", path), () =>
        options?.writable === true ? Effect.fail(denied("access", path)) : Effect.void,
      ),
    open: (path, options) =>
      Effect.gen(function* () {
        if ((options?.flag ?? "r") !== "r") return yield* denied("open", path)
        const file = yield* find("open", path, options?.noFollow !== true)
        if (file.entry.body._tag !== "File") return yield* fail("open", path, "BadResource", "not a file")
        return openFile(path, file)
      }),
    readFile: (path) =>
      Effect.flatMap(find("readFile", path), (file) => readAt("readFile", path, file, 0n, Stat.sizeOf(file.entry))),
    stat: (path) => Effect.map(find("stat", path), infoOf),
    lstat: (path) => Effect.map(find("lstat", path, false), infoOf),
    readLink: (path) =>
      Effect.flatMap(find("readLink", path, false), ({ entry: { body } }) =>
        body._tag === "Symlink"
          ? Effect.succeed(PathText.print(body.target))
          : Effect.fail(fail("readLink", path, "BadResource", "not a symbolic link")),
      ),
    realPath: (path) => Effect.map(find("realPath", path), (found) => PathText.print(found.path)),
    readDirectory: (path, options) =>
      options?.recursive === true
        ? Effect.gen(function* () {
            const folder = yield* find("readDirectory", path)
            const entries = yield* list("readDirectory", path, true)
            return entries.map((entry) => below(folder, entry))
          })
        : Effect.map(list("readDirectory", path, false), (entries) => entries.map(nameOf)),
    readDirectoryEntries: (path) =>
      Effect.map(list("readDirectoryEntries", path, false), (entries) =>
        entries.map((found) => ({ name: nameOf(found), type: typeOf(found.entry) })),
      ),
    // An archive does not change.
    watch: (path) => Stream.unwrap(Effect.as(find("watch", path), Stream.never)),
    chmod: refuse("chmod"),
    chown: refuse("chown"),
    copy: (_, path) => refuse("copy")(path),
    copyFile: (_, path) => refuse("copyFile")(path),
    link: (_, path) => refuse("link")(path),
    makeDirectory: refuse("makeDirectory"),
    makeTempDirectory: refuseTemporary("makeTempDirectory"),
    makeTempDirectoryScoped: refuseTemporary("makeTempDirectoryScoped"),
    makeTempFile: refuseTemporary("makeTempFile"),
    makeTempFileScoped: refuseTemporary("makeTempFileScoped"),
    remove: refuse("remove"),
    rename: refuse("rename"),
    symlink: (_, path) => refuse("symlink")(path),
    truncate: refuse("truncate"),
    utimes: refuse("utimes"),
    writeFile: refuse("writeFile"),
  })
}

/** The `Archive` as the file system of a program. */
export const layer: Layer.Layer<FileSystem.FileSystem, never, Archive.Archive> = Layer.effect(
  FileSystem.FileSystem,
  Effect.map(Archive.Archive, make),
)
