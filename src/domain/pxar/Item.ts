/**
 * Item framing (§1.3): a 16-byte header, then content.
 *
 * Items are read from a `Window`, a stretch of the archive that is in memory. Reading past its end throws `NeedBytes`,
 * reading past the item's bound throws a `FormatError`: nothing is used before checks H1–H4 have passed (H5).
 */
import * as Bytes from "../Bytes.ts"
import { malformed, NeedBytes, unsupported } from "./FormatError.ts"
import * as ItemType from "./ItemType.ts"

/** Size of an item header in bytes. */
export const HEADER_SIZE = 16

/** Bytes of the archive from `base` on. */
export interface Window {
  readonly bytes: Uint8Array
  readonly view: DataView
  /** Offset in the archive of the first byte. */
  readonly base: number
}

/** An item whose header has passed H1–H4; the content need not be in the window. All positions are archive offsets. */
export interface Item {
  readonly type: ItemType.ItemType
  readonly start: number
  /** First byte of the content. */
  readonly content: number
  /** Position just after the content. */
  readonly end: number
}

/** Makes a window of `bytes`, which stand at `base` in the archive. */
export const makeWindow = (bytes: Uint8Array, base: number): Window => ({
  // Never a subclass: `slice` of a `Buffer` would be a view that keeps the whole window in memory.
  bytes: bytes.constructor === Uint8Array ? bytes : new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.length),
  view: Bytes.dataView(bytes),
  base,
})

/** Throws `NeedBytes` unless the window reaches to `end`. */
export const requireBytes = (window: Window, end: number): void => {
  if (end > window.base + window.bytes.length) throw new NeedBytes({ end })
}

/** Reads the type of the item at `start`, whatever its size. */
export const readType = (window: Window, start: number, bound: number): ItemType.ItemType => {
  const content = start + HEADER_SIZE
  if (content > bound) throw malformed("H2", start, `an item header would cross the bound ${bound}`)
  requireBytes(window, content)
  const at = start - window.base
  const low = window.view.getUint32(at, true)
  const high = window.view.getUint32(at + 4, true)
  const type = ItemType.fromHalves(low, high)
  if (type === undefined) {
    if (low === 0 && high === 0) {
      throw unsupported(
        "H4",
        start,
        "zeros in place of an item: the file may have a hole here, where a copy lost blocks",
      )
    }
    const value = ((BigInt(high) << 32n) | BigInt(low)).toString(16).padStart(16, "0")
    throw unsupported("H4", start, `unknown item type 0x${value}`)
  }
  return type
}

/** Reads the header at `start`; the item must end at or before `bound`. */
export const readItem = (window: Window, start: number, bound: number): Item => {
  const type = readType(window, start, bound)
  const content = start + HEADER_SIZE
  const size = Bytes.getU64(window.view, start - window.base + 8)
  if (size < HEADER_SIZE) throw malformed("H1", start + 8, `${type.name} item of size ${size}, less than its header`)
  const contentSize = size - HEADER_SIZE
  if (contentSize < type.minContent || contentSize > type.maxContent) {
    throw malformed("H3", start + 8, `${type.name} item with ${contentSize} content bytes`)
  }
  const end = start + size
  if (end > bound) throw malformed("H2", start + 8, `${type.name} item of size ${size} crosses the bound ${bound}`)
  return { type, start, content, end }
}

/** A copy of the bytes of `[start, end)`: independent of the window's memory. */
export const copy = (window: Window, start: number, end: number): Uint8Array => {
  requireBytes(window, end)
  return window.bytes.slice(start - window.base, end - window.base)
}

/**
 * The bytes of `[start, end)` without their terminating NUL, which must be the only one.
 * Raises `check` (N1/N3, E4).
 */
export const copyTerminated = (window: Window, start: number, end: number, check: "N" | "E4", what: string) => {
  requireBytes(window, end)
  const from = start - window.base
  const nul = window.bytes.indexOf(0, from) + window.base
  if (nul === end - 1) return window.bytes.slice(from, nul - window.base)
  const missing = nul < start || nul >= end
  throw malformed(
    check === "N" ? (missing ? "N1" : "N3") : check,
    start,
    missing ? `${what} without its terminating NUL` : `${what} with a NUL inside`,
  )
}
