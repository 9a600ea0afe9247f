/**
 * Bytes of an archive that a scan goes over from front to back, fetched chunk by chunk as it comes to them. What is jumped
 * over is not fetched.
 *
 * Synchronous: a scan runs in a thread of its own, which waits. Memory is bounded by two chunks and the longest item.
 */
import type { ChunkIndex } from "../../domain/datastore/ChunkIndex.ts"
import * as Bytes from "../../domain/Bytes.ts"
import * as Item from "../../domain/pxar/Item.ts"
import { irregular } from "./Irregular.ts"

/** Gives the content of a chunk, which is there until the next one is asked for. */
export type Fetch = (chunk: number) => Uint8Array

/** Chunks that are kept for hard links, whose targets are mostly near each other. */
const KEPT = 3

export class ScanWindow {
  /** The bytes from `base` on that are at hand. They belong to the window and may be written to. */
  bytes: Uint8Array = new Uint8Array(0)
  view: DataView = Bytes.dataView(this.bytes)
  base = 0
  private end = 0
  private memory = new Uint8Array(0)
  private readonly index: ChunkIndex
  private readonly fetch: Fetch
  private readonly kept = new Map<number, Uint8Array>()

  constructor(index: ChunkIndex, fetch: Fetch) {
    this.index = index
    this.fetch = fetch
  }

  /** Bytes of the archive. */
  get size(): number {
    return this.index.size
  }

  /** Whether `length` bytes from `position` on are at hand. */
  has(position: number, length: number): boolean {
    return position >= this.base && position + length <= this.end
  }

  /**
   * Fetches until `length` bytes from `position` on are at hand, or all up to the end of the archive. What stands before
   * `position` is let go.
   */
  need(position: number, length: number): void {
    const wanted = Math.min(position + length, this.size)
    if (position >= this.base && wanted <= this.end) return
    let held = 0
    if (position >= this.base && position < this.end) {
      this.memory.copyWithin(0, position - this.base, this.end - this.base)
      held = this.end - position
    }
    while (position + held < wanted) {
      const chunk = this.index.locate(position + held)
      const content = this.content(chunk).subarray(position + held - this.index.start(chunk))
      this.reserve(held, held + content.length)
      this.memory.set(content, held)
      held += content.length
    }
    this.bytes = this.memory.subarray(0, held)
    this.view = Bytes.dataView(this.bytes)
    this.base = position
    this.end = position + held
  }

  /** A window of its own on `length` bytes from `position` on, or on what there is of them. */
  peek(position: number, length: number): Item.Window {
    const wanted = Math.min(position + length, this.size)
    const bytes = new Uint8Array(Math.max(0, wanted - position))
    for (let at = position; at < wanted;) {
      const chunk = this.index.locate(at)
      const from = at - this.index.start(chunk)
      const part = this.keep(chunk).subarray(from, from + wanted - at)
      bytes.set(part, at - position)
      at += part.length
    }
    return Item.makeWindow(bytes, position)
  }

  private content(chunk: number): Uint8Array {
    const content = this.fetch(chunk)
    if (content.length === this.index.end(chunk) - this.index.start(chunk)) return content
    throw irregular(this.index.start(chunk), "a chunk of another length")
  }

  private keep(chunk: number): Uint8Array {
    const held = this.kept.get(chunk)
    if (held !== undefined) return held
    const content = this.content(chunk).slice()
    this.kept.set(chunk, content)
    if (this.kept.size > KEPT) this.kept.delete(this.kept.keys().next().value as number)
    return content
  }

  /** Makes room for `needed` bytes, of which the first `used` are kept. */
  private reserve(used: number, needed: number): void {
    if (needed <= this.memory.length) return
    const larger = new Uint8Array(Math.max(needed, 2 * this.memory.length))
    larger.set(this.memory.subarray(0, used))
    this.memory = larger
  }
}
