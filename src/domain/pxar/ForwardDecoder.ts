/**
 * Reads an archive, or what is left of a folder, from the front (§4.9): folders are entered and left, entries come by.
 *
 * Pure and incremental: `next` is given a window that begins at `position` or before and throws `NeedBytes` when it is
 * too short, or, given `begun`, `NeedTurn` (see `AttributeDecoder`); nothing has happened then. Contents and tables are passed over, never held: after an event `position` says
 * which bytes are needed next. Every check of §7 that can be made going forward is made; an entry that is bad in itself,
 * but whose end is known, is an event and costs nothing more. Anything else throws a `FormatError`, and there is no way
 * on. Memory is 8 bytes a folder that is open.
 *
 * Not checked: what goodbye tables say about the children, and what hard links lead to.
 */
import * as Bytes from "../Bytes.ts"
import type { Begun } from "./AttributeDecoder.ts"
import type { Entry, HardLink } from "./Entry.ts"
import { S_IFDIR, S_IFIFO, S_IFMT, S_IFSOCK } from "./Entry.ts"
import * as EntryDecoder from "./EntryDecoder.ts"
import { FormatError, limit, malformed } from "./FormatError.ts"
import * as GoodbyeTable from "./GoodbyeTable.ts"
import type { Window } from "./Item.ts"
import { readItem, readType } from "./Item.ts"
import * as ItemType from "./ItemType.ts"
import type { Limits } from "./Limits.ts"

/** A folder begins; what follows is in it until it is left. The root has no name. */
export interface Enter {
  readonly _tag: "Enter"
  readonly name: Uint8Array
  /** Position of the FILENAME header; 0 for the root. */
  readonly nameStart: number
  readonly entry: Entry
}

/** Anything but a folder. The content of a file of a unified archive ends where the entry does. */
export interface Leaf {
  readonly _tag: "Leaf"
  readonly name: Uint8Array
  readonly nameStart: number
  readonly entry: Entry | HardLink
}

/** A child that cannot be used, though it is clear where it ends. */
export interface Bad {
  readonly _tag: "Bad"
  /** Absent where the name is what is wrong. */
  readonly name: Uint8Array | undefined
  readonly nameStart: number
  /** Position of its ENTRY or HARDLINK header. */
  readonly start: number
  /** Where it ends; for a folder, which is entered, where its contents begin. */
  readonly end: number
  readonly isFolder: boolean
  readonly error: FormatError
}

/** The innermost folder ends. */
export interface Leave {
  readonly _tag: "Leave"
  /** Position of the GOODBYE header. */
  readonly start: number
  readonly end: number
  /** Start of the folder whose table it says it is (E of §3.4), if its tail says that. */
  readonly directoryStart: number | undefined
  /** What is wrong with the tail of its table (D1–D3). */
  readonly problem: FormatError | undefined
}

export type Event = Enter | Leaf | Bad | Leave

export interface Options {
  /** Where to begin: at the root's ENTRY, or where the contents of `folder` begin. */
  readonly position: number
  /** Start of the folder (E of §3.4) in whose contents to begin; the root's entry comes first without it. */
  readonly folder?: number | undefined
  readonly version: 1 | 2
  /** Nothing reaches beyond this byte. */
  readonly bound: number
  readonly limits: Limits
}

/** Bytes of a bad entry in which its end is looked for, and items. */
const MAX_BAD = 16 * 1024 * 1024
const MAX_BAD_ITEMS = 131_072

export class ForwardDecoder {
  /** The first byte that is needed next. */
  position: number
  /** Starts of the folders that are open. */
  private readonly folders: Array<number>
  private readonly options: Options
  /** A table of which the tail comes next. */
  private table: { readonly start: number; readonly end: number } | undefined

  constructor(options: Options) {
    this.options = options
    this.position = options.position
    this.folders = options.folder === undefined ? [] : [options.folder]
  }

  /** Number of folders that are open. */
  get depth(): number {
    return this.folders.length
  }

  /** Goes on at `position`, in these folders, by their starts. */
  resume(position: number, folders: ReadonlyArray<number>): void {
    this.jump(position, 0)
    this.folders.push(...folders)
  }

  /** Goes on at `position`, with the innermost folders left until `depth` are open. */
  jump(position: number, depth: number): void {
    this.position = position
    this.folders.length = depth
    this.table = undefined
  }

