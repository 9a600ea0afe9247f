/**
 * Names between bytes and text: fuse-native passes names, paths and link targets as text.
 *
 * A name passes only if it comes back as the same bytes and no other name becomes the same text. So those that are not
 * UTF-8 do not, nor those with U+FFFD: that is what the bytes of all the others arrive as. Nothing is ever replaced.
 */
import * as Bytes from "../../domain/Bytes.ts"

/** Bytes of the longest name in a listing: the binding cuts longer ones. */
const MAX_NAME = 1023

const REPLACEMENT = "\ufffd"
const strict = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true })

/** The text of bytes that are UTF-8. It only goes out, so that U+FFFD stands for itself. */
export const fromBytes = (bytes: Uint8Array): string | undefined => {
  try {
    return strict.decode(bytes)
  } catch {
    return undefined
  }
}

/** The bytes of a text that came in; `undefined` where they cannot be known. */
export const toBytes = (text: string): Uint8Array | undefined =>
  text.includes(REPLACEMENT) ? undefined : Bytes.fromText(text)

/** Why a name cannot pass, for people; `undefined` for one that can. */
export const obstacle = (name: Uint8Array): string | undefined => {
  const text = fromBytes(name)
  if (text === undefined) return "it is not UTF-8"
  if (text.includes(REPLACEMENT)) return "it contains U+FFFD"
  return name.length > MAX_NAME ? `it is longer than ${MAX_NAME} bytes` : undefined
}
