/**
 * `preadv2(2)` with `RWF_NOWAIT`: reads what is in the page cache, without ever waiting for a disk. tmpfs does not know
 * the flag and needs none: all that it has is in memory, but for what was swapped out like any other memory.
 *
 * The caller owns the buffer; it is used during the call only.
 */
import * as fs from "node:fs"
import * as Libc from "./Libc.ts"

const RWF_NOWAIT = 0x8

/**
 * Reads into `target` from `offset` what the page cache holds. Returns the number of bytes, which may be less than
 * `target.length`, or a negative errno if nothing is cached or the file system cannot tell.
 */
export type ReadCached = (fd: number, target: Uint8Array, offset: number) => number

/** Magic numbers of file systems that are in memory (statfs(2)). */
const IN_MEMORY = new Set([0x01021994, 0x858458f6])

/** Such reads, with memory of their own for the arguments; of files of a file system that is in memory where that is said. */
export const make = (inMemory = false): ReadCached => {
  const flags = inMemory ? 0 : RWF_NOWAIT
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
    return Libc.preadv2(fd, bytes, 1, offset, flags)
  }
}

/** Whether an open file is on a file system that is in memory. */
export const isInMemory = (fd: number): boolean => {
  try {
    return IN_MEMORY.has(fs.statfsSync(`/proc/self/fd/${fd}`).type)
  } catch {
    // Without /proc nobody can tell.
    return false
  }
}
