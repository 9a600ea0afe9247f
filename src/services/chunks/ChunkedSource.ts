/**
 * A stream that is stored as chunks, as a source of bytes.
 *
 * Reads of chunks that are at hand have ended when they return. A chunk that fails fails the reads that touch it and no
 * others; the error names the stream, the range that is lost, the chunk's file and the reason (datastore §8).
 */
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Bytes from "../../domain/Bytes.ts"
import type { ChunkIndex } from "../../domain/datastore/ChunkIndex.ts"
import type { DatastoreFault } from "../../domain/datastore/DatastoreFault.ts"
import type * as ForwardReaders from "../bytes/ForwardReaders.ts"
import type { Extent } from "../bytes/Extent.ts"
import { type ByteSource, isRange, type Range, SourceError } from "../bytes/ByteSource.ts"
import type { Wanted } from "./ChunkDecoder.ts"
import { type ChunkFault, isLoss } from "./ChunkFault.ts"
import type { ChunkStore } from "./ChunkStore.ts"
import type { EncryptionKey } from "../keys/EncryptionKey.ts"
import { sha256 } from "../keys/Sha256.ts"

/** A stream in chunks that is open. */
export interface ChunkedSource extends ByteSource {
  readonly index: ChunkIndex
  /** What is wrong without costing a byte. */
  readonly warnings: ReadonlyArray<DatastoreFault>
  /** The run of bytes that `offset`, which must be in `[0, size)`, is in; chunks of zeros are holes. Only images are known to have holes. */
  readonly extent: (offset: number) => Extent
  /** A chunk of the stream, as its store is asked for it. */
  readonly wanted: (chunk: number) => Wanted
}

/** What a source is made of. */
export interface Options {
  /** For messages: the repository, the backup and the file. */
  readonly name: string
  readonly index: ChunkIndex
  readonly store: ChunkStore
  readonly encrypted: boolean
  readonly key: EncryptionKey | undefined
  readonly warnings?: ReadonlyArray<DatastoreFault> | undefined
}

/** The source of a stream. */
export const make = Effect.fnUntraced(function* (options: Options): Effect.fn.Return<ChunkedSource> {
  const { encrypted, index, key, name, store, warnings = [] } = options
  const zeros = yield* zeroDigests(index, encrypted ? key : undefined)
  const { readers, traffic, window } = store.cache
  /** What its readers are known by. */
  const stream: ForwardReaders.Stream = { chunkSize: index.size / index.count }

  const wanted = (chunk: number): Wanted => ({
    digest: index.digest(chunk),
    length: index.end(chunk) - index.start(chunk),
    encrypted,
    key,
  })

  const isZero = (chunk: number): boolean => {
    const zero = chunk === index.count - 1 ? zeros?.last : zeros?.other
    return zero !== undefined && Bytes.equals(zero, index.digest(chunk))
  }

  const fetch = (start: number, end: number, owner: object): void => {
    for (let chunk = index.locate(start); chunk < index.count && index.start(chunk) < end; chunk++) {
      if (!isZero(chunk)) store.prefetch(wanted(chunk), owner)
    }
  }

  /** Asks for what a reader that goes forward will want. */
  const fetchAhead = (reader: ForwardReaders.Reader): void => {
    // The chunk that it is in is at hand, or waited for.
    const from = Math.max(reader.asked, index.end(index.locate(reader.position - 1)))
    const until = Math.min(reader.until, index.size)
    if (from >= until) return
    fetch(from, until, reader)
    reader.asked = index.end(index.locate(until - 1))
  }

  const expect = (ranges: Iterable<Range>): void => {
    let room = window
    let last = -1
    for (const { end, start } of ranges) {
      for (let chunk = index.locate(start); chunk < index.count && index.start(chunk) < end; chunk++) {
        if (chunk === last || isZero(chunk)) continue
        last = chunk
        room -= index.end(chunk) - index.start(chunk)
        if (room < 0) return
        store.prefetch(wanted(chunk), stream)
      }
    }
  }

  const toError = (chunk: number, fault: ChunkFault): SourceError => {
    const [start, end] = [index.start(chunk), index.end(chunk)]
    return new SourceError({
      source: name,
      offset: start,
      end,
      detail: `bytes ${start} to ${end} are in the chunk ${fault.file}, which ${fault.detail} (${fault.check})`,
      isLost: isLoss(fault),
      retryable: fault.isTransient,
    })
  }

  /** Fills `target` from its byte `done` on. */
  const fill = (
    target: Uint8Array,
    offset: number,
    done: number,
    reader: ForwardReaders.Reader,
  ): Effect.Effect<void, SourceError> => {
    let at = done
    while (at < target.length) {
      const chunk = index.locate(offset + at)
      const from = offset + at - index.start(chunk)
      const length = Math.min(target.length - at, index.end(chunk) - offset - at)
      if (isZero(chunk)) target.fill(0, at, at + length)
      else {
        const want = wanted(chunk)
        const content = store.held(want)
        if (content === undefined) {
          const [start, next] = [at, at + length]
          const copy = (read: Uint8Array): void => target.set(read.subarray(from, from + length), start)
          if (next < target.length) fetch(offset + next, offset + target.length, reader)
          return Effect.flatMap(
            Effect.mapError(Effect.onInterrupt(store.read(want, copy), giveUp(reader)), (fault) =>
              toError(chunk, fault),
            ),
            () => fill(target, offset, next, reader),
          )
        }
        target.set(content.subarray(from, from + length), at)
      }
      at += length
    }
    return Exit.void
  }

  const giveUp = (reader: ForwardReaders.Reader) => () =>
    Effect.sync(() => {
      readers.drop(reader)
      store.cache.giveUp(reader)
    })

  const read = (target: Uint8Array, offset: number): Effect.Effect<void, SourceError> => {
    const end = offset + target.length
    traffic.read += target.length
    const reader = readers.visit(stream, offset, end)
    const filled = fill(target, offset, 0, reader)
    // What the reader itself waits for is asked for first.
    if (reader.until > reader.asked) fetchAhead(reader)
    return filled
  }

  return {
    name,
    size: index.size,
    expect,
    index,
    warnings,
    wanted,
    read: (target, offset) =>
      isRange(offset, target.length, index.size)
        ? read(target, offset)
        : Effect.fail(new SourceError({ source: name, offset: Number(offset) || 0, detail: "read past the end" })),
    extent: (offset) => {
      let chunk = index.locate(offset)
      const isHole = isZero(chunk)
      // Without digests of zeros there are no holes to look for.
      if (zeros === undefined) return { isHole, end: index.size }
      while (chunk + 1 < index.count && isZero(chunk + 1) === isHole) chunk++
      return { isHole, end: index.end(chunk) }
    },
  }
})

/** Digests of chunks of zeros, of an image: of all but the last, and of the last, which may be shorter. */
const zeroDigests = Effect.fnUntraced(function* (
  { chunkSize, count, end, start }: ChunkIndex,
  key: EncryptionKey | undefined,
): Effect.fn.Return<{ readonly other: Uint8Array; readonly last: Uint8Array } | undefined> {
  if (chunkSize === undefined) return undefined
  const digest = (length: number) => {
    const zeros = new Uint8Array(length)
    return key === undefined ? sha256(zeros) : key.digest(zeros)
  }
  const lastLength = end(count - 1) - start(count - 1)
  const other = yield* digest(chunkSize)
  return { other, last: lastLength === chunkSize ? other : yield* digest(lastLength) }
})
