/**
 * Many archives as one tree: folders that are in no archive, and in them archives by reference, each of which is a folder
 * with all that is in it.
 *
 * Nothing is listed or opened before somebody looks: a reference costs its name and a number. An archive is opened when it
 * is first used and closed when it is idle. What a folder holds is asked once.
 *
 * Folders and archives are numbered in the order in which they are first listed, from 2 on, the root is 1. A node in an
 * archive has the archive's number and its id there. Inode numbers: twice the number of a folder or archive; in an archive
 * its own (see `Inode`) above a base that is reserved when it is first opened, and kept, so that a file shows the same
 * number whenever it is looked at.
 */
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Scope from "effect/Scope"
import * as Semaphore from "effect/Semaphore"
import * as Bytes from "../../domain/Bytes.ts"
import { type Entry, noAttributes, S_IFDIR } from "../../domain/pxar/Entry.ts"
import * as Inode from "../../domain/pxar/Inode.ts"
import type * as Node from "../../domain/pxar/Node.ts"
import * as NodeId from "../../domain/pxar/NodeId.ts"
import { type ArchiveError, unavailable } from "../archive/ArchiveError.ts"
import type { Add, ArchiveTree, Found, Listed, Memory, Read } from "../archive/ArchiveTree.ts"
import * as AtOnce from "../AtOnce.ts"
import * as OnDemandReader from "./OnDemandReader.ts"

/** A folder that is in no archive. */
export interface Folder {
  readonly _tag: "Folder"
  readonly name: Uint8Array
  /** What is in it; no two have the same name. Run once, but again after a failure. */
  readonly children: Effect.Effect<ReadonlyArray<Item>, ArchiveError>
  /** Seconds since the epoch; that of the tree unless given. */
  readonly mtimeSeconds?: bigint | undefined
}

/** An archive, not opened yet. */
export interface Reference {
  readonly _tag: "Archive"
  /** Name of its folder. */
  readonly name: Uint8Array
  /** Name for messages. */
  readonly archive: string
  /** Opens it: the same archive each time. */
  readonly open: Effect.Effect<ArchiveTree, ArchiveError, Scope.Scope>
}

/** What is in a folder. */
export type Item = Folder | Reference

/** What a tree consists of. */
export interface Options {
  /** Name of the whole, for messages. */
  readonly name: string
  /** What is in the root. */
  readonly children: Folder["children"]
  /** Bytes of all archives, as far as they are known. */
  readonly size: number
  /** How long an archive stays open unused. */
  readonly idle: Duration.Input
  /** Owner of the folders that are in no archive. */
  readonly uid: number
  readonly gid: number
  /** Seconds since the epoch. */
  readonly mtimeSeconds: bigint
}

/** A folder or an archive that has been listed. */
interface Place {
  readonly node: Node.Node
  readonly item: Item
  /** What is in a folder, once it is known. */
  children: ReadonlyArray<Place> | undefined
  byName: ReadonlyMap<string, Place> | undefined
  /** The archive, once it was used. */
  reader: ArchiveTree | undefined
  /** Its base, as a multiple of 2^32; 0 as long as it was never open. */
  base: number
}

