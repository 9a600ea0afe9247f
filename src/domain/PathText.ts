/**
 * Paths as text: for messages, listings and the command line.
 *
 * Names are bytes. What is printable UTF-8 stands for itself; a backslash is `\\`, and every byte of anything else
 * (control and format characters, bytes that are not UTF-8) is `\xHH`. `parse` is the inverse of `print`.
 */
import * as Bytes from "./Bytes.ts"

/** Text of a name or path. Every text it returns is printable and is turned back into the same bytes by `parse`. */
export const print = (bytes: Uint8Array): string => {
  const text = decoder.decode(bytes)
  if (!text.includes("\ufffd") && !unsafe.test(text)) return text
  let printed = ""
  for (let at = 0; at < bytes.length;) {
    const length = sequenceLength(bytes[at] as number)
    const sequence = bytes.subarray(at, at + length)
    const character = strictDecode(sequence)
    if (character === undefined) {
      printed += escapeByte(bytes[at] as number)
      at += 1
      continue
    }
    if (character === "\\") printed += "\\\\"
    else if (unsafe.test(character)) for (const byte of sequence) printed += escapeByte(byte)
    else printed += character
    at += length
  }
  return printed
}

/** Bytes of a text as `print` makes it. A backslash that begins neither `\\` nor `\xHH` stands for itself. */
export const parse = (text: string): Uint8Array => {
  const parts: Array<Uint8Array> = []
  let from = 0
  for (const match of text.matchAll(/\\(?:\\|x([0-9a-fA-F]{2}))/g)) {
    parts.push(Bytes.fromText(text.slice(from, match.index)))
    parts.push(match[1] === undefined ? BACKSLASH : Uint8Array.of(Number.parseInt(match[1], 16)))
    from = match.index + match[0].length
  }
  parts.push(Bytes.fromText(text.slice(from)))
  return Bytes.concat(parts)
}

const BACKSLASH = Uint8Array.of(0x5c)
const unsafe = /[\p{C}\p{Zl}\p{Zp}\\]/u
const decoder = new TextDecoder("utf-8", { ignoreBOM: true })
const strict = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true })

const escapeByte = (byte: number): string => `\\x${byte.toString(16).padStart(2, "0")}`

const sequenceLength = (first: number): number => (first < 0x80 ? 1 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4)

const strictDecode = (sequence: Uint8Array): string | undefined => {
  try {
    return strict.decode(sequence)
  } catch {
    return undefined
  }
}
