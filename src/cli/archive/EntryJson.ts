/**
 * Entries, paths and errors as JSON, the same in all commands (see docs/json.md).
 *
 * Paths and names are given as `PathText` prints them and, where that is not the name itself, also in hex. Numbers of 64
 * bits are decimal strings, sizes and offsets (below 2^53) are numbers, times are seconds and nanoseconds.
 */
import type { Entry, Xattr } from "../../domain/pxar/Entry.ts"
import * as EntryKind from "../../domain/pxar/EntryKind.ts"
import * as PathText from "../../domain/PathText.ts"
import * as Stat from "../../domain/pxar/Stat.ts"
import * as XattrList from "../../domain/pxar/XattrList.ts"
import type { ArchiveError } from "../../services/archive/ArchiveError.ts"

/** A value that `JSON.stringify` takes; members that are `undefined` are left out. */
export type Json = string | number | boolean | null | undefined | ReadonlyArray<Json> | { readonly [key: string]: Json }

/** An object, and one line of output with it. */
export type JsonObject = { readonly [key: string]: Json }

export const line = (value: JsonObject): string => `${JSON.stringify(value)}\n`

/** Bytes in hex. */
export const hex = (bytes: Uint8Array): string =>
  Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("hex")

/** `key` and, unless the text is the name itself, `key_hex`. */
export const text = (key: string, bytes: Uint8Array): JsonObject => {
  const printed = PathText.print(bytes)
  return printed.includes("\\") ? { [key]: printed, [`${key}_hex`]: hex(bytes) } : { [key]: printed }
}

/** A path as an object with `path`, and `path_hex` where that is needed. */
export const path = (bytes: Uint8Array): JsonObject => text("path", bytes)

/** What is told of an entry besides its path. */
export interface Subject {
  /** For a hard link its target's. */
  readonly entry: Entry
  /** Inode number; left out where it says nothing. */
  readonly ino?: bigint | undefined
  /** Path of the target, if this is a hard link. */
  readonly hardlink?: Uint8Array | undefined
  /** Whether attributes are known. */
  readonly attributes?: boolean | undefined
}

/** An entry at a path. */
export const entry = (at: Uint8Array, { attributes = true, entry, hardlink, ino }: Subject): JsonObject => ({
  ...path(at),
  kind: EntryKind.of(entry),
  ...(hardlink === undefined ? {} : text("hardlink", hardlink)),
  ino: ino?.toString(),
  mode: entry.mode,
  uid: entry.uid,
  gid: entry.gid,
  size: Stat.sizeOf(entry),
  mtime_seconds: entry.mtimeSeconds.toString(),
  mtime_nanos: entry.mtimeNanos,
  ...(entry.body._tag === "Symlink" ? text("target", entry.body.target) : {}),
  ...(entry.body._tag === "Device"
    ? { device: { major: entry.body.major.toString(), minor: entry.body.minor.toString() } }
    : {}),
  flags: entry.flags === 0n ? undefined : entry.flags.toString(),
  quota_project_id: entry.attributes.quotaProjectId?.toString(),
  xattrs: attributes ? xattrs(entry) : undefined,
})

const xattrs = (entry: Entry): Json | undefined => {
  const list = XattrList.fromEntry(entry).xattrs
  return list.length === 0 ? undefined : list.map(xattr)
}

const xattr = ({ name, value }: Xattr): JsonObject => ({ ...text("name", name), value_hex: hex(value) })

/** A failed check. */
export const error = (error: ArchiveError): JsonObject => ({
  kind: error.kind,
  check: error.check,
  archive: error.archive,
  offset: error.offset,
  detail: error.detail,
})
