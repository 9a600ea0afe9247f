/**
 * Memory for replies that carry file contents or listings, used again: fresh memory costs a page fault every 4 KiB.
 *
 * A message is given back once it has been written. One whose request was interrupted is not: its source may still be
 * writing into it.
 */
import * as Reply from "./Reply.ts"

/** Messages of each size kept for the next request. */
const MAX_KEPT = 4

/** Room in a message in bytes: what most listings and small files need, and what the kernel asks for at most. */
const SIZES = [128 * 1024, 1024 * 1024] as const

export interface ReplyPool {
  /** A message with room for `length` bytes of body, all of which must be overwritten. */
  readonly take: (unique: number, length: number) => Uint8Array
  readonly giveBack: (message: Uint8Array) => void
}

export const make = (): ReplyPool => {
  const pools = SIZES.map((size) => ({ room: Reply.bodyOffset + size, kept: new Array<ArrayBuffer>() }))
  return {
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
