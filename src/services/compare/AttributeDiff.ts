/**
 * The attributes in which two entries differ, contents and names apart.
 *
 * ACLs and capabilities are compared as a file system would show them (§8.1). What one of the trees cannot tell is not
 * compared.
 */
import * as Bytes from "../../domain/Bytes.ts"
import type { Attributes, Entry, Xattr } from "../../domain/pxar/Entry.ts"
import { S_IFMT } from "../../domain/pxar/Entry.ts"
import * as EntryKind from "../../domain/pxar/EntryKind.ts"
import * as PathText from "../../domain/PathText.ts"
import * as Stat from "../../domain/pxar/Stat.ts"
import * as XattrList from "../../domain/pxar/XattrList.ts"
import type { Item, Unknown } from "./ComparedTree.ts"

/** Attributes with a value as text; `undefined` where an entry has no such attribute. */
export interface ValueChange {
  readonly attribute:
    | "kind"
    /** Permission bits in octal, four digits. */
    | "mode"
    | "uid"
    | "gid"
    /** Bytes. */
    | "size"
    /** Seconds since the epoch with nine decimals: the nanoseconds, to be added also to negative seconds. */
    | "mtime"
    /** Of a symbolic link. */
    | "target"
    /** `major,minor` */
    | "device"
    /** Feature flags (§5), in hex. */
    | "flags"
    | "quota_project_id"
    /** The first name met of a file with several names, where this is a further one. */
    | "hardlink"
    /** Values of `system.posix_acl_access`, `system.posix_acl_default` and `security.capability`, in hex. */
    | "acl"
    | "default_acl"
    | "fcaps"
  readonly left: string | undefined
  readonly right: string | undefined
}

/** An extended attribute: its values, in hex. */
export interface XattrChange {
  readonly attribute: "xattr"
  readonly name: Uint8Array
  readonly left: string | undefined
  readonly right: string | undefined
}

/** Bytes of a content, from `start` to before `end`. */
export interface Range {
  readonly start: number
  readonly end: number
}

/** Contents differ from the byte at `offset` on. Between contents of two sizes told only with `ranges`. */
export interface ContentChange {
  readonly attribute: "content"
  readonly offset: number
  /** Where they differ, if that is asked for: in order. What only the longer one has is one of them, and its end. */
  readonly ranges?: ReadonlyArray<Range> | undefined
  /** Whether there may be more behind the last of these. */
  readonly isCut?: boolean | undefined
}

/** One attribute that differs. */
export type Change = ValueChange | XattrChange | ContentChange

/** The attributes in which `left` and `right` differ. Between entries of different kinds that is the kind alone. */
export const compare = (left: Item, right: Item): Array<Change> => {
  if (areAlike(left, right)) return []
  const changes: Array<Change> = []
  const l = left.entry
  const r = right.entry
  const value = (attribute: ValueChange["attribute"], ours: string | undefined, theirs: string | undefined): void => {
    if (ours !== theirs) changes.push({ attribute, left: ours, right: theirs })
  }
  const kind = EntryKind.of(l)
  if (kind !== EntryKind.of(r)) {
    value("kind", kind, EntryKind.of(r))
    return changes
  }
  if (((l.mode ^ r.mode) & ~S_IFMT) !== 0) value("mode", modeText(l), modeText(r))
  if (l.uid !== r.uid) value("uid", String(l.uid), String(r.uid))
  if (l.gid !== r.gid) value("gid", String(l.gid), String(r.gid))
  if (l.body._tag === "File" && Stat.sizeOf(l) !== Stat.sizeOf(r)) {
    value("size", String(Stat.sizeOf(l)), String(Stat.sizeOf(r)))
  }
  if (l.mtimeSeconds !== r.mtimeSeconds || l.mtimeNanos !== r.mtimeNanos) value("mtime", mtimeText(l), mtimeText(r))
  value("target", targetText(l), targetText(r))
  value("device", deviceText(l), deviceText(r))
  if (!left.unknown.flags && !right.unknown.flags) {
    value("flags", flagsText(l), flagsText(r))
    value("quota_project_id", l.attributes.quotaProjectId?.toString(), r.attributes.quotaProjectId?.toString())
  }
  changes.push(...compareXattrs(left, right))
  return changes
}

