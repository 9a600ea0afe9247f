/**
 * A folder that is looked at: its entries as far as they are known, the search in it, and where the cursor is.
 *
 * Entries are numbered by their place in the archive, from 0; only those on the screen are kept. What is shown is all of
 * them or, in a search, those that match; the cursor and the top of the screen count what is shown. A value: every
 * function returns a new one.
 */
import * as PathText from "../../domain/PathText.ts"
import type { ArchiveError } from "../../services/archive/ArchiveError.ts"
import type * as TreeWalk from "../../services/tree/TreeWalk.ts"

export type Contents =
  | { readonly _tag: "Unknown" }
  | { readonly _tag: "Unreadable"; readonly error: ArchiveError }
  /** The slot of each entry (see `ArchiveReader`). */
  | { readonly _tag: "Known"; readonly slots: Uint32Array }

export interface Search {
  readonly text: string
  /** Numbers of the entries that match, of those whose names are known. */
  readonly matches: ReadonlyArray<number>
  /** The entry where the cursor was before, or was moved to: the cursor is there, or at the next that matches. */
  readonly origin: number
}

export interface OpenFolder {
  readonly found: TreeWalk.Found
  readonly contents: Contents
  readonly items: ReadonlyMap<number, TreeWalk.Item>
  /** Names of the first entries, as they are compared in a search. Grows in the background of a search. */
  readonly names: ReadonlyArray<string>
  readonly search: Search | undefined
  readonly cursor: number
  readonly top: number
}

export const make = (found: TreeWalk.Found): OpenFolder => ({
  found,
  contents: { _tag: "Unknown" },
  items: new Map(),
  names: [],
  search: undefined,
  cursor: 0,
  top: 0,
})

const noSlots = new Uint32Array(0)

export const slots = ({ contents }: OpenFolder): Uint32Array => (contents._tag === "Known" ? contents.slots : noSlots)

/** Number of entries that are shown. */
export const count = (folder: OpenFolder): number => folder.search?.matches.length ?? slots(folder).length

/** The number of the entry that is shown at `index`. */
export const numberAt = ({ search }: OpenFolder, index: number): number =>
  search === undefined ? index : (search.matches[index] ?? -1)

/** The entry at the cursor; `undefined` if there is none, or it is not known yet. */
export const current = (folder: OpenFolder): TreeWalk.Item | undefined =>
  folder.items.get(numberAt(folder, folder.cursor))

/** The numbers of the entries on a screen of `height` rows. */
export const onScreen = (folder: OpenFolder, height: number): ReadonlyArray<number> => {
  const numbers: Array<number> = []
  const end = Math.min(count(folder), folder.top + height)
  for (let index = folder.top; index < end; index++) numbers.push(numberAt(folder, index))
  return numbers
}

/** Moves the cursor to `index`, or as near as there is something. */
export const moveTo = (folder: OpenFolder, index: number): OpenFolder => {
  if (count(folder) === 0) return folder
  const cursor = Math.max(0, Math.min(index, count(folder) - 1))
  const { search } = folder
  return {
    ...folder,
    cursor,
    search: search === undefined ? undefined : { ...search, origin: numberAt(folder, cursor) },
  }
}

/** Brings the cursor onto a screen of `height` rows. */
export const scroll = (folder: OpenFolder, height: number): OpenFolder => {
  const last = Math.max(0, count(folder) - height)
  const top = Math.min(last, Math.max(folder.cursor - height + 1, Math.min(folder.top, folder.cursor)))
  return top === folder.top ? folder : { ...folder, top }
}

export const withContents = (folder: OpenFolder, contents: Contents): OpenFolder => ({ ...folder, contents })

/** Entries kept: a few screens. */
const MAX_ITEMS = 1024

export const withItems = (
  folder: OpenFolder,
  items: ReadonlyArray<readonly [number: number, item: TreeWalk.Item]>,
): OpenFolder => ({
  ...folder,
  items: new Map(folder.items.size + items.length > MAX_ITEMS ? items : [...folder.items, ...items]),
})

/** A name as it is compared in a search. */
export const searchName = (name: Uint8Array): string => PathText.print(name).toLowerCase()

/** Adds names of the entries from number `from` on. */
export const withNames = (folder: OpenFolder, from: number, names: ReadonlyArray<string>): OpenFolder => {
  if (from !== folder.names.length) return folder
  const known = { ...folder, names: [...folder.names, ...names] }
  const { search } = folder
  if (search === undefined) return known
  return show(known, { ...search, matches: [...search.matches, ...matchesIn(names, from, search.text)] })
}

const matchesIn = (names: ReadonlyArray<string>, from: number, text: string): Array<number> => {
  const wanted = text.toLowerCase()
  const matches: Array<number> = []
  for (const [index, name] of names.entries()) if (name.includes(wanted)) matches.push(from + index)
  return matches
}

/** Shows the entries whose names contain `text`, whatever the case. */
export const search = (folder: OpenFolder, text: string): OpenFolder =>
  show(folder, {
    text,
    matches: matchesIn(folder.names, 0, text),
    origin: folder.search?.origin ?? folder.cursor,
  })

const show = (folder: OpenFolder, search: Search): OpenFolder => {
  const next = search.matches.findIndex((number) => number >= search.origin)
  return { ...folder, search, cursor: next < 0 ? Math.max(0, search.matches.length - 1) : next }
}

/** Shows all entries again. The cursor stays at its entry or, if nothing matches, goes where it was. */
export const endSearch = (folder: OpenFolder): OpenFolder => {
  if (folder.search === undefined) return folder
  const number = count(folder) === 0 ? folder.search.origin : numberAt(folder, folder.cursor)
  return moveTo({ ...folder, search: undefined }, number)
}
