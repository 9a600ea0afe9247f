/**
 * Messages that put contents of files into the kernel's page cache (`FUSE_NOTIFY_STORE`), many in one piece of memory.
 *
 * The memory never moves and is used again for the next batch: whoever writes it must have ended before `clear`.
 */
import * as Bytes from "../../domain/Bytes.ts"
import * as NodeId from "../../domain/pxar/NodeId.ts"
import { FUSE_NOTIFY_STORE, NOTIFY_STORE_OUT, OUT_HEADER } from "./Abi.ts"

/** Bytes of a batch, headers included. */
export const MAX_BYTES: number = 1024 * 1024
/** Messages of a batch. */
export const MAX_MESSAGES = 256

/** Bytes before the contents. */
const HEAD = OUT_HEADER.size + NOTIFY_STORE_OUT.size

export class Stores {
  /** All messages; made when there is a first. */
  memory: Uint8Array = Bytes.empty
  private view = Bytes.dataView(Bytes.empty)
  /** By message: its first byte in the memory, and its length. */
  readonly starts: Uint32Array = new Uint32Array(MAX_MESSAGES)
  readonly lengths: Uint32Array = new Uint32Array(MAX_MESSAGES)
  /** Number of messages. */
  count = 0
  private used = 0

  clear(): void {
    this.count = 0
    this.used = 0
  }

  /** Adds a file that is stored whole: where its `size` bytes are to be put. `undefined` if there is no room. */
  add(id: NodeId.NodeId, size: number): Uint8Array | undefined {
    const { count, used } = this
    const length = HEAD + size
    if (count === MAX_MESSAGES || used + length > MAX_BYTES) return undefined
    if (this.memory.length === 0) {
      this.memory = new Uint8Array(MAX_BYTES)
      this.view = Bytes.dataView(this.memory)
    }
    const { view } = this
    view.setUint32(used + OUT_HEADER.len, length, true)
    view.setInt32(used + OUT_HEADER.error, FUSE_NOTIFY_STORE, true)
    Bytes.setU64(view, used + OUT_HEADER.unique, 0)
    const at = used + OUT_HEADER.size
    view.setUint32(at + NOTIFY_STORE_OUT.nodeid, NodeId.low(id), true)
    view.setUint32(at + NOTIFY_STORE_OUT.nodeid + 4, NodeId.high(id), true)
    Bytes.setU64(view, at + NOTIFY_STORE_OUT.offset, 0)
    view.setUint32(at + NOTIFY_STORE_OUT.size_, size, true)
    view.setUint32(at + NOTIFY_STORE_OUT.padding, 0, true)
    this.starts[count] = used
    this.lengths[count] = length
    this.count++
    this.used += (length + 7) & ~7
    return this.memory.subarray(used + HEAD, used + length)
  }

  /** Takes back the message that was added last. */
  drop(): void {
    this.count--
    this.used = this.starts[this.count] as number
  }
}
