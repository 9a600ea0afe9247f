/**
 * Which chunks a stream consists of, in order: what a dynamic and a fixed index have in common (datastore §3).
 *
 * Chunk `i` covers `[start(i), end(i))` of the stream. Ranges are checked when an index is read: each has at least one
 * byte and at most 16 MiB, and together they are the stream without a gap.
 */

/** An index that has been read. Numbers of chunks count from 0. */
export interface ChunkIndex {
  readonly kind: "dynamic" | "fixed"
  /** Chunks, at least 1. A digest may occur several times. */
  readonly count: number
  /** Bytes of the stream. */
  readonly size: number
  /** Bytes of a chunk but the last, of a fixed index. */
  readonly chunkSize: number | undefined
  /** The checksum in the header, 32 bytes. It proves nothing: what counts is that of `entries`. */
  readonly headerChecksum: Uint8Array
  /** The bytes that the checksum covers. */
  readonly entries: Uint8Array
  /** Offset of a chunk's first byte. */
  readonly start: (chunk: number) => number
  /** Offset after a chunk's last byte. */
  readonly end: (chunk: number) => number
  /** A chunk's digest: a view of 32 bytes. */
  readonly digest: (chunk: number) => Uint8Array
  /** The chunk that holds the byte at `offset`, which must be in `[0, size)`. */
  readonly locate: (offset: number) => number
}

/** Bytes before the first entry, of both kinds. */
export const HEADER_SIZE = 4096
/** Where the checksum stands in the header. */
export const CHECKSUM_OFFSET = 32
