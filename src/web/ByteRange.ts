/**
 * The `Range` header (RFC 9110 §14): one range of bytes. Pure.
 *
 * Several ranges at once are answered with the whole, which the standard allows: nobody who reads backups needs them, and
 * many small ones cost a server more than they cost who asks.
 */

/** A part of a content. */
export interface ByteRange {
  /** Bytes. */
  readonly start: number
  readonly length: number
}

/** The range that is meant; `undefined` for the whole, `"unsatisfiable"` where it begins behind the end. */
export const parse = (header: string | undefined, size: number): ByteRange | "unsatisfiable" | undefined => {
  const [, first = "", last = ""] = /^bytes=\s*(\d{0,15})-(\d{0,15})\s*$/.exec(header ?? "") ?? []
  if (first === "" && last === "") return undefined
  if (first === "") {
    const length = Math.min(Number(last), size)
    return length === 0 ? "unsatisfiable" : { start: size - length, length }
  }
  const start = Number(first)
  if (last !== "" && Number(last) < start) return undefined
  if (start >= size) return "unsatisfiable"
  const end = last === "" ? size : Math.min(Number(last) + 1, size)
  return { start, length: end - start }
}
