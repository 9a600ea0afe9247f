/**
 * The browser without a terminal and without an archive: all that it knows, as a value.
 *
 * `BrowseUpdate` says what events make of it, `BrowseView` how it looks, and `Wants` what it would like to know next.
 */
import * as Bytes from "../../domain/Bytes.ts"
import type * as TreeWalk from "../../services/tree/TreeWalk.ts"
import type * as Difference from "./Difference.ts"
import type * as Layout from "./Layout.ts"
import type * as LineEditor from "./LineEditor.ts"
import * as OpenFolder from "./OpenFolder.ts"
import type * as OtherBackup from "./OtherBackup.ts"
import * as Preview from "./Preview.ts"

/** What is to be extracted, and where to. */
export interface Job {
  readonly target: string
  readonly paths: ReadonlyArray<Uint8Array>
}

/** What keys are about. */
export type Mode =
  | { readonly _tag: "Looking" }
  | { readonly _tag: "Searching"; readonly line: LineEditor.LineEditor }
  /** Asking where to extract to. */
  | { readonly _tag: "Asking"; readonly line: LineEditor.LineEditor; readonly paths: ReadonlyArray<Uint8Array> }
  /** A page of text in front of everything. */
  | { readonly _tag: "Reading"; readonly title: string; readonly lines: ReadonlyArray<string>; readonly top: number }

export interface State {
  /** Name of the archive. */
  readonly archive: string
  readonly size: Layout.Size
  /** From the root to the folder that is shown. */
  readonly folders: readonly [OpenFolder.OpenFolder, ...ReadonlyArray<OpenFolder.OpenFolder>]
  /** The backup before or after is wanted in place of the one that is shown. */
  readonly step: OtherBackup.Step | undefined
  /** What differs between two texts is wanted. */
  readonly compared: Difference.Pair | undefined
  readonly mode: Mode
  /** Paths by `Bytes.toKey`. */
  readonly marks: ReadonlyMap<string, Uint8Array>
  readonly preview: { readonly key: string; readonly content: Preview.Preview } | undefined
  /** The extraction that is to run. */
  readonly job: Job | undefined
  /** How far it is. */
  readonly progress: string
  /** Said at the bottom until the next key. */
  readonly message: string
  /** Where the last extraction went. */
  readonly target: string
  /** How often everything was to be drawn again. */
  readonly redraws: number
  /** The exit code, when it has ended. */
  readonly ended: number | undefined
}

/** Nothing but keys of the list. */
export const LOOKING: Mode = { _tag: "Looking" }

export const make = (archive: string, root: TreeWalk.Found, size: Layout.Size): State => ({
  archive,
  size,
  folders: [OpenFolder.make(root)],
  step: undefined,
  compared: undefined,
  mode: LOOKING,
  marks: new Map(),
  preview: undefined,
  job: undefined,
  progress: "",
  message: "",
  target: ".",
  redraws: 0,
  ended: undefined,
})

/** The folder that is shown. */
export const folder = ({ folders }: State): OpenFolder.OpenFolder => folders.at(-1) ?? folders[0]

/** The entry at the cursor. */
export const current = (state: State): TreeWalk.Item | undefined => OpenFolder.current(folder(state))

export const isMarked = ({ marks }: State, { path }: TreeWalk.Item): boolean => marks.has(Bytes.toKey(path))

/** The lines of a page, broken for the screen. */
export const pageLines = (lines: ReadonlyArray<string>, { size }: State): ReadonlyArray<string> =>
  lines.flatMap((line) => Preview.wrap(line, size.columns))

/** A page of text. */
export const page = (title: string, lines: ReadonlyArray<string>): Mode => ({ _tag: "Reading", title, lines, top: 0 })

/** The state with another state of the folder that is shown. */
export const withFolder = (state: State, folder: OpenFolder.OpenFolder): State => {
  const [root, ...below] = state.folders
  return { ...state, folders: below.length === 0 ? [folder] : [root, ...below.slice(0, -1), folder] }
}

/** What the preview of an entry is kept under. */
export const previewKey = ({ nameStart }: TreeWalk.Found): string => `preview ${nameStart}`
