/**
 * An open archive for programs: find, list, walk and read, by path.
 *
 * The part of the library that needs neither a mount nor the command line. Paths are bytes, with or without a leading
 * slash; symbolic links are not followed, hard links are. For access by node see `ArchiveReader`.
 *
 * Opening, finding, listing, walking and streaming are spans (`pxar-fuse.open` and so on), and two metrics count what was
 * opened and read. A mount does none of this: it goes by node.
 */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Metric from "effect/Metric"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import type { ErrorId } from "../../domain/ErrorId.ts"
import * as Limits from "../../domain/pxar/Limits.ts"
import * as PathText from "../../domain/PathText.ts"
import { type ArchiveError, outOfRange } from "../archive/ArchiveError.ts"
import * as ArchiveFiles from "../archive/ArchiveFiles.ts"
import { ArchiveReader } from "../archive/ArchiveReader.ts"
import type { ArchiveTree } from "../archive/ArchiveTree.ts"
import * as AtOnce from "../AtOnce.ts"
import type { OpenError } from "../bytes/FileSource.ts"
import * as Place from "./Place.ts"
import * as TreeWalk from "./TreeWalk.ts"
import * as WalkStream from "./WalkStream.ts"

/** A path that cannot be used as asked. */
export class PathError extends Schema.TaggedError<PathError>()("PathError", {
  archive: Schema.String,
  /** The path as text (see `PathText`). */
  path: Schema.String,
  reason: Schema.Literals(["NotFound", "NotADirectory", "NotAFile"]),
}) {
  static readonly ids = {
    NotFound: "PXF-PATH-NOT-FOUND",
    NotADirectory: "PXF-PATH-NOT-A-FOLDER",
    NotAFile: "PXF-PATH-NOT-A-FILE",
  } as const satisfies Record<string, ErrorId>
  /** See docs/errors.md. */
  get id(): ErrorId {
    return PathError.ids[this.reason]
  }
  override get message(): string {
    const what = { NotFound: "no such file or folder", NotADirectory: "not a folder", NotAFile: "not a file" }
    return `${this.path}: ${what[this.reason]} in the archive`
  }
}

/** What can be done with an open archive. */
export interface Archive<Tree extends ArchiveTree = ArchiveTree> {
  /** The same archive by node. */
  readonly reader: Tree
  /** The root folder. */
  readonly root: Effect.Effect<TreeWalk.Found, ArchiveError>
  /** The entry at a path. */
  readonly find: (path: Uint8Array) => Effect.Effect<TreeWalk.Found, ArchiveError | PathError>
  /** The children of a folder, in the order of the archive. */
  readonly list: (directory: TreeWalk.Found) => Stream.Stream<TreeWalk.Item, PathError>
  /** The whole tree below an entry, the entry first; what cannot be read does not end it. */
  readonly walk: (start: TreeWalk.Found) => Stream.Stream<TreeWalk.Item>
  /** What a guide wants of the tree below an entry. */
  readonly walkGuided: <A>(start: TreeWalk.Found, guide: WalkStream.Guide<A>) => Stream.Stream<A>
  /** At most `length` bytes of a file from `offset` on; fewer only at its end. */
  readonly read: (
    file: TreeWalk.Found,
    offset: number,
    length: number,
  ) => Effect.Effect<Uint8Array, ArchiveError | PathError>
  /** A file's content, or the part from `offset` on of at most `length` bytes. */
  readonly content: (
    file: TreeWalk.Found,
    range?: { readonly offset?: number | undefined; readonly length?: number | undefined },
  ) => Stream.Stream<Uint8Array, ArchiveError | PathError>
}

/** The archive of a program that needs one. */
export const Archive: Context.Service<Archive, Archive> = Context.Service("pxar-fuse/services/tree/Archive")

/** The archive file at `path`. */
export const layerFile = (
  path: string,
  options?: ArchiveFiles.Options,
): Layer.Layer<Archive, OpenError | ArchiveError> => Layer.effect(Archive, open(path, options))

/** The archive that an `ArchiveReader` has open. */
export const layer: Layer.Layer<Archive, never, ArchiveReader> = Layer.effect(
  Archive,
  Effect.map(ArchiveReader, (reader) => fromReader(reader)),
)

/** Archives opened by this program through `open`. */
export const openedArchives: Metric.Counter<number> = Metric.counter("pxar_fuse_opened_archives", {
  description: "Archives that were opened",
  incremental: true,
})

/** Bytes of contents streamed by this program through `content`. */
export const streamedBytes: Metric.Counter<number> = Metric.counter("pxar_fuse_streamed_content_bytes", {
  description: "Bytes of file contents that were streamed",
  incremental: true,
})

