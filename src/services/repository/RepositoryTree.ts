/**
 * Several archives as one tree: each is a folder of the root, in the order given.
 *
 * Ids are those of the archives laid one behind the other: an archive's are moved by the sizes of those before it, so
 * that no two archives share a number. Positions stay those in their archive.
 */
import * as Effect from "effect/Effect"
import * as Bytes from "../../domain/Bytes.ts"
import { type Content, type Entry, noAttributes, S_IFDIR } from "../../domain/pxar/Entry.ts"
import type * as Node from "../../domain/pxar/Node.ts"
import * as NodeId from "../../domain/pxar/NodeId.ts"
import type { ArchiveError } from "../archive/ArchiveError.ts"
import type * as ArchiveReader from "../archive/ArchiveReader.ts"
import * as MappedTree from "../tree/MappedTree.ts"

/** An archive of the collection. */
export interface Member {
  /** Name of its folder; no two are the same. */
  readonly name: Uint8Array
  /** Bytes of the archive alone. */
  readonly archiveSize: number
  readonly reader: ArchiveReader.Tree
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

/** A name in the root. */
export interface RootName {
  readonly name: Uint8Array
  readonly id: NodeId.NodeId
}

export interface RepositoryTree extends ArchiveReader.Tree {
  /** The names in the root, which can be told without opening an archive. */
  readonly names: ReadonlyArray<RootName>
}

/** A member whose nodes have the collection's ids. */
interface Placed {
  readonly name: Uint8Array
  /** What its ids are moved by: at least 1, because 1 is the collection's root. */
  readonly base: number
  readonly reader: ArchiveReader.Tree
}

/** A file's bytes, and the archive that knows where they are. */
class MemberContent implements Content {
  readonly source: Content["source"]
  readonly start: number
  readonly length: number
  readonly reader: ArchiveReader.Tree
  constructor(reader: ArchiveReader.Tree, { length, source, start }: Content) {
    this.source = source
    this.start = start
    this.length = length
    this.reader = reader
  }
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
    entry: (entry) =>
      entry.body._tag === "File"
        ? { ...entry, body: { _tag: "File", content: new MemberContent(reader, entry.body.content) } }
        : entry,
  })
  return { name, base, reader: { ...mapped, root: outside(reader.root) } }
}

/** The tree of the members. */
export const make = ({ gid, members, mtimeSeconds, name, uid }: Options): RepositoryTree => {
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
  const readerOf = (node: Node.Node): ArchiveReader.Tree => {
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

  const inSlot = (slot: number): Placed => placed[slot] as Placed

  const lookup = (name: Uint8Array): Effect.Effect<ArchiveReader.Found | undefined, ArchiveError> => {
    const member = byName.get(Bytes.toKey(name))
    return member === undefined ? Effect.undefined : foundMember(member)
  }

  return {
    archive: name,
    size: members.reduce((sum, { reader }) => sum + reader.size, 0),
    root: { id: NodeId.ROOT, parent: NodeId.ROOT, nameStart: 0, start: 0, bound: end, contentsStart: 0 },
    names: placed.map(({ name, reader }) => ({ name, id: reader.root.id })),
    entry: (node) => (isRoot(node) ? Effect.succeed(rootEntry) : readerOf(node).entry(node)),
    lookup: (directory, name) => (isRoot(directory) ? lookup(name) : readerOf(directory).lookup(directory, name)),
    count: (directory) => (isRoot(directory) ? Effect.succeed(placed.length) : readerOf(directory).count(directory)),
    slotsInArchiveOrder: (directory) =>
      isRoot(directory)
        ? Effect.succeed(Uint32Array.from(placed.keys()))
        : readerOf(directory).slotsInArchiveOrder(directory),
    child: (directory, slot) =>
      isRoot(directory)
        ? Effect.map(foundMember(inSlot(slot)), ({ entry, name, node }) => ({
            name,
            nameStart: 0,
            entry,
            bound: node.bound,
          }))
        : readerOf(directory).child(directory, slot),
    resolve: (directory, child) =>
      isRoot(directory)
        ? foundMember(byName.get(Bytes.toKey(child.name)) as Placed)
        : readerOf(directory).resolve(directory, child),
    name: (node) => {
      if (isRoot(node)) return Effect.succeed(Bytes.empty)
      const member = placed.find(({ reader }) => reader.root.id === node.id)
      return member === undefined ? readerOf(node).name(node) : Effect.succeed(member.name)
    },
    nameAt: (directory, slot) =>
      isRoot(directory) ? Effect.succeed(inSlot(slot).name) : readerOf(directory).nameAt(directory, slot),
    release: (directory) => (isRoot(directory) ? Effect.void : readerOf(directory).release(directory)),
    content: (content, offset, target) => readerOfContent(content).content(content, offset, target),
    memory: Effect.map(
      Effect.forEach(placed, ({ reader }) => reader.memory),
      (all) => ({
        blocks: all.reduce((sum, { blocks }) => sum + blocks, 0),
        tables: all.reduce((sum, { tables }) => sum + tables, 0),
      }),
    ),
    cached: {
      entry: (node) => (isRoot(node) ? rootEntry : readerOf(node).cached.entry(node)),
      // The root has no table: its names need not be read.
      table: (directory) => (isRoot(directory) ? undefined : readerOf(directory).cached.table(directory)),
      child: (directory, table, slot) => readerOf(directory).cached.child(directory, table, slot),
      lookup: (directory, name) => (isRoot(directory) ? undefined : readerOf(directory).cached.lookup(directory, name)),
      content: (content, offset, target) => readerOfContent(content).cached.content(content, offset, target),
    },
  }
}

const foundMember = ({ name, reader }: Placed): Effect.Effect<ArchiveReader.Found, ArchiveError> =>
  Effect.map(reader.entry(reader.root), (entry) => ({
    name,
    node: reader.root,
    entry,
    link: undefined,
    nameStart: 0,
  }))

const readerOfContent = (content: Content): ArchiveReader.Tree => {
  if (content instanceof MemberContent) return content.reader
  throw new Error("content that is of no archive in this collection")
}
