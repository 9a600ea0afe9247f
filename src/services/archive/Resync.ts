/**
 * Finds where an archive goes on behind bytes that make no sense: at the next child, or at the table of a folder that is
 * open. Both are checked as far as they can be, for contents of files can look like anything.
 *
 * What is found can still be part of an archive that stands inside a file. Time grows with the bytes that are looked
 * through, of which there are at most `MAX_GAP`; others have turns.
 */
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import * as Bytes from "../../domain/Bytes.ts"
import * as EntryDecoder from "../../domain/pxar/EntryDecoder.ts"
import * as FormatError from "../../domain/pxar/FormatError.ts"
import * as GoodbyeTable from "../../domain/pxar/GoodbyeTable.ts"
import * as Item from "../../domain/pxar/Item.ts"
import * as ItemType from "../../domain/pxar/ItemType.ts"
import type { Limits } from "../../domain/pxar/Limits.ts"
import type { ByteSource } from "../bytes/ByteSource.ts"
import * as ArchiveError from "./ArchiveError.ts"

/** Where an archive goes on. */
export interface Found {
  readonly position: number
  /** The name of the child that begins there; absent for a table. */
  readonly name: Uint8Array | undefined
  /** Start of the folder whose table that is. */
  readonly folder: number | undefined
}

export interface Options {
  readonly source: ByteSource
  readonly version: 1 | 2
  readonly limits: Limits
  /** No item reaches beyond this. */
  readonly bound: number
}

/** So many bytes are looked through. */
const MAX_GAP = 4 * 1024 ** 3

/** Bytes read at once, in search of a header and behind one. */
const CHUNK = 256 * 1024
const NEAR = 4 * 1024

const typeBytes = ({ high, low }: { readonly high: number; readonly low: number }): Buffer => {
  const bytes = Buffer.alloc(8)
  bytes.writeUInt32LE(low, 0)
  bytes.writeUInt32LE(high, 4)
  return bytes
}

const FILENAME = typeBytes(ItemType.FILENAME)
const GOODBYE = typeBytes(ItemType.GOODBYE)

/** Looks from `from` on; `folders` are the starts of those that are open (E of §3.4). */
export const find = Effect.fnUntraced(function* (
  { bound, limits, source, version }: Options,
  from: number,
  folders: ReadonlyArray<number>,
): Effect.fn.Return<Found | undefined, ArchiveError.ArchiveError> {
  const read = (position: number, length: number) => {
    const bytes = Buffer.alloc(Math.max(0, Math.min(length, source.size - position)))
    return Effect.as(Effect.mapError(source.read(bytes, position), ArchiveError.fromSource), bytes)
  }

  /** Decodes at `position` from as many bytes as that takes; nothing if it is not there, or the archive ends before. */
  const decode = <A>(
    position: number,
    run: (window: Item.Window) => A,
    length = NEAR,
  ): Effect.Effect<A | undefined, ArchiveError.ArchiveError> =>
    Effect.flatMap(read(position, length), (bytes) => {
      const result = FormatError.capture(() => run(Item.makeWindow(bytes, position)))
      if (Result.isSuccess(result)) return Effect.succeed(result.success)
      const { failure } = result
      return failure._tag === "FormatError" || failure.end > source.size
        ? Effect.undefined
        : decode(position, run, Math.max(2 * length, failure.end - position))
    })

  /** Whether a child ends where another item of a folder begins, or the archive is cut before. */
  const isFollowed = (end: number): Effect.Effect<boolean, ArchiveError.ArchiveError> =>
    end + Item.HEADER_SIZE > source.size
      ? Effect.succeed(true)
      : Effect.map(
          decode(end, (window) => Item.readItem(window, end, bound).type),
          (type) => type === ItemType.FILENAME || type === ItemType.GOODBYE,
        )

  const childAt = Effect.fnUntraced(function* (position: number) {
    const child = yield* decode(position, (window) =>
      EntryDecoder.readChild(window, position, bound, version, limits, true),
    )
    if (child === undefined || !(yield* isFollowed(child.entry.end))) return undefined
    return { position, name: child.name, folder: undefined }
  })

  const tableAt = Effect.fnUntraced(function* (position: number) {
    const end = yield* decode(position, (window) => Item.readItem(window, position, source.size).end)
    if (end === undefined || end - position < GoodbyeTable.MIN_SIZE) return undefined
    const at = end - GoodbyeTable.ITEM_SIZE
    const tail = yield* decode(at, (window) => GoodbyeTable.readTail(window, end, 0, limits))
    if (tail === undefined || tail.start !== position || !folders.includes(tail.directoryStart)) return undefined
    return { position, name: undefined, folder: tail.directoryStart }
  })

  for (let at = from; at < Math.min(source.size, from + MAX_GAP);) {
    const bytes = yield* read(at, CHUNK)
    for (let next = 0; ;) {
      const name = bytes.indexOf(FILENAME, next)
      const table = bytes.indexOf(GOODBYE, next)
      if (name < 0 && table < 0) break
      const first = name < 0 ? table : table < 0 ? name : Math.min(name, table)
      const found = yield* first === name ? childAt(at + first) : tableAt(at + first)
      if (found !== undefined) return found
      next = first + 1
    }
    // A header may lie across two reads.
    at += Math.max(1, bytes.length - FILENAME.length + 1)
    yield* Effect.yieldNow
  }
  return undefined
})

/**
 * In which of the folders that are open a child goes on: the innermost behind whose last child its name comes, as writers
 * sort them. Their last names are given from the outermost on, absent where there is none yet.
 */
export const depthOf = (name: Uint8Array, last: ReadonlyArray<Uint8Array | undefined>): number => {
  for (let depth = last.length; depth > 0; depth--) {
    const before = last[depth - 1]
    if (before === undefined || Bytes.compare(name, before) > 0) return depth
  }
  return last.length
}
