/**
 * The part of a stream that is in memory: what a decoder needs next, and what has been read beyond that.
 */
import * as Effect from "effect/Effect"
import * as Item from "../../domain/pxar/Item.ts"
import type { ByteStream } from "../bytes/ByteStream.ts"
import * as ArchiveError from "./ArchiveError.ts"

/** Bytes asked for at once. */
const CHUNK = 256 * 1024

export class StreamWindow {
  private bytes = new Uint8Array(CHUNK)
  private length = 0
  private isOver = false
  private current: Item.Window | undefined
  private readonly stream: ByteStream
  /** Position in the stream of the first byte that is in memory. */
  base = 0

  constructor(stream: ByteStream) {
    this.stream = stream
  }

  /** Position behind the last byte that has come. */
  get end(): number {
    return this.base + this.length
  }

  /** What is in memory; valid until the next change. */
  get view(): Item.Window {
    return (this.current ??= Item.makeWindow(this.bytes.subarray(0, this.length), this.base))
  }

  /** Reads up to `wanted`, if that has not come yet, and drops what is before `position`; `false` if the stream ends before. */
  advance(position: number, wanted: number): Effect.Effect<boolean, ArchiveError.ArchiveError> {
    return Effect.suspend(() => {
      if (this.end >= Math.max(position, wanted)) return Effect.succeed(true)
      this.drop(position)
      return this.isOver ? Effect.succeed(false) : Effect.flatMap(this.more(), () => this.advance(position, wanted))
    })
  }

  /** Fills `target` with what is at `position`; `false` if the stream ends before. */
  read(position: number, target: Uint8Array): Effect.Effect<boolean, ArchiveError.ArchiveError> {
    return Effect.suspend(() => {
      if (target.length === 0) return Effect.succeed(true)
      return Effect.flatMap(this.advance(position, position + 1), (isThere) => {
        if (!isThere) return Effect.succeed(false)
        const count = Math.min(target.length, this.end - position)
        target.set(this.bytes.subarray(position - this.base, position - this.base + count))
        return this.read(position + count, target.subarray(count))
      })
    })
  }

  private drop(position: number): void {
    const count = Math.min(position - this.base, this.length)
    if (count <= 0) return
    this.bytes.copyWithin(0, count, this.length)
    this.length -= count
    this.base += count
    this.current = undefined
  }

  private more(): Effect.Effect<void, ArchiveError.ArchiveError> {
    if (this.length === this.bytes.length) {
      const longer = new Uint8Array(2 * this.bytes.length)
      longer.set(this.bytes)
      this.bytes = longer
    }
    const read = this.stream.read(this.bytes.subarray(this.length))
    return Effect.map(Effect.mapError(read, ArchiveError.fromSource), (count) => {
      this.length += count
      if (count === 0) this.isOver = true
      this.current = undefined
    })
  }
}
