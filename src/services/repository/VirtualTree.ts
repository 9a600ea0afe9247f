/**
 * A tree put together: folders, files and links that are in no archive, and archives, each of them a folder.
 *
 * What is in a folder is asked of its `Folder`, again after a while unless it stays the same for ever. A name keeps its node
 * and its number in listings for the life of the tree, so that a listing which is under way when something appears or
 * goes misses nothing else. Nothing is opened before it is used.
 *
 * Everything is numbered in the order in which it is first listed or looked up, from 2 on; the root is 1. A node in an archive
 * has the archive's number and its id there. Inode numbers: twice the number, and one for what is no folder; in an archive
 * its own (see `Inode`) above a base that is kept for the life of the tree.
 */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Scope from "effect/Scope"
import type * as Duration from "effect/Duration"
import * as Bytes from "../../domain/Bytes.ts"
import { type Body, type Entry, noAttributes, S_IFDIR, S_IFLNK, S_IFREG } from "../../domain/pxar/Entry.ts"
import * as Inode from "../../domain/pxar/Inode.ts"
import type * as Node from "../../domain/pxar/Node.ts"
import * as NodeId from "../../domain/pxar/NodeId.ts"
import * as ArchiveError from "../archive/ArchiveError.ts"
import type { ArchiveTree, Found, Listed, Memory, Read } from "../archive/ArchiveTree.ts"
import type { Extent } from "../bytes/Extent.ts"
import * as AtOnce from "../AtOnce.ts"
import * as OnDemandReader from "./OnDemandReader.ts"

/** What a folder has under a name. */
export type Item = Named &
  (
    | { readonly _tag: "Folder"; readonly folder: Folder }
    | { readonly _tag: "File"; readonly file: File }
    /** `mtimeSeconds`: since the epoch. */
    | { readonly _tag: "Link"; readonly target: Read<string>; readonly mtimeSeconds: number }
    | { readonly _tag: "Archive"; readonly archive: Archive }
  )

/** The name of an item. */
export interface Named {
  readonly name: string
  /** What is another one is another thing under the same name, with a node of its own: kernels keep contents of links. */
  readonly version?: string | undefined
}

/** A folder that is in no archive. */
export interface Folder {
  /** What is in it: no two with one name. */
  readonly items: Read<ReadonlyArray<Item>>
  /** Whether that can change. */
  readonly isFixed: boolean
  /** Seconds since the epoch. */
  readonly mtimeSeconds: number
}

/** A file that is in no archive. */
export interface File {
  /** Bytes. */
  readonly size: Read<number>
  /** As `ByteSource.read`. */
  readonly read: (target: Uint8Array, offset: number) => Read<void>
  /** Where it can have holes. */
  readonly holes?: Holes | undefined
  /** Seconds since the epoch. */
  readonly mtimeSeconds: number
}

/** Which bytes of a file are stored. */
export interface Holes {
  /** The run that `offset`, a byte of the file, is in. */
  readonly extent: (offset: number) => Read<Extent>
  /** Bytes that are in no hole. */
  readonly allocated: Read<number>
}

/** An archive that is shown as a folder. */
export interface Archive {
  /** For messages. */
  readonly archive: string
  /** Bytes of the archive alone. */
  readonly archiveSize: number
  /** Bytes of the archive and, if there is one, of its payload archive. */
  readonly size: number
  readonly open: Effect.Effect<ArchiveTree, ArchiveError.ArchiveError, Scope.Scope>
}

/** How the tree is shown. */
export interface Options {
  /** For messages. */
  readonly name: string
  readonly root: Folder
  /** Whose everything is that is in no archive. */
  readonly uid: number
  readonly gid: number
  /** How long an archive stays open unused; a minute unless given. */
  readonly idle?: Duration.Input | undefined
  /** Milliseconds for which a folder that can change is not asked again; a second unless given. */
  readonly fresh?: number | undefined
}

