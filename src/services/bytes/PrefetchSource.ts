/**
 * A source far away that is not in chunks, read in pieces that are kept and asked for before they are wanted.
 *
 * Who goes forward gets large pieces, ahead of it; who jumps about, as everybody in the structure of an archive, gets
 * small blocks. Of what is expected, blocks that are close together come as one piece, since a gap is cheaper than a
 * round trip; a small source comes whole. The pieces are in the process's `ChunkCache`, which bounds memory and requests.
 */
import * as crypto from "node:crypto"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import { type ByteSource, isRange, type Range, SourceError } from "./ByteSource.ts"
import type { ChunkCache } from "./ChunkCache.ts"
import type * as ForwardReaders from "./ForwardReaders.ts"
import * as OwnMemory from "./OwnMemory.ts"
import * as Traffic from "./Traffic.ts"

/** How a source is read. All in bytes. */
export interface Options {
  /** What is read for those who go forward: a multiple of `block`; 2 MiB unless given. */
  readonly piece?: number | undefined
  /** What is read for all others; 64 KiB unless given. */
  readonly block?: number | undefined
  /** A source of at most so much is read whole; 4 MiB unless given. */
  readonly whole?: number | undefined
}

const MIB = 1024 * 1024

/** So many of a piece's blocks that are expected are cheaper as one piece. */
const MERGED = 4

/** `source` through a cache that it shares with others. */
export const make = (source: ByteSource, cache: ChunkCache, options: Options = {}): ByteSource => {
  const { block = MIB / 16, piece: given = 2 * MIB, whole = 4 * MIB } = options
  const { name, size } = source
  const piece = size <= whole ? Math.max(1, size) : given
  const id = crypto.randomUUID()
  const stream: ForwardReaders.Stream = { chunkSize: piece }

  /** A piece or block, by its kind and number. */
  const part = (length: number, index: number) => {
    const start = index * length
    const end = Math.min(size, start + length)
    return {
      key: `${id}/${length}/${index}`,
      start,
      end,
      load: Traffic.counted(
        cache.traffic,
        `${name} ${start}–${end}`,
        Effect.suspend(() => {
          const bytes = OwnMemory.allocate(end - start)
          return Effect.as(source.read(bytes, start), bytes)
        }),
      ),
    }
  }
  type Part = ReturnType<typeof part>

  const pieceAt = (offset: number): Part => part(piece, Math.floor(offset / piece))
  const blockAt = (offset: number): Part => part(block, Math.floor(offset / block))
  const prefetch = ({ end, key, load, start }: Part, owner: object): void =>
    cache.prefetch(key, end - start, load, owner)

  const fetchAhead = (reader: ForwardReaders.Reader): void => {
    const until = Math.min(reader.until, size)
    let at = Math.max(reader.asked, pieceAt(reader.position - 1).end)
    while (at < until) {
      const next = pieceAt(at)
      prefetch(next, reader)
      at = next.end
    }
    reader.asked = Math.max(reader.asked, at)
  }

  const expect = (ranges: Iterable<Range>): void => {
    const wanted = new Map<number, Set<number>>()
    let room = cache.window
    for (const { end, start } of ranges) {
      for (let at = start; at < Math.min(end, size); at = blockAt(at).end) {
        const index = Math.floor(at / piece)
        const blocks = wanted.get(index) ?? new Set()
        wanted.set(index, blocks.add(Math.floor(at / block)))
        room -= block
        if (room < 0) break
      }
      if (room < 0) break
    }
    for (const [index, blocks] of wanted) {
      const merged = part(piece, index)
      if (cache.held(merged.key) !== undefined) continue
      if (blocks.size >= MERGED || piece === size) prefetch(merged, stream)
      else for (const each of blocks) prefetch(part(block, each), stream)
    }
  }

  /** What to read for a range that is not at hand. */
  const missing = (at: number, end: number, isForward: boolean): Part => {
    const larger = pieceAt(at)
    const isLarge = isForward || piece === size || end - at >= piece / 2 || cache.isUnderWay(larger.key)
    return isLarge ? larger : blockAt(at)
  }

  const fill = (
    target: Uint8Array,
    offset: number,
    done: number,
    reader: ForwardReaders.Reader,
  ): Effect.Effect<void, SourceError> => {
    let at = done
    const copy = (bytes: Uint8Array, start: number): void => {
      const from = offset + at - start
      const length = Math.min(target.length - at, bytes.length - from)
      target.set(bytes.subarray(from, from + length), at)
      at += length
    }
    while (at < target.length) {
      const position = offset + at
      const found = [pieceAt(position), blockAt(position)]
        .map(({ key, start }) => ({ bytes: cache.held(key), start }))
        .find(({ bytes }) => bytes !== undefined)
      if (found?.bytes !== undefined) {
        copy(found.bytes, found.start)
        continue
      }
      const { end, key, load, start } = missing(position, offset + target.length, reader.until > 0)
      for (let next = end; next < offset + target.length; next = pieceAt(next).end) prefetch(pieceAt(next), reader)
      const copied = cache.get(key, end - start, load, (bytes) => copy(bytes, start))
      const read = Effect.onInterrupt(copied, () =>
        Effect.sync(() => {
          cache.readers.drop(reader)
          cache.giveUp(reader)
        }),
      )
      return Effect.flatMap(read, () => fill(target, offset, at, reader))
    }
    return Exit.void
  }

  return {
    name,
    size,
    expect,
    read: (target, offset) => {
      const end = offset + target.length
      if (!isRange(offset, target.length, size)) {
        return Effect.fail(new SourceError({ source: name, offset: Number(offset) || 0, detail: "read past the end" }))
      }
      if (target.length === 0) return Exit.void
      cache.traffic.read += target.length
      const reader = cache.readers.visit(stream, offset, end)
      const filled = fill(target, offset, 0, reader)
      if (reader.until > reader.asked) fetchAhead(reader)
      return filled
    },
  }
}
