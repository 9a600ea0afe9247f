/**
 * Byte strings and little-endian numbers.
 *
 * Names, link targets and attribute values are bytes, never text (§2.4). Numbers of 64 bits are read as `number`
 * where they are compared with a bound before use: the conversion rounds monotonically above 2^53, so a value that
 * is out of range stays out of range. Where the full range counts (hashes, modes, flags) they are read as `bigint`.
 *
 * Not a codec of any structure: those are beside the structures they describe.
 */

/** Shared empty byte string. */
export const empty: Uint8Array = new Uint8Array(0)

/** A view for reading and writing numbers in `bytes`. */
export const dataView = (bytes: Uint8Array): DataView => new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)

const TWO_32 = 0x1_0000_0000

/** u64, little-endian, as `number`: exact up to 2^53, rounded (monotonically) above. */
export const getU64 = (view: DataView, offset: number): number =>
  view.getUint32(offset + 4, true) * TWO_32 + view.getUint32(offset, true)

/** Writes a u64, little-endian. `value` must be an integer in `[0, 2^53)`. */
export const setU64 = (view: DataView, offset: number, value: number): void => {
  view.setUint32(offset, value % TWO_32, true)
  view.setUint32(offset + 4, value / TWO_32, true)
}

/** u64, little-endian, exact. Zero, the usual value of flags, costs no allocation. */
export const getU64Exact = (view: DataView, offset: number): bigint => {
  const high = view.getUint32(offset + 4, true)
  const low = view.getUint32(offset, true)
  return high === 0 && low === 0 ? 0n : (BigInt(high) << 32n) | BigInt(low)
}

/** Whether two byte strings are the same. */
export const equals = (a: Uint8Array, b: Uint8Array): boolean => {
  if (a.length !== b.length) return false
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false
  return true
}

/** Orders byte strings as `memcmp` does, a prefix before what it begins (§6.1). */
export const compare = (a: Uint8Array, b: Uint8Array): number => {
  const length = Math.min(a.length, b.length)
  for (let i = 0; i < length; i++) {
    const difference = (a[i] as number) - (b[i] as number)
    if (difference !== 0) return difference
  }
  return a.length - b.length
}

/** The bytes of all parts, one after the other. */
export const concat = (parts: ReadonlyArray<Uint8Array>): Uint8Array => {
  const joined = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0))
  let at = 0
  for (const part of parts) {
    joined.set(part, at)
    at += part.length
  }
  return joined
}

/** The UTF-8 bytes of a text. */
export const fromText = (text: string): Uint8Array => encoder.encode(text)

/** A string with one character (U+0000…U+00FF) a byte: a key for maps of byte strings. */
export const toKey = (bytes: Uint8Array): string => {
  let key = ""
  for (let i = 0; i < bytes.length; i++) key += String.fromCharCode(bytes[i] as number)
  return key
}

const encoder = new TextEncoder()