/** Opens an archive file, with the payload archive beside it if there is one. */
export const open = (
  path: string,
  options?: ArchiveFiles.Options,
): Effect.Effect<Archive<ArchiveReader>, OpenError | ArchiveError, Scope.Scope> =>
  ArchiveFiles.open(path, options).pipe(
    Effect.map((reader) => fromReader(reader, options?.limits)),
    Effect.tap(() => Metric.update(openedArchives, 1)),
    Effect.withSpan("pxar-fuse.open", { attributes: { archive: path } }),
  )

/** Bytes of a file handed on at once. */
const CHUNK = 1024 * 1024

/** The archive that `reader` has open. */
export const fromReader = <Tree extends ArchiveTree>(
  reader: Tree,
  limits: Limits.Limits = Limits.defaults,
): Archive<Tree> => {
  const root = TreeWalk.root(reader)

  const fail = (path: Uint8Array, reason: PathError["reason"]) =>
    new PathError({ archive: reader.archive, path: PathText.print(path), reason })

  const find = Effect.fnUntraced(function* (
    path: Uint8Array,
  ): Effect.fn.Return<TreeWalk.Found, ArchiveError | PathError> {
    let place = Place.ROOT
    let at: Pick<TreeWalk.Found, "entry" | "link" | "nameStart" | "node"> = yield* root
    for (const name of namesOf(path)) {
      if (at.entry.body._tag !== "Directory") return yield* fail(path, "NotFound")
      const child = yield* reader.lookup(at.node, name)
      if (child === undefined) return yield* fail(path, "NotFound")
      at = child
      place = { parent: place, name }
    }
    return TreeWalk.start(place, at)
  })

  const fileContent = (file: TreeWalk.Found) =>
    file.entry.body._tag === "File" ? Effect.succeed(file.entry.body.content) : Effect.fail(fail(file.path, "NotAFile"))

  /** Refuses what is no position or no number of bytes. */
  const checkRange = (offset: number, length: number): Effect.Effect<void, ArchiveError> =>
    Number.isSafeInteger(offset) && offset >= 0 && length >= 0 && (Number.isSafeInteger(length) || length === Infinity)
      ? Effect.void
      : Effect.fail(outOfRange(reader.archive, `no range of bytes: ${length} from ${offset} on`))

  const read: Archive["read"] = (file, offset, length) =>
    AtOnce.flatMap(checkRange(offset, length), () =>
      AtOnce.flatMap(fileContent(file), (content) => {
        const bytes = new Uint8Array(Math.max(0, Math.min(length, content.length - offset)))
        return bytes.length === 0
          ? Effect.succeed(bytes)
          : AtOnce.map(reader.content(file.node, offset, bytes), () => bytes)
      }),
    )

  const walkGuided: Archive["walkGuided"] = (start, guide) =>
    Stream.withSpan(WalkStream.walk(reader, start, limits.depth, guide), "pxar-fuse.walk", {
      captureStackTrace: false,
    })

  /** The same; of a range in which bytes cannot be had what is before them. It fails where that is nothing. */
  const readIntact: Archive["read"] = (file, offset, length) =>
    Effect.catchTag(read(file, offset, length), "ArchiveError", (error) =>
      error.intact !== undefined && error.intact > offset && error.intact < offset + length
        ? read(file, offset, error.intact - offset)
        : Effect.fail(error),
    )

  return {
    reader,
    root,
    find: (path) =>
      Effect.withSpan(find(path), "pxar-fuse.find", {
        attributes: { path: PathText.print(path) },
        captureStackTrace: false,
      }),
    list: (directory) =>
      directory.entry.body._tag === "Directory"
        ? WalkStream.walk(reader, directory, limits.depth, WalkStream.level).pipe(
            Stream.drop(1),
            Stream.withSpan("pxar-fuse.list", { captureStackTrace: false }),
          )
        : Stream.fail(fail(directory.path, "NotADirectory")),
    walk: (start) => walkGuided(start, WalkStream.whole),
    walkGuided,
    read,
    content: (file, { length = Number.MAX_SAFE_INTEGER, offset = 0 } = {}) =>
      Stream.unwrap(
        Effect.as(
          checkRange(offset, length),
          Stream.paginate(offset, (at) =>
            Effect.map(readIntact(file, at, Math.min(CHUNK, offset + length - at)), (bytes) => [
              bytes.length === 0 ? [] : [bytes],
              bytes.length === 0 ? Option.none() : Option.some(at + bytes.length),
            ]),
          ),
        ),
      ).pipe(
        Stream.tap((bytes) => Metric.update(streamedBytes, bytes.length)),
        Stream.withSpan("pxar-fuse.content", { captureStackTrace: false }),
      ),
  }
}

/** The names in a path; `.` and empty ones left out. */
export const namesOf = (path: Uint8Array): ReadonlyArray<Uint8Array> => {
  const names: Array<Uint8Array> = []
  for (let from = 0; from < path.length;) {
    const slash = path.indexOf(0x2f, from)
    const to = slash < 0 ? path.length : slash
    if (to > from && !(to === from + 1 && path[from] === 0x2e)) names.push(path.subarray(from, to))
    from = to + 1
  }
  return names
}
