/**
 * The index of a stream cut by content (`.didx`, datastore §3.1): for each chunk its end offset and its digest.
 */
import * as Result from "effect/Result"
import * as Bytes from "../Bytes.ts"
import { CHECKSUM_OFFSET, type ChunkIndex, HEADER_SIZE } from "./ChunkIndex.ts"
import { MAX_CHUNK } from "./DataBlob.ts"
import { type DatastoreFault, fault } from "./DatastoreFault.ts"
import * as Digest from "./Digest.ts"

/** The first 8 bytes. */
export const MAGIC: Uint8Array = Uint8Array.of(0x1c, 0x91, 0x4e, 0xa5, 0x19, 0xba, 0xb3, 0xcd)

/** Bytes of an entry: `end` u64 little-endian, digest. */
export const ENTRY_SIZE = 40

/**
 * Reads an index file. Fails with `IndexBadSize`, `IndexBadMagic`, `IndexEmpty` or `IndexNotMonotonic`. `bytes` must not
 * change afterwards.
 */
export const parse = (bytes: Uint8Array): Result.Result<ChunkIndex, DatastoreFault> => {
  if (bytes.length < HEADER_SIZE) {
    return Result.fail(fault("IndexBadSize", `${bytes.length} bytes are fewer than the header of an index has`))
  }
  if (!Bytes.equals(bytes.subarray(0, 8), MAGIC)) {
    return Result.fail(fault("IndexBadMagic", "does not begin like a dynamic index"))
  }
  const entries = bytes.subarray(HEADER_SIZE)
  if (entries.length % ENTRY_SIZE !== 0) {
    return Result.fail(fault("IndexBadSize", `${entries.length} bytes are no whole number of entries`))
  }
  const count = entries.length / ENTRY_SIZE
  if (count === 0) return Result.fail(fault("IndexEmpty", "has no chunk"))
  const view = Bytes.dataView(entries)
  // Behind every entry the end of the chunk; before the first, 0.
  const ends = new Float64Array(count + 1)
  for (let chunk = 0; chunk < count; chunk++) {
    const end = Bytes.getU64(view, chunk * ENTRY_SIZE)
    const length = end - (ends[chunk] as number)
    if (!(length > 0 && length <= MAX_CHUNK && end <= Number.MAX_SAFE_INTEGER)) {
      const detail = `chunk ${chunk} would reach from ${ends[chunk]} to ${end}`
      return Result.fail(fault("IndexNotMonotonic", detail))
    }
    ends[chunk + 1] = end
  }
  return Result.succeed({
    kind: "dynamic",
    count,
    size: ends[count] as number,
    chunkSize: undefined,
    headerChecksum: bytes.subarray(CHECKSUM_OFFSET, CHECKSUM_OFFSET + Digest.SIZE),
    entries,
    start: (chunk) => ends[chunk] as number,
    end: (chunk) => ends[chunk + 1] as number,
    digest: (chunk) => entries.subarray(chunk * ENTRY_SIZE + 8, (chunk + 1) * ENTRY_SIZE),
    locate: (offset) => {
      let low = 0
      let high = count - 1
      while (low < high) {
        const middle = (low + high) >> 1
        if (offset < (ends[middle + 1] as number)) high = middle
        else low = middle + 1
      }
      return low
    },
  })
}

/** A chunk of an index to be written. */
export interface Chunk {
  /** Bytes of its content. */
  readonly length: number
  readonly digest: Uint8Array
}

/**
 * The bytes of an index file over `chunks`. Its checksum is left 0: it is the SHA-256 of the bytes from `HEADER_SIZE` on,
 * and belongs at `CHECKSUM_OFFSET`.
 */
export const encode = (chunks: ReadonlyArray<Chunk>): Uint8Array => {
  const bytes = new Uint8Array(HEADER_SIZE + chunks.length * ENTRY_SIZE)
  const view = Bytes.dataView(bytes)
  bytes.set(MAGIC)
  let end = 0
  for (const [chunk, { digest, length }] of chunks.entries()) {
    const at = HEADER_SIZE + chunk * ENTRY_SIZE
    end += length
    Bytes.setU64(view, at, end)
    bytes.set(digest, at + 8)
  }
  return bytes
}
