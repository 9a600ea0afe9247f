/**
 * Where the frames of zstd data begin and end, and what they say of their size (RFC 8878 §3).
 *
 * A body may be several frames in a row, and nothing may follow the last (datastore §2.3). A decompressor of streams
 * stops at the end of the first frame and says nothing of what comes after. The frames are found here by their headers,
 * so that each is decompressed into memory whose size is known, and a claim that is too large costs nothing.
 */
import * as Result from "effect/Result"
import * as Bytes from "../Bytes.ts"
import { type DatastoreFault, fault } from "./DatastoreFault.ts"

/** A frame within the bytes that were looked at. */
export interface Frame {
  readonly start: number
  readonly end: number
  /** Bytes of its content as the header says; `undefined` where it does not. */
  readonly contentSize: number | undefined
}

const MAGIC = 0xfd2fb528
const SKIPPABLE = 0x184d2a50
/** Memory that a frame may want from its decompressor: the default of zstd itself. */
const MAX_WINDOW = 128 * 1024 * 1024
const FIELD_BYTES = [0, 1, 2, 4] as const

/** The frames with content in `bytes`, in order; skippable frames are left out. Fails with `DecompressFailed`. */
export const frames = (bytes: Uint8Array): Result.Result<ReadonlyArray<Frame>, DatastoreFault> => {
  const view = Bytes.dataView(bytes)
  const found: Array<Frame> = []
  let at = 0
  while (at < bytes.length) {
    const start = at
    if (at + 8 > bytes.length) return bad(start, found)
    const magic = view.getUint32(at, true)
    if ((magic & 0xfffffff0) >>> 0 === SKIPPABLE) {
      at += 8 + view.getUint32(at + 4, true)
    } else if (magic === MAGIC) {
      const header = readHeader(view, at + 4)
      if (header === undefined) return bad(start, found)
      if (header.window > MAX_WINDOW) {
        return Result.fail(fault("DecompressFailed", `a zstd frame wants ${header.window} bytes of memory`))
      }
      const blocks = endOfBlocks(view, header.end)
      if (blocks === undefined) return bad(start, found)
      at = blocks + (header.checksum ? 4 : 0)
      found.push({ start, end: at, contentSize: header.contentSize })
    } else return bad(start, found)
    if (at > bytes.length) return Result.fail(fault("DecompressFailed", "the zstd data is cut short"))
  }
  return found.length === 0 ? bad(0, found) : Result.succeed(found)
}

const bad = (at: number, before: ReadonlyArray<Frame>) =>
  Result.fail(
    fault(
      "DecompressFailed",
      before.length === 0 ? "is not zstd data, or cut short" : `bytes follow the zstd data, from its byte ${at} on`,
    ),
  )

interface Header {
  readonly end: number
  readonly window: number
  readonly contentSize: number | undefined
  readonly checksum: boolean
}

/** Reads from the descriptor on; `undefined` if the bytes do not suffice or make no sense. */
const readHeader = (view: DataView, start: number): Header | undefined => {
  const descriptor = view.getUint8(start)
  const single = (descriptor & 0x20) !== 0
  const dictionary = FIELD_BYTES[descriptor & 3] as number
  const sizeFlag = descriptor >> 6
  const sizeBytes = sizeFlag === 0 ? (single ? 1 : 0) : 1 << sizeFlag
  if ((descriptor & 8) !== 0) return undefined
  const sizeAt = start + 1 + (single ? 0 : 1) + dictionary
  const end = sizeAt + sizeBytes
  if (end > view.byteLength) return undefined
  const contentSize =
    sizeBytes === 0
      ? undefined
      : sizeBytes === 1
        ? view.getUint8(sizeAt)
        : sizeBytes === 2
          ? view.getUint16(sizeAt, true) + 256
          : sizeBytes === 4
            ? view.getUint32(sizeAt, true)
            : Bytes.getU64(view, sizeAt)
  const exponent = view.getUint8(start + 1)
  const base = 2 ** (10 + (exponent >> 3))
  // A frame of one segment keeps its whole content at hand, whose size the reader bounds.
  const window = single ? 0 : base + (base / 8) * (exponent & 7)
  return { end, window, contentSize, checksum: (descriptor & 4) !== 0 }
}

/** The end of the last block; `undefined` if the bytes end before it or a block is of no known type. */
const endOfBlocks = (view: DataView, start: number): number | undefined => {
  for (let at = start; at + 3 <= view.byteLength;) {
    const header = view.getUint16(at, true) | (view.getUint8(at + 2) << 16)
    const type = (header >> 1) & 3
    if (type === 3) return undefined
    at += 3 + (type === 1 ? 1 : header >> 3)
    if ((header & 1) === 1) return at
  }
  return undefined
}
