/**
 * The metadata of an archive, read so that neighbours come together.
 *
 * Entries that stand close together (all of a split archive, and small files of a unified one) are read in blocks,
 * which are kept, at most `capacity` bytes of them. An entry with its content behind it has no neighbours: a few
 * hundred bytes are read and not kept. A decoder that needs more than it was given runs again over a longer window. Where
 * bytes of a source are lost, entries beside them are read alone.
 *
 * Memory of blocks is used again, so what a decoder returns must hold copies of what it needs.
 */
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as AttributeDecoder from "../../domain/pxar/AttributeDecoder.ts"
import * as FormatError from "../../domain/pxar/FormatError.ts"
import * as Item from "../../domain/pxar/Item.ts"
import * as ArchiveError from "./ArchiveError.ts"
import * as AtOnce from "../AtOnce.ts"
import type { ByteSource } from "../bytes/ByteSource.ts"

/** A part of the archive, and what its bytes say. */
export interface Part<A> {
  readonly position: number
  /** Bytes from `position` to what comes next in the archive. */
  readonly extent: number
  /** Pure; throws `NeedBytes`, `NeedTurn` and `FormatError`. It may run several times; `begun` is how far it came before. */
  readonly decode: (window: Item.Window, begun: AttributeDecoder.Begun) => A
}

export interface BlockCache {
  /** Reads and decodes a part. The effect has ended if its bytes are held, or at hand. */
  readonly decode: <A>(part: Part<A>) => Effect.Effect<A, ArchiveError.ArchiveError>
  /**
   * A window that begins at or before a part and holds its first few hundred bytes, or all of it, if they are held or at
   * hand. Its memory is used again by the next call of any of these.
   */
  readonly window: (position: number, extent: number) => Item.Window | undefined
  /** Fills `target` from `position` on, if all of that is in the block that was used last. */
  readonly copy: (target: Uint8Array, position: number) => boolean
  /** Fills `target` from `position` on; nothing of it is kept. */
  readonly read: (target: Uint8Array, position: number) => Effect.Effect<void, ArchiveError.ArchiveError>
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

export const make = (source: ByteSource, options: Options = defaults): BlockCache => {
  const { blockSize } = options
  const maxBlocks = Math.max(1, Math.floor(options.capacity / blockSize))
  // By their number, in order of use, the least recent first.
  const blocks = new Map<number, Memory>()
  let last: Memory | undefined
  /** Memory that is free for a block, and for an entry without neighbours. A read that waits takes it for good. */
  let spare: Memory | undefined
  let lonely = makeMemory(LONELY)
  /** The same for `window`, which comes back to it for one entry. */
  const alone = makeMemory(LONELY)
  let isAlone = false

  const endOfBlock = (index: number): number => Math.min(source.size, (index + 1) * blockSize)

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
    if (blocks.size > maxBlocks) dropOldest()
  }

  /** Drops the block used least recently, whose memory is then free. */
  const dropOldest = (): void => {
    const [oldest] = blocks
    if (oldest === undefined) return
    const [index, block] = oldest
    blocks.delete(index)
    if (last === block) last = undefined
    spare = block
  }

  /** Memory for a block, which is the caller's. */
  const takeMemory = (length: number): Memory => {
    if (spare === undefined && blocks.size >= maxBlocks) dropOldest()
    const memory = spare?.bytes.length === length ? spare : makeMemory(length)
    spare = undefined
    return memory
  }

  /** At least twice as much each time: an entry with many attributes is not read once for each of them. */
  const longerEnd = (window: Item.Window, position: number, wanted: number): number =>
    Math.max(wanted, Math.min(source.size, position + 2 * (window.base + window.bytes.length - position)))

  /** Decodes from a window; from longer ones if that does not suffice. */
  const attempt = <A>(
    part: Part<A>,
    window: Item.Window,
    begun = AttributeDecoder.NOTHING,
  ): Effect.Effect<A, ArchiveError.ArchiveError> => {
    try {
      return Effect.succeed(part.decode(window, begun))
    } catch (thrown) {
      if (thrown instanceof AttributeDecoder.NeedTurn) {
        // Meanwhile others may use the memory of the window.
        const own = begun === AttributeDecoder.NOTHING ? Item.makeWindow(window.bytes.slice(), window.base) : window
        return Effect.flatMap(Effect.yieldNow, () => attempt(part, own, thrown.begun))
      }
      if (thrown instanceof FormatError.FormatError) {
        return Effect.fail(ArchiveError.fromFormat(source.name, thrown))
      }
      if (!(thrown instanceof FormatError.NeedBytes)) return Effect.die(thrown)
      if (thrown.end > source.size) {
        return Effect.die(new Error(`decoder wants bytes up to ${thrown.end} of ${source.size} in ${source.name}`))
      }
      const { position } = part
      return readAndDecode(
        part,
        makeMemory(longerEnd(window, position, thrown.end) - position),
        position,
        undefined,
        begun,
      )
    }
  }