/** Makes the tree; closing the scope closes what is open. */
export const make = Effect.fnUntraced(function* (options: Options): Effect.fn.Return<ArchiveTree, never, Scope.Scope> {
  const scope = yield* Effect.scope
  const listing = Semaphore.makeUnsafe(1)
  /** By number. */
  const places: Array<Place | undefined> = [undefined]
  /** The next base that is free: below are the numbers of folders and archives. */
  let nextBase = 1

  const number = (item: Item, parent: NodeId.NodeId): Place => {
    const id = places.length
    // The columns of the lookup table have room for a folder that ends at its number.
    const node = { id, parent, nameStart: 0, start: 0, bound: id, contentsStart: 1 }
    const place = { node, item, children: undefined, byName: undefined, reader: undefined, base: 0 }
    places.push(place)
    return place
  }

  const root = number({ _tag: "Folder", name: Bytes.empty, children: options.children }, NodeId.ROOT)

  /** The folder or archive itself; `undefined` for what is in an archive. */
  const placeOf = ({ archive, id }: Node.Key): Place | undefined => (archive === undefined ? places[id] : undefined)

  const gone = unavailable(options.name, "there is no such folder")

  const folderEntry = ({ mtimeSeconds = options.mtimeSeconds }: Folder): Entry => ({
    _tag: "Entry",
    start: 0,
    end: 0,
    mode: S_IFDIR | 0o755,
    flags: 0n,
    uid: options.uid,
    gid: options.gid,
    mtimeSeconds,
    mtimeNanos: 0,
    attributes: noAttributes,
    body: { _tag: "Directory", contentsStart: 0 },
    findings: [],
  })

  const numberAll = (place: Place, items: ReadonlyArray<Item>): ReadonlyArray<Place> => {
    const children = items.map((item) => number(item, place.node.id))
    place.byName = new Map(children.map((child) => [Bytes.toKey(child.item.name), child]))
    return (place.children = children)
  }

  const childrenOf = (place: Place, { children }: Folder): Read<ReadonlyArray<Place>> =>
    place.children !== undefined
      ? Effect.succeed(place.children)
      : listing.withPermits(1)(
          Effect.suspend(() =>
            place.children !== undefined
              ? Effect.succeed(place.children)
              : Effect.map(children, (items) => numberAll(place, items)),
          ),
        )

  /** Opens an archive and, the first time, reserves its base. */
  const openPlace = (place: Place, { open }: Reference): Reference["open"] =>
    Effect.map(open, (reader) => {
      if (place.base === 0) {
        place.base = nextBase
        nextBase += Inode.blocks(reader.root.bound)
      }
      return reader
    })

  const readerOf = (place: Place, reference: Reference): Effect.Effect<ArchiveTree> => {
    if (place.reader !== undefined) return Effect.succeed(place.reader)
    const { archive } = reference
    const made = OnDemandReader.make({ archive, size: 0, open: openPlace(place, reference), idle: options.idle })
    return Effect.map(Scope.provide(made, scope), (reader) => (place.reader ??= reader))
  }

  /** The archive that a node is in, and the node there. */
  const within = <A>(
    node: Node.Node,
    use: (reader: ArchiveTree, node: Node.Node, number: number) => Read<A>,
    folder: (place: Place, folder: Folder) => Read<A>,
  ): Read<A> => {
    const { archive } = node
    const place = places[archive ?? node.id]
    if (place === undefined) return Effect.fail(gone)
    const { item } = place
    if (item._tag === "Folder") return folder(place, item)
    return AtOnce.flatMap(readerOf(place, item), (reader) =>
      use(reader, archive === undefined ? reader.root : node, place.node.id),
    )
  }

  const noFile = (): Read<never> => Effect.fail(unavailable(options.name, "is a folder"))

  /** A child in an archive, as it is known here. */
  const outside = (found: Found, archive: number): Found => ({ ...found, node: { ...found.node, archive } })

  const listedOutside = (child: Listed, archive: number): Listed =>
    child._tag === "Found" ? outside(child, archive) : child

  const foundPlace = (place: Place): Read<Found> =>
    AtOnce.map(entry(place.node), (entry) => ({
      _tag: "Found",
      name: place.item.name,
      node: place.node,
      entry,
      link: undefined,
      nameStart: 0,
    }))

  const entry = (node: Node.Node): Read<Entry> =>
    within(
      node,
      (reader, node) => reader.entry(node),
      (_, folder) => Effect.succeed(folderEntry(folder)),
    )

  const lookup = (directory: Node.Node, name: Uint8Array): Read<Found | undefined> =>
    within(
      directory,
      (reader, node, archive) =>
        AtOnce.map(reader.lookup(node, name), (found) => (found === undefined ? undefined : outside(found, archive))),
      (place, folder) =>
        AtOnce.flatMap(childrenOf(place, folder), (): Read<Found | undefined> => {
          const child = place.byName?.get(Bytes.toKey(name))
          return child === undefined ? Effect.undefined : foundPlace(child)
        }),
    )

  const list = (directory: Node.Node, from: number, add: Add): Read<void> =>
    within(
      directory,
      (reader, node, archive) => reader.list(node, from, (child, next) => add(listedOutside(child, archive), next)),
      (place, folder) =>
        AtOnce.map(childrenOf(place, folder), (children) => {
          for (let index = from; index < children.length; index++) {
            const { item, node } = children[index] as Place
            const { name } = item
            const child: Listed =
              item._tag === "Archive"
                ? { _tag: "Unopened", name, node }
                : { _tag: "Found", name, node, entry: folderEntry(item), link: undefined, nameStart: 0 }
            if (!add(child, index + 1)) return
          }
        }),
    )

  const memory = Effect.map(
    Effect.forEach(places, (place): Effect.Effect<Memory> => place?.reader?.memory ?? Effect.succeed(NONE)),
    (all) => ({
      blocks: all.reduce((sum, { blocks }) => sum + blocks, 0),
      tables: all.reduce((sum, { tables }) => sum + tables, 0),
    }),
  )

  return {
    archive: options.name,
    size: options.size,
    root: root.node,
    ids: "allotted",
    inode: ({ archive, id }) => {
      if (archive !== undefined) return Inode.above(places[archive]?.base ?? 0, Inode.ofNode(id))
      return id === NodeId.ROOT ? 1 : 2 * id
    },
    entry,
    lookup,
    count: (directory) =>
      within(
        directory,
        (reader, node) => reader.count(node),
        (place, folder) => AtOnce.map(childrenOf(place, folder), (children) => children.length),
      ),
    list,
    name: (node) => {
      const place = placeOf(node)
      return place === undefined
        ? within(node, (reader, node) => reader.name(node), noFile)
        : Effect.succeed(place.item.name)
    },
    content: (node, offset, target) => within(node, (reader, node) => reader.content(node, offset, target), noFile),
    release: (directory) => {
      const reader = places[directory.archive ?? directory.id]?.reader
      if (reader === undefined) return Effect.void
      return reader.release(directory.archive === undefined ? reader.root : directory)
    },
    memory,
  }
})

const NONE: Memory = { blocks: 0, tables: 0 }