/** Whether two files, or folders, are the same in all that they usually have: most that are compared. */
const areAlike = (left: Item, right: Item): boolean => {
  const l = left.entry
  const r = right.entry
  return (
    l.body._tag === r.body._tag &&
    (l.body._tag === "Directory" || (l.body._tag === "File" && Stat.sizeOf(l) === Stat.sizeOf(r))) &&
    l.mode === r.mode &&
    l.uid === r.uid &&
    l.gid === r.gid &&
    l.mtimeNanos === r.mtimeNanos &&
    l.mtimeSeconds === r.mtimeSeconds &&
    (left.unknown.flags || right.unknown.flags || l.flags === r.flags) &&
    l.attributes === r.attributes
  )
}

const modeText = ({ mode }: Entry): string => (mode & ~S_IFMT).toString(8).padStart(4, "0")
const mtimeText = (entry: Entry): string => `${entry.mtimeSeconds}.${String(entry.mtimeNanos).padStart(9, "0")}`
const flagsText = ({ flags }: Entry): string => `0x${flags.toString(16)}`
const targetText = ({ body }: Entry): string | undefined =>
  body._tag === "Symlink" ? PathText.print(body.target) : undefined
const deviceText = ({ body }: Entry): string | undefined =>
  body._tag === "Device" ? `${body.major},${body.minor}` : undefined

const compareXattrs = (left: Item, right: Item): ReadonlyArray<Change> => {
  if (left.entry.attributes === right.entry.attributes) return []
  if (haveSameXattrs(left.entry.attributes, right.entry.attributes)) return []
  const unknown = new Set([left.unknown.attributes, right.unknown.attributes])
  if (unknown.has("all")) return []
  const unseen: Unknown["attributes"] = unknown.has("trusted") ? "trusted" : "none"
  const ours = valuesOf(left.entry, unseen)
  const theirs = valuesOf(right.entry, unseen)
  const changes: Array<Change> = []
  for (const [key, { name, value }] of ours) {
    const other = theirs.get(key)
    if (other === undefined || !Bytes.equals(value, other.value)) {
      changes.push(xattrChange(name, hex(value), other === undefined ? undefined : hex(other.value)))
    }
  }
  for (const [key, { name, value }] of theirs) {
    if (!ours.has(key)) changes.push(xattrChange(name, undefined, hex(value)))
  }
  return changes
}

/** Whether both have the same extended attributes in the same order, and no others: the usual ones that have any. */
const haveSameXattrs = (left: Attributes, right: Attributes): boolean =>
  left.xattrs.length === right.xattrs.length &&
  hasOnlyXattrs(left) &&
  hasOnlyXattrs(right) &&
  left.xattrs.every(({ name, value }, index) => {
    const other = right.xattrs[index] as Xattr
    return Bytes.equals(name, other.name) && Bytes.equals(value, other.value)
  })

const hasOnlyXattrs = (attributes: Attributes): boolean =>
  attributes.aclUsers.length === 0 &&
  attributes.aclGroups.length === 0 &&
  attributes.aclGroupObj === undefined &&
  attributes.aclDefault === undefined &&
  attributes.aclDefaultUsers.length === 0 &&
  attributes.aclDefaultGroups.length === 0 &&
  attributes.fcaps === undefined

const TRUSTED = "trusted."

const valuesOf = (entry: Entry, unseen: Unknown["attributes"]) =>
  new Map(
    XattrList.fromEntry(entry)
      .xattrs.filter(({ name }) => !XattrList.isXfsAcl(name))
      .map((xattr) => [Bytes.toKey(xattr.name), xattr] as const)
      .filter(([key]) => unseen === "none" || !key.startsWith(TRUSTED)),
  )

const sorts: Readonly<Record<string, ValueChange["attribute"]>> = {
  "system.posix_acl_access": "acl",
  "system.posix_acl_default": "default_acl",
  "security.capability": "fcaps",
}

const xattrChange = (name: Uint8Array, left: string | undefined, right: string | undefined): Change => {
  const attribute = sorts[Bytes.toKey(name)]
  return attribute === undefined ? { attribute: "xattr", name, left, right } : { attribute, left, right }
}

const hex = (bytes: Uint8Array): string => Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("hex")