  /**
   * Fills memory from `start` on, hands it to `done`, and decodes from it. While a read waits the memory is its own; if
   * it is interrupted nobody uses that again.
   */
  const readAndDecode = <A>(
    part: Part<A>,
    memory: Memory,
    start: number,
    done: ((memory: Memory) => void) | undefined,
    begun?: AttributeDecoder.Begun,
  ): Effect.Effect<A, ArchiveError.ArchiveError> => {
    const decodeFrom = (): Effect.Effect<A, ArchiveError.ArchiveError> => {
      memory.base = start
      done?.(memory)
      return attempt(part, memory, begun)
    }
    const read = source.read(memory.bytes, start)
    if (AtOnce.hasEnded(read)) return AtOnce.flatMap(AtOnce.mapError(read, ArchiveError.fromSource), decodeFrom)
    let isRun = false
    return Effect.suspend(() => {
      // Run again, its memory is somebody else's by now.
      if (isRun) return decodeInBlocks(part)
      isRun = true
      return Effect.flatMap(Effect.mapError(read, ArchiveError.fromSource), decodeFrom)
    })
  }

  const decode = <A>(part: Part<A>): Effect.Effect<A, ArchiveError.ArchiveError> =>
    AtOnce.catch_(decodeInBlocks(part), (error) =>
      error.end !== undefined
        ? decodeExactly(part, Math.min(source.size, part.position + Item.HEADER_SIZE))
        : Effect.fail(error),
    )

  /** Reads no byte more than the part has: what is lost may be its neighbours. */
  const decodeExactly = <A>(part: Part<A>, end: number): Effect.Effect<A, ArchiveError.ArchiveError> =>
    Effect.suspend(() => {
      const window = makeMemory(end - part.position)
      window.base = part.position
      return AtOnce.flatMap(AtOnce.mapError(source.read(window.bytes, part.position), ArchiveError.fromSource), () => {
        try {
          return Effect.succeed(part.decode(window, AttributeDecoder.NOTHING))
        } catch (thrown) {
          if (thrown instanceof FormatError.NeedBytes && thrown.end > end && thrown.end <= source.size) {
            return decodeExactly(part, thrown.end)
          }
          return attempt(part, window)
        }
      })
    })

  const decodeInBlocks = <A>(part: Part<A>): Effect.Effect<A, ArchiveError.ArchiveError> => {
    const { extent, position } = part
    if (extent > FAR) {
      if (position + LONELY > source.size) {
        return readAndDecode(part, makeMemory(source.size - position), position, undefined)
      }
      const decoded = readAndDecode(part, lonely, position, undefined)
      if (!AtOnce.hasEnded(decoded)) lonely = makeMemory(LONELY)
      return decoded
    }
    const index = Math.floor(position / blockSize)
    const block = held(index)
    if (block !== undefined) return attempt(part, block)
    const start = index * blockSize
    return readAndDecode(part, takeMemory(endOfBlock(index) - start), start, (memory) => hold(index, memory))
  }

  /** Fills memory from `start` on, if its bytes are at hand. */
  const isFilled = (memory: Memory, start: number): boolean => {
    const read = source.read(memory.bytes, start)
    if (!AtOnce.hasEnded(read) || !Exit.isSuccess(read)) return false
    memory.base = start
    return true
  }

  /** Whether the end of its block may cut an entry that a window of its own holds whole. */
  const isCut = (position: number, extent: number): boolean => {
    const left = blockSize - (position % blockSize)
    return left < LONELY && extent > left
  }

  const window: BlockCache["window"] = (position, extent) => {
    if (extent > FAR || isCut(position, extent)) {
      if (isAlone && alone.base <= position && position - alone.base < LONELY / 2) return alone
      if (position + LONELY > source.size) return undefined
      isAlone = isFilled(alone, position)
      return isAlone ? alone : undefined
    }
    const index = Math.floor(position / blockSize)
    const block = held(index)
    if (block !== undefined) return block
    const start = index * blockSize
    const memory = takeMemory(endOfBlock(index) - start)
    if (isFilled(memory, start)) {
      hold(index, memory)
      return memory
    }
    spare = memory
    return undefined
  }

  const copy: BlockCache["copy"] = (target, position) => {
    if (last === undefined) return false
    const at = position - last.base
    if (at < 0 || at + target.length > last.bytes.length) return false
    target.set(last.bytes.subarray(at, at + target.length))
    return true
  }

  const read: BlockCache["read"] = (target, position) =>
    AtOnce.mapError(source.read(target, position), ArchiveError.fromSource)

  return { decode, window, copy, read, memory: () => blocks.size * blockSize }
}
