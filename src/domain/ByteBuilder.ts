/**
 * Memory that an archive is encoded into: a block of bytes filled from its start, which grows when it must.
 *
 * Codecs reserve room and write numbers through `view`; contents of files are read straight into `bytes`. Not a
 * sink: it keeps what it is given until its owner takes it and sets `length` back.
 */
import * as Bytes from "./Bytes.ts"

export interface ByteBuilder {
  /** The memory. Replaced when it grows: do not hold on to it across a `reserve`. */
  bytes: Uint8Array
  /** Over `bytes`. */
  view: DataView
  /** Bytes in use, from the start. */
  length: number
}

/** An empty builder with room for `capacity` bytes, at least 1. */
export const make = (capacity: number): ByteBuilder => {
  const bytes = new Uint8Array(Math.max(1, capacity))
  return { bytes, view: Bytes.dataView(bytes), length: 0 }
}

/** Bytes that fit without growing. */
export const room = (builder: ByteBuilder): number => builder.bytes.length - builder.length

/** Takes the next `size` bytes into use and returns where they begin. Their content is undefined. */
export const reserve = (builder: ByteBuilder, size: number): number => {
  const at = builder.length
  if (size > room(builder)) grow(builder, at + size)
  builder.length = at + size
  return at
}

/** Appends a copy of `bytes`. */
export const append = (builder: ByteBuilder, bytes: Uint8Array): void => {
  // Separate statements: `reserve` may replace the memory.
  const at = reserve(builder, bytes.length)
  builder.bytes.set(bytes, at)
}

/** What is in use: a view, valid until the next change. */
export const contents = (builder: ByteBuilder): Uint8Array => builder.bytes.subarray(0, builder.length)

const grow = (builder: ByteBuilder, needed: number): void => {
  const bytes = new Uint8Array(Math.max(needed, 2 * builder.bytes.length))
  bytes.set(contents(builder))
  builder.bytes = bytes
  builder.view = Bytes.dataView(bytes)
}
