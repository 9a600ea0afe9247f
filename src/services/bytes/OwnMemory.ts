/**
 * Memory of a chunk that is given back when it is no longer wanted, and not when the collector comes by: V8 lets 64 MiB
 * of such memory pile up before it looks.
 *
 * Only what was taken here is ever given back; anything else stays as it is. Who gives memory back is the last who has
 * it: it is empty from then on, for everybody.
 */

const own = new WeakSet<ArrayBufferLike>()

/** Zeroed memory of `length` bytes that can be given back. */
export const allocate = (length: number): Uint8Array<ArrayBuffer> => adopt(new Uint8Array(length))

/** Says that nobody else has, or will have, anything of the memory that `bytes` is in. */
export const adopt = <Bytes extends Uint8Array>(bytes: Bytes): Bytes => {
  own.add(bytes.buffer)
  return bytes
}

/** Says that somebody else has it, too: it is never given back by hand. */
export const share = ({ buffer }: Uint8Array): void => {
  own.delete(buffer)
}

/** Gives memory back. */
export const free = ({ buffer }: Uint8Array): void => {
  if (own.delete(buffer) && buffer instanceof ArrayBuffer) buffer.transfer(0)
}
