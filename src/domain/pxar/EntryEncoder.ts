/**
 * Writes the items of an archive, byte for byte as the reference does (§2, §6): what stands before the root, names,
 * entries with their attributes in the order of §1.8, terminal items, and the markers of a payload archive.
 *
 * The counterpart of `EntryDecoder`. Pure: appends to a `ByteBuilder`. Values that a reader would have to refuse
 * throw a `FormatError` with the check they would fail, and nothing useful is then in the builder; run it inside
 * `FormatError.capture`. The order of items is the caller's, except within an entry. Goodbye tables: `GoodbyeEncoder`.
 */
import type { ByteBuilder } from "../ByteBuilder.ts"
import * as ByteBuilders from "../ByteBuilder.ts"
import * as Bytes from "../Bytes.ts"
import type { AclEntry, Attributes, Entry } from "./Entry.ts"
import { noAttributes } from "./Entry.ts"
import { malformed } from "./FormatError.ts"
import { HEADER_SIZE } from "./Item.ts"
import * as ItemType from "./ItemType.ts"

/** What ENTRY and the attribute items store (§2.2, §2.5–§2.8). An `Entry` that was read is one. */
export type Metadata = Pick<Entry, "mode" | "flags" | "uid" | "gid" | "mtimeSeconds" | "mtimeNanos" | "attributes">

/** Appends an item's header and makes room for its content; returns where the content begins (§1.3, H3). */
export const writeHeader = (to: ByteBuilder, type: ItemType.ItemType, contentSize: number): number => {
  if (contentSize < type.minContent || contentSize > type.maxContent) {
    throw malformed("H3", to.length, `${type.name} item with ${contentSize} content bytes`)
  }
  const at = ByteBuilders.reserve(to, HEADER_SIZE + contentSize)
  putHeader(to, at, type, contentSize)
  return at + HEADER_SIZE
}

/** Appends only the header of an item whose content the caller appends. */
const writeBareHeader = (to: ByteBuilder, type: ItemType.ItemType, contentSize: number): void =>
  putHeader(to, ByteBuilders.reserve(to, HEADER_SIZE), type, contentSize)

const putHeader = (to: ByteBuilder, at: number, type: ItemType.ItemType, contentSize: number): void => {
  to.view.setUint32(at, type.low, true)
  to.view.setUint32(at + 4, type.high, true)
  Bytes.setU64(to.view, at + 8, HEADER_SIZE + contentSize)
}

/** FORMAT_VERSION 2 (§2.1). */
export const writeVersion = (to: ByteBuilder): void => {
  const at = writeHeader(to, ItemType.FORMAT_VERSION, 8)
  Bytes.setU64(to.view, at, 2)
}

/** PRELUDE (§2.1): an opaque blob, valid only after FORMAT_VERSION. */
export const writePrelude = (to: ByteBuilder, content: Uint8Array): void => {
  const at = writeHeader(to, ItemType.PRELUDE, content.length)
  to.bytes.set(content, at)
}

/** FILENAME (§2.4) of a child. Checks N1–N3. */
export const writeName = (to: ByteBuilder, name: Uint8Array): void => {
  const dots = name[0] === DOT && (name.length === 1 || (name.length === 2 && name[1] === DOT))
  if (dots || name.includes(SLASH)) throw malformed("N2", to.length, "file name with a slash, or `.` or `..`")
  writeTerminated(to, ItemType.FILENAME, name, "N3")
}

const DOT = 0x2e
const SLASH = 0x2f

/** ENTRY with its attribute items (§2.2, §2.5–§2.8). Checks E1 as far as it concerns the mode alone, E2, E5. */
export const writeEntry = (to: ByteBuilder, metadata: Metadata): void => {
  const { mode, uid, gid, mtimeNanos, attributes } = metadata
  if (!isIntegerIn(mode, 0o177777)) throw malformed("E1", to.length, `mode ${mode}`)
  if (!isIntegerIn(mtimeNanos, 999_999_999)) throw malformed("E2", to.length, `${mtimeNanos} nanoseconds`)
  if (!isIntegerIn(uid, 0xffff_ffff) || !isIntegerIn(gid, 0xffff_ffff)) {
    throw malformed("E1", to.length, `owner ${uid}:${gid}`)
  }
  const at = writeHeader(to, ItemType.ENTRY, 40)
  const { view } = to
  Bytes.setU64(view, at, mode)
  view.setBigUint64(at + 8, metadata.flags, true)
  view.setUint32(at + 16, uid, true)
  view.setUint32(at + 20, gid, true)
  view.setBigInt64(at + 24, metadata.mtimeSeconds, true)
  view.setUint32(at + 32, mtimeNanos, true)
  view.setUint32(at + 36, 0, true)
  if (attributes !== noAttributes) writeAttributes(to, attributes)
}

const isIntegerIn = (value: number, max: number): boolean => Number.isInteger(value) && value >= 0 && value <= max