/** A name in a folder. */
interface Slot {
  readonly name: Uint8Array
  item: Item
  /** Whether it is there. */
  isPresent: boolean
  /** Made when it is first seen by a listing or a lookup. */
  known: Known | undefined
}

type Known = Virtual | Placed

/** Something that is in no archive. */
interface Virtual {
  readonly _tag: "Virtual"
  readonly node: Node.Node
  readonly name: Uint8Array
  readonly item: Exclude<Item, { readonly _tag: "Archive" }>
  /** Of a folder; in the order in which they were seen first. */
  readonly slots: Array<Slot>
  readonly bySlot: Map<string, Slot>
  /** Milliseconds; what is in a folder counts until then. */
  freshUntil: number
}

/** An archive in its place. */
interface Placed {
  readonly _tag: "Placed"
  readonly name: Uint8Array
  readonly node: Node.Node
  /** As a multiple of 2^32. */
  readonly base: number
  readonly reader: ArchiveTree
}

/** Makes the tree. Archives that are open are closed with the scope. */
export const make = Effect.fnUntraced(function* (options: Options): Effect.fn.Return<ArchiveTree, never, Scope.Scope> {
  const { fresh = 1000, gid, idle = "1 minute", name, uid } = options
  const scope = yield* Effect.scope
  const clock = yield* Clock.Clock
  /** By number. */
  const places: Array<Known | undefined> = [undefined]
  /** The next base that is free: below are the numbers of what is in no archive. */
  let nextBase = 1

  /** The node with the next number. The columns of the lookup table have room for a folder that ends at its number. */
  const number = (parent: NodeId.NodeId, isFolder: boolean): Node.Node => {
    const next = places.length
    return isFolder
      ? { id: next, parent, nameStart: 0, start: 0, bound: next, contentsStart: 1 }
      : { id: NodeId.ofEntry(next), parent, nameStart: 0, start: next, bound: next, contentsStart: 0 }
  }

  const makeVirtual = (item: Virtual["item"], parent: NodeId.NodeId): Virtual => {
    const made: Virtual = {
      _tag: "Virtual",
      node: number(parent, item._tag === "Folder"),
      name: Bytes.fromText(item.name),
      item,
      slots: [],
      bySlot: new Map(),
      freshUntil: -1,
    }
    places.push(made)
    return made
  }

  const place = (
    { archive, name }: Item & { readonly _tag: "Archive" },
    parent: NodeId.NodeId,
  ): Effect.Effect<Placed> =>
    Effect.map(Scope.provide(OnDemandReader.make({ ...archive, idle }), scope), (reader): Placed => {
      const base = nextBase
      nextBase += Inode.blocks(archive.archiveSize)
      const made: Placed = { _tag: "Placed", name: Bytes.fromText(name), node: number(parent, true), base, reader }
      places.push(made)
      return made
    })

  const root = makeVirtual({ _tag: "Folder", name: "", folder: options.root }, NodeId.ROOT)

  /** What a node is, or the archive that it is in. */
  const ownerOf = ({ archive, id }: Node.Key): Known => places[archive ?? Math.abs(id)] ?? root

  /** A node of an archive, as the archive knows it. */
  const inside = ({ reader }: Placed, node: Node.Node): Node.Node => (node.archive === undefined ? reader.root : node)

  /** A child in an archive, as it is known here. */
  const outside = (found: Found, { node }: Placed): Found => ({ ...found, node: { ...found.node, archive: node.id } })

  /** Sees to it that what is known of a folder is fresh. */
  const refresh = (folder: Virtual): Read<void> => {
    if (folder.item._tag !== "Folder") return Effect.void
    const { isFixed, items } = folder.item.folder
    const now = clock.currentTimeMillisUnsafe()
    if (now < folder.freshUntil) return Effect.void
    return AtOnce.map(items, (found) => {
      folder.freshUntil = isFixed ? Infinity : now + fresh
      for (const slot of folder.slots) slot.isPresent = false
      for (const item of found) {
        const slot = folder.bySlot.get(item.name)
        if (slot === undefined) {
          const made: Slot = { name: Bytes.fromText(item.name), item, isPresent: true, known: undefined }
          folder.bySlot.set(item.name, made)
          folder.slots.push(made)
          continue
        }
        slot.isPresent = true
        if (slot.item.version === item.version) continue
        slot.item = item
        slot.known = undefined
      }
    })
  }

  const known = (slot: Slot, parent: Virtual): Read<Known> => {
    if (slot.known !== undefined) return Effect.succeed(slot.known)
    const made: Read<Known> =
      slot.item._tag === "Archive"
        ? place(slot.item, parent.node.id)
        : Effect.succeed(makeVirtual(slot.item, parent.node.id))
    return AtOnce.map(made, (made) => {
      slot.known = made
      return made
    })
  }

  const virtualEntry = ({ item }: Virtual): Read<Entry> => {
    const entry = (mode: number, body: Body, mtimeSeconds: number): Entry => ({
      _tag: "Entry",
      start: 0,
      end: 0,
      mode,
      flags: 0n,
      uid,
      gid,
      mtimeSeconds: BigInt(mtimeSeconds),
      mtimeNanos: 0,
      attributes: noAttributes,
      body,
      findings: [],
    })
    switch (item._tag) {
      case "Folder":
        return Effect.succeed(entry(S_IFDIR | 0o755, { _tag: "Directory", contentsStart: 0 }, item.folder.mtimeSeconds))
      case "File":
        return AtOnce.flatMap(item.file.size, (length) =>
          AtOnce.map(allocated(item.file), (allocated) =>
            // What is decrypted here is for whom the mount belongs to.
            entry(
              S_IFREG | 0o600,
              { _tag: "File", content: { source: "archive", start: 0, length, allocated } },
              item.file.mtimeSeconds,
            ),
          ),
        )
      case "Link":
        return AtOnce.map(item.target, (target) =>
          entry(S_IFLNK | 0o777, { _tag: "Symlink", target: Bytes.fromText(target) }, item.mtimeSeconds),
        )
    }
  }

  const entryOf = (of: Known): Read<Entry> =>
    of._tag === "Placed" ? of.reader.entry(of.reader.root) : virtualEntry(of)

  const found = (of: Known): Read<Found> =>
    AtOnce.map(entryOf(of), (entry) => ({
      _tag: "Found",
      name: of.name,
      node: of.node,
      entry,
      link: undefined,
      nameStart: 0,
    }))

  const lookup = (folder: Virtual, name: Uint8Array): Read<Found | undefined> =>
    AtOnce.flatMap(refresh(folder), (): Read<Found | undefined> => {
      const slot = folder.bySlot.get(decoder.decode(name))
      if (slot === undefined || !slot.isPresent || !Bytes.equals(slot.name, name)) return Effect.undefined
      return AtOnce.flatMap(known(slot, folder), found)
    })

  /** A child of a listing: folders and archives by name alone. */
  const listed = (slot: Slot, folder: Virtual): Effect.Effect<Listed> =>
    AtOnce.catch_(
      AtOnce.flatMap(known(slot, folder), (of): Read<Listed> =>
        of._tag === "Placed" || of.item._tag === "Folder"
          ? Effect.succeed({ _tag: "Unopened", name: of.name, node: of.node })
          : found(of),
      ),
      // A listing fails for the whole of an I/O error; here one of them has it, and says so when it is looked up.
      (error): Effect.Effect<Listed> =>
        Effect.succeed({
          _tag: "Unreadable",
          name: slot.name,
          link: undefined,
          error: asAnother(error),
        }),
    )

  const list = (folder: Virtual, from: number, add: Parameters<ArchiveTree["list"]>[2]): Read<void> => {
    const step = (index: number): Read<void> => {
      for (let at = index; at < folder.slots.length; at++) {
        const slot = folder.slots[at] as Slot
        if (!slot.isPresent) continue
        const child = listed(slot, folder)
        if (!AtOnce.hasEnded(child)) {
          return Effect.flatMap(child, (child) => (add(child, at + 1) ? step(at + 1) : Effect.void))
        }
        if (child._tag === "Success" && !add(child.value, at + 1)) return Effect.void
      }
      return Effect.void
    }
    // A listing that goes on sees what it began with.
    return from > 0 ? step(from) : AtOnce.flatMap(refresh(folder), () => step(0))
  }

  const content = (of: Virtual, offset: number, target: Uint8Array): Read<void> =>
    of.item._tag === "File"
      ? of.item.file.read(target, offset)
      : Effect.fail(ArchiveError.outOfRange(name, "is no file"))

  return {
    archive: name,
    size: 0,
    root: root.node,
    ids: "allotted",
    inode: ({ archive, id }) => {
      const of = archive === undefined ? undefined : places[archive]
      if (of?._tag === "Placed") return Inode.above(of.base, Inode.ofNode(id))
      return Inode.ofNode(id)
    },
    entry: (node) => {
      const of = ownerOf(node)
      return of._tag === "Placed" ? of.reader.entry(inside(of, node)) : virtualEntry(of)
    },
    lookup: (directory, name) => {
      const of = ownerOf(directory)
      if (of._tag === "Virtual") return lookup(of, name)
      return AtOnce.map(of.reader.lookup(inside(of, directory), name), (found) =>
        found === undefined ? undefined : outside(found, of),
      )
    },
    count: (directory) => {
      const of = ownerOf(directory)
      return of._tag === "Placed"
        ? of.reader.count(inside(of, directory))
        : AtOnce.map(refresh(of), () => of.slots.length)
    },
    list: (directory, from, add) => {
      const of = ownerOf(directory)
      if (of._tag === "Virtual") return list(of, from, add)
      return of.reader.list(inside(of, directory), from, (child, next) =>
        add(child._tag === "Found" ? outside(child, of) : child, next),
      )
    },
    name: (node) => {
      const of = ownerOf(node)
      return of._tag === "Virtual" || node.archive === undefined ? Effect.succeed(of.name) : of.reader.name(node)
    },
    content: (node, offset, target) => {
      const of = ownerOf(node)
      return of._tag === "Placed" ? of.reader.content(inside(of, node), offset, target) : content(of, offset, target)
    },
    extent: (node, offset, size) => {
      const of = ownerOf(node)
      const holes = of._tag === "Virtual" && of.item._tag === "File" ? of.item.file.holes : undefined
      return holes === undefined ? Effect.succeed({ isHole: false, end: size }) : holes.extent(offset)
    },
    release: (directory) => {
      const of = ownerOf(directory)
      return of._tag === "Placed" ? of.reader.release(inside(of, directory)) : Effect.void
    },
    isLive: (node) => {
      const of = ownerOf(node)
      return of._tag === "Virtual" && of.item._tag === "Folder" && !of.item.folder.isFixed
    },
    memory: Effect.suspend(() =>
      Effect.map(
        Effect.forEach(places, (of) => (of?._tag === "Placed" ? of.reader.memory : Effect.succeed(NOTHING))),
        (all) =>
          all.reduce<Memory>(
            (sum, { blocks, tables }) => ({ blocks: sum.blocks + blocks, tables: sum.tables + tables }),
            NOTHING,
          ),
      ),
    ),
  }
})

/** What cannot be opened is shown as if it had no holes: reading it says why. */
const allocated = ({ holes }: File): Effect.Effect<number | undefined> =>
  holes === undefined ? Effect.undefined : AtOnce.catch_(holes.allocated, () => Effect.undefined)

const NOTHING: Memory = { blocks: 0, tables: 0 }

/** The same error as one that concerns a child, not the folder. */
const asAnother = ({ archive, check, detail, errno, offset }: ArchiveError.ArchiveError): ArchiveError.ArchiveError =>
  new ArchiveError.ArchiveError({ archive, kind: "Unsupported", check, detail, errno, offset })

const decoder = new TextDecoder()
