/**
 * The keys of the browser: what a terminal reports, and what it means.
 *
 * The table is also the help, and the table of docs/cli.md says the same; a test holds the two together.
 */
import * as Option from "effect/Option"
import type * as Terminal from "effect/Terminal"

/** A key that was pressed. */
export interface Key {
  /** A printable character itself, or a name: `up`, `return`, `ctrl-c`, … */
  readonly id: string
  /** The text that it types; empty for keys that type nothing. */
  readonly text: string
}

export type Action =
  | "Up"
  | "Down"
  | "PageUp"
  | "PageDown"
  | "First"
  | "Last"
  | "Open"
  | "Out"
  | "Before"
  | "After"
  | "Versions"
  | "Differ"
  | "Search"
  | "Mark"
  | "Unmark"
  | "Extract"
  | "Details"
  | "Help"
  | "Cancel"
  | "Redraw"
  | "Quit"
  | "Interrupt"

export interface Binding {
  readonly action: Action
  readonly ids: ReadonlyArray<string>
  /** The keys as a person calls them. */
  readonly keys: string
  readonly meaning: string
}

export const bindings: ReadonlyArray<Binding> = [
  { action: "Up", ids: ["up", "k", "ctrl-p"], keys: "↑, k", meaning: "up" },
  { action: "Down", ids: ["down", "j", "ctrl-n"], keys: "↓, j", meaning: "down" },
  { action: "Open", ids: ["right", "l", "return"], keys: "→, l, Enter", meaning: "into a folder; details of others" },
  { action: "Out", ids: ["left", "h", "backspace"], keys: "←, h, Backspace", meaning: "out of the folder" },
  { action: "PageUp", ids: ["pageup", "ctrl-b"], keys: "PgUp", meaning: "a page up" },
  { action: "PageDown", ids: ["pagedown", "ctrl-f"], keys: "PgDn", meaning: "a page down" },
  { action: "First", ids: ["home", "g"], keys: "Home, g", meaning: "to the first" },
  { action: "Last", ids: ["end", "G"], keys: "End, G", meaning: "to the last" },
  { action: "Before", ids: ["["], keys: "[", meaning: "to the same folder in the backup before, in a datastore" },
  { action: "After", ids: ["]"], keys: "]", meaning: "to the same folder in the backup after" },
  { action: "Versions", ids: ["v"], keys: "v", meaning: "to all versions of the current entry, in a datastore" },
  {
    action: "Differ",
    ids: ["d"],
    keys: "d",
    meaning: "what differs between two marked texts, or this one and the one above",
  },
  { action: "Search", ids: ["/"], keys: "/", meaning: "search in this folder as you type; Enter keeps, Esc ends it" },
  { action: "Mark", ids: [" "], keys: "Space", meaning: "mark, or not any more" },
  { action: "Unmark", ids: ["u"], keys: "u", meaning: "nothing is marked any more" },
  { action: "Extract", ids: ["x"], keys: "x", meaning: "extract what is marked, or else the current entry" },
  { action: "Details", ids: ["i"], keys: "i", meaning: "all attributes" },
  { action: "Cancel", ids: ["escape"], keys: "Esc", meaning: "end the search, stop an extraction, close a page" },
  { action: "Redraw", ids: ["ctrl-l"], keys: "Ctrl-L", meaning: "draw everything again" },
  { action: "Help", ids: ["?"], keys: "?", meaning: "help" },
  { action: "Quit", ids: ["q"], keys: "q", meaning: "quit" },
  { action: "Interrupt", ids: ["ctrl-c"], keys: "Ctrl-C", meaning: "quit at once, from everywhere" },
]

const actions = new Map(bindings.flatMap(({ action, ids }) => ids.map((id) => [id, action] as const)))

/** What a key means where nothing is being typed. */
export const actionOf = ({ id }: Key): Action | undefined => actions.get(id)

const PRINTABLE = /^[^\p{C}\p{Zl}\p{Zp}]+$/u

/** A key as the terminal reports it. */
export const fromInput = ({ input, key }: Terminal.UserInput): Key => {
  const text = Option.getOrElse(input, () => "")
  if (key.ctrl) return { id: `ctrl-${key.name}`, text: "" }
  if (key.meta && key.name !== "escape") return { id: `alt-${key.name}`, text: "" }
  if (PRINTABLE.test(text)) return { id: text, text }
  return { id: key.name === "enter" ? "return" : key.name, text: "" }
}
