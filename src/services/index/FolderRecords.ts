/**
 * The records of a folder while it is gone through: for each child what stands in the archive of it, without contents and
 * without where contents are; and what its goodbye table says, to be held against that.
 */
import * as Bytes from "../../domain/Bytes.ts"
import { HEADER_SIZE } from "../../domain/pxar/Item.ts"
import * as ItemType from "../../domain/pxar/ItemType.ts"
import { irregular } from "./Irregular.ts"
import type { ScanWindow } from "./ScanWindow.ts"

/** A folder that was gone through. The memory is used again for the next. */
export interface Records {
  readonly count: number
  /**
   * The children one after the other: FILENAME, ENTRY, attributes, and SYMLINK, DEVICE, PAYLOAD_REF or the header of PAYLOAD;
   * of a hard link its own FILENAME and the rest of its target. Then the header of a GOODBYE, which is no child.
   */
  readonly bytes: Uint8Array
  /** For each slot of the goodbye table the hash (u64) and the number of the child (u32), little-endian. */
  readonly table: DataView
  /** Of all that, and of the children's order: 16 bytes. */
  readonly digest: Uint8Array
}

/** Bytes of a slot in `table`. */
export const SLOT = 12

/** Most bytes of one folder. */
const MAX_BYTES = 128 * 1024 * 1024

/** Bytes that are kept for the next folder. */
const KEPT_BYTES = 1024 * 1024

export class FolderRecords {
  id = 0
  /** Position of the folder's ENTRY; 0 for the root. */
  start = 0
  /** Number of its extent. */
  extent = 0
  count = 0
  /** Entries below it. */
  entries = 0
  hasLinks = false
  private buffer = new Uint8Array(4096)
  private length = 0
  private recordsEnd = 0
  private starts = new Float64Array(64)
  private sizes = new Float64Array(64)
  private payloads = new Float64Array(64)
  /** A stretch of the archive that is not copied yet. */
  private runStart = 0
  private runEnd = 0

  begin(id: number, start: number, extent: number): void {
    this.id = id
    this.start = start
    this.extent = extent
    this.count = 0
    this.entries = 0
    this.hasLinks = false
    this.length = 0
    this.runStart = 0
    this.runEnd = 0
    if (this.buffer.length > KEPT_BYTES) this.buffer = new Uint8Array(4096)
  }

  /** A child: where it begins, its bytes in this archive, and those in the payload archive. */
  add(start: number, size: number, payload: number): void {
    if (this.count === this.starts.length) this.grow()
    this.starts[this.count] = start
    this.sizes[this.count] = size
    this.payloads[this.count] = payload
    this.count++
    this.entries++
  }

  /** A folder begins; `close` says where it ends. */
  open(start: number): void {
    this.add(start, 0, 0)
  }

  close(end: number): void {
    this.sizes[this.count - 1] = end - (this.starts[this.count - 1] as number)
  }

  /** Bytes of the archive that are part of a record; they are copied later, together with those that follow. */
  record(window: ScanWindow, start: number, end: number): void {
    if (start !== this.runEnd || this.runEnd === this.runStart) {
      this.flush(window)
      this.runStart = start
    }
    this.runEnd = end
  }

  /** Copies what is not copied yet: the window is about to move. */
  flush(window: ScanWindow): void {
    if (this.runEnd === this.runStart) return
    this.put(window.bytes.subarray(this.runStart - window.base, this.runEnd - window.base))
    this.runStart = 0
    this.runEnd = 0
  }

  /** Bytes from elsewhere that are part of a record. */
  append(window: ScanWindow, bytes: Uint8Array): void {
    this.flush(window)
    this.put(bytes)
  }

  /** All children were there. */
  finish(window: ScanWindow): void {
    this.flush(window)
    this.put(TERMINATOR)
    this.recordsEnd = this.length
    this.reserve(SLOT * this.count)
    this.tableView = Bytes.dataView(this.buffer)
  }

  private tableView: DataView = Bytes.dataView(this.buffer)

  /** A slot of the goodbye table: the hash, and the child's place and size (§3.2, §3.3). */
  slot(low: number, high: number, start: number, size: number): void {
    const child = this.childAt(start)
    const exact = this.sizes[child] as number
    if (size !== exact && size !== exact + (this.payloads[child] as number)) throw irregular(start, "another size")
    this.tableView.setUint32(this.length, low, true)
    this.tableView.setUint32(this.length + 4, high, true)
    this.tableView.setUint32(this.length + 8, child, true)
    this.length += SLOT
  }

  bytes(): Uint8Array {
    return this.buffer.subarray(0, this.recordsEnd)
  }

  table(): DataView {
    return new DataView(this.buffer.buffer, this.recordsEnd, this.length - this.recordsEnd)
  }

  /** What the digest is of. */
  digested(): Uint8Array {
    return this.buffer.subarray(0, this.length)
  }

  private childAt(start: number): number {
    let low = 0
    let high = this.count - 1
    while (low < high) {
      const middle = (low + high) >>> 1
      if ((this.starts[middle] as number) < start) low = middle + 1
      else high = middle
    }
    if (this.starts[low] !== start) throw irregular(start, "an item of a table that leads to no child")
    return low
  }

  private put(bytes: Uint8Array): void {
    this.reserve(bytes.length)
    this.buffer.set(bytes, this.length)
    this.length += bytes.length
  }

  private reserve(more: number): void {
    const needed = this.length + more
    if (needed <= this.buffer.length) return
    if (needed > MAX_BYTES) throw irregular(this.start, "a folder too large")
    const larger = new Uint8Array(Math.max(needed, Math.min(2 * this.buffer.length, MAX_BYTES)))
    larger.set(this.buffer.subarray(0, this.length))
    this.buffer = larger
  }

  private grow(): void {
    const larger = (old: Float64Array): Float64Array<ArrayBuffer> => {
      const made = new Float64Array(2 * old.length)
      made.set(old)
      return made
    }
    this.starts = larger(this.starts)
    this.sizes = larger(this.sizes)
    this.payloads = larger(this.payloads)
  }
}

/** The header of an empty GOODBYE. */
const TERMINATOR = new Uint8Array(HEADER_SIZE)
Bytes.dataView(TERMINATOR).setBigUint64(0, ItemType.GOODBYE.value, true)
Bytes.dataView(TERMINATOR).setBigUint64(8, 40n, true)
