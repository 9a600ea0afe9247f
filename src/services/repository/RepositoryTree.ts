/**
 * Several archives as one tree: each is a folder of the root, in the order given.
 *
 * Ids are those of the archives laid one behind the other: an archive's are moved by the sizes of those before it, so
 * that no two archives share a number. Positions stay those in their archive.
 */
import * as Effect from "effect/Effect"
import * as Bytes from "../../domain/Bytes.ts"
import { type Entry, noAttributes, S_IFDIR } from "../../domain/pxar/Entry.ts"
import type * as Node from "../../domain/pxar/Node.ts"
import * as NodeId from "../../domain/pxar/NodeId.ts"
import type { ArchiveError } from "../archive/ArchiveError.ts"
import type { Add, ArchiveTree, Found } from "../archive/ArchiveTree.ts"
import * as AtOnce from "../AtOnce.ts"
import * as MappedTree from "../tree/MappedTree.ts"

/** An archive of the collection. */
export interface Member {
  /** Name of its folder; no two are the same. */
  readonly name: Uint8Array
  /** Bytes of the archive alone. */
  readonly archiveSize: number
  readonly reader: ArchiveTree
}

/** What a collection consists of. */
export interface Options {
  /** Name of the collection, for messages. */
  readonly name: string
  readonly members: ReadonlyArray<Member>
  /** Of the root folder. */
  readonly uid: number
  readonly gid: number
  /** Seconds since the epoch. */
  readonly mtimeSeconds: bigint
}

/** A member whose nodes have the collection's ids. */
interface Placed {
  readonly name: Uint8Array
  /** What its ids are moved by: at least 1, because 1 is the collection's root. */
  readonly base: number
  readonly reader: ArchiveTree
}

const move = (id: NodeId.NodeId, by: number): NodeId.NodeId => (id > 0 ? id + by : id - by)

const place = ({ name, reader }: Member, base: number): Placed => {
  const outside = (node: Node.Node): Node.Node => ({
    ...node,
    id: move(node.id, base),
    parent: node.id === NodeId.ROOT ? NodeId.ROOT : move(node.parent, base),
  })
  const mapped = MappedTree.make(reader, {
    inside: (node) => ({
      ...node,
      id: move(node.id, -base),
      parent: node.parent === NodeId.ROOT ? NodeId.ROOT : move(node.parent, -base),
    }),
    outside,
    entry: MappedTree.sameEntry,
  })
  return { name, base, reader: { ...mapped, root: outside(reader.root) } }
}

/** The tree of the members. */
export const make = ({ gid, members, mtimeSeconds, name, uid }: Options): ArchiveTree => {
  const placed: Array<Placed> = []
  let end = 1
  for (const member of members) {
    placed.push(place(member, end))
    end += member.archiveSize
  }
  const byName = new Map(placed.map((member) => [Bytes.toKey(member.name), member]))

  const rootEntry: Entry = {
    _tag: "Entry",
    start: 0,
    end: 0,
    mode: S_IFDIR | 0o755,
    flags: 0n,
    uid,
    gid,
    mtimeSeconds,
    mtimeNanos: 0,
    attributes: noAttributes,
    body: { _tag: "Directory", contentsStart: 0 },
    findings: [],
  }

  const isRoot = (node: Node.Node): boolean => node.id === NodeId.ROOT

  /** The reader of the archive that a node is of: the last whose ids begin before it. */
  const readerOf = (node: Node.Node): ArchiveTree => {
    const distance = Math.abs(node.id)
    let low = 0
    let high = placed.length - 1
    while (low < high) {
      const middle = (low + high + 1) >> 1
      if ((placed[middle] as Placed).base < distance) low = middle
      else high = middle - 1
    }
    return (placed[low] as Placed).reader
  }

  /** Lists the archives, none of which is opened for that. */
  const listRoot = (from: number, add: Add): Effect.Effect<void> => {
    for (let index = from; index < placed.length; index++) {
      const { name, reader } = placed[index] as Placed
      if (!add({ _tag: "Unopened", name, node: reader.root }, index + 1)) break
    }
    return Effect.void
  }

  const lookup = (name: Uint8Array): Effect.Effect<Found | undefined, ArchiveError> => {
    const member = byName.get(Bytes.toKey(name))
    return member === undefined ? Effect.undefined : foundMember(member)
  }

  return {
    archive: name,
    size: members.reduce((sum, { reader }) => sum + reader.size, 0),
    root: { id: NodeId.ROOT, parent: NodeId.ROOT, nameStart: 0, start: 0, bound: end, contentsStart: 0 },
    entry: (node) => (isRoot(node) ? Effect.succeed(rootEntry) : readerOf(node).entry(node)),
    lookup: (directory, name) => (isRoot(directory) ? lookup(name) : readerOf(directory).lookup(directory, name)),
    count: (directory) => (isRoot(directory) ? Effect.succeed(placed.length) : readerOf(directory).count(directory)),
    list: (directory, from, add) =>
      isRoot(directory) ? listRoot(from, add) : readerOf(directory).list(directory, from, add),
    name: (node) => {
      if (isRoot(node)) return Effect.succeed(Bytes.empty)
      const member = placed.find(({ reader }) => reader.root.id === node.id)
      return member === undefined ? readerOf(node).name(node) : Effect.succeed(member.name)
    },
    release: (directory) => (isRoot(directory) ? Effect.void : readerOf(directory).release(directory)),
    content: (node, offset, target) => readerOf(node).content(node, offset, target),
    memory: Effect.map(
      Effect.forEach(placed, ({ reader }) => reader.memory),
      (all) => ({
        blocks: all.reduce((sum, { blocks }) => sum + blocks, 0),
        tables: all.reduce((sum, { tables }) => sum + tables, 0),
      }),
    ),
  }
}

const foundMember = ({ name, reader }: Placed): Effect.Effect<Found, ArchiveError> =>
  AtOnce.map(reader.entry(reader.root), (entry) => ({
    _tag: "Found",
    name,
    node: reader.root,
    entry,
    link: undefined,
    nameStart: 0,
  }))
