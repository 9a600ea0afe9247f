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
export const fromText = (text: string): Uint8Array => {
  if (text.isWellFormed()) return encoder.encode(text)
  const parts: Array<Uint8Array> = []
  let from = 0
  for (const { 0: byte, index } of text.matchAll(/(?<![\ud800-\udbff])[\udc80-\udcff]/g)) {
    parts.push(encoder.encode(text.slice(from, index)), Uint8Array.of(byte.charCodeAt(0) - LONE))
    from = index + 1
  }
  parts.push(encoder.encode(text.slice(from)))
  return concat(parts)
}

/**
 * Text of bytes that may not be UTF-8, which `fromText` turns back into the same bytes: where they are not, each byte is a
 * lone surrogate (U+DC80…U+DCFF). For words that go through code which knows texts only.
 */
export const toText = (bytes: Uint8Array): string => {
  try {
    return strict.decode(bytes)
  } catch {
    return toTextByParts(bytes)
  }
}

const toTextByParts = (bytes: Uint8Array): string => {
  let text = ""
  for (let at = 0; at < bytes.length;) {
    const length = sequenceLength(bytes, at)
    text +=
      length === 0 ? String.fromCharCode(LONE + (bytes[at] as number)) : decoder.decode(bytes.subarray(at, at + length))
    at += Math.max(1, length)
  }
  return text
}

/** What a byte that is not UTF-8 is added to. */
const LONE = 0xdc00

/** Bytes of the UTF-8 sequence at `at`; 0 if there is none. */
const sequenceLength = (bytes: Uint8Array, at: number): number => {
  const first = bytes[at] as number
  const length = first < 0x80 ? 1 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4
  try {
    strict.decode(bytes.subarray(at, at + length))
    return length
  } catch {
    return 0
  }
}

const decoder = new TextDecoder("utf-8", { ignoreBOM: true })
const strict = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true })

/** A string with one character (U+0000…U+00FF) a byte: a key for maps of byte strings. */
export const toKey = (bytes: Uint8Array): string => {
  let key = ""
  for (let i = 0; i < bytes.length; i++) key += String.fromCharCode(bytes[i] as number)
  return key
}

const encoder = new TextEncoder()
