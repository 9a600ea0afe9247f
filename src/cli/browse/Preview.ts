/**
 * The beginning of an entry, for a look at it: text or hex of a file, names in a folder, where a link points.
 */
import * as PathText from "../../domain/PathText.ts"

export type Preview =
  | { readonly _tag: "Lines"; readonly lines: ReadonlyArray<string> }
  | { readonly _tag: "Hex"; readonly bytes: Uint8Array }
  | { readonly _tag: "Problem"; readonly message: string }

/** Bytes of a file that are looked at. */
export const LENGTH = 16 * 1024

/** What is seen of the first bytes of a file; `complete` if that is all. */
export const ofFile = (bytes: Uint8Array, complete: boolean): Preview => {
  if (bytes.length === 0) return { _tag: "Lines", lines: ["(empty)"] }
  const text = textOf(bytes, complete)
  return text === undefined ? { _tag: "Hex", bytes } : { _tag: "Lines", lines: text.split(/\r?\n/) }
}

/** Control characters that text has: tab, line feed, form feed, carriage return, escape. */
const TEXT_CONTROLS: ReadonlySet<number> = new Set([0x09, 0x0a, 0x0c, 0x0d, 0x1b])

const isBinary = (byte: number): boolean => (byte < 0x20 && !TEXT_CONTROLS.has(byte)) || byte === 0x7f

const decoder = new TextDecoder("utf-8", { fatal: true })

/** The text that the bytes are. A character that the end cuts off is left out. */
const textOf = (bytes: Uint8Array, complete: boolean): string | undefined => {
  if (bytes.some(isBinary)) return undefined
  try {
    return decoder.decode(bytes.subarray(0, bytes.length - (complete ? 0 : cutOff(bytes))))
  } catch {
    return undefined
  }
}

/** Number of bytes at the end that begin a character without ending it. */
const cutOff = (bytes: Uint8Array): number => {
  for (let back = 1; back <= Math.min(3, bytes.length); back++) {
    const byte = bytes[bytes.length - back] as number
    if (byte < 0x80) return 0
    if (byte >= 0xc0) return back < (byte >= 0xf0 ? 4 : byte >= 0xe0 ? 3 : 2) ? back : 0
  }
  return 0
}

/** Lines of a preview for a screen of this size, at most `height` of them. */
export const lines = (preview: Preview, columns: number, height: number): ReadonlyArray<string> => {
  switch (preview._tag) {
    case "Lines":
      return preview.lines.slice(0, height)
    case "Hex":
      return hexLines(preview.bytes, columns, height)
    case "Problem":
      return wrap(preview.message, columns).slice(0, height)
  }
}

/** Characters that a line of hex has besides its bytes, each of which takes four. */
const HEX_FRAME = 11

const hexLines = (bytes: Uint8Array, columns: number, height: number): ReadonlyArray<string> => {
  const perLine = [16, 8, 4].find((count) => HEX_FRAME + 4 * count <= columns) ?? 2
  const lines: Array<string> = []
  for (let at = 0; at < bytes.length && lines.length < height; at += perLine) {
    const part = [...bytes.subarray(at, at + perLine)]
    const hex = part.map((byte) => byte.toString(16).padStart(2, "0")).join(" ")
    const text = part.map((byte) => (byte >= 0x20 && byte < 0x7f ? String.fromCharCode(byte) : ".")).join("")
    lines.push(`${at.toString(16).padStart(8, "0")} ${hex.padEnd(3 * perLine)} ${text}`)
  }
  return lines
}

/** A text in lines of at most `columns` characters (at least one), broken at blanks where there are any. */
export const wrap = (text: string, columns: number): ReadonlyArray<string> => {
  const width = Math.max(1, columns)
  const lines: Array<string> = []
  let rest = text
  while (rest.length > width) {
    const blank = rest.lastIndexOf(" ", width)
    const end = blank > width / 2 ? blank : width
    lines.push(rest.slice(0, end))
    rest = rest.slice(end).trimStart()
  }
  lines.push(rest)
  return lines
}

/** What is seen of a folder: how many entries it has, and the first of them. */
export const ofFolder = (count: number, names: ReadonlyArray<Uint8Array>): Preview => ({
  _tag: "Lines",
  lines: [`${count.toLocaleString("en")} ${count === 1 ? "entry" : "entries"}`, "", ...names.map(PathText.print)],
})

/** What is seen of a symbolic link. */
export const ofSymlink = (target: Uint8Array): Preview => ({
  _tag: "Lines",
  lines: [`symbolic link to ${PathText.print(target)}`],
})
