/**
 * The usual entry, read in one straight line into numbers: no objects, no bigints, nothing thrown.
 *
 * It takes what most entries of an archive are: a file, folder, link, FIFO or socket with its type in its mode, that is
 * whole in the window and whose only attributes are a few extended ones. Whatever else there is, damaged or just rare, it
 * leaves to `EntryDecoder`, and says so by `false`. What it takes it tells as `EntryDecoder` and `Stat` do, with the same
 * checks of §7; the tests compare the two.
 */
import * as Bytes from "../Bytes.ts"
import { S_IFDIR, S_IFIFO, S_IFLNK, S_IFMT, S_IFREG, S_IFSOCK } from "./Entry.ts"
import { HEADER_SIZE, type Window } from "./Item.ts"
import * as ItemType from "./ItemType.ts"
import type { Limits } from "./Limits.ts"

/** Attributes of an entry that is still a usual one. */
const FEW = 8

const ENTRY_SIZE = HEADER_SIZE + ItemType.ENTRY.minContent
const PAYLOAD_REF_SIZE = HEADER_SIZE + ItemType.PAYLOAD_REF.minContent
const MAX_NANOS = 999_999_999
const SLASH = 0x2f
const DOT = 0x2e

/** What was scanned last. Positions are bytes from the start of the archive. */
export class EntryScan {
  /** First byte of the name in the window's memory, and its length; of `child` only. */
  nameAt = 0
  nameLength = 0
  /** Position of the ENTRY header. */
  start = 0
  /** Position after the entry, of a folder where its children begin. */
  end = 0
  mode = 0
  uid = 0
  gid = 0
  /** Halves of the seconds since the epoch. */
  mtimeLow = 0
  mtimeHigh = 0
  mtimeNanos = 0
  /** As `stat(2)` shows it: of a file, or of a link's target. */
  size = 0
  isFolder = false
  isFile = false
  /** Where a file's bytes are: position of the first, in the archive or its payload archive. */
  contentStart = 0
  isInPayload = false
  /** Number of attributes. */
  attributes = 0

  private readonly version: 1 | 2
  private readonly maxAttributes: number
  private readonly maxAttributeBytes: number

  constructor(version: 1 | 2, limits: Limits) {
    this.version = version
    this.maxAttributes = Math.min(FEW, limits.attributeCount)
    this.maxAttributeBytes = limits.attributeBytes
  }

  /** Scans the child whose FILENAME header is at `start` and that ends at or before `bound`. */
  child(window: Window, start: number, bound: number): boolean {
    const { bytes, view } = window
    const at = start - window.base
    if (at < 0 || at + HEADER_SIZE > bytes.length || !isType(view, at, ItemType.FILENAME)) return false
    const size = Bytes.getU64(view, at + 8)
    const end = at + size
    if (size < HEADER_SIZE + ItemType.FILENAME.minContent || end > bytes.length) return false
    if (size > HEADER_SIZE + ItemType.FILENAME.maxContent || start + size > bound) return false
    const nameAt = at + HEADER_SIZE
    for (let index = nameAt; index < end - 1; index++) {
      const byte = bytes[index]
      if (byte === 0 || byte === SLASH) return false
    }
    if (bytes[end - 1] !== 0) return false
    const length = end - 1 - nameAt
    if (bytes[nameAt] === DOT && (length === 1 || (length === 2 && bytes[nameAt + 1] === DOT))) return false
    this.nameAt = nameAt
    this.nameLength = length
    return this.entry(window, start + size, bound)
  }

  /** Scans the entry whose ENTRY header is at `start` and that ends at or before `bound`. */
  entry({ base, bytes, view }: Window, start: number, bound: number): boolean {
    let at = start - base
    const limit = Math.min(bytes.length, bound - base)
    if (at < 0 || at + ENTRY_SIZE > limit) return false
    if (!isType(view, at, ItemType.ENTRY) || Bytes.getU64(view, at + 8) !== ENTRY_SIZE) return false
    const mode = view.getUint32(at + 16, true)
    const type = mode & S_IFMT
    if (mode > 0o177777 || view.getUint32(at + 20, true) !== 0 || type === 0) return false
    const nanos = view.getUint32(at + 48, true)
    if (nanos > MAX_NANOS) return false
    this.start = start
    this.mode = mode
    this.uid = view.getUint32(at + 32, true)
    this.gid = view.getUint32(at + 36, true)
    this.mtimeLow = view.getUint32(at + 40, true)
    this.mtimeHigh = view.getUint32(at + 44, true)
    this.mtimeNanos = nanos
    this.size = 0
    this.isFolder = false
    this.isFile = false
    at += ENTRY_SIZE
    const first = at
    let attributes = 0
    while (at + HEADER_SIZE <= limit && isType(view, at, ItemType.XATTR)) {
      const end = at + Bytes.getU64(view, at + 8)
      const content = at + HEADER_SIZE
      if (end > limit || end < content + ItemType.XATTR.minContent || end > content + ItemType.XATTR.maxContent) {
        return false
      }
      if (++attributes > this.maxAttributes || end - first > this.maxAttributeBytes) return false
      const nul = bytes.indexOf(0, content)
      if (nul <= content || nul >= end) return false
      at = end
    }
    this.attributes = attributes
    this.end = base + at
    if (this.end === bound) return type === S_IFIFO || type === S_IFSOCK
    return at + HEADER_SIZE <= limit && this.terminal(base, bytes, view, at, bound, type)
  }

  /** Scans the item that ends the entry. */
  private terminal(base: number, bytes: Uint8Array, view: DataView, at: number, bound: number, type: number): boolean {
    if (type === S_IFDIR) {
      this.isFolder = true
      return isType(view, at, ItemType.FILENAME) || isType(view, at, ItemType.GOODBYE)
    }
    const size = Bytes.getU64(view, at + 8)
    const position = base + at
    const content = at + HEADER_SIZE
    this.end = position + size
    if (size < HEADER_SIZE || this.end > bound) return false
    if (type === S_IFREG) {
      this.isFile = true
      if (isType(view, at, ItemType.PAYLOAD)) {
        this.isInPayload = false
        this.contentStart = position + HEADER_SIZE
        this.size = size - HEADER_SIZE
        return true
      }
      if (this.version === 1 || size !== PAYLOAD_REF_SIZE || !isType(view, at, ItemType.PAYLOAD_REF)) return false
      if (at + size > bytes.length) return false
      const offset = Bytes.getU64(view, content)
      this.isInPayload = true
      this.contentStart = offset + HEADER_SIZE
      this.size = Bytes.getU64(view, content + 8)
      return offset >= HEADER_SIZE && this.contentStart + this.size <= Number.MAX_SAFE_INTEGER
    }
    if (type !== S_IFLNK || !isType(view, at, ItemType.SYMLINK)) return false
    if (size < HEADER_SIZE + ItemType.SYMLINK.minContent || size > HEADER_SIZE + ItemType.SYMLINK.maxContent)
      return false
    if (at + size > bytes.length || bytes.indexOf(0, content) !== at + size - 1) return false
    this.size = size - HEADER_SIZE - 1
    return true
  }
}

const isType = (view: DataView, at: number, type: ItemType.ItemType): boolean =>
  view.getUint32(at, true) === type.low && view.getUint32(at + 4, true) === type.high
