/**
 * The fingerprint of a server's certificate: the SHA-256 of its bytes, as 32 pairs of hexadecimal digits (server §3).
 */

/** Reads a fingerprint, with or without colons, in either case; `undefined` if it is none. The result has colons. */
export const parse = (text: string): string | undefined => {
  const digits = text.trim().replaceAll(":", "").toLowerCase()
  return /^[0-9a-f]{64}$/.test(digits) ? (digits.match(/../g) ?? []).join(":") : undefined
}
