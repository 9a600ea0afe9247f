/**
 * Random access to an archive, v1 and v2 (§4).
 *
 * Guarantees: every check of §7 is made before the value is used; a bad entry fails alone, its siblings stay
 * readable; memory is bounded by `Options` whatever the archive says; every operation can be interrupted. Hard links
 * are followed (§4.6). It keeps no record of who uses which entry: that is the lookup registry's.
 */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Result from "effect/Result"
import * as ArchiveHead from "../../domain/pxar/ArchiveHead.ts"
import * as Bytes from "../../domain/Bytes.ts"
import type { Content, Entry, HardLink } from "../../domain/pxar/Entry.ts"
import * as EntryDecoder from "../../domain/pxar/EntryDecoder.ts"
import * as FormatError from "../../domain/pxar/FormatError.ts"
import * as GoodbyeTable from "../../domain/pxar/GoodbyeTable.ts"
import * as Limits from "../../domain/pxar/Limits.ts"
import type * as Node from "../../domain/pxar/Node.ts"
import * as NodeId from "../../domain/pxar/NodeId.ts"
import * as SipHash from "../../domain/pxar/SipHash.ts"
import * as ArchiveError from "./ArchiveError.ts"
import * as ArchiveParts from "./ArchiveParts.ts"
import type { Found, RawChild } from "./ArchiveParts.ts"
import * as BlockCache from "./BlockCache.ts"
import { ByteSource, type Source } from "../bytes/ByteSource.ts"
import * as CachedReader from "./CachedReader.ts"
import * as PayloadReader from "./PayloadReader.ts"
import * as TableCache from "./TableCache.ts"

export type { Hash } from "../../domain/pxar/SipHash.ts"
export type { Options as BlockOptions } from "./BlockCache.ts"

export type { Found, RawChild }

/** What reading gives, or why it cannot. */
export type Read<A> = Effect.Effect<A, ArchiveError.ArchiveError>

/** What is in an archive, or in several that are shown as one tree. */
export interface Tree {
  /** Name of the archive's byte source, for messages. */
  readonly archive: string
  /** Bytes of the archive and, if there is one, of its payload archive. */
  readonly size: number
  readonly root: Node.Node
  /** The entry of a node. */
  readonly entry: (node: Node.Node) => Read<Entry>
  /** Finds a child by name; `undefined` if there is none. */
  readonly lookup: (directory: Node.Node, name: Uint8Array) => Read<Found | undefined>
  /** Number of slots in a directory's table. */
  readonly count: (directory: Node.Node) => Read<number>
  /** All slots of a directory in the order in which the children stand in the archive. */
  readonly slotsInArchiveOrder: (directory: Node.Node) => Read<Uint32Array>
  /** The child in a slot; `undefined` if another child of the same name hides it (D9). */
  readonly child: (directory: Node.Node, slot: number) => Read<RawChild | undefined>
  /** Follows a hard link and makes the child's node. */
  readonly resolve: (directory: Node.Node, child: RawChild) => Read<Found>
  /** The name of a node; empty for the root. */
  readonly name: (node: Node.Node) => Read<Uint8Array>
  /** The name in a slot, also of a child that cannot be decoded. */
  readonly nameAt: (directory: Node.Node, slot: number) => Read<Uint8Array>
  /** Drops what is kept in memory for a directory that nobody uses any more. */
  readonly release: (directory: Node.Node) => Effect.Effect<void>
  /** Fills `target` with a file's bytes from `offset` on; the range must lie within the file. */
  readonly content: (content: Content, offset: number, target: Uint8Array) => Read<void>
  /** The same without waiting, as far as that is possible. */
  readonly cached: CachedReader.CachedReader
  /** Bytes that the caches of blocks and of goodbye tables hold. */
  readonly memory: Effect.Effect<{ readonly blocks: number; readonly tables: number }>
}

/** Random access to one archive. */
export interface Shape extends Tree {
  readonly version: 1 | 2
  /** The prelude of a v2 archive (§2.1); at most `limits.preludeBytes`. */
  readonly prelude: Read<Uint8Array | undefined>
}

