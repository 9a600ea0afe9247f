/**
 * The beginning of an archive: its version and prelude (§1.9, §2.1), and the markers of a payload archive (§1.7).
 */
import * as Bytes from "../Bytes.ts"
import * as ForeignFile from "../ForeignFile.ts"
import { malformed, unsupported } from "./FormatError.ts"
import type { Window } from "./Item.ts"
import { HEADER_SIZE, readItem, requireBytes } from "./Item.ts"
import * as GoodbyeTable from "./GoodbyeTable.ts"
import * as ItemType from "./ItemType.ts"

/** What stands before the root's entry. Positions are offsets in the archive. */
export interface ArchiveHead {
  readonly version: 1 | 2
  /** The prelude's content, not yet read: it may be large (R1). */
  readonly prelude: { readonly start: number; readonly end: number } | undefined
  /** Position of the root's ENTRY header. */
  readonly entryStart: number
}

/** Bytes from the start of an archive that `readHead` needs at most; what is none is told by more. */
export const HEAD_SIZE = 40

/** Smallest archive: an ENTRY_V1 and an empty goodbye table (§3.4). */
const MIN_SIZE = 88

/** Reads the head of an archive of `size` bytes. Checks A1–A3. */
export const readHead = (window: Window, size: number): ArchiveHead => {
  if (size < 8) throw malformed("A1", 0, `${size} bytes are too few for a pxar archive`)
  requireBytes(window, 8)
  const low = window.view.getUint32(0, true)
  const high = window.view.getUint32(4, true)
  const type = ItemType.fromHalves(low, high)
  if (type === ItemType.PAYLOAD_START_MARKER) {
    throw unsupported("A2", 0, "this is the payload half of a split archive (.ppxar); give the .mpxar file")
  }
  if (low === ItemType.PRE_RELEASE.low && high === ItemType.PRE_RELEASE.high) {
    throw unsupported("A2", 0, "pre-release pxar archive from before June 2020")
  }
  if (type !== ItemType.ENTRY && type !== ItemType.ENTRY_V1 && type !== ItemType.FORMAT_VERSION) {
    const foreign = ForeignFile.recognise(window.bytes.subarray(0, ForeignFile.HEAD_SIZE))
    const detail = foreign === undefined ? "" : `: it is ${foreign.what}; ${foreign.advice}`
    throw malformed("H4", 0, `not a pxar archive${detail}`)
  }
  if (size < MIN_SIZE) throw malformed("A1", 0, `${size} bytes are too few for a pxar archive`)
  if (type !== ItemType.FORMAT_VERSION) return { version: 1, prelude: undefined, entryStart: 0 }

  const item = readItem(window, 0, size)
  requireBytes(window, item.end)
  const version = Bytes.getU64(window.view, item.content)
  if (version !== 1 && version !== 2) throw unsupported("A2", item.content, `pxar version ${version}`)
  if (size < MIN_SIZE + item.end) throw malformed("A1", 0, `${size} bytes are too few for a pxar archive`)
  const next = readItem(window, item.end, size)
  if (next.type !== ItemType.PRELUDE) return { version, prelude: undefined, entryStart: item.end }
  return { version, prelude: { start: next.content, end: next.end }, entryStart: next.end }
}

/** Smallest payload archive: both markers (§1.7). */
export const MIN_PAYLOAD_SIZE = 2 * HEADER_SIZE

/** Checks the start of a payload archive of `size` bytes (P1). The window must begin at 0. */
export const checkPayloadStart = (window: Window, size: number): void => {
  if (size < MIN_PAYLOAD_SIZE) throw malformed("P1", 0, `${size} bytes are too few for a payload archive`)
  requireBytes(window, HEADER_SIZE)
  const type = ItemType.fromHalves(window.view.getUint32(0, true), window.view.getUint32(4, true))
  if (type !== ItemType.PAYLOAD_START_MARKER || Bytes.getU64(window.view, 8) !== HEADER_SIZE) {
    throw malformed("P1", 0, "not the payload half of a split pxar archive")
  }
}

/** Checks the tail marker of a payload archive (P2), which stands at `tail`. Its absence is to be reported only. */
export const checkPayloadTail = (window: Window, tail: number): void => {
  requireBytes(window, tail + HEADER_SIZE)
  const at = tail - window.base
  const type = ItemType.fromHalves(window.view.getUint32(at, true), window.view.getUint32(at + 4, true))
  if (type !== ItemType.PAYLOAD_TAIL_MARKER) throw malformed("P2", tail, "payload archive without its end marker")
}

/** Reads the tail of the root, which must be the last bytes of an archive (A4, A5). */
export const readRootTail: typeof GoodbyeTable.readTail = (window, end, floor, limits) => {
  const at = end - GoodbyeTable.ITEM_SIZE
  requireBytes(window, end)
  if (
    window.view.getUint32(at - window.base, true) !== ItemType.GOODBYE_TAIL_MARKER.low ||
    window.view.getUint32(at - window.base + 4, true) !== ItemType.GOODBYE_TAIL_MARKER.high
  ) {
    throw malformed("A4", at, "truncated archive, or bytes after its end: no tail marker in the last 24 bytes")
  }
  const tail = GoodbyeTable.readTail(window, end, floor, limits)
  if (tail.directoryStart !== 0) throw malformed("A5", at + 8, "the last directory of the archive is not its root")
  return tail
}
