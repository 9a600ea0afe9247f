/**
 * Memory for replies that carry file contents, used again: fresh memory costs a page fault every 4 KiB.
 *
 * A message is given back once it has been written. One whose request was interrupted is not: its source may still be
 * writing into it.
 */
import * as Reply from "./Reply.ts"

/** Messages kept for the next request. */
const MAX_KEPT = 4

/** Room in a new message: what the kernel reads ahead at once, and what it asks for at most, in bytes. */
const SIZES = [128 * 1024, 1024 * 1024] as const

export interface ReplyPool {
  /** A message with room for `length` bytes of body, all of which must be overwritten. */
  readonly take: (unique: number, length: number) => Uint8Array
  readonly giveBack: (message: Uint8Array) => void
}

export const make = (): ReplyPool => {
  const kept: Array<ArrayBuffer> = []
  return {
    take: (unique, length) => {
      const needed = Reply.bodyOffset + length
      const index = kept.findIndex((buffer) => buffer.byteLength >= needed)
      const [found] = index < 0 ? [] : kept.splice(index, 1)
      const room = SIZES.find((size) => size >= length) ?? length
      return Reply.makeIn(found ?? new ArrayBuffer(Reply.bodyOffset + room), unique, length)
    },
    giveBack: (message) => {
      if (kept.length < MAX_KEPT && message.buffer instanceof ArrayBuffer) kept.push(message.buffer)
    },
  }
}
