/**
 * A tree put together: folders, files and links that are in no archive, and archives, each of them a folder with all that is
 * in it (see `VirtualItem`).
 *
 * Nothing is listed or opened before somebody looks. What is in a folder is asked of its `Folder`, by one at a time, and
 * again after a while unless it stays the same for ever. A name keeps its node and its place in listings for the life of the
 * tree. An archive is opened when it is first used and closed when it is idle.
 *
 * Everything is numbered in the order in which it is first listed or looked up, from 2 on; the root is 1. A node in an archive
 * has the archive's number and its id there. Inode numbers: twice the number, and one for what is no folder; in an archive
 * its own (see `Inode`) above a base that is reserved when the archive is first opened, and kept.
 */
import * as Clock from "effect/Clock"
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Scope from "effect/Scope"
import * as Semaphore from "effect/Semaphore"
import * as Bytes from "../../domain/Bytes.ts"
import type { Entry } from "../../domain/pxar/Entry.ts"
import * as Inode from "../../domain/pxar/Inode.ts"
import type * as Node from "../../domain/pxar/Node.ts"
import * as NodeId from "../../domain/pxar/NodeId.ts"
import * as ArchiveError from "../archive/ArchiveError.ts"
import type { Add, ArchiveTree, Found, Listed, Memory, Read } from "../archive/ArchiveTree.ts"
import * as AtOnce from "../AtOnce.ts"
import { NameSlots, type Slot } from "./NameSlots.ts"
import * as OnDemandReader from "./OnDemandReader.ts"
import * as VirtualItem from "./VirtualItem.ts"

/** How the tree is shown. */
export interface Options extends VirtualItem.Owner {
  /** For messages. */
  readonly name: string
  readonly root: VirtualItem.Folder
  /** Bytes of all archives, as far as they are known; 0 unless given. */
  readonly size?: number | undefined
  /** How long an archive stays open unused; a minute unless given. */
  readonly idle?: Duration.Input | undefined
  /** Milliseconds for which a folder that can change is not asked again; a second unless given. */
  readonly fresh?: number | undefined
}

/** What has a number. */
type Place = Folder | Leaf | Archive

interface Folder {
  readonly _tag: "Folder"
  readonly node: Node.Node
  readonly name: Uint8Array
  readonly item: VirtualItem.Item & { readonly _tag: "Folder" }
  /** Once somebody has looked into it. */
  contents: Contents | undefined
}

/** What is in a folder, as far as it is known. */
interface Contents {
  readonly slots: NameSlots<Place>
  /** Whoever asks what is in it. */
  readonly asking: Semaphore.Semaphore
  /** Milliseconds; what is known counts until then. */
  freshUntil: number
}

/** A file, a link, or an entry of an archive elsewhere. */
interface Leaf {
  readonly _tag: "Leaf"
  readonly node: Node.Node
  readonly name: Uint8Array
  readonly item: VirtualItem.Item & { readonly _tag: "File" | "Link" | "Entry" }
}

interface Archive {
  readonly _tag: "Archive"
  readonly node: Node.Node
  readonly name: Uint8Array
  readonly archive: VirtualItem.Archive
  /** As a multiple of 2^32; 0 as long as it was never open. */
  base: number
  /** Once it was used. */
  reader: ArchiveTree | undefined
}

