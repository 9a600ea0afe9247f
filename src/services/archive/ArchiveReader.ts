/**
 * Random access to an archive, v1 and v2 (§4).
 *
 * Guarantees: every check of §7 is made before the value is used; a bad entry fails alone, its siblings stay
 * readable; memory is bounded by `Options` whatever the archive says; every operation can be interrupted. Hard links
 * are followed (§4.6). It keeps no record of who uses which entry: that is the lookup registry's.
 */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Layer from "effect/Layer"
import * as ArchiveHead from "../../domain/pxar/ArchiveHead.ts"
import * as Bytes from "../../domain/Bytes.ts"
import type { Entry } from "../../domain/pxar/Entry.ts"
import * as EntryDecoder from "../../domain/pxar/EntryDecoder.ts"
import * as FormatError from "../../domain/pxar/FormatError.ts"
import * as GoodbyeTable from "../../domain/pxar/GoodbyeTable.ts"
import * as Inode from "../../domain/pxar/Inode.ts"
import * as PathText from "../../domain/PathText.ts"
import * as Limits from "../../domain/pxar/Limits.ts"
import type * as Node from "../../domain/pxar/Node.ts"
import * as NodeId from "../../domain/pxar/NodeId.ts"
import * as SipHash from "../../domain/pxar/SipHash.ts"
import * as AtOnce from "../AtOnce.ts"
import { type Payload, PayloadSource } from "../bytes/ArchiveBytes.ts"
import { ByteSource, isRange, SourceError } from "../bytes/ByteSource.ts"
import * as ArchiveError from "./ArchiveError.ts"
import * as ArchiveParts from "./ArchiveParts.ts"
import type { RawChild } from "./ArchiveParts.ts"
import { type Add, ArchiveTree, type Cut, type Found, type Listed, type Read } from "./ArchiveTree.ts"
import * as BlockCache from "./BlockCache.ts"
import * as Expectation from "./Expectation.ts"
import * as EntryCache from "./EntryCache.ts"
import type { FolderTable } from "./FolderTable.ts"
import * as FolderTables from "./FolderTables.ts"
import * as NameSearch from "./NameSearch.ts"
import * as PayloadReader from "./PayloadReader.ts"
import * as Prelude from "./Prelude.ts"
import * as Salvage from "./Salvage.ts"
import * as ScannedEntries from "./ScannedEntries.ts"
import type * as TableRepair from "./TableRepair.ts"
import { TURN } from "./Turns.ts"
import * as Turns from "./Turns.ts"

export type { Hash } from "../../domain/pxar/SipHash.ts"
export type { Options as BlockOptions } from "./BlockCache.ts"
export type { Flaw } from "./TableRepair.ts"

/** Random access to one archive. */
export interface ArchiveReader extends ArchiveTree {
  readonly version: 1 | 2
  /** The prelude of a v2 archive (§2.1); at most `limits.preludeBytes`. */
  readonly prelude: Read<Uint8Array | undefined>
  /** Where the archive is cut: it was then read from the front (see `Salvage`), and what follows is not there. */
  readonly cut: Cut | undefined
  /** What is wrong with the table of a directory, as far as it has been read. It is shown all the same. */
  readonly flaws: (directory: Node.Node) => Read<ReadonlyArray<TableRepair.Flaw>>
}

/** The archive of a program that works by node. */
export const ArchiveReader: Context.Service<ArchiveReader, ArchiveReader> = Context.Service(
  "pxar-fuse/services/archive/ArchiveReader",
)

/** Bounds of what is read and kept. */
export interface Options {
  readonly limits: Limits.Limits
  readonly blocks: BlockCache.Options
  /** Bytes of goodbye tables kept. */
  readonly tableCapacity: number
  /** Bytes of large entries kept decoded, as they stand in the archive: in memory they take some ten times that. */
  readonly entryCapacity: number
  /** When a payload archive is looked into. Whoever asks for names alone needs nothing of it. */
  readonly contents: PayloadReader.Check
  /** The hash of goodbye tables. Another one than the format's is for tests that need names to collide. */
  readonly hash: (name: Uint8Array) => SipHash.Hash
}

/** Caches of `bytes` in all: blocks hold what stands together in the archive, and goodbye tables what it takes longer to load. */
export const caches = (bytes: number): Pick<Options, "blocks" | "tableCapacity"> => ({
  blocks: { ...BlockCache.defaults, capacity: bytes / 4 },
  tableCapacity: (bytes * 3) / 4,
})

/** Bytes of all caches, unless told otherwise. */
export const CACHE_SIZE: number = 24 * 1024 * 1024

/** What holds unless told otherwise: the bounds of `Limits.defaults`, and caches of `CACHE_SIZE`. */
export const defaults: Options = {
  limits: Limits.defaults,
  ...caches(CACHE_SIZE),
  entryCapacity: 2 * 1024 * 1024,
  contents: "opened",
  hash: SipHash.hash,
}

