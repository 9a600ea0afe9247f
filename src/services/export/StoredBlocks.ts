/**
 * A content as a deflate stream that does not compress: blocks that are stored (RFC 1951 §3.2.4).
 *
 * Such a stream says itself where it ends. So a reader of a zip that comes through a pipe needs no size and no CRC in front
 * of the content, and nothing in the content can be taken for the end of it. Its length is known beforehand.
 */

/** The most bytes of a block. */
const MAX = 0xffff

/** Bytes in front of each block. */
const HEADER = 5

/** Bytes of the stream of a content of `size` bytes, at least one. */
export const lengthOf = (size: number): number => size + HEADER * Math.ceil(size / MAX)

/** Room that a piece of at most `length` bytes needs in front of it. */
export const roomFor = (length: number): number => HEADER * Math.ceil(length / MAX)

/**
 * Takes the pieces of a content of exactly `size` bytes, one after the other, each behind `room` bytes of its memory. Gives
 * the piece of the stream that each becomes, in the same memory.
 */
export const make = (size: number, room: number): ((memory: Uint8Array) => Uint8Array) => {
  /** Bytes that have not come, and those of them that belong to the block that has begun. */
  let left = size
  let block = 0
  return (memory) => {
    const headers = Math.ceil((memory.length - room - block) / MAX)
    const start = room - HEADER * headers
    let to = start
    for (let from = room; from < memory.length;) {
      if (block === 0) {
        block = Math.min(MAX, left)
        memory[to] = left === block ? 1 : 0
        memory[to + 1] = block & 0xff
        memory[to + 2] = block >>> 8
        memory[to + 3] = ~block & 0xff
        memory[to + 4] = (~block >>> 8) & 0xff
        to += HEADER
      }
      const length = Math.min(block, memory.length - from)
      memory.copyWithin(to, from, from + length)
      from += length
      to += length
      block -= length
      left -= length
    }
    return memory.subarray(start)
  }
}