/** Makes the tree. Archives that are open are closed with the scope. */
export const make = Effect.fnUntraced(function* (options: Options): Effect.fn.Return<ArchiveTree, never, Scope.Scope> {
  const { fresh = 1000, idle = "1 minute", name, size = 0 } = options
  const scope = yield* Effect.scope
  const clock = yield* Clock.Clock
  /** By number. */
  const places: Array<Place | undefined> = [undefined]
  /** The next base that is free: below are the numbers of what is in no archive. */
  let nextBase = 1

  /** The node with the next number. The columns of the lookup table have room for a folder that ends at its number. */
  const number = (parent: NodeId.NodeId, isFolder: boolean): Node.Node => {
    const next = places.length
    return isFolder
      ? { id: next, parent, nameStart: 0, start: 0, bound: next, contentsStart: 1 }
      : { id: NodeId.ofEntry(next), parent, nameStart: 0, start: next, bound: next, contentsStart: 0 }
  }

  const makeFolder = (item: Folder["item"], parent: NodeId.NodeId): Folder => ({
    _tag: "Folder",
    node: number(parent, true),
    name: Bytes.fromText(item.name),
    item,
    contents: undefined,
  })

  const makePlace = ({ item, name }: Slot<Place>, parent: NodeId.NodeId): Place => {
    switch (item._tag) {
      case "Folder":
        return makeFolder(item, parent)
      case "Archive": {
        const { archive } = item
        return { _tag: "Archive", node: number(parent, true), name, archive, base: 0, reader: undefined }
      }
      default:
        return { _tag: "Leaf", node: number(parent, false), name, item }
    }
  }

  const placeOf = (slot: Slot<Place>, parent: Folder): Place => {
    if (slot.known !== undefined) return slot.known
    const place = makePlace(slot, parent.node.id)
    places.push(place)
    return (slot.known = place)
  }

  const root = makeFolder({ _tag: "Folder", name: "", folder: options.root }, NodeId.ROOT)
  places.push(root)

  /** What a node is, or the archive that it is in. */
  const ownerOf = ({ archive, id }: Node.Key): Place => places[archive ?? Math.abs(id)] ?? root

  /** Opens an archive and, the first time, reserves its base. */
  const openArchive = (of: Archive): VirtualItem.Archive["open"] =>
    Effect.map(of.archive.open, (reader) => {
      if (of.base === 0) {
        of.base = nextBase
        nextBase += Inode.blocks(reader.root.bound)
      }
      return reader
    })

  const readerOf = (of: Archive): Effect.Effect<ArchiveTree> => {
    if (of.reader !== undefined) return Effect.succeed(of.reader)
    const { archive, size } = of.archive
    const made = OnDemandReader.make({ archive, size, open: openArchive(of), idle })
    return Effect.map(Scope.provide(made, scope), (reader) => (of.reader ??= reader))
  }

  /** Asks an archive about a node that is in it, or is its root. */
  const within = <A>(of: Archive, node: Node.Node, use: (reader: ArchiveTree, node: Node.Node) => Read<A>): Read<A> =>
    AtOnce.flatMap(readerOf(of), (reader) => use(reader, node.archive === undefined ? reader.root : node))

  /** A child in an archive, as it is known here. */
  const outside = (found: Found, { node }: Archive): Found => ({ ...found, node: { ...found.node, archive: node.id } })

  const contentsOf = (folder: Folder): Contents =>
    (folder.contents ??= { slots: new NameSlots(), asking: Semaphore.makeUnsafe(1), freshUntil: -1 })

  /** What is in a folder now, or was a moment ago. */
  const freshSlots = (folder: Folder): Read<NameSlots<Place>> => {
    const contents = contentsOf(folder)
    const { asking, slots } = contents
    const isFresh = (): boolean => clock.currentTimeMillisUnsafe() < contents.freshUntil
    if (isFresh()) return Effect.succeed(slots)
    const { isFixed, items } = folder.item.folder
    const update = Effect.map(items, (found) => {
      slots.update(found)
      contents.freshUntil = isFixed ? Infinity : clock.currentTimeMillisUnsafe() + fresh
      return slots
    })
    return asking.withPermits(1)(Effect.suspend(() => (isFresh() ? Effect.succeed(slots) : update)))
  }

  const entryOf = (of: Place): Read<Entry> =>
    of._tag === "Archive"
      ? within(of, of.node, (reader, node) => reader.entry(node))
      : VirtualItem.entry(of.item, options)

  const foundAt = (of: Place): Read<Found> => {
    const { name, node } = of
    return AtOnce.map(entryOf(of), (entry) => ({ _tag: "Found", name, node, entry, link: undefined, nameStart: 0 }))
  }

  const lookup = (folder: Folder, name: Uint8Array): Read<Found | undefined> =>
    AtOnce.flatMap(freshSlots(folder), (slots): Read<Found | undefined> => {
      const slot = slots.find(name)
      return slot === undefined ? Effect.undefined : foundAt(placeOf(slot, folder))
    })

  /** A child of a listing: folders and archives by name alone. */
  const listed = (of: Place): Effect.Effect<Listed> => {
    const { name, node } = of
    if (of._tag !== "Leaf") return Effect.succeed({ _tag: "Unopened", name, node })
    return AtOnce.catch_(
      foundAt(of),
      // A listing fails for the whole of an I/O error; here one of them has it, and says so when it is looked up.
      (error): Effect.Effect<Listed> =>
        Effect.succeed({ _tag: "Unreadable", name, link: undefined, error: asAnother(error) }),
    )
  }

  const list = (folder: Folder, from: number, add: Add): Read<void> => {
    const { freshUntil, slots } = contentsOf(folder)
    const { all } = slots
    const step = (index: number): Read<void> => {
      for (let at = index; at < all.length; at++) {
        const slot = all[at] as Slot<Place>
        if (!slot.isPresent) continue
        const child = listed(placeOf(slot, folder))
        if (!AtOnce.hasEnded(child)) {
          return Effect.flatMap(child, (child) => (add(child, at + 1) ? step(at + 1) : Effect.void))
        }
        if (child._tag === "Success" && !add(child.value, at + 1)) return Effect.void
      }
      return Effect.void
    }
    // A listing that goes on sees what it began with; where none was made it may begin anywhere.
    return from > 0 && freshUntil >= 0 ? step(from) : AtOnce.flatMap(freshSlots(folder), () => step(from))
  }

  const fileOf = (of: Place): VirtualItem.File | undefined =>
    of._tag === "Leaf" && of.item._tag === "File" ? of.item.file : undefined

  const isNo = (what: string): Read<never> => Effect.fail(ArchiveError.outOfRange(name, `is no ${what}`))

  return {
    archive: name,
    size,
    root: root.node,
    ids: "allotted",
    inode: ({ archive, id }) => {
      const of = archive === undefined ? undefined : places[archive]
      return of?._tag === "Archive" ? Inode.above(of.base, Inode.ofNode(id)) : Inode.ofNode(id)
    },
    entry: (node) => {
      const of = ownerOf(node)
      return of._tag === "Archive" ? within(of, node, (reader, node) => reader.entry(node)) : entryOf(of)
    },
    lookup: (directory, name) => {
      const of = ownerOf(directory)
      if (of._tag === "Folder") return lookup(of, name)
      if (of._tag === "Leaf") return isNo("folder")
      return within(of, directory, (reader, node) =>
        AtOnce.map(reader.lookup(node, name), (found) => (found === undefined ? undefined : outside(found, of))),
      )
    },
    count: (directory) => {
      const of = ownerOf(directory)
      if (of._tag === "Folder") return AtOnce.map(freshSlots(of), ({ all }) => all.length)
      return of._tag === "Leaf" ? isNo("folder") : within(of, directory, (reader, node) => reader.count(node))
    },
    list: (directory, from, add) => {
      const of = ownerOf(directory)
      if (of._tag === "Folder") return list(of, from, add)
      if (of._tag === "Leaf") return isNo("folder")
      return within(of, directory, (reader, node) =>
        reader.list(node, from, (child, next) => add(child._tag === "Found" ? outside(child, of) : child, next)),
      )
    },
    name: (node) => {
      const of = ownerOf(node)
      return of._tag === "Archive" && node.archive !== undefined
        ? within(of, node, (reader, node) => reader.name(node))
        : Effect.succeed(of.name)
    },
    content: (node, offset, target) => {
      const of = ownerOf(node)
      if (of._tag === "Archive") return within(of, node, (reader, node) => reader.content(node, offset, target))
      if (of._tag === "Leaf" && of.item._tag === "Entry") return of.item.read(target, offset)
      return fileOf(of)?.read(target, offset) ?? isNo("file")
    },
    extent: (node, offset, size) =>
      fileOf(ownerOf(node))?.holes?.extent(offset) ?? Effect.succeed({ isHole: false, end: size }),
    release: (directory) => {
      const of = ownerOf(directory)
      if (of._tag !== "Archive" || of.reader === undefined) return Effect.void
      return of.reader.release(directory.archive === undefined ? of.reader.root : directory)
    },
    isLive: (node) => {
      const of = ownerOf(node)
      return of._tag === "Folder" && !of.item.folder.isFixed
    },
    memory: Effect.suspend(() =>
      Effect.map(
        Effect.forEach(places, (of): Effect.Effect<Memory> =>
          of?._tag === "Archive" && of.reader !== undefined ? of.reader.memory : Effect.succeed(NOTHING),
        ),
        (all) => ({
          blocks: all.reduce((sum, { blocks }) => sum + blocks, 0),
          tables: all.reduce((sum, { tables }) => sum + tables, 0),
        }),
      ),
    ),
  }
})

const NOTHING: Memory = { blocks: 0, tables: 0 }

/** The same error as one that concerns a child, not the folder. */
const asAnother = ({ archive, check, detail, errno, offset }: ArchiveError.ArchiveError): ArchiveError.ArchiveError =>
  new ArchiveError.ArchiveError({ archive, kind: "Unsupported", check, detail, errno, offset })