/** Reads the archive in `ByteSource`, with the payload archive in `ArchiveBytes.PayloadSource`, if any. */
export const layerWith = (
  options: Partial<Options>,
): Layer.Layer<ArchiveReader | ArchiveTree, ArchiveError.ArchiveError, ByteSource> =>
  Layer.effectContext(
    Effect.gen(function* () {
      const reader = yield* make(yield* ByteSource, yield* PayloadSource, options)
      return Context.add(Context.make(ArchiveReader, reader), ArchiveTree, reader)
    }),
  )

/** `layerWith` the defaults. */
export const layer: Layer.Layer<ArchiveReader | ArchiveTree, ArchiveError.ArchiveError, ByteSource> = layerWith({})

const NO_PAYLOAD: Payload = { _tag: "Absent", expected: undefined }

/** Opens an archive: reads its head, its root and, unless told otherwise, the start of its payload archive (§4.1). */
export const make = Effect.fnUntraced(function* (
  source: ByteSource,
  payloadSource: Payload,
  partial: Partial<Options> = {},
): Effect.fn.Return<ArchiveReader, ArchiveError.ArchiveError> {
  const options = { ...defaults, ...partial }
  const { hash, limits } = options
  yield* checkSize(source)
  if (payloadSource._tag === "Present") yield* checkSize(payloadSource.source)
  if (source.size < ArchiveHead.HEAD_SIZE) {
    return yield* ArchiveError.fromFormat(
      source.name,
      FormatError.malformed("A1", 0, `not a pxar archive: only ${source.size} bytes`),
    )
  }
  const expectation = Expectation.make(source, options.contents === "opened" ? payloadSource : NO_PAYLOAD)
  expectation.opening()
  const read = BlockCache.make(source, options.blocks)
  const head = yield* read.decode({
    position: 0,
    extent: ArchiveHead.HEAD_SIZE,
    decode: (window) => ArchiveHead.readHead(window, source.size),
  })
  const { bytes, cut, end, rootTail } = yield* Salvage.findEnd(source, head, read, limits, hash)
  if (cut !== undefined) yield* Effect.logWarning(`${cut.error.message}, in ${PathText.print(cut.path)}`)
  const blocks = bytes === source ? read : BlockCache.make(bytes, options.blocks)
  const { version } = head
  const rootEntry = yield* blocks.decode({
    position: head.entryStart,
    extent: 0,
    decode: (window, begun) => EntryDecoder.readEntry(window, head.entryStart, bytes.size, version, limits, begun),
  })
  const root = rootNode(rootEntry, bytes.size)
  if (root === undefined) {
    return yield* ArchiveError.fromFormat(
      source.name,
      FormatError.malformed("A5", head.entryStart, "the first entry is not a directory"),
    )
  }
  const payload = yield* PayloadReader.make(source, payloadSource, version, options.contents)
  const entries = EntryCache.make(options.entryCapacity)
  const parts = ArchiveParts.make({ size: bytes.size, version, rootStart: head.entryStart, limits, hash })

  const entryOf = (node: Node.Node): Read<Entry> => {
    const held = entries.get(node.start, node.bound)
    if (held !== undefined) return Effect.succeed(held)
    return AtOnce.map(blocks.decode(parts.entry(node)), (entry) => {
      entries.set(node.start, node.bound, entry)
      return entry
    })
  }

  const tables = FolderTables.make({
    archive: source.name,
    blocks,
    parts,
    rootTail,
    version,
    limits,
    hash,
    capacity: options.tableCapacity,
  })

  const findSlot = NameSearch.make({ blocks, parts, hash })

  /** The child as it is found: its hard link followed, and its entry remembered. */
  const resolve = (directory: Node.Node, child: RawChild): Read<Found> => {
    const { bound, entry } = child
    if (entry._tag === "Entry") {
      entries.set(entry.start, bound, entry)
      return Effect.succeed(ArchiveParts.found(directory, child, entry, bound, undefined))
    }
    return AtOnce.map(blocks.decode(parts.target(entry, child.nameStart)), (target) => {
      entries.set(target.entry.start, target.end, target.entry)
      return ArchiveParts.found(directory, child, target.entry, target.end, entry)
    })
  }

  /** Looks a name up by all that its hash can mean. */
  const lookupAmong = (directory: Node.Node, folder: FolderTable, name: Uint8Array): Read<Found | undefined> =>
    Effect.flatMap(findSlot(folder, name), (slot) =>
      slot === undefined
        ? Effect.undefined
        : Effect.flatMap(blocks.decode(parts.child(folder.table, slot)), (child) => resolve(directory, child)),
    )

  const lookupIn = (directory: Node.Node, folder: FolderTable, name: Uint8Array): Read<Found | undefined> => {
    const { table } = folder
    if (table.hasEqualHashes) return lookupAmong(directory, folder, name)
    const slot = GoodbyeTable.slotOf(table, hash(name))
    if (slot === undefined) return Effect.undefined
    const child = AtOnce.flatMap(blocks.decode(parts.child(table, slot)), (child): Read<Found | undefined> =>
      Bytes.equals(child.name, name) ? resolve(directory, child) : Effect.undefined,
    )
    // What is wrong with the child may be its name, which is then looked at alone.
    return AtOnce.catch_(child, (error) =>
      error.kind === "IO" ? Effect.fail(error) : lookupAmong(directory, folder, name),
    )
  }

  /** Whether a name that was not found may be that of an item which is not as it should be. */
  const mayBeLost = (folder: FolderTable, name: Uint8Array): ArchiveError.ArchiveError | boolean => {
    if (!folder.isRepaired) return GoodbyeTable.slotNear(folder.table, hash(name)) !== undefined
    const lost = folder.lostOf(hash(name))
    return lost === undefined ? false : ArchiveError.fromFormat(source.name, lost.error)
  }

  const lookup = (directory: Node.Node, name: Uint8Array): Read<Found | undefined> => {
    const again = (folder: FolderTable): Read<Found | undefined> =>
      Effect.flatMap(tables.repair(directory, folder), (repaired) => within(repaired))
    const within = (folder: FolderTable): Read<Found | undefined> =>
      AtOnce.catch_(
        AtOnce.flatMap(lookupIn(directory, folder, name), (found): Read<Found | undefined> => {
          if (found !== undefined) return Effect.succeed(found)
          const lost = mayBeLost(folder, name)
          return lost === false ? Effect.undefined : lost === true ? again(folder) : Effect.fail(lost)
        }),
        (error) => (FolderTables.mayBeOfTheTable(error) && !folder.isRepaired ? again(folder) : Effect.fail(error)),
      )
    return AtOnce.flatMap(tables.get(directory), within)
  }

  const unreadable = (
    name: Uint8Array | undefined,
    error: ArchiveError.ArchiveError,
    link?: Found["link"],
  ): Effect.Effect<Listed> => Effect.succeed({ _tag: "Unreadable", name, link, error })

  /** A child for a listing, if no other one hides it. */
  const visible = (directory: Node.Node, folder: FolderTable, slot: number, child: RawChild): Effect.Effect<Listed> => {
    const { entry, name } = child
    const found = (): Effect.Effect<Listed> =>
      entry._tag === "Entry"
        ? (resolve(directory, child) as Effect.Effect<Found>)
        : AtOnce.catch_(resolve(directory, child), (error) => unreadable(name, error, entry))
    if (!GoodbyeTable.sharesHash(folder.table, slot)) return found()
    return Effect.matchEffect(findSlot(folder, name), {
      onFailure: (error) => unreadable(name, error),
      onSuccess: (first) =>
        first === slot
          ? found()
          : unreadable(
              name,
              ArchiveError.fromFormat(
                source.name,
                FormatError.malformed("D9", directory.bound, "a second entry of one name, hidden by the first"),
              ),
            ),
    })
  }

  /**
   * The child number `index`. One that cannot be decoded is told with its name, if that can be; but where it may be the
   * table that is wrong, nothing is told.
   */
  const childAt = (directory: Node.Node, folder: FolderTable, index: number): Read<Listed | undefined> => {
    const lost = folder.lost[index - folder.table.count]
    if (lost !== undefined) return unreadable(lost.name, ArchiveError.fromFormat(source.name, lost.error))
    const slot = folder.slotAt(index)
    const decoded = blocks.decode(parts.child(folder.table, slot))
    // Most children of most listings: decoded at once, without an error, and no link to follow.
    if (AtOnce.hasEnded(decoded) && Exit.isSuccess(decoded) && !folder.table.hasEqualHashes) {
      const child = decoded.value
      const { bound, entry } = child
      if (entry._tag === "Entry" && (folder.isRepaired || !isFollowedByGap(child))) {
        return Effect.succeed(ArchiveParts.found(directory, child, entry, bound, undefined))
      }
    }
    return AtOnce.catch_(
      AtOnce.flatMap(decoded, (child): Effect.Effect<Listed | undefined> =>
        isFollowedByGap(child) && !folder.isRepaired ? Effect.undefined : visible(directory, folder, slot, child),
      ),
      (error): Effect.Effect<Listed | undefined> =>
        FolderTables.mayBeOfTheTable(error) && !folder.isRepaired
          ? Effect.undefined
          : Effect.matchEffect(blocks.decode(parts.nameInSlot(folder.table, slot)), {
              onFailure: () => unreadable(undefined, error),
              onSuccess: (name) => unreadable(name, error),
            }),
    )
  }

  const listFrom = (directory: Node.Node, folder: FolderTable, from: number, add: Add): Read<void> => {
    if (!folder.isInOrder) {
      return Effect.flatMap(
        Turns.run(() => folder.putInOrder()),
        () => listFrom(directory, folder, from, add),
      )
    }
    const turn = Math.min(folder.count, from + TURN)
    for (let index = from; index < turn; index++) {
      const next = index + 1
      const child = childAt(directory, folder, index)
      if (!AtOnce.hasEnded(child)) {
        expectation.children(folder, next)
        return Effect.flatMap(child, (listed) => {
          if (listed === undefined) return listRepaired(directory, folder, index, add)
          return add(listed, next) ? listFrom(directory, folder, next, add) : Effect.void
        })
      }
      if (!Exit.isSuccess(child)) return Exit.failCause(child.cause)
      if (child.value === undefined) return listRepaired(directory, folder, index, add)
      if (!add(child.value, next)) return Effect.void
    }
    return turn === folder.count
      ? Effect.void
      : Effect.flatMap(Effect.yieldNow, () => listFrom(directory, folder, turn, add))
  }

  /** Goes on with the child number `index` in a table that is made anew. */
  const listRepaired = (directory: Node.Node, folder: FolderTable, index: number, add: Add): Read<void> =>
    Effect.flatMap(tables.repair(directory, folder), (repaired) => {
      const position = GoodbyeTable.startAt(folder.table, folder.slotAt(index))
      return listFrom(directory, repaired, repaired.indexFrom(position), add)
    })

  const content = (node: Node.Node, offset: number, target: Uint8Array): Read<void> =>
    AtOnce.flatMap(entryOf(node), ({ body }) => {
      if (body._tag !== "File") return Effect.fail(ArchiveError.outOfRange(source.name, "only files have contents"))
      const { content } = body
      if (!isRange(offset, target.length, content.length)) {
        const detail = `${target.length} bytes from ${offset} on are not in a file of ${content.length}`
        return Effect.fail(ArchiveError.outOfRange(source.name, detail))
      }
      if (content.source === "payload") return payload.read(content, offset, target)
      if (content.start + offset + target.length > end) {
        return Effect.fail(ArchiveError.cutShort(source.name, end, content.start))
      }
      return AtOnce.mapError(source.read(target, content.start + offset), (error) =>
        ArchiveError.fromContent(error, content),
      )
    })

  const atHand = ScannedEntries.make({ source, blocks, tables, payload, version, limits, hash, end })
  const reader: ArchiveReader = {
    archive: source.name,
    version,
    size: source.size + payload.size,
    root,
    cut,
    flaws: (directory) => AtOnce.map(tables.get(directory), ({ flaws }) => flaws ?? []),
    ids: "own",
    inode: ({ id }) => Inode.ofNode(id),
    prelude: Effect.suspend(() => Prelude.read(source, head.prelude, limits)),
    entry: entryOf,
    lookup,
    count: (directory) => AtOnce.map(tables.get(directory), (folder) => folder.count),
    list: (directory, from, add) =>
      isRange(from, 0, Number.MAX_SAFE_INTEGER)
        ? AtOnce.flatMap(tables.get(directory), (folder) =>
            listFrom(directory, folder, Math.min(from, folder.count), add),
          )
        : Effect.fail(ArchiveError.outOfRange(source.name, `no place in a listing: ${from}`)),
    name: (node) => (node.id === NodeId.ROOT ? Effect.succeed(Bytes.empty) : blocks.decode(parts.name(node))),
    content,
    release: (directory) => Effect.sync(() => tables.drop(directory)),
    atHand: (tree) => (tree === reader ? atHand : undefined),
    memory: Effect.sync(() => ({ blocks: blocks.memory(), tables: tables.memory() })),
  }
  return reader
})

/** Whether bytes follow a child that belong to nobody: its sibling is somewhere else than its item says, or it has grown. */
const isFollowedByGap = ({ bound, entry }: RawChild): boolean =>
  (entry._tag === "HardLink" || entry.body._tag !== "Directory") && entry.end < bound

/** A size that is no number of bytes is refused: nothing could be checked against it. */
const checkSize = ({ name, size }: ByteSource): Effect.Effect<void, ArchiveError.ArchiveError> =>
  Number.isSafeInteger(size) && size >= 0
    ? Effect.void
    : Effect.fail(
        ArchiveError.fromSource(new SourceError({ source: name, offset: 0, detail: `its size cannot be ${size}` })),
      )

const rootNode = (entry: Entry, size: number): Node.Node | undefined =>
  entry.body._tag === "Directory"
    ? {
        id: NodeId.ROOT,
        parent: NodeId.ROOT,
        nameStart: 0,
        start: 0,
        bound: size,
        contentsStart: entry.body.contentsStart,
      }
    : undefined
