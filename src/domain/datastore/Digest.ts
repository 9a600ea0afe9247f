/**
 * Digests of 32 bytes and their texts: 64 hexadecimal digits for a chunk, pairs joined by colons for a key's fingerprint
 * (datastore §0).
 */

/** Bytes of a SHA-256. */
export const SIZE = 32

/** Lower-case hexadecimal digits, two a byte. */
export const toHex = (bytes: Uint8Array): string => {
  let text = ""
  for (let i = 0; i < bytes.length; i++) text += PAIRS[bytes[i] as number]
  return text
}

/** The bytes of 64 hexadecimal digits of either case; `undefined` for any other text. */
export const fromHex = (text: string): Uint8Array | undefined =>
  /^[0-9a-fA-F]{64}$/.test(text)
    ? Uint8Array.from({ length: SIZE }, (_, i) => Number.parseInt(text.slice(2 * i, 2 * i + 2), 16))
    : undefined

/** Text of a fingerprint: 32 lower-case pairs joined by colons. */
export const toFingerprint = (bytes: Uint8Array): string => Array.from(bytes, (byte) => PAIRS[byte] as string).join(":")

/** The bytes of a fingerprint's text, with or without colons, of either case; `undefined` for any other text. */
export const fromFingerprint = (text: string): Uint8Array | undefined => fromHex(text.replaceAll(":", ""))

/** The first 8 bytes of a fingerprint's text, which is how one is shown where there is little room. */
export const shortFingerprint = (fingerprint: string): string => fingerprint.slice(0, 23)

const PAIRS: ReadonlyArray<string> = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, "0"))