/** Bounds of what is read and kept. */
export interface Options {
  readonly limits: Limits.Limits
  readonly blocks: BlockCache.Options
  /** Bytes of goodbye tables kept. */
  readonly tableCapacity: number
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
export const defaults: Options = { limits: Limits.defaults, ...caches(CACHE_SIZE), hash: SipHash.hash }

/** The archive of a program that works by node. */
export class ArchiveReader extends Context.Service<ArchiveReader, Shape>()("pxar-fuse/services/ArchiveReader") {
  /** Reads the archive in `ByteSource`, with the payload archive in `PayloadReader.PayloadSource`, if any. */
  static readonly layer = (
    options: Partial<Options> = {},
  ): Layer.Layer<ArchiveReader, ArchiveError.ArchiveError, ByteSource> =>
    Layer.effect(
      ArchiveReader,
      Effect.gen(function* () {
        return yield* make(yield* ByteSource, yield* PayloadReader.PayloadSource, options)
      }),
    )
}

/** Opens an archive: reads its head, its root and the start of its payload archive (§4.1). */
export const make = Effect.fnUntraced(function* (
  source: Source,
  payloadSource: PayloadReader.Payload,
  partial: Partial<Options> = {},
): Effect.fn.Return<Shape, ArchiveError.ArchiveError> {
  const options = { ...defaults, ...partial }
  const { limits } = options
  if (source.size < ArchiveHead.HEAD_SIZE) {
    return yield* ArchiveError.fromFormat(
      source.name,
      FormatError.malformed("A1", 0, `not a pxar archive: only ${source.size} bytes`),
    )
  }
  const blocks = BlockCache.make(source, options.blocks)
  const head = yield* blocks.decode({
    position: 0,
    extent: ArchiveHead.HEAD_SIZE,
    decode: (window) => ArchiveHead.readHead(window, source.size),
  })
  const rootTail = yield* blocks.decode({
    position: source.size - GoodbyeTable.ITEM_SIZE,
    extent: GoodbyeTable.ITEM_SIZE,
    decode: (window) => ArchiveHead.readRootTail(window, source.size, 0, limits),
  })
  const { version } = head
  const rootEntry = yield* blocks.decode({
    position: head.entryStart,
    extent: 0,
    decode: (window) => EntryDecoder.readEntry(window, head.entryStart, source.size, version, limits),
  })
  const root = rootNode(rootEntry, source.size)
  if (root === undefined) {
    return yield* ArchiveError.fromFormat(
      source.name,
      FormatError.malformed("A5", head.entryStart, "the first entry is not a directory"),
    )
  }
  const payload = yield* PayloadReader.make(source, payloadSource, version)
  const tables = TableCache.make(options.tableCapacity)

  const { hash } = options
  const parts = ArchiveParts.make({ size: source.size, version, rootStart: head.entryStart, limits, hash })
  const cached = CachedReader.make({ source, parts, blocks, tables, payload, rootTail, hash })

  const loadTable = Effect.fnUntraced(function* (
    directory: Node.Node,
  ): Effect.fn.Return<GoodbyeTable.Table, ArchiveError.ArchiveError> {
    const tail = directory.id === NodeId.ROOT ? rootTail : yield* blocks.decode(parts.tail(directory))
    const table = yield* blocks.decode(parts.table(directory, tail))
    tables.set(directory.bound, table)
    return table
  })

  const openTable = (directory: Node.Node): Read<GoodbyeTable.Table> =>
    Effect.suspend(() => {
      const table = cached.table(directory)
      return table === undefined ? loadTable(directory) : Effect.succeed(table)
    })

  /**
   * The slot in which `name` is found first (§3.6). A candidate whose very name cannot be read does not hide the
   * others; if none of them is it, that one could have been, so that the name is not known to be absent.
   */
  const findSlot = Effect.fnUntraced(function* (
    table: GoodbyeTable.Table,
    name: Uint8Array,
  ): Effect.fn.Return<number | undefined, ArchiveError.ArchiveError> {
    let unreadable: ArchiveError.ArchiveError | undefined
    for (const slot of GoodbyeTable.candidates(table, hash(name))) {
      const stored = yield* Effect.result(blocks.decode(parts.nameInSlot(table, slot)))
      if (Result.isFailure(stored)) {
        if (stored.failure.kind === "IO") return yield* stored.failure
        unreadable ??= stored.failure
      } else if (Bytes.equals(stored.success, name)) {
        return slot
      }
    }
    return unreadable === undefined ? undefined : yield* unreadable
  })

  const readLink = Effect.fnUntraced(function* (
    directory: Node.Node,
    child: RawChild,
    link: HardLink,
  ): Effect.fn.Return<Found, ArchiveError.ArchiveError> {
    const target = yield* blocks.decode(parts.target(link, child.nameStart))
    return ArchiveParts.found(directory, child, target.entry, target.end, link)
  })

  const resolve = (directory: Node.Node, child: RawChild): Read<Found> =>
    child.entry._tag === "HardLink"
      ? readLink(directory, child, child.entry)
      : Effect.succeed(ArchiveParts.found(directory, child, child.entry, child.bound, undefined))

  const lookup = Effect.fnUntraced(function* (
    directory: Node.Node,
    name: Uint8Array,
  ): Effect.fn.Return<Found | undefined, ArchiveError.ArchiveError> {
    const table = yield* openTable(directory)
    const slot = yield* findSlot(table, name)
    return slot === undefined ? undefined : yield* resolve(directory, yield* blocks.decode(parts.child(table, slot)))
  })

  const child = Effect.fnUntraced(function* (
    directory: Node.Node,
    slot: number,
  ): Effect.fn.Return<RawChild | undefined, ArchiveError.ArchiveError> {
    const table = yield* openTable(directory)
    const found = yield* blocks.decode(parts.child(table, slot))
    if (!GoodbyeTable.sharesHash(table, slot)) return found
    return (yield* findSlot(table, found.name)) === slot ? found : undefined
  })

  return {
    archive: source.name,
    version,
    size: source.size + payload.size,
    root,
    prelude: Effect.suspend(() => readPrelude(source, head.prelude, limits)),
    entry: (node) => Effect.suspend(() => blocks.decode(parts.entry(node))),
    lookup,
    count: (directory) => Effect.map(openTable(directory), (table) => table.count),
    slotsInArchiveOrder: (directory) => Effect.map(openTable(directory), GoodbyeTable.slotsInArchiveOrder),
    child,
    resolve,
    name: (node) =>
      node.id === NodeId.ROOT ? Effect.succeed(Bytes.empty) : Effect.suspend(() => blocks.decode(parts.name(node))),
    nameAt: (directory, slot) =>
      Effect.flatMap(openTable(directory), (table) => blocks.decode(parts.nameInSlot(table, slot))),
    release: (directory) => Effect.sync(() => tables.drop(directory.bound)),
    content: (content, offset, target) =>
      content.source === "payload"
        ? payload.read(content, offset, target)
        : Effect.mapError(source.read(target, content.start + offset), ArchiveError.fromSource),
    cached,
    memory: Effect.sync(() => ({ blocks: blocks.memory(), tables: tables.memory() })),
  }
})

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

const readPrelude = (
  source: Source,
  prelude: ArchiveHead.ArchiveHead["prelude"],
  limits: Limits.Limits,
): Read<Uint8Array | undefined> => {
  if (prelude === undefined) return Effect.undefined
  const length = prelude.end - prelude.start
  if (length > limits.preludeBytes) {
    return Effect.fail(
      ArchiveError.fromFormat(source.name, FormatError.limit("R1", prelude.start, `prelude of ${length} bytes`)),
    )
  }
  const bytes = new Uint8Array(length)
  return Effect.as(Effect.mapError(source.read(bytes, prelude.start), ArchiveError.fromSource), bytes)
}
