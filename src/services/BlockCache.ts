/**
 * The metadata of an archive, read so that neighbours come together.
 *
 * Entries that stand close together (all of a split archive, and small files of a unified one) are read in blocks,
 * which are kept, at most `capacity` bytes of them. An entry with its content behind it has no neighbours: a few
 * hundred bytes are read and not kept. A decoder that needs more than it was given runs again over a longer window.
 */
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import * as FormatError from "../domain/FormatError.ts"
import * as Item from "../domain/Item.ts"
import * as ArchiveError from "./ArchiveError.ts"
import type { Source } from "./ByteSource.ts"

export interface BlockCache {
  /**
   * Runs a pure decoder (one that throws `NeedBytes` and `FormatError`) over the bytes from `position` on. It may
   * run several times. `extent` is the number of bytes from `position` to what comes next in the archive.
   */
  readonly decode: <A>(
    position: number,
    extent: number,
    decoder: (window: Item.Window) => A,
  ) => Effect.Effect<A, ArchiveError.ArchiveError>
}

export interface Options {
  /** Bytes of a block. */
  readonly blockSize: number
  /** Bytes of all blocks held. */
  readonly capacity: number
}

/** Bytes of an entry without neighbours: enough for a long name and a few attributes. */
const LONELY = 512

/** An entry that is followed by more than this many bytes of its own has no neighbours worth reading. */
const FAR = 4096

export const defaults: Options = { blockSize: 16 * 1024, capacity: 16 * 1024 * 1024 }

export const make = (source: Source, options: Options = defaults): BlockCache => {
  const { blockSize } = options
  const maxBlocks = Math.max(1, Math.floor(options.capacity / blockSize))
  // In order of use, the least recent first.
  const blocks = new Map<number, Item.Window>()

  const read = (start: number, end: number): Effect.Effect<Item.Window, ArchiveError.ArchiveError> =>
    Effect.suspend(() => {
      const bytes = Buffer.allocUnsafe(end - start)
      return Effect.map(Effect.mapError(source.read(bytes, start), ArchiveError.fromSource), () =>
        Item.makeWindow(bytes, start),
      )
    })

  const block = (index: number): Effect.Effect<Item.Window, ArchiveError.ArchiveError> => {
    const held = blocks.get(index)
    if (held !== undefined) {
      blocks.delete(index)
      blocks.set(index, held)
      return Effect.succeed(held)
    }
    return Effect.map(read(index * blockSize, Math.min(source.size, (index + 1) * blockSize)), (window) => {
      blocks.set(index, window)
      if (blocks.size > maxBlocks) blocks.delete(blocks.keys().next().value as number)
      return window
    })
  }

  const attempt = <A>(
    decoder: (window: Item.Window) => A,
    window: Item.Window,
    position: number,
  ): Effect.Effect<A, ArchiveError.ArchiveError> => {
    const result = FormatError.capture(() => decoder(window))
    if (Result.isSuccess(result)) return Effect.succeed(result.success)
    const failure = result.failure
    if (failure._tag === "FormatError") return Effect.fail(ArchiveError.fromFormat(source.name, failure))
    if (failure.end > source.size) {
      return Effect.die(new Error(`decoder wants bytes up to ${failure.end} of ${source.size} in ${source.name}`))
    }
    // At least twice as much each time: an entry with many attributes is not read once for each of them.
    const end = Math.max(
      failure.end,
      Math.min(source.size, position + 2 * (window.base + window.bytes.length - position)),
    )
    return Effect.flatMap(read(position, end), (longer) => attempt(decoder, longer, position))
  }

  return {
    decode: (position, extent, decoder) =>
      Effect.suspend(() => {
        const window =
          extent > FAR
            ? read(position, Math.min(source.size, position + LONELY))
            : block(Math.floor(position / blockSize))
        return Effect.flatMap(window, (window) => attempt(decoder, window, position))
      }),
  }
}
