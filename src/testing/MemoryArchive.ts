/**
 * An archive in memory from a plain record of names and contents, for tests of programs that read archives.
 *
 * Text and bytes are files, records are folders, and everything else, or other attributes, is made by the functions of
 * this module. Entries stand in the archive in the order of the record. What is written is what `CreateArchive` would
 * write of such a folder: a version 1 archive, or with `splitBytes` a version 2 archive and its payload archive.
 */
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { noAttributes } from "../domain/pxar/Entry.ts"
import * as PathText from "../domain/PathText.ts"
import * as ByteSink from "../services/bytes/ByteSink.ts"
import * as ByteSource from "../services/bytes/ByteSource.ts"
import * as ArchiveWriter from "../services/create/ArchiveWriter.ts"

/** The children of a folder by name. Names are paths' parts as `PathText` prints them: `\xff` is that byte. */
export interface Tree {
  readonly [name: string]: Node
}

/** A file, a folder, or what one of the functions below has made. */
export type Node = string | Uint8Array | Special | Tree

/** Attributes of an entry; what is not given is 0, and for `mode` 0o644, 0o755 for folders, 0o777 for links. */
export interface Attributes {
  /** Permission bits, set-id and sticky bits included. */
  readonly mode?: number | undefined
  readonly uid?: number | undefined
  readonly gid?: number | undefined
  /** Modification time, with milliseconds. */
  readonly mtime?: Date | undefined
  /** Extended attributes under their full names, as `user.comment`. */
  readonly xattrs?: Readonly<Record<string, string | Uint8Array>> | undefined
}

/** What an entry is. */
export type Body =
  | { readonly kind: "file"; readonly content: Uint8Array }
  | { readonly kind: "folder"; readonly children: Tree }
  | { readonly kind: "symlink"; readonly target: Uint8Array }
  | { readonly kind: "hardlink"; readonly path: string }
  | { readonly kind: "chardev" | "blockdev"; readonly major: number; readonly minor: number }
  | { readonly kind: "fifo" | "socket" }

/** An entry that is more than a text, bytes or a record can say. */
export class Special extends Data.TaggedClass("Special")<{ readonly body: Body; readonly attributes: Attributes }> {}

const special = (body: Body, attributes: Attributes = {}): Special => new Special({ body, attributes })

/** A regular file. */
export const file = (content: string | Uint8Array, attributes?: Attributes): Special =>
  special({ kind: "file", content: bytesOf(content) }, attributes)

/** A folder. */
export const folder = (children: Tree, attributes?: Attributes): Special =>
  special({ kind: "folder", children }, attributes)

/** A symbolic link to `target`, which need not exist. */
export const symlink = (target: string | Uint8Array, attributes?: Attributes): Special =>
  special({ kind: "symlink", target: bytesOf(target) }, attributes)

/** Another name of the file at `path`, from the root and without a slash before it, which stands earlier in the record. */
export const hardLink = (path: string): Special => special({ kind: "hardlink", path })

/** A character device, or a block device. */
export const device = (kind: "chardev" | "blockdev", major: number, minor: number, attributes?: Attributes): Special =>
  special({ kind, major, minor }, attributes)

/** A named pipe. */
export const fifo = (attributes?: Attributes): Special => special({ kind: "fifo" }, attributes)

/** A socket. */
export const socket = (attributes?: Attributes): Special => special({ kind: "socket" }, attributes)

/** The bytes of a version 1 archive. Dies of a tree that no archive can hold: a name with a slash, for example. */
export const bytes = (tree: Tree, root?: Attributes): Effect.Effect<Uint8Array> =>
  Effect.suspend(() => {
    const archive = ByteSink.makeMemory()
    return Effect.map(write({ archive }, tree, root), () => archive.bytes())
  })

/** The bytes of a version 2 archive and of its payload archive. */
export const splitBytes = (
  tree: Tree,
  root?: Attributes,
): Effect.Effect<{ readonly archive: Uint8Array; readonly payload: Uint8Array }> =>
  Effect.suspend(() => {
    const archive = ByteSink.makeMemory()
    const payload = ByteSink.makeMemory()
    return Effect.map(write({ archive, payload }, tree, root), () => ({
      archive: archive.bytes(),
      payload: payload.bytes(),
    }))
  })

