/**
 * Memory of the pieces of a download, used again when a piece has gone out: fresh memory for each would cost more than
 * what is done with it.
 *
 * A piece has gone out when the next one is asked for and the response holds nothing back. Whoever gives pieces to a
 * response must ask for one after the other, and for the next only after the one before was written to the response.
 */

export interface PieceMemory {
  /** Memory of exactly `length` bytes, with anything in it. */
  readonly take: (length: number) => Uint8Array
  /** This piece goes out; the one before it has gone if nothing is held back. */
  readonly gives: (piece: Uint8Array) => void
}

/** Blocks that are kept: as many as wait for a client, and a few. */
const MAX = 4

/** Smaller ones are not worth it. */
const SMALLEST = 256 * 1024

/** `held`: bytes that the response holds back. */
export const make = (held: () => number): PieceMemory => {
  let spare: Array<ArrayBufferLike> = []
  let last: ArrayBufferLike | undefined
  return {
    take: (length) => {
      const block = spare.findIndex(({ byteLength }) => byteLength === length)
      return block < 0 ? Buffer.allocUnsafeSlow(length) : new Uint8Array(spare.splice(block, 1)[0] as ArrayBufferLike)
    },
    gives: ({ buffer }) => {
      if (last !== undefined && held() === 0 && last.byteLength >= SMALLEST) spare = [last, ...spare].slice(0, MAX)
      last = buffer
    },
  }
}
