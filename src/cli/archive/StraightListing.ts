/**
 * Lines of usual entries as `list` prints them, from their numbers to the bytes that are written. They are those that
 * `ListHandler` makes of items; the tests compare the two.
 */
import * as ByteBuilder from "../../domain/ByteBuilder.ts"
import * as Bytes from "../../domain/Bytes.ts"
import * as PartitionAttributes from "../../domain/datastore/PartitionAttributes.ts"
import * as PathText from "../../domain/PathText.ts"
import { S_IFLNK, S_IFMT } from "../../domain/pxar/Entry.ts"
import * as EntryKind from "../../domain/pxar/EntryKind.ts"
import type { AtHand } from "../../services/archive/AtHand.ts"
import * as Place from "../../services/tree/Place.ts"
import type { Folder } from "../../services/tree/StraightWalk.ts"
import * as LongListing from "./LongListing.ts"

/** Adds the line of what was found last in a folder; false if it is not for here. */
export type Add = (folder: Folder, atHand: AtHand) => boolean

/** Paths alone: as text, a line each, or as they are, each with a NUL behind it. */
export const paths = (lines: ByteBuilder.ByteBuilder, isText: boolean): Add => {
  const addPath = pathAdder(lines, isText)
  return (folder, atHand) => {
    addPath(folder, atHand)
    addByte(lines, isText ? NEWLINE : 0)
    return true
  }
}

/** The lines of `LongListing`. */
export const long = (lines: ByteBuilder.ByteBuilder, style: LongListing.Style): Add => {
  const addPath = pathAdder(lines, true)
  const modes = new Map<number, string>()
  let [uid, gid, owner] = [-1, -1, ""]
  let [low, high, time] = [-1, -1, ""]
  return (folder, atHand) => {
    const { scan } = atHand
    // What a partition holds is told behind its name.
    if (scan.attributes > 0 && hasPartition(atHand)) return false
    let mode = modes.get(scan.mode)
    if (mode === undefined) {
      mode = LongListing.modeText(LongListing.letters[EntryKind.ofMode(scan.mode)], scan.mode, false)
      if (modes.size < MODES) modes.set(scan.mode, mode)
    }
    if (scan.uid !== uid || scan.gid !== gid) {
      ;[uid, gid] = [scan.uid, scan.gid]
      owner = LongListing.owner(uid, gid, style)
    }
    if (scan.mtimeLow !== low || scan.mtimeHigh !== high) {
      ;[low, high] = [scan.mtimeLow, scan.mtimeHigh]
      time = LongListing.time({ mtimeSeconds: BigInt.asIntN(64, (BigInt(high) << 32n) | BigInt(low)) })
    }
    addText(lines, `${mode} ${owner} ${LongListing.sizeText(scan.size, style.human)} ${time} `)
    addPath(folder, atHand)
    if ((scan.mode & S_IFMT) === S_IFLNK) {
      const { base, bytes } = atHand.window()
      const end = scan.end - 1 - base
      addText(lines, ` -> ${PathText.print(bytes.subarray(end - scan.size, end))}`)
    }
    addByte(lines, NEWLINE)
    return true
  }
}

/** Adds the path of what was found last. That of its folder is made once for entries that come one after the other. */
const pathAdder = (lines: ByteBuilder.ByteBuilder, isText: boolean): ((folder: Folder, atHand: AtHand) => void) => {
  let last: Folder | undefined
  let above = Bytes.empty
  return (folder, atHand) => {
    if (folder !== last) {
      last = folder
      above = pathAbove(folder, isText)
    }
    const { nameAt, nameLength } = atHand.scan
    const { bytes } = atHand.window()
    ByteBuilder.append(lines, above)
    if (isText && !PathText.isPlain(bytes, nameAt, nameLength)) {
      return ByteBuilder.append(lines, Bytes.fromText(PathText.print(bytes.subarray(nameAt, nameAt + nameLength))))
    }
    const at = ByteBuilder.reserve(lines, nameLength)
    for (let index = 0; index < nameLength; index++) lines.bytes[at + index] = bytes[nameAt + index] as number
  }
}

/** What stands before the names in a folder. */
const pathAbove = ({ place }: Folder, isText: boolean): Uint8Array => {
  const path = Place.path(place.parent === undefined ? place : { parent: place, name: Bytes.empty })
  return isText ? Bytes.fromText(PathText.print(path)) : path
}

const NEWLINE = 0x0a

/** Modes that are remembered. */
const MODES = 1024

const addByte = (lines: ByteBuilder.ByteBuilder, byte: number): void => {
  const at = ByteBuilder.reserve(lines, 1)
  lines.bytes[at] = byte
}

/** Most bytes that a character of a text takes in UTF-8. */
const WIDEST = 3

const addText = (lines: ByteBuilder.ByteBuilder, text: string): void => {
  const at = ByteBuilder.reserve(lines, WIDEST * text.length)
  lines.length = at + encoder.encodeInto(text, lines.bytes.subarray(at)).written
}

const encoder = new TextEncoder()

/** Whether the entry found last may have an attribute of a partition. */
const hasPartition = (atHand: AtHand): boolean => {
  const { scan } = atHand
  const { base, bytes } = atHand.window()
  const entry = bytes.subarray(scan.start - base, scan.end - base)
  return Buffer.from(entry.buffer, entry.byteOffset, entry.byteLength).includes(PartitionAttributes.PREFIX)
}
