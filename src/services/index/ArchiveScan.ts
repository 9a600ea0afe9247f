/**
 * Goes over an archive from front to back and tells of each folder what is in it: the bytes that say it, and their digest.
 * Of a folder that is as it was the digest is enough, and nothing of it is decoded.
 *
 * It is strict: what is not exactly as writers make it (order of items, goodbye tables, sizes, the end) ends the scan with
 * `Irregular`, so that what it does tell is what any reader of the archive sees. Contents are jumped over, and so is a
 * folder that stands in chunks of an archive which was scanned before (see `Extents`). Memory is bounded by `ScanWindow`
 * and by the records of the folders from the root to where it is.
 */
import { hash } from "node:crypto"
import * as Bytes from "../../domain/Bytes.ts"
import type { ChunkIndex } from "../../domain/datastore/ChunkIndex.ts"
import * as ArchiveHead from "../../domain/pxar/ArchiveHead.ts"
import {
  type Entry,
  S_IFBLK,
  S_IFCHR,
  S_IFDIR,
  S_IFIFO,
  S_IFLNK,
  S_IFMT,
  S_IFREG,
  S_IFSOCK,
} from "../../domain/pxar/Entry.ts"
import * as EntryDecoder from "../../domain/pxar/EntryDecoder.ts"
import { FormatError, NeedBytes } from "../../domain/pxar/FormatError.ts"
import { HEADER_SIZE } from "../../domain/pxar/Item.ts"
import * as ItemType from "../../domain/pxar/ItemType.ts"
import * as Limits from "../../domain/pxar/Limits.ts"
import { type Extent, Extents } from "./Extents.ts"
import { FolderRecords, type Records } from "./FolderRecords.ts"
import { irregular } from "./Irregular.ts"
import { type Fetch, ScanWindow } from "./ScanWindow.ts"

/** Is told what is found. */
export interface Visitor {
  /** The root folder's own entry; `window` is what it was decoded from. */
  readonly root: (window: ScanWindow, entry: Entry) => void
  /** Gives the number of the folder `name` in the folder `parent`, where the root has `ROOT`. */
  readonly number: (parent: number, name: Uint8Array) => number
  /** A folder has been gone through. What is below it came before. */
  readonly folder: (id: number, records: Records) => void
  /** Called now and then with the entries gone over so far. */
  readonly progress: (entries: number) => void
}

/** The number of the root folder. */
export const ROOT = 1

/** What was gone over. */
export interface Scanned {
  readonly extents: Extents
  /** Entries with the root. */
  readonly entries: number
}

/** The longest name, head, link and reference to contents together. */
const MARGIN = 3 * HEADER_SIZE + 4097 + 4105 + 56 + 32

/** Folders below each other. */
const MAX_DEPTH = Limits.defaults.depth

/** Entries after which progress is told. */
const PACE = 8192

/** Goes over the archive in `index`, whose chunks `fetch` gives. `before` is an archive whose folders are known. */
export const scan = (index: ChunkIndex, fetch: Fetch, visitor: Visitor, before: Extents | undefined): Scanned => {
  try {
    return new Scan(index, fetch, visitor, before).run()
  } catch (thrown) {
    if (thrown instanceof FormatError) throw irregular(thrown.offset, thrown.detail)
    // Read past the end of what there is.
    if (thrown instanceof RangeError || thrown instanceof NeedBytes) throw irregular(index.size, "it is cut short")
    throw thrown
  }
}

class Scan {
  private readonly index: ChunkIndex
  private readonly window: ScanWindow
  private readonly visitor: Visitor
  private readonly before: Extents | undefined
  private readonly folders: Array<FolderRecords> = []
  private readonly extents: Array<Extent> = []
  private depth = 0
  private position = 0
  private version: 1 | 2 = 1
  private entries = 1
  private told = 0

  constructor(index: ChunkIndex, fetch: Fetch, visitor: Visitor, before: Extents | undefined) {
    this.index = index
    this.window = new ScanWindow(index, fetch)
    this.visitor = visitor
    this.before = before
  }

  run(): Scanned {
    const { window } = this
    const { entryStart, version } = ArchiveHead.readHead(window.peek(0, ArchiveHead.HEAD_SIZE), window.size)
    this.version = version
    this.position = entryStart
    const end = this.headEnd(entryStart, entryStart)
    const root = EntryDecoder.readEntry(window, entryStart, window.size, version, Limits.defaults)
    if (root.body._tag !== "Directory" || root.end !== end) throw irregular(entryStart, "no folder")
    this.visitor.root(window, root)
    this.enter(ROOT, 0, 0)
    this.position = end
    while (this.depth > 0) this.step(this.folders[this.depth - 1] as FolderRecords)
    if (this.position !== window.size) throw irregular(this.position, "bytes behind the root")
    return { extents: new Extents(this.extents, this.index), entries: this.entries }
  }

  /** Has `length` bytes from `position` on at hand. */
  private need(position: number, length: number): void {
    if (this.window.has(position, length)) return
    for (let at = 0; at < this.depth; at++) (this.folders[at] as FolderRecords).flush(this.window)
    this.window.need(position, length)
  }

