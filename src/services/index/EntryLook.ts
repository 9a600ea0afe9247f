/**
 * What an entry is like besides its name, size and time, as bytes: mode, owner, flags, attributes, the target of a link, the
 * numbers of a device. Most entries of a machine have one of a few of these.
 *
 * The bytes are those of an ENTRY without its time (§2.2), the attribute items as they stand in the archive (§2.5–§2.8), and
 * a SYMLINK or DEVICE item.
 */
import * as Bytes from "../../domain/Bytes.ts"
import { type Entry, S_IFDIR, S_IFMT, S_IFREG } from "../../domain/pxar/Entry.ts"
import * as EntryDecoder from "../../domain/pxar/EntryDecoder.ts"
import * as Item from "../../domain/pxar/Item.ts"
import * as ItemType from "../../domain/pxar/ItemType.ts"
import * as Limits from "../../domain/pxar/Limits.ts"

/** Bytes of mode, flags and owner, with room for the time. */
const HEAD = 40

/** Items that hold no content of their own. */
const BODY = 32

/** The look of an entry that was decoded from `window`. */
export const encode = (window: Item.Window, entry: Entry): Uint8Array => {
  const from = Item.readItem(window, entry.start, Number.MAX_SAFE_INTEGER).end
  const rest = window.bytes.subarray(from - window.base, restEnd(entry) - window.base)
  const look = new Uint8Array(HEAD + rest.length)
  const view = Bytes.dataView(look)
  Bytes.setU64(view, 0, entry.mode)
  view.setBigUint64(8, entry.flags, true)
  view.setUint32(16, entry.uid, true)
  view.setUint32(20, entry.gid, true)
  look.set(rest, HEAD)
  return look
}

/** Position after what belongs to the look of an entry. */
const restEnd = ({ body, end }: Entry): number =>
  body._tag === "File" ? (body.content.source === "archive" ? body.content.start - Item.HEADER_SIZE : end - BODY) : end

/** What changes more often than all else. */
export interface Variable {
  /** Bytes; 0 for what is no file. */
  readonly size: number
  /** Since the epoch. */
  readonly seconds: number
  readonly nanos: number
}

/** The bits of a mode that say what an entry is, as a small number. */
export const kindOf = (mode: number): number => (mode & S_IFMT) >>> 12

/** The number of folders. */
export const FOLDER: number = kindOf(S_IFDIR)

/** An entry that looks so, without contents and of the time 0. */
export const decode = (look: Uint8Array): Entry => {
  const mode = Bytes.getU64(Bytes.dataView(look), 0)
  const type = mode & S_IFMT
  const after = type === S_IFREG ? ItemType.PAYLOAD : type === S_IFDIR ? ItemType.GOODBYE : undefined
  const bytes = new Uint8Array(Item.HEADER_SIZE + look.length + (after === undefined ? 0 : Item.HEADER_SIZE))
  const view = Bytes.dataView(bytes)
  header(view, 0, ItemType.ENTRY, Item.HEADER_SIZE + HEAD)
  bytes.set(look, Item.HEADER_SIZE)
  if (after !== undefined) header(view, Item.HEADER_SIZE + look.length, after, Item.HEADER_SIZE)
  return EntryDecoder.readEntry(Item.makeWindow(bytes, 0), 0, bytes.length, 2, Limits.defaults)
}

/** An entry of another size and time. Where its content stands is not known: it begins at 0. */
export const complete = (entry: Entry, { nanos, seconds, size }: Variable): Entry => ({
  ...entry,
  mtimeSeconds: BigInt(seconds),
  mtimeNanos: nanos,
  body:
    entry.body._tag === "File" ? { _tag: "File", content: { source: "archive", start: 0, length: size } } : entry.body,
})

const header = (view: DataView, at: number, { high, low }: ItemType.ItemType, size: number): void => {
  view.setUint32(at, low, true)
  view.setUint32(at + 4, high, true)
  Bytes.setU64(view, at + 8, size)
}
