/**
 * The line of `info --json`: an archive as a whole.
 */
import * as Schema from "effect/Schema"
import { ErrorJson } from "./ErrorJson.ts"
import { Count, Hex, Path } from "./JsonText.ts"

/** The prelude as it is if it is JSON, else in hex; or why it cannot be read. */
export const PreludeJson = Schema.Union([
  Schema.Struct({ size: Count, json: Schema.Unknown }),
  Schema.Struct({ size: Count, hex: Hex }),
  Schema.Struct({ error: ErrorJson }),
])
/** The prelude, as a type. */
export type PreludeJson = typeof PreludeJson.Type

/** An archive as a whole. */
export const InfoJson = Schema.Struct({
  archive: Schema.String,
  version: Schema.Literals([1, 2]),
  size: Count,
  /** The payload archive, if it is there. */
  payload: Schema.optionalKey(
    Schema.Struct({
      archive: Schema.String,
      size: Count,
      /** Whether its end marker is there. */
      complete: Schema.Boolean,
      /** Bytes that no file refers to, if that can be told. */
      unreferenced: Schema.optionalKey(Count),
    }),
  ),
  payload_missing: Schema.Boolean,
  prelude: Schema.optionalKey(PreludeJson),
  /** Bytes of all files, each counted once. */
  contents: Count,
  entries: Count,
  kinds: Schema.Struct({
    directory: Count,
    file: Count,
    symlink: Count,
    fifo: Count,
    socket: Count,
    chardev: Count,
    blockdev: Count,
  }),
  hardlinks: Count,
  entries_with_xattrs: Count,
  xattrs: Count,
  acls: Count,
  default_acls: Count,
  capabilities: Count,
  quota_project_ids: Count,
  deepest: Schema.Struct({ ...Path, depth: Count }),
  largest: Schema.Array(Schema.Struct({ ...Path, size: Count })),
  unreadable: Count,
  hidden: Count,
})
/** An archive as a whole, as a type. */
export type InfoJson = typeof InfoJson.Type
