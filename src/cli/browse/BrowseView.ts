/**
 * How the browser looks: its state as the lines of a screen. Pure.
 *
 * Only what is on the screen is formatted, and everything goes through `ScreenText.fit`.
 */
import type { Entry } from "../../domain/pxar/Entry.ts"
import * as EntryKind from "../../domain/pxar/EntryKind.ts"
import * as PathText from "../../domain/PathText.ts"
import * as Stat from "../../domain/pxar/Stat.ts"
import type * as TreeWalk from "../../services/tree/TreeWalk.ts"
import * as LongListing from "../archive/LongListing.ts"
import * as Progress from "../Progress.ts"
import * as BrowseState from "./BrowseState.ts"
import * as Layout from "./Layout.ts"
import type * as LineEditor from "./LineEditor.ts"
import * as OpenFolder from "./OpenFolder.ts"
import * as Preview from "./Preview.ts"
import * as ScreenText from "./ScreenText.ts"

export interface Frame {
  /** A line for each row, of the screen's width, with escape sequences for styles. */
  readonly lines: ReadonlyArray<string>
  /** Where text is typed: row and column, from 1. */
  readonly cursor: readonly [row: number, column: number] | undefined
  /** Everything is to be drawn when this changes. */
  readonly generation: string
}

export const frame = (state: BrowseState.State): Frame => {
  const { columns, rows } = state.size
  const [bottom, cursor] = bottomLine(state)
  const lines = [topLine(state), ...body(state), bottom]
  return {
    // A screen of less than three rows shows what fits.
    lines: lines.slice(0, rows),
    cursor: cursor === undefined ? undefined : [Math.min(rows, lines.length), cursor],
    generation: `${columns} ${rows} ${state.redraws}`,
  }
}

const topLine = (state: BrowseState.State): string => {
  const { archive, marks, mode, size } = state
  const folder = BrowseState.folder(state)
  const count = OpenFolder.count(folder)
  const place =
    mode._tag === "Reading"
      ? ""
      : `${count === 0 ? 0 : (folder.cursor + 1).toLocaleString("en")}/${count.toLocaleString("en")}`
  const right = `${marks.size === 0 ? "" : `${marks.size.toLocaleString("en")} marked  `}${place} `
  const left = ` ${archive}: ${mode._tag === "Reading" ? mode.title : PathText.print(folder.found.path)}`
  const room = size.columns - right.length
  return room < 10
    ? ScreenText.styled("inverse", ScreenText.fitEnd(left, size.columns))
    : ScreenText.styled("inverse", ScreenText.fitEnd(left, room) + ScreenText.fit(right, right.length))
}

const body = (state: BrowseState.State): ReadonlyArray<string> => {
  const { columns, height, listColumns, previewColumns } = Layout.of(state.size)
  const { mode } = state
  if (mode._tag === "Reading") {
    const lines = BrowseState.pageLines(mode.lines, state).slice(mode.top, mode.top + height)
    return Array.from({ length: height }, (_, row) => ScreenText.fit(lines[row] ?? "", columns))
  }
  const list = listLines(state, listColumns, height)
  if (previewColumns === 0) return list
  const preview = previewLines(state, previewColumns, height)
  // The column is set, not counted: not every terminal agrees on the width of every character.
  const separator = `\u001b[${listColumns + 1}G ${ScreenText.styled("dim", "\u2502")} `
  return list.map((line, row) => line + separator + ScreenText.fit(preview[row] ?? "", previewColumns))
}

const listLines = (state: BrowseState.State, columns: number, height: number): ReadonlyArray<string> => {
  const folder = BrowseState.folder(state)
  const numbers = OpenFolder.onScreen(folder, height)
  const blank = " ".repeat(columns)
  const lines = numbers.map((number, row) => {
    const item = folder.items.get(number)
    const isCurrent = folder.top + row === folder.cursor
    return item === undefined ? blank : itemLine(item, BrowseState.isMarked(state, item), isCurrent, columns)
  })
  if (lines.length === 0) lines.push(...emptyLines(folder, columns, height))
  while (lines.length < height) lines.push(blank)
  return lines
}

/** What stands in the place of entries. */
const emptyLines = (
  { contents, search }: OpenFolder.OpenFolder,
  columns: number,
  height: number,
): ReadonlyArray<string> => {
  switch (contents._tag) {
    case "Unknown":
      return [ScreenText.styled("dim", ScreenText.fit("  …", columns))]
    case "Unreadable":
      return Preview.wrap(`This folder cannot be read: ${contents.error.message}`, columns - 2)
        .slice(0, height)
        .map((line) => ScreenText.colored("red", ScreenText.fit(`  ${line}`, columns)))
    case "Known":
      return [ScreenText.fit(search === undefined ? "  (empty)" : "  (nothing of that name)", columns)]
  }
}

