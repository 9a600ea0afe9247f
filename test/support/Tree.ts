/**
 * A tree of files as a value: what an archive holds, in stream order, without positions. Read with the project's reader,
 * written with its writer.
 */
import { Effect } from "effect"
import type { Entry } from "../../src/domain/pxar/Entry.ts"
import type { Metadata } from "../../src/domain/pxar/EntryEncoder.ts"
import type * as Node from "../../src/domain/pxar/Node.ts"
import type { ArchiveError } from "../../src/services/archive/ArchiveError.ts"
import type * as ArchiveTree from "../../src/services/archive/ArchiveTree.ts"
import * as ArchiveReader from "../../src/services/archive/ArchiveReader.ts"
import type { ArchiveWriter, ContentSource, WriteError } from "../../src/services/create/ArchiveWriter.ts"
import type { SinkError } from "../../src/services/bytes/ByteSink.ts"
import * as ByteSource from "../../src/services/bytes/ByteSource.ts"

export type Tree =
  | Directory
  | { readonly _tag: "File"; readonly metadata: Metadata; readonly content: Uint8Array }
  | { readonly _tag: "Symlink"; readonly metadata: Metadata; readonly target: Uint8Array }
  | { readonly _tag: "Device"; readonly metadata: Metadata; readonly major: bigint; readonly minor: bigint }
  | { readonly _tag: "Fifo" | "Socket"; readonly metadata: Metadata }
  /** `target` is the path of the linked file in this tree, `path` the text that the archive stores. */
  | { readonly _tag: "HardLink"; readonly target: string; readonly path: Uint8Array }

export interface Directory {
  readonly _tag: "Directory"
  readonly metadata: Metadata
  readonly children: ReadonlyArray<Child>
}

export interface Child {
  readonly name: Uint8Array
  readonly tree: Tree
}

/** A key for a name, and the path of a child below that of its folder. */
export const key = (name: Uint8Array): string => Buffer.from(name).toString("latin1")
export const below = (path: string, name: Uint8Array): string => (path === "" ? key(name) : `${path}/${key(name)}`)

/** The metadata of an entry, without what belongs to its place. */
export const metadataOf = (entry: Entry): Metadata => ({
  mode: entry.mode,
  flags: entry.flags,
  uid: entry.uid,
  gid: entry.gid,
  mtimeSeconds: entry.mtimeSeconds,
  mtimeNanos: entry.mtimeNanos,
  attributes: entry.attributes,
})

/** Content that is delivered in pieces of at most `piece` bytes. */
export const contentOf = (bytes: Uint8Array, piece = Number.MAX_SAFE_INTEGER): ContentSource => {
  let at = 0
  return {
    read: (target) =>
      Effect.sync(() => {
        const part = bytes.subarray(at, at + Math.min(piece, target.length))
        target.set(part)
        at += part.length
        return part.length
      }),
  }
}

/** A reader of the archive in `bytes`, with the payload archive in `payload`. */
export const openBytes = (
  bytes: Uint8Array,
  payload?: Uint8Array,
): Effect.Effect<ArchiveReader.ArchiveReader, ArchiveError> =>
  ArchiveReader.make(
    ByteSource.fromBytes(bytes),
    payload === undefined
      ? { _tag: "Absent", expected: undefined }
      : { _tag: "Present", source: ByteSource.fromBytes(payload) },
  )

/** Reads a whole archive. Children are in the order of their FILENAME items. */
export const read = Effect.fnUntraced(function* (
  reader: ArchiveReader.ArchiveReader,
): Effect.fn.Return<Directory, ArchiveError> {
  const paths = new Map<number, string>()

  const readDirectory: (node: Node.Node, metadata: Metadata, path: string) => Effect.Effect<Directory, ArchiveError> =
    Effect.fnUntraced(function* (node, metadata, path) {
      const found: Array<ArchiveTree.Found> = []
      let failure: ArchiveError | undefined
      yield* reader.list(node, 0, (child) => {
        if (child._tag === "Found") found.push(child)
        else if (child._tag === "Unreadable") failure ??= child.error
        return true
      })
      if (failure !== undefined) return yield* failure
      const children: Array<Child> = []
      for (const child of found) {
        const childPath = below(path, child.name)
        paths.set(child.nameStart, childPath)
        children.push({ name: child.name, tree: yield* readChild(child, childPath) })
      }
      return { _tag: "Directory" as const, metadata, children }
    })

  const readChild = Effect.fnUntraced(function* (
    { entry, link, node }: ArchiveTree.Found,
    path: string,
  ): Effect.fn.Return<Tree, ArchiveError> {
    if (link !== undefined) {
      const target = paths.get(link.target)
      if (target === undefined) throw new Error(`hard link to byte ${link.target}, where no file is`)
      return { _tag: "HardLink", target, path: link.path }
    }
    const metadata = metadataOf(entry)
    const { body } = entry
    switch (body._tag) {
      case "Directory":
        return yield* readDirectory(node, metadata, path)
      case "File": {
        const content = new Uint8Array(body.content.length)
        if (content.length > 0) yield* reader.content(node, 0, content)
        return { _tag: "File", metadata, content }
      }
      case "Symlink":
        return { _tag: "Symlink", metadata, target: body.target }
      case "Device":
        return { _tag: "Device", metadata, major: body.major, minor: body.minor }
      default:
        return { _tag: body._tag, metadata }
    }
  })

  return yield* readDirectory(reader.root, metadataOf(yield* reader.entry(reader.root)), "")
})

/** Reads a whole archive in memory. */
export const readBytes = (bytes: Uint8Array, payload?: Uint8Array): Effect.Effect<Directory, ArchiveError> =>
  Effect.flatMap(openBytes(bytes, payload), read)

/** Writes a whole archive. Contents are delivered in pieces of at most `piece` bytes. */
export const write = Effect.fnUntraced(function* (writer: ArchiveWriter, root: Directory, piece?: number) {
  const positions = new Map<string, number>()

  const writeChild: (child: Child, path: string) => Effect.Effect<void, SinkError | WriteError> = Effect.fnUntraced(
    function* ({ name, tree }, path) {
      switch (tree._tag) {
        case "Directory":
          yield* writer.beginDirectory(name, tree.metadata)
          for (const child of tree.children) yield* writeChild(child, below(path, child.name))
          return yield* writer.endDirectory
        case "File": {
          const content = contentOf(tree.content, piece)
          const added = yield* writer.addFile(name, tree.metadata, tree.content.length, content)
          positions.set(path, added.position)
          return
        }
        case "Symlink":
          return yield* writer.addSymlink(name, tree.metadata, tree.target)
        case "Device":
          return yield* writer.addDevice(name, tree.metadata, tree.major, tree.minor)
        case "Fifo":
          return yield* writer.addFifo(name, tree.metadata)
        case "Socket":
          return yield* writer.addSocket(name, tree.metadata)
        case "HardLink":
          return yield* writer.addHardLink(name, positions.get(tree.target) ?? -1, tree.path)
      }
    },
  )

  yield* writer.beginRoot(root.metadata)
  for (const child of root.children) yield* writeChild(child, key(child.name))
  return yield* writer.finish
})