  private enter(id: number, nameStart: number, start: number): void {
    if (this.depth === MAX_DEPTH) throw irregular(start, "folders too deep")
    const folder = (this.folders[this.depth++] ??= new FolderRecords())
    folder.begin(id, start, this.extents.length)
    this.extents.push({ id, start: nameStart, end: 0, entries: 0, hasLinks: false })
  }

  /** One child, or the end of the folder. */
  private step(folder: FolderRecords): void {
    const { position, window } = this
    this.need(position, MARGIN)
    const at = position - window.base
    const low = window.view.getUint32(at, true)
    const high = window.view.getUint32(at + 4, true)
    if (low === ItemType.FILENAME.low && high === ItemType.FILENAME.high) this.child(folder, position)
    else if (low === ItemType.GOODBYE.low && high === ItemType.GOODBYE.high) this.leave(folder, position)
    else throw irregular(position, "neither a name nor a table")
  }

  private child(folder: FolderRecords, nameStart: number): void {
    const { window } = this
    const at = nameStart - window.base
    const nameSize = Bytes.getU64(window.view, at + 8)
    if (nameSize < HEADER_SIZE + 2 || nameSize > HEADER_SIZE + 4097) throw irregular(nameStart, "a name too long")
    const start = nameStart + nameSize
    if (this.typeAt(start) === ItemType.HARDLINK) return this.link(folder, nameStart, start)
    const end = this.headEnd(nameStart, start)
    const mode = window.view.getUint32(start - window.base + HEADER_SIZE, true)
    const type = this.typeAt(end)
    this.count(1)
    switch (mode & S_IFMT) {
      case S_IFREG:
        if (type === ItemType.PAYLOAD_REF) return this.reference(folder, nameStart, end)
        if (type === ItemType.PAYLOAD) return this.payload(folder, nameStart, end)
        break
      case S_IFDIR:
        if (type === ItemType.FILENAME || type === ItemType.GOODBYE) return this.folder(folder, nameStart, start, end)
        break
      case S_IFLNK:
        if (type === ItemType.SYMLINK) return this.plain(folder, nameStart, this.itemEnd(end, type))
        break
      case S_IFCHR:
      case S_IFBLK:
        if (type === ItemType.DEVICE) return this.plain(folder, nameStart, this.itemEnd(end, type))
        break
      case S_IFIFO:
      case S_IFSOCK:
        if (type === ItemType.FILENAME || type === ItemType.GOODBYE) return this.plain(folder, nameStart, end)
    }
    throw irregular(end, "an item that does not fit the mode")
  }

  private count(entries: number): void {
    this.entries += entries
    if (this.entries - this.told < PACE) return
    this.told = this.entries
    this.visitor.progress(this.entries)
  }

  private typeAt(position: number): ItemType.ItemType | undefined {
    const at = position - this.window.base
    return ItemType.fromHalves(this.window.view.getUint32(at, true), this.window.view.getUint32(at + 4, true))
  }

  private itemEnd(position: number, { maxContent, minContent }: ItemType.ItemType): number {
    const content = Bytes.getU64(this.window.view, position + 8 - this.window.base) - HEADER_SIZE
    if (!(content >= minContent && content <= maxContent)) throw irregular(position, "an item of a wrong size")
    return position + HEADER_SIZE + content
  }

  /** Where the attributes end of the entry at `start`; the bytes from `from` on stay at hand, with some behind its end. */
  private headEnd(from: number, start: number): number {
    this.need(from, start - from + MARGIN)
    const type = this.typeAt(start)
    if (type !== ItemType.ENTRY && type !== ItemType.ENTRY_V1) throw irregular(start, "no entry")
    let end = this.itemEnd(start, type)
    for (let next = this.typeAt(end); next?.isAttribute === true; next = this.typeAt(end)) {
      end = this.itemEnd(end, next)
      if (end - start > Limits.defaults.attributeBytes) throw irregular(start, "too many attributes")
      this.need(from, end - from + MARGIN)
    }
    return end
  }

  /** A child whose record is all of it. */
  private plain(folder: FolderRecords, nameStart: number, end: number): void {
    folder.add(nameStart, end - nameStart, 0)
    folder.record(this.window, nameStart, end)
    this.position = end
  }

  /** A file of a split archive. Where its contents stand is no part of the record: it changes with all that precedes. */
  private reference(folder: FolderRecords, nameStart: number, at: number): void {
    const { window } = this
    const end = this.itemEnd(at, ItemType.PAYLOAD_REF)
    const offset = at + HEADER_SIZE - window.base
    const place = Bytes.getU64(window.view, offset)
    const length = Bytes.getU64(window.view, offset + 8)
    const isSound =
      this.version === 2 && place >= HEADER_SIZE && place + length + HEADER_SIZE <= Number.MAX_SAFE_INTEGER
    if (!isSound) throw irregular(at, "a reference that leads nowhere")
    Bytes.setU64(window.view, offset, HEADER_SIZE)
    folder.add(nameStart, end - nameStart, length)
    folder.record(window, nameStart, end)
    this.position = end
  }