/** The bytes of an archive where an `ArchiveReader` takes them from. */
export const layer = (tree: Tree, root?: Attributes): Layer.Layer<ByteSource.ByteSource> =>
  Layer.effect(
    ByteSource.ByteSource,
    Effect.map(bytes(tree, root), (archive) => ByteSource.fromBytes(archive, "memory.pxar")),
  )

const encoder = new TextEncoder()
const bytesOf = (text: string | Uint8Array): Uint8Array => (typeof text === "string" ? encoder.encode(text) : text)

const typeBits = {
  file: 0o100644,
  folder: 0o040755,
  symlink: 0o120777,
  chardev: 0o020644,
  blockdev: 0o060644,
  fifo: 0o010644,
  socket: 0o140644,
}

const metadata = (kind: keyof typeof typeBits, { gid = 0, mode, mtime, uid = 0, xattrs = {} }: Attributes) => {
  const milliseconds = mtime?.getTime() ?? 0
  const seconds = Math.floor(milliseconds / 1000)
  return {
    mode: mode === undefined ? typeBits[kind] : (typeBits[kind] & 0o170000) | (mode & 0o7777),
    flags: 0n,
    uid,
    gid,
    mtimeSeconds: BigInt(seconds),
    mtimeNanos: (milliseconds - seconds * 1000) * 1e6,
    attributes: {
      ...noAttributes,
      xattrs: Object.entries(xattrs).map(([name, value]) => ({ name: encoder.encode(name), value: bytesOf(value) })),
    },
  }
}

const toSpecial = (node: Node): Special =>
  node instanceof Special ? node : typeof node === "string" || node instanceof Uint8Array ? file(node) : folder(node)

const write = (
  options: ArchiveWriter.Options,
  tree: Tree,
  root: Attributes = {},
): Effect.Effect<ArchiveWriter.Written> =>
  Effect.gen(function* () {
    const writer = yield* ArchiveWriter.make(options)
    const positions = new Map<string, number>()

    const addAll = (children: Tree, above: string): ArchiveWriter.Write<void> =>
      Effect.forEach(Object.entries(children), ([name, node]) => add(name, above, toSpecial(node)), {
        discard: true,
      })

    const add = (text: string, above: string, { attributes, body }: Special): ArchiveWriter.Write<unknown> => {
      const name = PathText.parse(text)
      const path = above + text
      switch (body.kind) {
        case "folder":
          return Effect.andThen(
            writer.beginDirectory(name, metadata(body.kind, attributes)),
            Effect.andThen(addAll(body.children, `${path}/`), writer.endDirectory),
          )
        case "file":
          return Effect.map(
            writer.addFile(name, metadata(body.kind, attributes), body.content.length, contentOf(body.content)),
            ({ position }) => positions.set(path, position),
          )
        case "symlink":
          return writer.addSymlink(name, metadata(body.kind, attributes), body.target)
        case "hardlink": {
          const position = positions.get(body.path)
          if (position === undefined) return Effect.die(new Error(`no file ${body.path} before its link ${path}`))
          return writer.addHardLink(name, position, PathText.parse(body.path))
        }
        case "fifo":
          return writer.addFifo(name, metadata(body.kind, attributes))
        case "socket":
          return writer.addSocket(name, metadata(body.kind, attributes))
        default:
          return writer.addDevice(name, metadata(body.kind, attributes), BigInt(body.major), BigInt(body.minor))
      }
    }

    yield* writer.beginRoot(metadata("folder", root))
    yield* addAll(tree, "")
    return yield* writer.finish
  }).pipe(Effect.scoped, Effect.orDie)

const contentOf = (content: Uint8Array): ArchiveWriter.ContentSource => {
  let done = 0
  return {
    read: (target) =>
      Effect.sync(() => {
        const part = content.subarray(done, done + target.length)
        target.set(part)
        done += part.length
        return part.length
      }),
  }
}
