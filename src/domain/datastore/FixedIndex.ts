/**
 * The index of a disk image (`.fidx`, datastore §3.2): chunks of one size, for each its digest. The last may be shorter.
 */
import * as Result from "effect/Result"
import * as Bytes from "../Bytes.ts"
import { CHECKSUM_OFFSET, type ChunkIndex, HEADER_SIZE } from "./ChunkIndex.ts"
import { MAX_CHUNK } from "./DataBlob.ts"
import { type DatastoreFault, fault } from "./DatastoreFault.ts"
import * as Digest from "./Digest.ts"

/** The first 8 bytes. */
export const MAGIC: Uint8Array = Uint8Array.of(0x2f, 0x7f, 0x41, 0xed, 0x91, 0xfd, 0x0f, 0xcd)

/**
 * Reads an index file. Fails with `IndexBadSize` (also for a chunk size that is no power of two up to 16 MiB),
 * `IndexBadMagic` or `IndexEmpty`. `bytes` must not change afterwards.
 */
export const parse = (bytes: Uint8Array): Result.Result<ChunkIndex, DatastoreFault> => {
  const badSize = (detail: string) => Result.fail(fault("IndexBadSize", detail))
  if (bytes.length < HEADER_SIZE) return badSize(`${bytes.length} bytes are fewer than the header of an index has`)
  if (!Bytes.equals(bytes.subarray(0, 8), MAGIC)) {
    return Result.fail(fault("IndexBadMagic", "does not begin like a fixed index"))
  }
  const view = Bytes.dataView(bytes)
  const size = Bytes.getU64(view, 64)
  const chunkSize = Bytes.getU64(view, 72)
  if (!(chunkSize >= 1 && chunkSize <= MAX_CHUNK) || (chunkSize & (chunkSize - 1)) !== 0) {
    return badSize(`a chunk size of ${chunkSize} bytes is no power of two up to ${MAX_CHUNK}`)
  }
  if (size === 0) return Result.fail(fault("IndexEmpty", "is of an image of 0 bytes"))
  if (size > Number.MAX_SAFE_INTEGER) return badSize(`an image of ${size} bytes is larger than any can be`)
  const entries = bytes.subarray(HEADER_SIZE)
  const count = Math.ceil(size / chunkSize)
  if (entries.length !== count * Digest.SIZE) {
    return badSize(`an image of ${size} bytes has ${count} chunks, but ${entries.length} bytes of digests are here`)
  }
  return Result.succeed({
    kind: "fixed",
    count,
    size,
    chunkSize,
    headerChecksum: bytes.subarray(CHECKSUM_OFFSET, CHECKSUM_OFFSET + Digest.SIZE),
    entries,
    start: (chunk) => chunk * chunkSize,
    end: (chunk) => Math.min((chunk + 1) * chunkSize, size),
    digest: (chunk) => entries.subarray(chunk * Digest.SIZE, (chunk + 1) * Digest.SIZE),
    locate: (offset) => Math.floor(offset / chunkSize),
  })
}

/** The bytes of an index file over the digests of an image's chunks. Its checksum is left 0, as in `DynamicIndex.encode`. */
export const encode = (size: number, chunkSize: number, digests: ReadonlyArray<Uint8Array>): Uint8Array => {
  const bytes = new Uint8Array(HEADER_SIZE + digests.length * Digest.SIZE)
  const view = Bytes.dataView(bytes)
  bytes.set(MAGIC)
  Bytes.setU64(view, 64, size)
  Bytes.setU64(view, 72, chunkSize)
  for (const [chunk, digest] of digests.entries()) bytes.set(digest, HEADER_SIZE + chunk * Digest.SIZE)
  return bytes
}
