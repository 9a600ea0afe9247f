/**
 * What the web API gives out and takes (docs/web.md). Paths are texts as `PathText` prints them, below a repository's root,
 * with a slash before them.
 */
import * as Schema from "effect/Schema"
import * as EntryKind from "../pxar/EntryKind.ts"
import * as EntryJson from "./EntryJson.ts"
import { Count, Decimal, Hex, Path } from "./JsonText.ts"
import { SnapshotJson } from "./SnapshotJson.ts"

/** Something that is served: what one address names. */
export const RepositoryJson = Schema.Struct({
  id: Schema.String,
  /** As it was given to the command. */
  address: Schema.String,
  kind: Schema.Literals(["archive", "datastore"]),
})
export type RepositoryJson = typeof RepositoryJson.Type

/** What the process can do. */
export const ServerJson = Schema.Struct({
  version: Schema.String,
  repositories: Schema.Array(RepositoryJson),
  /** The folder that can be restored into; absent if that is not allowed. */
  restore: Schema.optionalKey(Schema.String),
  keys: Schema.Array(
    Schema.Struct({ path: Schema.String, hint: Schema.optionalKey(Schema.String), locked: Schema.Boolean }),
  ),
})
export type ServerJson = typeof ServerJson.Type

/** A backup in the tree of its repository; all that its manifest says only where that was asked for. */
export const BackupJson = Schema.Struct({
  /** Its folder. */
  path: Schema.String,
  /** The folder of its group. */
  group: Schema.String,
  time: Schema.String,
  details: Schema.optionalKey(SnapshotJson),
})
export type BackupJson = typeof BackupJson.Type

/** How the backups of a group grow; bytes before compression. */
export const GroupStatsJson = Schema.Struct({
  /** All backups together, and their chunks, each counted once. */
  size: Count,
  distinct: Count,
  chunks: Count,
  /** Backups that could not be read. */
  unreadable: Count,
  /** The oldest first. */
  backups: Schema.Array(
    Schema.Struct({
      path: Schema.String,
      time: Schema.String,
      size: Count,
      /** Chunks that no backup before it has. */
      added: Count,
      /** Chunks that no other backup has. */
      only: Count,
    }),
  ),
})
export type GroupStatsJson = typeof GroupStatsJson.Type

/** How an entry differs from the one of its name in another folder. */
export const Change = Schema.Literals(["new", "changed", "gone"])

/** An entry of a folder, in short. */
export const RowJson = Schema.Struct({
  name: Schema.String,
  name_hex: Schema.optionalKey(Hex),
  kind: Schema.Literals([...EntryKind.all, "unreadable"]),
  /** Absent where an archive would have to be opened for it. */
  size: Schema.optionalKey(Count),
  mtime_seconds: Schema.optionalKey(Decimal),
  mode: Schema.optionalKey(Count),
  uid: Schema.optionalKey(Count),
  gid: Schema.optionalKey(Count),
  target: Schema.optionalKey(Schema.String),
  change: Schema.optionalKey(Change),
  problem: Schema.optionalKey(Schema.String),
})
export type RowJson = typeof RowJson.Type

/** By what a folder is sorted; folders come first. */
export const Sort = Schema.Literals(["name", "size", "time", "kind"])
export type Sort = typeof Sort.Type

/** A part of a folder. */
export const FolderJson = Schema.Struct({
  ...Path,
  /** Entries of the folder, and those that match the filter. */
  total: Count,
  matching: Count,
  /** Number of the first row among those that match. */
  start: Count,
  rows: Schema.Array(RowJson),
  /** For the next page; absent at the end. */
  next: Schema.optionalKey(Schema.String),
  /** Why the folder is not complete. */
  problem: Schema.optionalKey(Schema.String),
})
export type FolderJson = typeof FolderJson.Type

/** All that is known of an entry. */
export const DetailsJson = Schema.Struct({
  ...EntryJson.members,
  /** Extended attributes as a person reads them: ACLs as getfacl, capabilities as getcap. */
  attributes: Schema.Array(Schema.Struct({ name: Schema.String, text: Schema.String })),
  problems: Schema.Array(Schema.String),
  /** How a file can be shown. */
  preview: Schema.optionalKey(Schema.Literals(["text", "image", "audio", "video", "none"])),
  etag: Schema.optionalKey(Schema.String),
})
export type DetailsJson = typeof DetailsJson.Type

/** A path in one backup of its group. */
export const VersionJson = Schema.Struct({
  /** The backup. */
  backup: Schema.String,
  time: Schema.String,
  path: Schema.String,
  state: Schema.Literals(["same", "changed", "first", "absent", "unreadable"]),
  /** Of what is changed in an archive: whether its content is, as far as sizes and chunks tell. */
  content: Schema.optionalKey(Schema.Literals(["same", "changed", "undecided"])),
  row: Schema.optionalKey(RowJson),
  problem: Schema.optionalKey(Schema.String),
})
export type VersionJson = typeof VersionJson.Type

/** Two texts, line by line. */
export const TextDiffJson = Schema.Struct({
  state: Schema.Literals(["same", "different", "binary", "large"]),
  hunks: Schema.Array(Schema.Struct({ old_start: Count, new_start: Count, lines: Schema.Array(Schema.String) })),
})
export type TextDiffJson = typeof TextDiffJson.Type

/** A step of a search: something found, or how far it is. The last one is `done`. */
export const SearchJson = Schema.Struct({
  path: Schema.optionalKey(Schema.String),
  row: Schema.optionalKey(RowJson),
  /** How many backups of its group have it as it is; `path` is in the newest of them. */
  backups: Schema.optionalKey(Count),
  /** Entries looked at. */
  looked_at: Schema.optionalKey(Count),
  /** Entries that could not be read. */
  unreadable: Schema.optionalKey(Count),
  done: Schema.optionalKey(Schema.Literals(["all", "limit"])),
})
export type SearchJson = typeof SearchJson.Type

/** What to download as one file. */
export const ExportRequest = Schema.Struct({
  folder: Schema.String,
  /** Names in the folder; all if there are none. */
  names: Schema.Array(Schema.String),
  format: Schema.Literals(["tar", "zip"]),
})
export type ExportRequest = typeof ExportRequest.Type

/** What to restore to the machine that serves. */
export const RestoreRequest = Schema.Struct({
  folder: Schema.String,
  names: Schema.Array(Schema.String),
  /** A folder below the one that is allowed; empty for that itself. */
  target: Schema.String,
  conflict: Schema.Literals(["refuse", "never", "if-changed", "if-newer", "always"]),
  dry_run: Schema.Boolean,
})
export type RestoreRequest = typeof RestoreRequest.Type

/** A download or a restore, as far as it is. */
export const JobJson = Schema.Struct({
  id: Schema.String,
  kind: Schema.Literals(["export", "restore"]),
  title: Schema.String,
  state: Schema.Literals(["waiting", "running", "done", "failed", "cancelled"]),
  entries: Count,
  bytes: Count,
  /** The first lines about what is missing, was left out or would be done. */
  notes: Schema.Array(Schema.String),
  /** How many things could not be read or restored. */
  problems: Count,
  /** Why it failed. */
  error: Schema.optionalKey(Schema.String),
})
export type JobJson = typeof JobJson.Type