const styles: Readonly<Record<EntryKind.EntryKind, ScreenText.Style>> = {
  directory: ["bold", "blue"],
  file: [],
  symlink: "cyan",
  fifo: "yellow",
  socket: "yellow",
  chardev: "yellow",
  blockdev: "yellow",
}

const styleOf = (item: TreeWalk.Item): ScreenText.Style => {
  if (item._tag === "Unreadable") return "red"
  const kind = EntryKind.of(item.entry)
  return kind === "file" && (item.entry.mode & 0o111) !== 0 ? "green" : styles[kind]
}

/** Columns of a size and of a time with a blank before each, and those that a list must have to show them. */
const SIZE = 9
const TIME = 17
const MIN_FOR_SIZE = 30
const MIN_FOR_TIME = 50

const itemLine = (item: TreeWalk.Item, isMarked: boolean, isCurrent: boolean, columns: number): string => {
  const facts = item._tag === "Found" ? factsOf(item.entry, columns) : ""
  const lead = `${isCurrent ? ">" : " "}${isMarked ? "*" : " "}`
  const name = ScreenText.colored(styleOf(item), ScreenText.fit(nameText(item), columns - lead.length - facts.length))
  const line = lead + name + facts
  return isCurrent ? ScreenText.styled("inverse", line) : line
}

const nameText = (item: TreeWalk.Item): string => {
  const name = PathText.print(item.name)
  if (item._tag === "Unreadable") return `${name}  (damaged)`
  return item.entry.body._tag === "Directory" ? `${name}/` : name + LongListing.suffix(item)
}

const factsOf = (entry: Entry, columns: number): string => {
  if (columns < MIN_FOR_SIZE) return ""
  const size = entry.body._tag === "File" ? Progress.formatBytes(Stat.sizeOf(entry)) : ""
  const time = columns < MIN_FOR_TIME ? "" : ` ${LongListing.time(entry).slice(0, TIME - 1)}`
  return size.padStart(SIZE) + time.padEnd(columns < MIN_FOR_TIME ? 0 : TIME)
}

const previewLines = (state: BrowseState.State, columns: number, height: number): ReadonlyArray<string> => {
  const item = BrowseState.current(state)
  if (item === undefined) return []
  const key = item._tag === "Found" ? BrowseState.previewKey(item) : undefined
  const preview: Preview.Preview | undefined =
    item._tag === "Unreadable"
      ? { _tag: "Problem", message: item.error.message }
      : state.preview?.key === key
        ? state.preview?.content
        : undefined
  return preview === undefined ? [] : Preview.lines(preview, columns, height)
}

const HINTS = " ? help  / search  Space mark  x extract  i details  q quit"

/** The last line, and the column of the cursor in it. */
const bottomLine = (state: BrowseState.State): readonly [string, number | undefined] => {
  const { columns } = state.size
  const { mode } = state
  switch (mode._tag) {
    case "Searching":
      return inputLine(`${searchState(state)}/`, mode.line, columns)
    case "Asking": {
      const count = mode.paths.length
      const what = count === 1 ? PathText.print(mode.paths[0] as Uint8Array) : `${count.toLocaleString("en")} entries`
      return inputLine(
        ` extract ${ScreenText.fitEnd(what, Math.min(ScreenText.width(what), columns >> 2))} into: `,
        mode.line,
        columns,
      )
    }
    case "Reading":
      return [ScreenText.styled("dim", ScreenText.fit(" Esc closes this page", columns)), undefined]
    case "Looking": {
      const { search } = BrowseState.folder(state)
      const said = state.message || state.progress
      if (said !== "") return [ScreenText.fit(` ${said}`, columns), undefined]
      if (search !== undefined) {
        return [ScreenText.fit(`${searchState(state)}/${search.text}   (Esc shows all)`, columns), undefined]
      }
      return [ScreenText.styled("dim", ScreenText.fit(HINTS, columns)), undefined]
    }
  }
}

/** How far the names of a large folder are known. */
const searchState = (state: BrowseState.State): string => {
  const folder = BrowseState.folder(state)
  const count = OpenFolder.slots(folder).length
  return folder.names.length >= count ? " " : ` ${Math.floor((100 * folder.names.length) / count)} % `
}

const inputLine = (
  label: string,
  { after, before }: LineEditor.LineEditor,
  columns: number,
): readonly [string, number] => {
  const room = Math.max(1, columns - ScreenText.width(label) - 1)
  const typed = ScreenText.width(before) <= room ? before : ScreenText.fitEnd(before, room)
  const at = ScreenText.width(label) + ScreenText.width(typed) + 1
  return [ScreenText.fit(label + typed + after, columns), Math.min(columns, at)]
}
