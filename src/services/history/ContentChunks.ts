/**
 * What a file's content consists of, by chunks: enough to know that two contents are the same without reading either.
 *
 * Two contents of one size with the same chunks at the same places are the same. With other chunks they may still be:
 * where a file begins within a chunk depends on what stands before it. So this proves that contents are equal, and never
 * that they are not.
 */
import { createHash } from "node:crypto"
import * as Bytes from "../../domain/Bytes.ts"
import type { ChunkIndex } from "../../domain/datastore/ChunkIndex.ts"
import type { Content } from "../../domain/pxar/Entry.ts"

/** Indexes of an archive's streams. */
export interface Streams {
  readonly archive: ChunkIndex
  /** Of a split archive, where it is there. */
  readonly payload: ChunkIndex | undefined
}

/** Bytes of a content that stand in one chunk. */
export interface Piece {
  /** Number of the chunk in its index. */
  readonly chunk: number
  /** First byte within the chunk. */
  readonly offset: number
  readonly length: number
}

/** The index of the stream that a content stands in. */
export const indexOf = ({ archive, payload }: Streams, { source }: Content): ChunkIndex | undefined =>
  source === "archive" ? archive : payload

/** The pieces of a content, in order; none where it is not within its stream. */
export const pieces = (index: ChunkIndex, { length, start }: Content): ReadonlyArray<Piece> => {
  if (length === 0 || start + length > index.size) return []
  const found: Array<Piece> = []
  for (let chunk = index.locate(start), at = start; at < start + length; chunk++) {
    const end = Math.min(index.end(chunk), start + length)
    found.push({ chunk, offset: at - index.start(chunk), length: end - at })
    at = end
  }
  return found
}

/**
 * A text that two contents of one size share only if they are the same; `undefined` where nothing is known of it. The work
 * grows with the number of chunks.
 */
export const identity = (streams: Streams, content: Content): string | undefined => {
  if (content.length === 0) return "empty"
  const index = indexOf(streams, content)
  const found = index === undefined ? [] : pieces(index, content)
  if (index === undefined || found.length === 0) return undefined
  const hash = createHash("sha256")
  for (const { chunk } of found) hash.update(index.digest(chunk))
  return `${content.length}:${found[0]?.offset}:${hash.digest("base64")}`
}

/**
 * The bytes from `at` on that two contents are known to share, because the same chunks stand there at the same places: the
 * number of the first one that is not known to be the same, or the size of the smaller content. `at` where nothing is known.
 */
export const sameUntil = (left: Streams, ours: Content, right: Streams, theirs: Content, at: number): number => {
  const size = Math.min(ours.length, theirs.length)
  const [a, b] = [indexOf(left, ours), indexOf(right, theirs)]
  if (a === undefined || ours.start + ours.length > a.size) return at
  if (b === undefined || theirs.start + theirs.length > b.size) return at
  let same = at
  while (same < size) {
    const [from, to] = [ours.start + same, theirs.start + same]
    const [i, j] = [a.locate(from), b.locate(to)]
    if (from - a.start(i) !== to - b.start(j) || !Bytes.equals(a.digest(i), b.digest(j))) return same
    same = Math.min(a.end(i) - ours.start, b.end(j) - theirs.start)
  }
  return size
}
