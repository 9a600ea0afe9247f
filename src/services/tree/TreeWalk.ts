/**
 * A walk through an archive's tree, depth first, children in the order in which they stand in the archive, so that
 * the archive is read from front to back.
 *
 * What cannot be read is part of the walk and does not end it. Memory grows with the depth and the number of slots of
 * the folders that are open, not with the number of entries.
 */
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import * as ArchivePath from "../../domain/pxar/ArchivePath.ts"
import * as Bytes from "../../domain/Bytes.ts"
import type { Entry, HardLink } from "../../domain/pxar/Entry.ts"
import * as FormatError from "../../domain/pxar/FormatError.ts"
import type { Node } from "../../domain/pxar/Node.ts"
import * as ArchiveError from "../archive/ArchiveError.ts"
import type * as ArchiveReader from "../archive/ArchiveReader.ts"

/** An entry of the tree. */
export interface Found {
  readonly _tag: "Found"
  /** Path below the root of the archive, with a leading slash; `/` for the root itself. */
  readonly path: Uint8Array
  /** Number of folders above it, counted from where the walk began. */
  readonly depth: number
  readonly node: Node
  /** The entry; for a hard link its target's. */
  readonly entry: Entry
  /** The item itself where it is a hard link. */
  readonly link: HardLink | undefined
  /** Position of the FILENAME header of the item itself; 0 for the root. */
  readonly nameStart: number
}

/** Something that cannot be read: a child, or the rest of the folder at `path`. */
export interface Unreadable {
  readonly _tag: "Unreadable"
  readonly path: Uint8Array
  readonly depth: number
  readonly error: ArchiveError.ArchiveError
}

/** A step of a walk. */
export type Item = Found | Unreadable

/** A folder, as far as its children need to know it. */
export type Folder = Pick<Found, "node" | "path" | "depth">

/** A folder that the walk is in. */
interface Level extends Folder {
  readonly slots: Uint32Array
  next: number
}

/** Items handed on at once. */
const CHUNK = 128

/** How far to walk. */
export interface Options {
  /** Folders nested deeper than this below the start are not entered, but reported (D11). */
  readonly maxDepth: number
  /** Whether folders below the start are entered. */
  readonly recursive: boolean
}

/** Walks from `start`, which comes first. */
export const walk = (reader: ArchiveReader.Tree, start: Found, { maxDepth, recursive }: Options): Stream.Stream<Item> =>
  Stream.fromPull(
    Effect.sync(() => {
      const levels: Array<Level> = []
      let first: Found | undefined = start

      const enter = (found: Found, items: Array<Item>): Effect.Effect<void> => {
        if (found.depth > maxDepth) {
          const error = FormatError.limit("D11", found.node.start, `folders nested more than ${maxDepth} deep`)
          items.push(unreadable(found.path, found.depth, ArchiveError.fromFormat(reader.archive, error)))
          return Effect.void
        }
        return Effect.match(reader.slotsInArchiveOrder(found.node), {
          onFailure: (error) => void items.push(unreadable(found.path, found.depth, error)),
          onSuccess: (slots) =>
            void levels.push({ node: found.node, path: found.path, depth: found.depth, slots, next: 0 }),
        })
      }

      const fill = Effect.fnUntraced(function* (items: Array<Item>): Effect.fn.Return<void> {
        if (first !== undefined) {
          items.push(first)
          if (isDirectory(first)) yield* enter(first, items)
          first = undefined
        }
        while (items.length < CHUNK) {
          const level = levels.at(-1)
          if (level === undefined) return
          if (level.next === level.slots.length) {
            levels.pop()
            continue
          }
          const slot = level.slots[level.next++] as number
          const item = itemAtOnce(reader, level, slot) ?? (yield* itemAt(reader, level, slot))
          items.push(item)
          if (recursive && item._tag === "Found" && isDirectory(item)) yield* enter(item, items)
        }
      })

      return Effect.suspend(() => {
        const items: Array<Item> = []
        return Effect.flatMap(fill(items), () => {
          const [head, ...tail] = items
          return head === undefined ? Cause.done() : Effect.succeed([head, ...tail] as const)
        })
      })
    }),
  )

const isDirectory = (found: Found): boolean => found.entry.body._tag === "Directory"

const unreadable = (path: Uint8Array, depth: number, error: ArchiveError.ArchiveError): Unreadable => ({
  _tag: "Unreadable",
  path,
  depth,
  error,
})

/** The child in a slot of a folder, hard links followed. */
export const itemAt = (reader: ArchiveReader.Tree, folder: Folder, slot: number): Effect.Effect<Item> =>
  Effect.catch(child(reader, folder, slot), (error) =>
    Effect.map(childPath(reader, folder, slot), (path) => unreadable(path, folder.depth + 1, error)),
  )

/** The same without an effect, for a child that is at hand and has nothing the matter with it. */
const itemAtOnce = ({ cached }: ArchiveReader.Tree, folder: Folder, slot: number): Found | undefined => {
  const table = cached.table(folder.node)
  const found = table && cached.child(folder.node, table, slot)
  return found && itemOf(folder, found)
}

const itemOf = (folder: Folder, { entry, link, name, nameStart, node }: ArchiveReader.Found): Found => ({
  _tag: "Found",
  path: ArchivePath.join(folder.path, name),
  depth: folder.depth + 1,
  node,
  entry,
  link,
  nameStart,
})

const child = Effect.fnUntraced(function* (
  reader: ArchiveReader.Tree,
  folder: Folder,
  slot: number,
): Effect.fn.Return<Item, ArchiveError.ArchiveError> {
  const raw = yield* reader.child(folder.node, slot)
  if (raw === undefined) {
    return yield* ArchiveError.fromFormat(
      reader.archive,
      FormatError.malformed("D9", folder.node.bound, "a second entry of one name, hidden by the first"),
    )
  }
  return itemOf(folder, yield* reader.resolve(folder.node, raw))
})

/** Path of a child that cannot be read; with `?` for a name that cannot be read either. */
const childPath = (reader: ArchiveReader.Tree, folder: Folder, slot: number): Effect.Effect<Uint8Array> =>
  Effect.map(
    Effect.orElseSucceed(reader.nameAt(folder.node, slot), () => UNKNOWN),
    (name) => ArchivePath.join(folder.path, name),
  )

const UNKNOWN = Bytes.fromText("?")
