/**
 * Reads entries and children from a window of the archive (§4.4), with the checks N1–N4, E1–E7, H1–H4 and L1.
 *
 * Pure: throws `NeedBytes` when the window is too short and `FormatError` when the bytes are bad; run it inside
 * `FormatError.capture`. Given `begun`, it also throws `NeedTurn` (see `AttributeDecoder`). File contents are located, never read.
 */
import * as Bytes from "../Bytes.ts"
import { type Begun, readAttributes, u64 } from "./AttributeDecoder.ts"
import type { Body, Child, Entry, Finding, HardLink } from "./Entry.ts"
import { S_IFBLK, S_IFCHR, S_IFDIR, S_IFIFO, S_IFLNK, S_IFMT, S_IFREG, S_IFSOCK } from "./Entry.ts"
import { limit, malformed } from "./FormatError.ts"
import type { Item, Window } from "./Item.ts"
import { copyTerminated, HEADER_SIZE, readItem, requireBytes } from "./Item.ts"
import * as ItemType from "./ItemType.ts"
import type { Limits } from "./Limits.ts"

/**
 * Reads the child whose FILENAME header is at `start` and that ends at or before `bound`. Reading `forward`, where the
 * bound is not that of the child, a FIFO or socket also ends where another child or the table begins (§2.15), and like a
 * folder's head before what is no item at all.
 */
export const readChild = (
  window: Window,
  start: number,
  bound: number,
  version: 1 | 2,
  limits: Limits,
  forward = false,
  begun?: Begun,
): Child => {
  const { name, end } = readName(window, start, bound)
  const item = readItem(window, end, bound)
  if (item.type === ItemType.HARDLINK) return { name, nameStart: start, entry: readHardLink(window, item, start) }
  if (item.type !== ItemType.ENTRY && item.type !== ItemType.ENTRY_V1) {
    throw malformed("N4", end, `${item.type.name} item after a FILENAME`)
  }
  return { name, nameStart: start, entry: readFrom(window, item, bound, version, limits, forward, begun) }
}

/** Reads FILENAME at `start`: the name, and the position after the item. Checks N1–N3. */
export const readName = (
  window: Window,
  start: number,
  bound: number,
): { readonly name: Uint8Array; readonly end: number } => {
  const item = readItem(window, start, bound)
  if (item.type !== ItemType.FILENAME) throw malformed("H4", start, `${item.type.name} item in place of a FILENAME`)
  const name = copyTerminated(window, item.content, item.end, "N", "file name")
  const dots = name[0] === DOT && (name.length === 1 || (name.length === 2 && name[1] === DOT))
  if (dots || name.includes(SLASH)) throw malformed("N2", item.content, "file name with a slash, or `.` or `..`")
  return { name, end: item.end }
}

/** Where the entry behind the FILENAME at `start` begins. The name is not looked at: it may be bad (§4.6). Checks L2. */
export const skipName = (window: Window, start: number, bound: number): number => {
  requireBytes(window, Math.min(bound, start + HEADER_SIZE))
  const at = start - window.base
  if (
    start + HEADER_SIZE > bound ||
    window.view.getUint32(at, true) !== ItemType.FILENAME.low ||
    window.view.getUint32(at + 4, true) !== ItemType.FILENAME.high
  ) {
    throw malformed("L2", start, "no FILENAME where a hard link points")
  }
  return readItem(window, start, bound).end
}

/** The type of the item at `start`. */
export const peekType = (window: Window, start: number, bound: number): ItemType.ItemType =>
  readItem(window, start, bound).type

/** Reads the ENTRY or ENTRY_V1 at `start`, its attributes and its terminal item, all at or before `bound`. */
export const readEntry = (
  window: Window,
  start: number,
  bound: number,
  version: 1 | 2,
  limits: Limits,
  begun?: Begun,
): Entry => {
  const head = readItem(window, start, bound)
  if (head.type !== ItemType.ENTRY && head.type !== ItemType.ENTRY_V1) {
    throw malformed("H4", start, `${head.type.name} item in place of an ENTRY`)
  }
  return readFrom(window, head, bound, version, limits, false, begun)
}

