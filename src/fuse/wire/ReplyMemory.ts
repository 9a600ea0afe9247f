/**
 * Memory for the replies of one session.
 *
 * Messages that carry file contents or listings are used again: fresh memory costs a page fault every 4 KiB. One is given
 * back once it has been written; not if its request was interrupted, because its source may still be writing into it.
 * Small ones are cut from a slab, each of them once: memory of its own for each costs as much as the message.
 */
import * as Reply from "./Reply.ts"

/** Messages of each size kept for the next request. */
const MAX_KEPT = 4

/** Room in a message in bytes: what most listings and small files need, and what the kernel asks for at most. */
const SIZES = [128 * 1024, 1024 * 1024] as const

const SLAB = 64 * 1024
/** The largest message that is cut from a slab, in bytes. */
const SMALL = 512

export interface ReplyMemory {
  /** Memory for a small message, zeroed. */
  readonly allocate: Reply.Allocate
  /** A message with room for `length` bytes of body, all of which must be overwritten. */
  readonly take: (unique: number, length: number) => Uint8Array
  /** For any message; those that were not taken are left to the garbage collector. */
  readonly giveBack: (message: Uint8Array) => void
}

export const make = (): ReplyMemory => {
  const pools = SIZES.map((size) => ({ room: Reply.bodyOffset + size, kept: new Array<ArrayBuffer>() }))
  let slab = new ArrayBuffer(0)
  let used = 0
  return {
    allocate: (size) => {
      if (size > SMALL) return new Uint8Array(size)
      if (used + size > slab.byteLength) {
        slab = new ArrayBuffer(SLAB)
        used = 0
      }
      const memory = new Uint8Array(slab, used, size)
      used += (size + 7) & ~7
      return memory
    },
    take: (unique, length) => {
      const pool = pools.find(({ room }) => Reply.bodyOffset + length <= room)
      const memory = pool?.kept.pop() ?? new ArrayBuffer(pool?.room ?? Reply.bodyOffset + length)
      return Reply.makeIn(memory, unique, length)
    },
    giveBack: ({ buffer }) => {
      const pool = pools.find(({ room }) => room === buffer.byteLength)
      if (pool !== undefined && pool.kept.length < MAX_KEPT && buffer instanceof ArrayBuffer) pool.kept.push(buffer)
    },
  }
}
