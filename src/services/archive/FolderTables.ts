/**
 * The tables of the directories of an archive: loaded when they are needed, made anew where they are not to be trusted,
 * and kept as long as there is room.
 */
import * as Effect from "effect/Effect"
import * as FormatError from "../../domain/pxar/FormatError.ts"
import * as Bytes from "../../domain/Bytes.ts"
import * as Work from "../../domain/Work.ts"
import * as GoodbyeTable from "../../domain/pxar/GoodbyeTable.ts"
import * as Item from "../../domain/pxar/Item.ts"
import type * as Node from "../../domain/pxar/Node.ts"
import * as NodeId from "../../domain/pxar/NodeId.ts"
import * as AtOnce from "../AtOnce.ts"
import type { ArchiveError } from "./ArchiveError.ts"
import type { ArchiveParts } from "./ArchiveParts.ts"
import type { Read } from "./ArchiveTree.ts"
import { FolderTable } from "./FolderTable.ts"
import * as TableCache from "./TableCache.ts"
import * as TableRepair from "./TableRepair.ts"
import * as Turns from "./Turns.ts"

export interface FolderTables {
  /** The table of a directory. Fails only where it cannot be read at all, or is too large. */
  readonly get: (directory: Node.Node) => Read<FolderTable>
  /** The table of a directory in which `folder`, its own, was found to be wrong. */
  readonly repair: (directory: Node.Node, folder: FolderTable) => Read<FolderTable>
  readonly drop: (directory: Node.Node) => void
  /** Bytes of the tables held. */
  readonly memory: () => number
}

export interface Options extends TableRepair.Options {
  /** Name of the archive, for messages. */
  readonly archive: string
  readonly parts: ArchiveParts
  readonly rootTail: GoodbyeTable.Tail
  /** Bytes of tables kept. */
  readonly capacity: number
}

/** Bytes of a large table that are read at once. */
const READ_SIZE = 1024 * 1024

/** So many directories are remembered whose tables have to be made anew each time that they are loaded. */
const MAX_FLAWED = 65_536

export const make = (options: Options): FolderTables => {
  const { blocks, capacity, parts, rootTail } = options
  const tables = TableCache.make<FolderTable>(capacity)
  /** Ends of directories whose tables looked sound when they were loaded, and are not. */
  const flawed = new Set<number>()

  /** Whether it was said that a table is damaged: `verify` tells all. */
  let told = false

  const hold = (directory: Node.Node, folder: FolderTable): FolderTable => {
    tables.set(directory.bound, folder)
    return folder
  }

  const makeAnew = (
    directory: Node.Node,
    own: GoodbyeTable.Table | undefined,
    lost?: TableRepair.Lost,
  ): Read<FolderTable> =>
    Effect.flatMap(TableRepair.repair(options, directory, own, lost), (table) => {
      const folder = hold(directory, new FolderTable(table, table.flaws))
      // That a name hides another is no damage.
      const first = table.flaws.find(({ error }) => error.check !== "D9")
      if (told || first === undefined) return Effect.succeed(folder)
      told = true
      return Effect.as(Effect.logWarning(warning(options.archive, first.error)), folder)
    })

  /** A table that takes long: it is read and looked through in pieces. */
  const loadLarge = (directory: Node.Node, tail: GoodbyeTable.Tail): Read<GoodbyeTable.Table> =>
    Effect.flatMap(blocks.decode(parts.tableHeader(directory, tail)), () => {
      const bytes = new Uint8Array(tail.count * GoodbyeTable.ITEM_SIZE)
      const from = tail.start + Item.HEADER_SIZE
      const readFrom = (at: number): Read<GoodbyeTable.Table> =>
        at === bytes.length
          ? Turns.run(() => GoodbyeTable.fromItems(Bytes.dataView(bytes), tail, directory.contentsStart))
          : Effect.flatMap(blocks.read(bytes.subarray(at, at + READ_SIZE), from + at), () =>
              Effect.flatMap(Effect.yieldNow, () => readFrom(Math.min(bytes.length, at + READ_SIZE))),
            )
      return readFrom(0)
    })

  const load = (directory: Node.Node): Read<FolderTable> => {
    /** The table is lost: what is in the directory is read without it. */
    const without = (error: ArchiveError, start?: number): Read<FolderTable> =>
      isOfTheBytes(error)
        ? makeAnew(directory, undefined, { reason: toFormat(error), start: error.check === "D3" ? undefined : start })
        : Effect.fail(error)
    const withTail = (tail: GoodbyeTable.Tail): Read<FolderTable> =>
      AtOnce.matchEffect(
        tail.count > Work.PIECE ? loadLarge(directory, tail) : blocks.decode(parts.table(directory, tail)),
        {
          onFailure: (error) => without(error, tail.start),
          onSuccess: (table) =>
            GoodbyeTable.isSound(table) && !flawed.has(directory.bound)
              ? Effect.succeed(hold(directory, new FolderTable(table)))
              : makeAnew(directory, table),
        },
      )
    if (directory.id === NodeId.ROOT) return withTail(rootTail)
    return AtOnce.matchEffect(blocks.decode(parts.tail(directory)), {
      onFailure: (error) => without(error),
      onSuccess: withTail,
    })
  }

  return {
    get: (directory) => {
      const held = tables.get(directory.bound)
      return held === undefined ? load(directory) : Effect.succeed(held)
    },
    repair: (directory, folder) => {
      if (flawed.size === MAX_FLAWED) flawed.clear()
      flawed.add(directory.bound)
      return makeAnew(directory, folder.table)
    },
    drop: (directory) => tables.drop(directory.bound),
    memory: () => tables.memory(),
  }
}

const warning = (archive: string, { message }: FormatError.FormatError): string =>
  `${archive}: the index of a folder is damaged, what is in the folder is read instead: ${message}; verify says more`

/** Whether a child that cannot be read may be where its table is wrong, and not the child itself or what it links to. */
export const mayBeOfTheTable = ({ check, kind }: ArchiveError): boolean =>
  (kind === "Malformed" || kind === "Unsupported") && (/^[HDN]/.test(check) || check === "E1")

/** Whether the bytes are wrong, and not the source or a limit. */
const isOfTheBytes = ({ kind }: ArchiveError): boolean => kind === "Malformed" || kind === "Unsupported"

const toFormat = ({ check, detail, kind, offset }: ArchiveError): FormatError.FormatError =>
  new FormatError.FormatError({
    kind: kind === "Unsupported" ? "Unsupported" : "Malformed",
    check: check as FormatError.Check,
    offset,
    detail,
  })
