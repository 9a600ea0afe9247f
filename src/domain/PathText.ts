/**
 * Paths as text: for messages, listings and the command line.
 *
 * Names are bytes. What is printable UTF-8 stands for itself; a backslash is `\\`, and every byte of anything else
 * (control and format characters, bytes that are not UTF-8) is `\xHH`. Of the format characters the joiners of scripts and
 * emoji stand for themselves where they join. `parse` is the inverse of `print`.
 *
 * `safe` is for texts that are not names, or have names in them: it leaves backslashes alone, and has no inverse.
 */
import * as Bytes from "./Bytes.ts"

/**
 * What does not stand for itself: control, format, private, unassigned and surrogate characters, line and paragraph
 * separators. A joiner (U+200C, U+200D) does between two characters that are not ASCII, as families of emoji and Persian
 * and Indian names have it.
 */
const UNSAFE = String.raw`[[\p{C}\p{Zl}\p{Zp}]--[\u200c\u200d]]|(?<![^\p{ASCII}\p{C}])[\u200c\u200d]|[\u200c\u200d](?![^\p{ASCII}\p{C}])`

const unsafe = new RegExp(UNSAFE, "v")
const unsafeOrBackslash = new RegExp(String.raw`\\|${UNSAFE}`, "v")
const allUnsafe = new RegExp(UNSAFE, "gv")
const allUnsafeOrBackslash = new RegExp(String.raw`\\|${UNSAFE}`, "gv")

/** Text of a name or path. Every text it returns is printable and is turned back into the same bytes by `parse`. */
export const print = (bytes: Uint8Array): string => {
  const text = decoder.decode(bytes)
  // A replacement character may stand for itself, or for bytes that are no text.
  const exact = text.includes("\ufffd") ? Bytes.toText(bytes) : text
  return unsafeOrBackslash.test(exact) ? exact.replace(allUnsafeOrBackslash, escape) : exact
}

/** Whether `length` bytes from `at` on are printable ASCII without a backslash: `print` leaves them as they are. */
export const isPlain = (bytes: Uint8Array, at: number, length: number): boolean => {
  for (let index = at; index < at + length; index++) {
    const byte = bytes[index] as number
    if (byte < 0x20 || byte > 0x7e || byte === 0x5c) return false
  }
  return true
}

/** A text that a terminal or a log may be given: what it could do there is shown as `\xHH`. */
export const safe = (text: string): string => (unsafe.test(text) ? text.replace(allUnsafe, escape) : text)

/** The same JSON, in which characters that a terminal would not just show are `\uHHHH`. */
export const safeJson = (json: string): string =>
  unsafe.test(json)
    ? json.replace(allUnsafe, (character) =>
        Array.from({ length: character.length }, (_, i) => `\\u${hex(character.charCodeAt(i), 4)}`).join(""),
      )
    : json

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
const decoder = new TextDecoder("utf-8", { ignoreBOM: true })

const escape = (character: string): string =>
  character === "\\" ? "\\\\" : Array.from(Bytes.fromText(character), (byte) => `\\x${hex(byte, 2)}`).join("")

const hex = (number: number, digits: number): string => number.toString(16).padStart(digits, "0")
