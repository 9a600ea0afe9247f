/**
 * What events make of the browser's state. Pure.
 *
 * Answers that come late are taken or ignored by what they are about, never by their order.
 */
import type * as TreeWalk from "../../services/tree/TreeWalk.ts"
import * as ExitCode from "../ExitCode.ts"
import * as BrowseKeys from "./BrowseKeys.ts"
import * as BrowseState from "./BrowseState.ts"
import type * as Difference from "./Difference.ts"
import type * as Keys from "./Keys.ts"
import * as Layout from "./Layout.ts"
import * as OpenFolder from "./OpenFolder.ts"
import type * as OtherBackup from "./OtherBackup.ts"
import type * as Preview from "./Preview.ts"

export type Event =
  | { readonly _tag: "Key"; readonly key: Keys.Key }
  | { readonly _tag: "Resized"; readonly size: Layout.Size }
  | { readonly _tag: "InputEnded" }
  | { readonly _tag: "Contents"; readonly folder: TreeWalk.Found; readonly contents: OpenFolder.Contents }
  | {
      readonly _tag: "Items"
      readonly folder: TreeWalk.Found
      readonly items: ReadonlyArray<readonly [number: number, item: TreeWalk.Item]>
    }
  | {
      readonly _tag: "Names"
      readonly folder: TreeWalk.Found
      readonly from: number
      readonly names: ReadonlyArray<string>
    }
  | { readonly _tag: "OtherBackup"; readonly folder: TreeWalk.Found; readonly found: OtherBackup.Found }
  | { readonly _tag: "Difference"; readonly pair: Difference.Pair; readonly lines: ReadonlyArray<string> }
  | { readonly _tag: "Preview"; readonly key: string; readonly content: Preview.Preview }
  | { readonly _tag: "Progress"; readonly job: BrowseState.Job; readonly text: string }
  /** An extraction has ended: a line about it and, if there were problems, what they were. */
  | {
      readonly _tag: "Extracted"
      readonly job: BrowseState.Job
      readonly message: string
      readonly problems: ReadonlyArray<string>
    }

export const update = (state: BrowseState.State, event: Event): BrowseState.State => {
  const next = apply(state, event)
  if (next === state) return state
  const shown = BrowseState.folder(next)
  const scrolled = OpenFolder.scroll(shown, Layout.of(next.size).height)
  return scrolled === shown ? next : BrowseState.withFolder(next, scrolled)
}

const apply = (state: BrowseState.State, event: Event): BrowseState.State => {
  switch (event._tag) {
    case "Key":
      return BrowseKeys.press({ ...state, message: "", compared: undefined }, event.key)
    case "Resized":
      return { ...state, size: event.size }
    case "InputEnded":
      return { ...state, ended: ExitCode.SUCCESS }
    case "Contents":
      return change(state, event.folder, (folder) => OpenFolder.withContents(folder, event.contents))
    case "Items":
      return change(state, event.folder, (folder) => OpenFolder.withItems(folder, event.items))
    case "Names":
      return change(state, event.folder, (folder) => OpenFolder.withNames(folder, event.from, event.names))
    case "OtherBackup":
      return stepped(state, event.folder, event.found)
    case "Difference":
      return event.pair === state.compared
        ? { ...state, compared: undefined, mode: BrowseState.page("What differs", event.lines) }
        : state
    case "Preview":
      return previewed(state, event.key, event.content)
    case "Progress":
      return event.job === state.job ? { ...state, progress: event.text } : state
    case "Extracted":
      return event.job === state.job ? finished(state, event.message, event.problems) : state
  }
}

/** Changes a folder on the way to the one that is shown, if it is still there. */
const change = (
  state: BrowseState.State,
  { node }: TreeWalk.Found,
  f: (folder: OpenFolder.OpenFolder) => OpenFolder.OpenFolder,
): BrowseState.State => {
  const [root, ...below] = state.folders
  const changed = (folder: OpenFolder.OpenFolder) => (folder.found.node.id === node.id ? f(folder) : folder)
  return { ...state, folders: [changed(root), ...below.map(changed)] }
}

/** Goes to the other backup, unless another folder is shown by now. */
const stepped = (
  state: BrowseState.State,
  { node }: TreeWalk.Found,
  { folders, message }: OtherBackup.Found,
): BrowseState.State => {
  const there = { ...state, step: undefined }
  if (BrowseState.folder(state).found.node.id !== node.id) return there
  return folders.length === 0
    ? { ...there, message }
    : { ...there, message, folders: [state.folders[0], ...folders.map(OpenFolder.make)] }
}

/** Takes a preview, unless the cursor is somewhere else by now. */
const previewed = (state: BrowseState.State, key: string, content: Preview.Preview): BrowseState.State => {
  const item = BrowseState.current(state)
  return item?._tag === "Found" && BrowseState.previewKey(item) === key
    ? { ...state, preview: { key, content } }
    : state
}

const finished = (state: BrowseState.State, message: string, problems: ReadonlyArray<string>): BrowseState.State => {
  const done = { ...state, job: undefined, progress: "", message }
  return problems.length === 0 || state.mode._tag !== "Looking"
    ? done
    : { ...done, mode: BrowseState.page(message, problems) }
}
