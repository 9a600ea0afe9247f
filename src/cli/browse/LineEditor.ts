/**
 * A line of text that is being typed, with a cursor in it.
 */
import type { Key } from "./Keys.ts"

export interface LineEditor {
  readonly before: string
  /** What is to the right of the cursor. */
  readonly after: string
}

/** A line with the cursor at its end. */
export const make = (text = ""): LineEditor => ({ before: text, after: "" })

export const text = ({ after, before }: LineEditor): string => before + after

const LAST = /.$/su
const FIRST = /^./su

/** The line after a key. Keys that mean nothing here leave it as it is. */
export const press = (line: LineEditor, { id, text: typed }: Key): LineEditor => {
  const { after, before } = line
  switch (id) {
    case "backspace":
    case "ctrl-h":
      return { before: before.replace(LAST, ""), after }
    case "delete":
      return { before, after: after.replace(FIRST, "") }
    case "left":
      return { before: before.replace(LAST, ""), after: (LAST.exec(before)?.[0] ?? "") + after }
    case "right":
      return { before: before + (FIRST.exec(after)?.[0] ?? ""), after: after.replace(FIRST, "") }
    case "home":
    case "ctrl-a":
      return { before: "", after: before + after }
    case "end":
    case "ctrl-e":
      return { before: before + after, after: "" }
    case "ctrl-u":
      return { before: "", after }
    case "ctrl-w":
      return { before: before.replace(/[^\s/]*[\s/]*$/u, ""), after }
    default:
      return typed === "" ? line : { before: before + typed, after }
  }
}