  /** A file with its contents behind it. */
  private payload(folder: FolderRecords, nameStart: number, at: number): void {
    const end = this.itemEnd(at, ItemType.PAYLOAD)
    if (end > this.window.size) throw irregular(at, "contents behind the end")
    folder.add(nameStart, end - nameStart, 0)
    folder.record(this.window, nameStart, at + HEADER_SIZE)
    this.position = end
  }

  private folder(parent: FolderRecords, nameStart: number, start: number, end: number): void {
    const { window } = this
    const name = window.bytes.slice(nameStart + HEADER_SIZE - window.base, start - 1 - window.base)
    parent.record(window, nameStart, end)
    const id = this.visitor.number(parent.id, name)
    const same = this.before?.find(id, nameStart, this.index)
    if (same === undefined) {
      parent.open(nameStart)
      this.enter(id, nameStart, start)
      this.position = end
      return
    }
    const moved = nameStart - same.start
    for (const extent of same.extents) {
      this.extents.push({ ...extent, start: extent.start + moved, end: extent.end + moved })
    }
    const [{ entries }] = same.extents as [Extent]
    this.count(entries)
    parent.entries += entries
    parent.add(nameStart, same.length, 0)
    this.position = nameStart + same.length
  }

  /** A hard link stands for what it names (§4.6). */
  private link(folder: FolderRecords, nameStart: number, start: number): void {
    const { window } = this
    this.count(1)
    folder.record(window, nameStart, start)
    const end = this.itemEnd(start, ItemType.HARDLINK)
    const offset = Bytes.getU64(window.view, start + HEADER_SIZE - window.base)
    const path = start + HEADER_SIZE + 8 - window.base
    if (!(offset > 0 && offset <= nameStart) || window.bytes.indexOf(0, path) !== end - 1 - window.base) {
      throw irregular(start, "a hard link that leads nowhere")
    }
    folder.hasLinks = true
    folder.add(nameStart, end - nameStart, 0)
    folder.append(window, this.target(nameStart - offset, nameStart))
    this.position = end
  }

  /** The record of the file whose FILENAME is at `position`, without the name. */
  private target(position: number, bound: number): Uint8Array {
    const read = (length: number): Uint8Array => {
      const peeked = this.window.peek(position, Math.min(length, bound - position))
      const start = EntryDecoder.skipName(peeked, position, bound)
      if (EntryDecoder.peekType(peeked, start, bound) === ItemType.HARDLINK)
        throw irregular(position, "a chain of links")
      const { body, end } = EntryDecoder.readEntry(peeked, start, bound, this.version, Limits.defaults)
      if (body._tag !== "File") throw irregular(position, "a link to no file")
      const isInArchive = body.content.source === "archive"
      const record = peeked.bytes.slice(start - position, (isInArchive ? body.content.start : end) - position)
      if (!isInArchive) Bytes.setU64(Bytes.dataView(record), record.length - HEADER_SIZE, HEADER_SIZE)
      return record
    }
    try {
      return read(MARGIN)
    } catch (thrown) {
      if (thrown instanceof NeedBytes) return read(MARGIN + 2 * Limits.defaults.attributeBytes)
      throw thrown
    }
  }

  /** The table of a folder must be that of its children, each at its place with its size (§3.2, §3.3). */
  private leave(folder: FolderRecords, start: number): void {
    const { window } = this
    const { count } = folder
    folder.finish(window)
    const size = Bytes.getU64(window.view, start + 8 - window.base)
    if (size !== HEADER_SIZE + ITEM * (count + 1)) throw irregular(start, "a table of another size")
    let position = start + HEADER_SIZE
    for (let slot = 0; slot <= count; slot++, position += ITEM) {
      this.need(position, Math.min(MARGIN, ITEM * (count + 1 - slot)))
      const at = position - window.base
      const low = window.view.getUint32(at, true)
      const high = window.view.getUint32(at + 4, true)
      const back = Bytes.getU64(window.view, at + 8)
      const length = Bytes.getU64(window.view, at + 16)
      if (slot < count) folder.slot(low, high, start - back, length)
      else if (
        low !== ItemType.GOODBYE_TAIL_MARKER.low ||
        high !== ItemType.GOODBYE_TAIL_MARKER.high ||
        start - back !== folder.start ||
        length !== size
      ) {
        throw irregular(position, "a table of another folder")
      }
    }
    this.position = position
    const extent = this.extents[folder.extent] as Extent
    extent.end = position
    extent.entries = folder.entries
    extent.hasLinks = folder.hasLinks
    this.depth--
    const parent = this.folders[this.depth - 1]
    if (parent !== undefined && this.depth > 0) {
      parent.close(position)
      parent.entries += folder.entries
      parent.hasLinks ||= folder.hasLinks
    }
    const digested = folder.digested()
    this.visitor.folder(folder.id, {
      count,
      bytes: folder.bytes(),
      table: folder.table(),
      digest: hash("sha256", digested, "buffer").subarray(0, 16),
    })
  }
}

/** Bytes of an item of a table. */
const ITEM = 24
