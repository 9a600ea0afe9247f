/**
 * What keys do to the browser's state. Pure.
 */
import * as Bytes from "../../domain/Bytes.ts"
import * as ExitCode from "../ExitCode.ts"
import * as BrowseState from "./BrowseState.ts"
import * as Details from "./Details.ts"
import * as Keys from "./Keys.ts"
import * as Layout from "./Layout.ts"
import * as LineEditor from "./LineEditor.ts"
import * as OpenFolder from "./OpenFolder.ts"

/** The state after a key. */
export const press = (state: BrowseState.State, key: Keys.Key): BrowseState.State => {
  const action = Keys.actionOf(key)
  if (action === "Interrupt") return { ...state, ended: ExitCode.INTERRUPTED }
  if (action === "Redraw") return { ...state, redraws: state.redraws + 1 }
  switch (state.mode._tag) {
    case "Looking":
      return action === undefined ? state : look(state, action)
    case "Searching":
      return type(state, state.mode.line, key)
    case "Asking":
      return answer(state, state.mode, key)
    case "Reading":
      return read(state, state.mode, action)
  }
}

const look = (state: BrowseState.State, action: Keys.Action): BrowseState.State => {
  const shown = BrowseState.folder(state)
  const { height } = Layout.of(state.size)
  const move = (index: number): BrowseState.State => BrowseState.withFolder(state, OpenFolder.moveTo(shown, index))
  switch (action) {
    case "Up":
      return move(shown.cursor - 1)
    case "Down":
      return move(shown.cursor + 1)
    case "PageUp":
      return move(shown.cursor - height)
    case "PageDown":
      return move(shown.cursor + height)
    case "First":
      return move(0)
    case "Last":
      return move(OpenFolder.count(shown) - 1)
    case "Open":
      return open(state)
    case "Out":
      return out(state)
    case "Before":
      return { ...state, step: -1 }
    case "After":
      return { ...state, step: 1 }
    case "Versions":
      return versions(state)
    case "Differ":
      return differ(state)
    case "Search":
      return search(state, LineEditor.make(shown.search?.text))
    case "Mark":
      return mark(state)
    case "Unmark":
      return { ...state, marks: new Map() }
    case "Extract":
      return ask(state)
    case "Details":
      return details(state)
    case "Help":
      return { ...state, mode: BrowseState.page("Keys", helpLines) }
    case "Cancel":
      return cancel(state)
    case "Quit":
      return state.job === undefined
        ? { ...state, ended: ExitCode.SUCCESS }
        : { ...state, message: "still extracting: Esc stops it, Ctrl-C quits at once" }
    case "Interrupt":
    case "Redraw":
      return state
  }
}

const versions = (state: BrowseState.State): BrowseState.State => {
  const item = BrowseState.current(state)
  return item === undefined ? state : { ...state, step: { versionsOf: item.path } }
}

/** The two marked ones in the order of their paths; or the current one and the one above. */
const differ = (state: BrowseState.State): BrowseState.State => {
  const shown = BrowseState.folder(state)
  const above = shown.items.get(OpenFolder.numberAt(shown, shown.cursor - 1))
  const here = BrowseState.current(state)
  const [older, newer, ...more] =
    state.marks.size > 0
      ? [...state.marks.values()].toSorted(Bytes.compare)
      : [above, here].flatMap((item) => (item === undefined ? [] : [item.path]))
  return older === undefined || newer === undefined || more.length > 0
    ? { ...state, message: "mark the two texts that are to be compared" }
    : { ...state, compared: [older, newer] }
}

const open = (state: BrowseState.State): BrowseState.State => {
  const item = BrowseState.current(state)
  return item?._tag === "Found" && item.entry.body._tag === "Directory"
    ? { ...state, folders: [...state.folders, OpenFolder.make(item)] }
    : details(state)
}

const out = (state: BrowseState.State): BrowseState.State => {
  const [root, ...below] = state.folders
  return below.length === 0 ? state : { ...state, folders: [root, ...below.slice(0, -1)] }
}

const details = (state: BrowseState.State): BrowseState.State => {
  const item = BrowseState.current(state)
  return item === undefined ? state : { ...state, mode: BrowseState.page("Details", Details.lines(item)) }
}

