/**
 * Text as it goes to the screen: of an exact width, and harmless.
 *
 * Everything that is drawn passes through `fit`. Whatever an archive holds in names and contents, no control character
 * (C0, C1, bidirectional and other format characters) reaches the terminal.
 */
import { styleText } from "node:util"
import stringWidth from "string-width"

/** Escape sequences for styles. The text must have its final width already. */
export type Style = Parameters<typeof styleText>[0]

/** A text in a style. */
export const styled = (style: Style, text: string): string => styleText(style, text, { validateStream: false })

/** See no-color.org. */
const isPlain = (process.env["NO_COLOR"] ?? "") !== ""

/** A text in a color, for those who want any. */
export const colored = (style: Style, text: string): string => (isPlain ? text : styled(style, text))

const UNSAFE = /[\p{C}\p{Zl}\p{Zp}]/gu
const SUBSTITUTE = "\u00b7"
const ELLIPSIS = "\u2026"
const TAB = 8

/** A text without control characters: tabs are expanded, others become a dot. */
const harmless = (text: string): string => {
  const parts = text.split("\t")
  let expanded = parts[0] ?? ""
  for (const part of parts.slice(1)) expanded += " ".repeat(TAB - (expanded.length % TAB)) + part
  return expanded.replace(UNSAFE, SUBSTITUTE)
}

const graphemes = new Intl.Segmenter(undefined, { granularity: "grapheme" })
const ASCII = /^[\x20-\x7e]*$/

/** Columns that a text takes. */
export const width = (text: string): number => (ASCII.test(text) ? text.length : stringWidth(text))

/** Characters looked at for a column: more of them in one place are not worth drawing. */
const CHARACTERS_A_COLUMN = 8

/** The text in exactly `columns` columns: filled with blanks, or cut with an ellipsis at its end. */
export const fit = (text: string, columns: number): string => {
  if (columns <= 0) return ""
  const short = text.slice(0, (columns + 1) * CHARACTERS_A_COLUMN)
  const safe = harmless(short)
  const taken = width(safe)
  if (taken <= columns && short.length === text.length) return safe + " ".repeat(columns - taken)
  if (ASCII.test(safe)) return safe.slice(0, columns - 1).padEnd(columns - 1) + ELLIPSIS
  let cut = ""
  let used = 0
  for (const { segment } of graphemes.segment(safe)) {
    const more = width(segment)
    if (used + more > columns - 1) break
    cut += segment
    used += more
  }
  return cut + ELLIPSIS + " ".repeat(columns - 1 - used)
}

/** The end of a text, for what is typed or grows to the right. */
export const fitEnd = (text: string, columns: number): string => {
  const safe = harmless(text)
  if (width(safe) <= columns) return fit(safe, columns)
  const kept: Array<string> = []
  let used = 1
  for (const { segment } of [...graphemes.segment(safe)].toReversed()) {
    used += width(segment)
    if (used > columns) break
    kept.unshift(segment)
  }
  return fit(ELLIPSIS + kept.join(""), columns)
}