/** Reads the entry that begins with the ENTRY or ENTRY_V1 item `head`. */
const readFrom = (
  window: Window,
  head: Item,
  bound: number,
  version: 1 | 2,
  limits: Limits,
  forward: boolean,
  begun: Begun | undefined,
): Entry => {
  requireBytes(window, head.end)
  const view = window.view
  const at = head.content - window.base
  let findings = noFindings
  let mtimeSeconds: bigint
  let mtimeNanos: number
  if (head.type === ItemType.ENTRY_V1) {
    const nanoseconds = view.getBigUint64(at + 24, true)
    mtimeSeconds = nanoseconds / 1_000_000_000n
    mtimeNanos = Number(nanoseconds % 1_000_000_000n)
  } else {
    mtimeSeconds = view.getBigInt64(at + 24, true)
    mtimeNanos = view.getUint32(at + 32, true)
    if (mtimeNanos > 999_999_999) {
      findings = [{ check: "E2", offset: head.content + 32, detail: `${mtimeNanos} nanoseconds taken for 999999999` }]
      mtimeNanos = 999_999_999
    }
  }
  const mode = Bytes.getU64(view, at)
  const isFolder = (mode & S_IFMT) === S_IFDIR
  // What is no item behind the head of a folder is its first child, or its table: that is what is bad, not the folder.
  const lenient = forward || isFolder
  const { attributes, terminal: next, end } = readAttributes(window, head.end, bound, limits, lenient, begun)
  if (mode > 0o177777) throw malformed("E1", head.content, `mode 0x${mode.toString(16)}`)
  const terminal = forward && next !== undefined && endsBefore(next, mode) ? undefined : next
  const isOpen = isFolder && terminal === undefined && (forward || end < bound)
  if (isOpen && !forward)
    findings = [...findings, { check: "H4", offset: end, detail: "no item behind a folder's head" }]
  const body = isOpen
    ? ({ _tag: "Directory", contentsStart: end } as const)
    : readBody(window, terminal, end, mode, version)
  return {
    _tag: "Entry",
    start: head.start,
    end: body._tag === "Directory" || terminal === undefined ? end : terminal.end,
    mode: (mode & S_IFMT) === 0 ? mode | impliedType(body) : mode,
    flags: Bytes.getU64Exact(view, at + 8),
    uid: view.getUint32(at + 16, true),
    gid: view.getUint32(at + 20, true),
    mtimeSeconds,
    mtimeNanos,
    attributes,
    body,
    findings,
  }
}

/** Whether the entry has ended where `next` begins: a FIFO or socket, with what comes after it in its folder. */
const endsBefore = (next: Item, mode: number): boolean => {
  const type = mode & S_IFMT
  return (type === S_IFIFO || type === S_IFSOCK) && (next.type === ItemType.FILENAME || next.type === ItemType.GOODBYE)
}

const noFindings: ReadonlyArray<Finding> = []
const DOT = 0x2e
const SLASH = 0x2f

const readHardLink = (window: Window, item: Item, nameStart: number): HardLink => {
  requireBytes(window, item.end)
  const offset = Bytes.getU64(window.view, item.content - window.base)
  if (offset === 0 || offset > nameStart) throw malformed("L1", item.content, `hard link ${offset} bytes back`)
  const path = copyTerminated(window, item.content + 8, item.end, "E4", "hard link path")
  return { _tag: "HardLink", start: item.start, end: item.end, target: nameStart - offset, path }
}

const readBody = (window: Window, terminal: Item | undefined, end: number, mode: number, version: 1 | 2): Body => {
  const type = mode & S_IFMT
  if (terminal === undefined) {
    if (type === S_IFIFO) return { _tag: "Fifo" }
    if (type === S_IFSOCK) return { _tag: "Socket" }
    throw malformed("E1", end, "entry without contents whose mode is neither FIFO nor socket")
  }
  const agree = (expected: number, other = expected): void => {
    if (type !== 0 && type !== expected && type !== other) {
      throw malformed("E1", terminal.start, `mode 0o${mode.toString(8)} does not fit a ${terminal.type.name} item`)
    }
  }
  switch (terminal.type) {
    case ItemType.FILENAME:
    case ItemType.GOODBYE:
      agree(S_IFDIR)
      return { _tag: "Directory", contentsStart: end }
    case ItemType.PAYLOAD:
      agree(S_IFREG)
      return {
        _tag: "File",
        content: { source: "archive", start: terminal.content, length: terminal.end - terminal.content },
      }
    case ItemType.PAYLOAD_REF:
      agree(S_IFREG)
      return { _tag: "File", content: readPayloadRef(window, terminal, version) }
    case ItemType.SYMLINK: {
      agree(S_IFLNK)
      const target = copyTerminated(window, terminal.content, terminal.end, "E4", "symlink target")
      return { _tag: "Symlink", target }
    }
    case ItemType.DEVICE:
      agree(S_IFCHR, S_IFBLK)
      if (type === 0) throw malformed("E1", terminal.start, "device that is neither character nor block")
      requireBytes(window, terminal.end)
      return { _tag: "Device", major: u64(window, terminal.content), minor: u64(window, terminal.content + 8) }
    default:
      throw malformed("H4", terminal.start, `${terminal.type.name} item in the place of an attribute`)
  }
}

const readPayloadRef = (window: Window, item: Item, version: 1 | 2) => {
  if (version === 1) throw malformed("A6", item.start, "PAYLOAD_REF in an archive of version 1")
  requireBytes(window, item.end)
  const offset = Bytes.getU64(window.view, item.content - window.base)
  const length = Bytes.getU64(window.view, item.content + 8 - window.base)
  if (offset < HEADER_SIZE) throw malformed("P4", item.content, `payload offset ${offset}`)
  if (offset + HEADER_SIZE + length > Number.MAX_SAFE_INTEGER) {
    throw limit("P4", item.content, `payload of ${length} bytes at ${offset}`)
  }
  return { source: "payload", start: offset + HEADER_SIZE, length } as const
}

const impliedType = (body: Body): number =>
  body._tag === "File" ? S_IFREG : body._tag === "Symlink" ? S_IFLNK : body._tag === "Directory" ? S_IFDIR : 0