const mark = (state: BrowseState.State): BrowseState.State => {
  const item = BrowseState.current(state)
  if (item === undefined) return state
  if (item._tag === "Unreadable") return { ...state, message: "this entry is damaged and cannot be extracted" }
  const marks = new Map(state.marks)
  const key = Bytes.toKey(item.path)
  if (!marks.delete(key)) marks.set(key, item.path)
  return look({ ...state, marks }, "Down")
}

const cancel = (state: BrowseState.State): BrowseState.State => {
  if (BrowseState.folder(state).search !== undefined)
    return BrowseState.withFolder(state, OpenFolder.endSearch(BrowseState.folder(state)))
  if (state.job === undefined) return state
  const message = `stopped; what was extracted by then is in ${state.job.target}, no file is half written`
  return { ...state, job: undefined, progress: "", message }
}

const search = (state: BrowseState.State, line: LineEditor.LineEditor): BrowseState.State => ({
  ...BrowseState.withFolder(state, OpenFolder.search(BrowseState.folder(state), LineEditor.text(line))),
  mode: { _tag: "Searching", line },
})

/** A key while a search is typed. Those that move in the list do so. */
const type = (state: BrowseState.State, line: LineEditor.LineEditor, key: Keys.Key): BrowseState.State => {
  switch (key.id) {
    case "escape":
      return {
        ...BrowseState.withFolder(state, OpenFolder.endSearch(BrowseState.folder(state))),
        mode: BrowseState.LOOKING,
      }
    case "return":
      return LineEditor.text(line) === ""
        ? cancel({ ...state, mode: BrowseState.LOOKING })
        : { ...state, mode: BrowseState.LOOKING }
    case "up":
    case "down":
    case "pageup":
    case "pagedown":
      return look(state, Keys.actionOf(key) ?? "Redraw")
    default:
      return search(state, LineEditor.press(line, key))
  }
}

const ask = (state: BrowseState.State): BrowseState.State => {
  if (state.job !== undefined) return { ...state, message: "still extracting: Esc stops it" }
  const item = BrowseState.current(state)
  const here = item === undefined ? [] : [item]
  const paths = state.marks.size > 0 ? [...state.marks.values()] : here.map(({ path }) => path)
  if (paths.length === 0) return { ...state, message: "nothing to extract here" }
  if (state.marks.size === 0 && item?._tag === "Unreadable") return mark(state)
  return { ...state, mode: { _tag: "Asking", line: LineEditor.make(state.target), paths } }
}

const answer = (
  state: BrowseState.State,
  { line, paths }: Extract<BrowseState.Mode, { _tag: "Asking" }>,
  key: Keys.Key,
): BrowseState.State => {
  switch (key.id) {
    case "escape":
      return { ...state, mode: BrowseState.LOOKING }
    case "return": {
      const target = LineEditor.text(line)
      if (target === "") return state
      return { ...state, mode: BrowseState.LOOKING, marks: new Map(), target, job: { target, paths } }
    }
    default:
      return { ...state, mode: { _tag: "Asking", line: LineEditor.press(line, key), paths } }
  }
}

const read = (
  state: BrowseState.State,
  mode: Extract<BrowseState.Mode, { _tag: "Reading" }>,
  action: Keys.Action | undefined,
): BrowseState.State => {
  const { height } = Layout.of(state.size)
  const last = Math.max(0, BrowseState.pageLines(mode.lines, state).length - height)
  const to = (top: number): BrowseState.State => ({
    ...state,
    mode: { ...mode, top: Math.max(0, Math.min(top, last)) },
  })
  switch (action) {
    case "Up":
      return to(mode.top - 1)
    case "Down":
      return to(mode.top + 1)
    case "PageUp":
      return to(mode.top - height)
    case "PageDown":
    case "Mark":
      return to(mode.top + height)
    case "First":
      return to(0)
    case "Last":
      return to(last)
    case "Open":
    case "Out":
    case "Details":
    case "Help":
    case "Cancel":
    case "Quit":
      return { ...state, mode: BrowseState.LOOKING }
    default:
      return state
  }
}

const helpLines = Keys.bindings.map(({ keys, meaning }) => `${keys.padEnd(20)}${meaning}`)