const writeAttributes = (to: ByteBuilder, attributes: Attributes): void => {
  for (const { name, value } of attributes.xattrs) {
    if (name.length === 0 || name.includes(0)) throw malformed("E5", to.length, "extended attribute without a name")
    const at = writeHeader(to, ItemType.XATTR, name.length + 1 + value.length)
    to.bytes.set(name, at)
    to.bytes[at + name.length] = 0
    to.bytes.set(value, at + name.length + 1)
  }
  for (const user of attributes.aclUsers) writeAclEntry(to, ItemType.ACL_USER, user)
  for (const group of attributes.aclGroups) writeAclEntry(to, ItemType.ACL_GROUP, group)
  if (attributes.aclGroupObj !== undefined) writeU64s(to, ItemType.ACL_GROUP_OBJ, attributes.aclGroupObj)
  if (attributes.aclDefault !== undefined) {
    const { userObj, groupObj, other, mask } = attributes.aclDefault
    writeU64s(to, ItemType.ACL_DEFAULT, userObj, groupObj, other, mask)
  }
  for (const user of attributes.aclDefaultUsers) writeAclEntry(to, ItemType.ACL_DEFAULT_USER, user)
  for (const group of attributes.aclDefaultGroups) writeAclEntry(to, ItemType.ACL_DEFAULT_GROUP, group)
  if (attributes.fcaps !== undefined) {
    const at = writeHeader(to, ItemType.FCAPS, attributes.fcaps.length)
    to.bytes.set(attributes.fcaps, at)
  }
  if (attributes.quotaProjectId !== undefined) writeU64s(to, ItemType.QUOTA_PROJID, attributes.quotaProjectId)
}

const writeAclEntry = (to: ByteBuilder, type: ItemType.ItemType, entry: AclEntry): void =>
  writeU64s(to, type, entry.id, entry.permissions)

const writeU64s = (to: ByteBuilder, type: ItemType.ItemType, ...values: ReadonlyArray<bigint>): void => {
  const at = writeHeader(to, type, 8 * values.length)
  for (const [index, value] of values.entries()) to.view.setBigUint64(at + 8 * index, value, true)
}

/** SYMLINK (§2.9). Checks E4. */
export const writeSymlink = (to: ByteBuilder, target: Uint8Array): void =>
  writeTerminated(to, ItemType.SYMLINK, target, "E4")

/** DEVICE (§2.11): plain major and minor, each of 64 bits. */
export const writeDevice = (to: ByteBuilder, major: bigint, minor: bigint): void =>
  writeU64s(to, ItemType.DEVICE, major, minor)

/**
 * HARDLINK (§2.10) in the place of an ENTRY: `back` bytes from this child's FILENAME header to that of the target,
 * whose path stands relative to the root without a leading slash. Checks L1, E4.
 */
export const writeHardLink = (to: ByteBuilder, back: number, path: Uint8Array): void => {
  if (!Number.isSafeInteger(back) || back <= 0) throw malformed("L1", to.length, `hard link ${back} bytes back`)
  if (path.includes(0)) throw malformed("E4", to.length, "hard link path with a NUL inside")
  const at = writeHeader(to, ItemType.HARDLINK, 8 + path.length + 1)
  Bytes.setU64(to.view, at, back)
  to.bytes.set(path, at + 8)
  to.bytes[at + 8 + path.length] = 0
}

/** The header of a PAYLOAD item of `size` content bytes, which the caller appends (§2.12). */
export const writePayloadHeader = (to: ByteBuilder, size: number): void => {
  if (!isIntegerIn(size, ItemType.PAYLOAD.maxContent)) throw malformed("H3", to.length, `file of ${size} bytes`)
  writeBareHeader(to, ItemType.PAYLOAD, size)
}

/** PAYLOAD_REF (§2.13): `position` of the PAYLOAD header in the payload archive, `size` of the file. */
export const writePayloadRef = (to: ByteBuilder, position: number, size: number): void => {
  if (!isIntegerIn(size, ItemType.PAYLOAD.maxContent)) throw malformed("H3", to.length, `file of ${size} bytes`)
  const at = writeHeader(to, ItemType.PAYLOAD_REF, 16)
  Bytes.setU64(to.view, at, position)
  Bytes.setU64(to.view, at + 8, size)
}

/** PAYLOAD_START_MARKER, the first item of a payload archive (§1.7). */
export const writePayloadStart = (to: ByteBuilder): void => writeBareHeader(to, ItemType.PAYLOAD_START_MARKER, 0)

/** PAYLOAD_TAIL_MARKER, the last item of a payload archive (§1.7). */
export const writePayloadTail = (to: ByteBuilder): void => writeBareHeader(to, ItemType.PAYLOAD_TAIL_MARKER, 0)

const writeTerminated = (to: ByteBuilder, type: ItemType.ItemType, text: Uint8Array, check: "N3" | "E4"): void => {
  if (text.includes(0)) throw malformed(check, to.length, `${type.name} with a NUL inside`)
  const at = writeHeader(to, type, text.length + 1)
  to.bytes.set(text, at)
  to.bytes[at + text.length] = 0
}
