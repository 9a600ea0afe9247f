/**
 * The metadata of an archive, read so that neighbours come together.
 *
 * Entries that stand close together (all of a split archive, and small files of a unified one) are read in blocks,
 * which are kept, at most `capacity` bytes of them. An entry with its content behind it has no neighbours: a few
 * hundred bytes are read and not kept. A decoder that needs more than it was given runs again over a longer window.
 *
 * Memory of blocks is used again, so what a decoder returns must hold copies of what it needs.
 */
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import * as FormatError from "../../domain/pxar/FormatError.ts"
import * as Item from "../../domain/pxar/Item.ts"
import * as ArchiveError from "./ArchiveError.ts"
import type { Source } from "../bytes/ByteSource.ts"

/** A part of the archive, and what its bytes say. */
export interface Part<A> {
  readonly position: number
  /** Bytes from `position` to what comes next in the archive. */
  readonly extent: number
  /** Pure; throws `NeedBytes` and `FormatError`. It may run several times. */
  readonly decode: (window: Item.Window) => A
}

export interface BlockCache {
  /** Reads and decodes a part. */
  readonly decode: <A extends object>(part: Part<A>) => Effect.Effect<A, ArchiveError.ArchiveError>
  /**
   * The same at once, where the bytes are held or cached by the system; `undefined` if they are not, or if there is
   * anything to complain about: `decode` tells then.
   */
  readonly decodeCached: <A extends object>(part: Part<A>) => A | undefined
  /** Bytes of the blocks held. */
  readonly memory: () => number
}

/** How much of the archive is kept. */
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

/** A window whose memory is used again for other bytes. */
type Memory = { -readonly [K in keyof Item.Window]: Item.Window[K] }

const makeMemory = (length: number): Memory => ({ ...Item.makeWindow(new Uint8Array(length), 0) })

export const make = (source: Source, options: Options = defaults): BlockCache => {
  const { blockSize } = options
  const maxBlocks = Math.max(1, Math.floor(options.capacity / blockSize))
  // By their number, in order of use, the least recent first.
  const blocks = new Map<number, Memory>()
  let last: Memory | undefined
  /** Memory of a dropped block that is free to use. */
  let spare: Memory | undefined
  const lonely = makeMemory(LONELY)

  const endOfBlock = (index: number): number => Math.min(source.size, (index + 1) * blockSize)

  const fill = (memory: Memory, start: number): Item.Window | undefined => {
    if (source.readCached?.(memory.bytes, start) !== true) return undefined
    memory.base = start
    return memory
  }

  const held = (index: number): Memory | undefined => {
    if (last?.base === index * blockSize) return last
    const block = blocks.get(index)
    if (block === undefined) return undefined
    blocks.delete(index)
    blocks.set(index, block)
    last = block
    return block
  }

  const hold = (index: number, block: Memory): void => {
    blocks.set(index, block)
    last = block
  }

  /** Drops the block used least recently if there is no room for another, and returns its memory. */
  const makeRoom = (): Memory | undefined => {
    const [oldest] = blocks
    if (oldest === undefined || blocks.size < maxBlocks) return undefined
    const [index, block] = oldest
    blocks.delete(index)
    if (last === block) last = undefined
    return block
  }

  const blockCached = (index: number): Item.Window | undefined => {
    const block = held(index)
    if (block !== undefined) return block
    const length = endOfBlock(index) - index * blockSize
    const free = spare ?? makeRoom()
    const memory = free?.bytes.length === length ? free : makeMemory(length)
    const filled = fill(memory, index * blockSize)
    spare = filled === undefined ? free : undefined
    if (filled !== undefined) hold(index, memory)
    return filled
  }

  const decodeCached = <A extends object>({ decode, extent, position }: Part<A>): A | undefined => {
    let window =
      extent > FAR && position + LONELY <= source.size
        ? fill(lonely, position)
        : blockCached(Math.floor(position / blockSize))
    while (window !== undefined) {
      try {
        return decode(window)
      } catch (thrown) {
        if (thrown instanceof FormatError.FormatError) return undefined
        if (!(thrown instanceof FormatError.NeedBytes)) throw thrown
        if (thrown.end > source.size) return undefined
        window = fill(makeMemory(longerEnd(window, position, thrown.end) - position), position)
      }
    }
    return undefined
  }

  /** At least twice as much each time: an entry with many attributes is not read once for each of them. */
  const longerEnd = (window: Item.Window, position: number, wanted: number): number =>
    Math.max(wanted, Math.min(source.size, position + 2 * (window.base + window.bytes.length - position)))

  /** Reads into memory of its own: an interrupted read may still write there. */
  const read = (start: number, end: number): Effect.Effect<Memory, ArchiveError.ArchiveError> =>
    Effect.suspend(() => {
      const bytes = new Uint8Array(end - start)
      return Effect.map(Effect.mapError(source.read(bytes, start), ArchiveError.fromSource), () => ({
        ...Item.makeWindow(bytes, start),
      }))
    })

  const attempt = <A>(part: Part<A>, window: Item.Window): Effect.Effect<A, ArchiveError.ArchiveError> => {
    const result = FormatError.capture(() => part.decode(window))
    if (Result.isSuccess(result)) return Effect.succeed(result.success)
    const failure = result.failure
    if (failure._tag === "FormatError") return Effect.fail(ArchiveError.fromFormat(source.name, failure))
    if (failure.end > source.size) {
      return Effect.die(new Error(`decoder wants bytes up to ${failure.end} of ${source.size} in ${source.name}`))
    }
    return Effect.flatMap(read(part.position, longerEnd(window, part.position, failure.end)), (longer) =>
      attempt(part, longer),
    )
  }

  const decodeSlowly = <A>(part: Part<A>): Effect.Effect<A, ArchiveError.ArchiveError> => {
    const { extent, position } = part
    if (extent > FAR) {
      return Effect.flatMap(read(position, Math.min(source.size, position + LONELY)), (window) => attempt(part, window))
    }
    const index = Math.floor(position / blockSize)
    const block = held(index)
    if (block !== undefined) return attempt(part, block)
    return Effect.flatMap(read(index * blockSize, endOfBlock(index)), (window) => {
      makeRoom()
      hold(index, window)
      return attempt(part, window)
    })
  }

  return {
    decodeCached,
    decode: (part) =>
      Effect.suspend(() => {
        const cached = decodeCached(part)
        return cached === undefined ? decodeSlowly(part) : Effect.succeed(cached)
      }),
    memory: () => blocks.size * blockSize,
  }
}
