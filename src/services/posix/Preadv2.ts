/**
 * `preadv2(2)` with `RWF_NOWAIT`: reads what is in the page cache, without ever waiting for a disk.
 *
 * The caller owns the buffer; it is used during the call only.
 */
import * as Libc from "./Libc.ts"

const RWF_NOWAIT = 0x8

/**
 * Reads into `target` from `offset` what the page cache holds. Returns the number of bytes, which may be less than
 * `target.length`, or a negative errno if nothing is cached or the file system cannot tell.
 */
export type ReadCached = (fd: number, target: Uint8Array, offset: number) => number

/** Such reads, with memory of their own for the arguments. */
export const make = (): ReadCached => {
  const iovec = new BigUint64Array(2)
  const bytes = new Uint8Array(iovec.buffer)
  const halves = new Uint32Array(iovec.buffer)
  /** What `iovec` points to; most reads fill the same memory as the one before. */
  let memory: ArrayBufferLike | undefined
  let memoryOffset = 0
  return (fd, target, offset) => {
    if (target.buffer !== memory || target.byteOffset !== memoryOffset) {
      iovec[0] = Libc.koffi().address(target)
      memory = target.buffer
      memoryOffset = target.byteOffset
    }
    halves[2] = target.length
    return Libc.preadv2(fd, bytes, 1, offset, RWF_NOWAIT)
  }
}
