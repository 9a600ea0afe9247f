/**
 * The metadata of an archive, read in blocks that are kept for a while.
 *
 * Decoders run over a window of one block, where neighbours stand together; one that needs more runs again over a
 * longer window. The cache holds at most `capacity` bytes of blocks; file contents and big tables pass it by.
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
   * run several times.
   */
  readonly decode: <A>(
    position: number,
    decoder: (window: Item.Window) => A,
  ) => Effect.Effect<A, ArchiveError.ArchiveError>
}

export interface Options {
  /** Bytes of a block. */
  readonly blockSize: number
  /** Bytes of all blocks held. */
  readonly capacity: number
}

export const defaults: Options = { blockSize: 16 * 1024, capacity: 16 * 1024 * 1024 }

export const make = (source: Source, options: Options = defaults): BlockCache => {
  const { blockSize } = options
  const maxBlocks = Math.max(1, Math.floor(options.capacity / blockSize))
  // In order of use, the least recent first.
  const blocks = new Map<number, Item.Window>()

  const read = (start: number, end: number): Effect.Effect<Item.Window, ArchiveError.ArchiveError> =>
    Effect.suspend(() => {
      const bytes = new Uint8Array(end - start)
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
    decode: (position, decoder) =>
      Effect.flatMap(
        Effect.suspend(() => block(Math.floor(position / blockSize))),
        (window) => attempt(decoder, window, position),
      ),
  }
}