  /** What comes next; not to be asked for after the folder that was begun in has been left. */
  next(window: Window, begun?: Begun): Event {
    if (this.table !== undefined) return this.leave(window, this.table)
    if (this.folders.length === 0) return this.enterRoot(window, begun)
    const start = this.position
    const { bound } = this.options
    const type = readType(window, start, bound)
    if (type === ItemType.FILENAME) return this.child(window, start, begun)
    if (type !== ItemType.GOODBYE) throw malformed("H4", start, `${type.name} item in place of a child`)
    const { end } = readItem(window, start, bound)
    if ((end - start - GoodbyeTable.MIN_SIZE) % GoodbyeTable.ITEM_SIZE !== 0) {
      throw malformed("D2", start + 8, `goodbye table of size ${end - start}, not a whole number of items`)
    }
    this.table = { start, end }
    this.position = end - GoodbyeTable.ITEM_SIZE
    return this.leave(window, this.table)
  }

  private enterRoot(window: Window, begun: Begun | undefined): Event {
    const { bound, limits, position, version } = this.options
    const entry = EntryDecoder.readEntry(window, position, bound, version, limits, begun)
    if (entry.body._tag !== "Directory") throw malformed("A5", position, "the first entry is not a directory")
    this.folders.push(0)
    this.position = entry.end
    return { _tag: "Enter", name: Bytes.empty, nameStart: 0, entry }
  }

  private child(window: Window, start: number, begun: Begun | undefined): Event {
    const { bound, limits, version } = this.options
    let child
    try {
      child = EntryDecoder.readChild(window, start, bound, version, limits, true, begun)
    } catch (thrown) {
      if (thrown instanceof FormatError) return this.bad(window, start, thrown)
      throw thrown
    }
    const { entry, name } = child
    if (entry._tag === "HardLink" || entry.body._tag !== "Directory") {
      this.position = entry.end
      return { _tag: "Leaf", name, nameStart: start, entry }
    }
    this.enter(entry.start, entry.end)
    return { _tag: "Enter", name, nameStart: start, entry }
  }

  private enter(start: number, contentsStart: number): void {
    const { depth } = this.options.limits
    if (this.folders.length > depth) throw limit("D11", start, `folders nested more than ${depth} deep`)
    this.folders.push(start)
    this.position = contentsStart
  }

  /** A child with something wrong, if its items show where it ends. */
  private bad(window: Window, start: number, error: FormatError): Bad {
    const { bound } = this.options
    const name = readItem(window, start, bound)
    const head = readItem(window, name.end, bound)
    const ended = (end: number, isFolder: boolean): Bad => {
      if (isFolder) this.enter(head.start, end)
      else this.position = end
      return {
        _tag: "Bad",
        name: nameAt(window, start, name.end),
        nameStart: start,
        start: head.start,
        end,
        isFolder,
        error,
      }
    }
    if (head.type === ItemType.HARDLINK) return ended(head.end, false)
    if (head.type !== ItemType.ENTRY && head.type !== ItemType.ENTRY_V1) throw error
    for (let at = head.end, seen = 0; at - start <= MAX_BAD && seen < MAX_BAD_ITEMS; seen++) {
      const type = readType(window, at, bound)
      if (type === ItemType.FILENAME || type === ItemType.GOODBYE) {
        const mode = window.view.getUint32(head.content - window.base, true) & S_IFMT
        if (mode === S_IFDIR) return ended(at, true)
        if (mode === S_IFIFO || mode === S_IFSOCK) return ended(at, false)
        throw error
      }
      const item = readItem(window, at, bound)
      if (terminals.has(type)) return ended(item.end, false)
      if (!type.isAttribute) throw error
      at = item.end
    }
    throw error
  }

  private leave(window: Window, table: { readonly start: number; readonly end: number }): Leave {
    const { end, start } = table
    const folder = this.folders.at(-1) as number
    let problem: FormatError | undefined
    let directoryStart: number | undefined
    try {
      const tail = GoodbyeTable.readTail(window, end, 0, this.options.limits)
      if (tail.start === start) directoryStart = tail.directoryStart
      if (tail.start !== start)
        problem = malformed("D2", end - 8, "the size of a goodbye table is not that of its header")
      else if (tail.directoryStart !== folder) problem = malformed("D3", end - 16, "goodbye table of another directory")
    } catch (thrown) {
      if (!(thrown instanceof FormatError)) throw thrown
      problem = thrown
    }
    this.folders.pop()
    this.table = undefined
    this.position = end
    return { _tag: "Leave", start, end, directoryStart, problem }
  }
}

const terminals: ReadonlySet<ItemType.ItemType> = new Set([
  ItemType.PAYLOAD,
  ItemType.PAYLOAD_REF,
  ItemType.SYMLINK,
  ItemType.DEVICE,
])

const nameAt = (window: Window, start: number, end: number): Uint8Array | undefined => {
  try {
    return EntryDecoder.readName(window, start, end).name
  } catch (thrown) {
    if (thrown instanceof FormatError) return undefined
    throw thrown
  }
}
