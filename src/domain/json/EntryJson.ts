/**
 * An entry as JSON, the same wherever one is given out.
 */
import * as Schema from "effect/Schema"
import type { Entry, Xattr } from "../pxar/Entry.ts"
import * as EntryKind from "../pxar/EntryKind.ts"
import * as Stat from "../pxar/Stat.ts"
import * as XattrList from "../pxar/XattrList.ts"
import * as JsonText from "./JsonText.ts"

const { Count, Decimal, Hex } = JsonText

/** The kinds of entries. */
export const Kind = Schema.Literals(["directory", "file", "symlink", "fifo", "socket", "chardev", "blockdev"])

/** An extended attribute. */
export const XattrJson = Schema.Struct({
  name: Schema.String,
  name_hex: Schema.optionalKey(Hex),
  value_hex: Hex,
})
/** An extended attribute, as a type. */
export type XattrJson = typeof XattrJson.Type

/** The members that say what an entry is, wherever it is. */
export const itself = {
  ...JsonText.Path,
  kind: Kind,
  /** `st_mode`, with the type bits. */
  mode: Count,
  uid: Count,
  gid: Count,
  /** Bytes of a file, or of the target of a symbolic link; 0 for the others. */
  size: Count,
  mtime_seconds: Decimal,
  mtime_nanos: Count.check(Schema.isLessThanOrEqualTo(999_999_999)),
  /** Of a symbolic link. */
  target: Schema.optionalKey(Schema.String),
  target_hex: Schema.optionalKey(Hex),
  device: Schema.optionalKey(Schema.Struct({ major: Decimal, minor: Decimal })),
  /** Feature flags (§5), if any. */
  flags: Schema.optionalKey(Decimal),
  quota_project_id: Schema.optionalKey(Decimal),
  /** As a file system shows them, ACLs and capabilities included. */
  xattrs: Schema.optionalKey(Schema.Array(XattrJson)),
}

/** The members of an entry of an archive. */
export const members = {
  ...itself,
  /** Of a hard link: the path of its target. All other members are the target's. */
  hardlink: Schema.optionalKey(Schema.String),
  hardlink_hex: Schema.optionalKey(Hex),
  /** The inode number that a mount shows. */
  ino: Schema.optionalKey(Decimal),
}

/** An entry at a path. */
export const EntryJson = Schema.Struct(members)
/** An entry at a path, as a type. */
export type EntryJson = typeof EntryJson.Type

/** What is told of an entry besides its path. */
export interface Subject {
  /** For a hard link its target's. */
  readonly entry: Entry
  /** Path of the target, if this is a hard link. */
  readonly hardlink?: Uint8Array | undefined
  /** Whether attributes are known. */
  readonly attributes?: boolean | undefined
}

/** The entry at the path `at`. */
export const make = (at: Uint8Array, { attributes = true, entry, hardlink }: Subject): EntryJson => ({
  ...JsonText.path(at),
  kind: EntryKind.of(entry),
  ...(hardlink === undefined ? {} : JsonText.text("hardlink", hardlink)),
  mode: entry.mode,
  uid: entry.uid,
  gid: entry.gid,
  size: Stat.sizeOf(entry),
  mtime_seconds: entry.mtimeSeconds.toString(),
  mtime_nanos: entry.mtimeNanos,
  ...(entry.body._tag === "Symlink" ? JsonText.text("target", entry.body.target) : {}),
  ...(entry.body._tag === "Device"
    ? { device: { major: entry.body.major.toString(), minor: entry.body.minor.toString() } }
    : {}),
  ...(entry.flags === 0n ? {} : { flags: entry.flags.toString() }),
  ...JsonText.optional("quota_project_id", entry.attributes.quotaProjectId?.toString()),
  ...JsonText.optional("xattrs", attributes ? xattrs(entry) : undefined),
})

const xattrs = (entry: Entry): ReadonlyArray<XattrJson> | undefined => {
  const list = XattrList.fromEntry(entry).xattrs
  return list.length === 0 ? undefined : list.map(xattr)
}

const xattr = ({ name, value }: Xattr): XattrJson => ({
  ...JsonText.text("name", name),
  value_hex: JsonText.hex(value),
})
