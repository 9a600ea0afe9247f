/**
 * Lines of `find --json` and `versions --json`.
 */
import * as Schema from "effect/Schema"
import { itself } from "./EntryJson.ts"
import { Count, Hex, Path } from "./JsonText.ts"

/** Where it is, and since when. */
const where = {
  /** The group, as it is given after `::`. */
  group: Schema.String,
  /** Name of the archive. */
  archive: Schema.String,
  /** Times of the backups that have it, the oldest first. */
  backups: Schema.Array(Schema.String),
}

/** A version of something that was found. */
export const FoundJson = Schema.Struct({
  ...where,
  ...itself,
  /** Whether the newest backup of the group does not have it. */
  gone: Schema.Boolean,
})
/** A version of something that was found, as a type. */
export type FoundJson = typeof FoundJson.Type

/** Another path at which a content is. */
const Move = Schema.Struct({
  ...Path,
  /** Whether it is known to be the same content; otherwise size, times and attributes are the same. */
  proven: Schema.Boolean,
})

/** A version of a path. */
export const VersionJson = Schema.Struct({
  ...where,
  ...itself,
  /** Number of the version in its archive, from 1. */
  version: Count,
  /** What became of the content since the version before. */
  content: Schema.Literals(["first", "same", "changed", "undecided"]),
  /** Whether anything else is not as in the version before. */
  metadata_changed: Schema.Boolean,
  /** Whether chunks prove that all these backups have the same content; otherwise sizes and times say so. */
  proven: Schema.Boolean,
  /** With `--moved`: where it was in the backup before, and is in the backup after. */
  moved_from: Schema.optionalKey(Move),
  moved_to: Schema.optionalKey(Move),
})
/** A version of a path, as a type. */
export type VersionJson = typeof VersionJson.Type

/** A backup in numbers: bytes as they are decoded. */
export const StatsJson = Schema.Struct({
  /** Path within the repository, as it is given after `::`. */
  snapshot: Schema.String,
  /** All archives and images. */
  size: Count,
  /** Chunks that no backup before it has. */
  added: Count,
  /** Chunks that no other backup has: what removing it would free. */
  only: Count,
})
/** A backup in numbers, as a type. */
export type StatsJson = typeof StatsJson.Type

/** What a backup is worth: one line of `drill --json`. */
export const DrillJson = Schema.Struct({
  snapshot: Schema.String,
  archive: Schema.String,
  state: Schema.Literals(["ok", "damaged", "locked", "unreadable"]),
  entries: Count,
  /** Files that were read whole, and their bytes. */
  files: Count,
  bytes: Count,
  seconds: Schema.Number,
  /** Bytes of the archive with its contents. */
  size: Count,
  /** What is wrong, in words: the first twenty. */
  problems: Schema.Array(Schema.String),
})
/** What a backup is worth, as a type. */
export type DrillJson = typeof DrillJson.Type

/** Since when a file is wrong: one line of `bisect --json`. */
export const BisectJson = Schema.Struct({
  group: Schema.String,
  archive: Schema.String,
  result: Schema.Literals(["found", "all_bad", "all_good"]),
  /** Time of the first backup in which it is wrong. */
  first_bad: Schema.optionalKey(Schema.String),
  /** Times of backups just before that, of which nothing can be told. */
  untold: Schema.optionalKey(Schema.Array(Schema.String)),
})
/** Since when a file is wrong, as a type. */
export type BisectJson = typeof BisectJson.Type

/** A chunk where it is used: one line of `inspect --json`. */
export const InspectJson = Schema.Struct({
  /** 64 hexadecimal digits. */
  digest: Schema.String,
  snapshot: Schema.String,
  /** Name of the stream, as on disk. */
  stream: Schema.String,
  /** Number of the chunk in the stream. */
  chunk: Count,
  /** Bytes of the stream: the first of the chunk, and after its last. */
  start: Count,
  end: Count,
  state: Schema.Literals(["sound", "bad"]),
  /** What vouches for it, or what is wrong. */
  detail: Schema.String,
  /** Files that are in it, in whole or in part: of a chunk told once for each state of a stream. */
  files: Schema.Array(Schema.String),
  /** Of a file: where its bytes begin in the chunk, and how many there are. */
  offset: Schema.optionalKey(Count),
  length: Schema.optionalKey(Count),
})
/** A chunk where it is used, as a type. */
export type InspectJson = typeof InspectJson.Type

/** What an index has: the line of `index --json`. */
export const IndexJson = Schema.Struct({
  file: Schema.String,
  file_hex: Schema.optionalKey(Hex),
  /** On disk; 0 where there is none. */
  bytes: Count,
  /** Of the repository: states of archives, those in the index, those that cannot be, and encrypted ones that are not. */
  archives: Schema.optionalKey(Count),
  indexed: Schema.optionalKey(Count),
  irregular: Schema.optionalKey(Count),
  encrypted: Schema.optionalKey(Count),
  /** In the index: entries of all archives together, versions of entries, and different names. */
  entries: Count,
  versions: Count,
  names: Count,
  /** Of `build`: archives that were put in, and that could not be read. */
  added: Schema.optionalKey(Count),
  unreadable: Schema.optionalKey(Count),
})
/** What an index has, as a type. */
export type IndexJson = typeof IndexJson.Type
