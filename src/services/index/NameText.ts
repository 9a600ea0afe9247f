/**
 * Names as the database keeps them: as text where they are UTF-8, as bytes where they are not, so that each is had back
 * exactly. Beside that a text to be searched in, in which large and small letters are the same.
 */
import * as Bytes from "../../domain/Bytes.ts"

/** A name in a column: a text is its UTF-8 bytes, and bytes are never UTF-8. */
export type Stored = string | Uint8Array

const strict = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true })

/** A name for a column. */
export const toStored = (name: Uint8Array): Stored => {
  const text = Buffer.from(name.buffer, name.byteOffset, name.length).toString()
  if (!text.includes("\ufffd")) return text
  try {
    return strict.decode(name)
  } catch {
    return name.slice()
  }
}

/** The name in a column. */
export const fromStored = (stored: Stored): Uint8Array =>
  typeof stored === "string" ? Bytes.fromText(stored) : new Uint8Array(stored)

/** A key for maps: another for each name. No name has a NUL (N3 of §7). */
export const key = (stored: Stored): string =>
  typeof stored === "string" ? stored : `\0${Buffer.from(stored).toString("latin1")}`

/** What a byte that is not UTF-8 is added to in a text that is searched: SQLite's texts have no lone surrogates. */
const PRIVATE = 0xf_0000

/** The text that a name is found by. */
export const searched = (stored: Stored): string =>
  fold(typeof stored === "string" ? stored : (mapped(Bytes.toText(stored)) ?? ""))

/** A text with other characters for bytes that are not UTF-8; `undefined` if it has halves of characters besides. */
const mapped = (text: string): string | undefined => {
  const changed = text.replaceAll(/(?<![\ud800-\udbff])[\udc80-\udcff]/g, (byte) =>
    String.fromCodePoint(PRIVATE + byte.charCodeAt(0) - 0xdc00),
  )
  return changed.isWellFormed() ? changed : undefined
}

/**
 * Large letters as small ones, each by itself: whatever a text contains, its folded form contains the folded form of that.
 * The final sigma is the one letter that `toLowerCase` treats by what is around it.
 */
const fold = (text: string): string => text.toLowerCase().replaceAll("ς", "σ")

/** Most parts that are asked for: more make an answer no smaller. */
const MAX_PARTS = 24

/**
 * Parts of three characters that `searched` of each name has which contains `text`, whatever the case of its letters; none
 * if it is shorter.
 */
export const trigrams = (text: string): ReadonlyArray<string> => {
  const whole = mapped(text)
  if (whole === undefined) return []
  const characters = [...fold(whole)]
  const parts = new Set<string>()
  const count = characters.length - 2
  for (let at = 0; at < count && parts.size < MAX_PARTS; at++) parts.add(characters.slice(at, at + 3).join(""))
  return [...parts]
}
