/**
 * A line of `diff --json`: a path that differs between an archive and another tree.
 */
import * as Schema from "effect/Schema"
import * as EntryJson from "./EntryJson.ts"
import { ErrorJson } from "./ErrorJson.ts"
import { Count, Hex, Path } from "./JsonText.ts"

/** A value in one of the trees; `null` where there is none. */
const Value = Schema.NullOr(Schema.String)

/** An attribute that differs. */
export const ChangeJson = Schema.Union([
  Schema.Struct({
    attribute: Schema.Literals([
      "kind",
      "mode",
      "uid",
      "gid",
      "size",
      "mtime",
      "target",
      "hardlink",
      "device",
      "flags",
      "quota_project_id",
      "acl",
      "default_acl",
      "fcaps",
    ]),
    archive: Value,
    other: Value,
  }),
  Schema.Struct({
    attribute: Schema.Literal("xattr"),
    name: Schema.String,
    name_hex: Schema.optionalKey(Hex),
    archive: Value,
    other: Value,
  }),
  Schema.Struct({
    attribute: Schema.Literal("content"),
    offset: Count,
    /** With `--bytes`: from `start` to before `end`, in order. */
    ranges: Schema.optionalKey(Schema.Array(Schema.Struct({ start: Count, end: Count }))),
    /** Whether there are more than these. */
    ranges_cut: Schema.optionalKey(Schema.Literal(true)),
  }),
])
/** An attribute that differs, as a type. */
export type ChangeJson = typeof ChangeJson.Type

/** Why something of a folder on disk cannot be read. */
export const DiskErrorJson = Schema.Struct({
  kind: Schema.Literal("IO"),
  operation: Schema.String,
  code: Schema.String,
  detail: Schema.String,
})

/** A path that differs. */
export const DiffJson = Schema.Union([
  /** In one of the trees only. */
  Schema.Struct({ ...EntryJson.itself, change: Schema.Literals(["added", "removed"]) }),
  Schema.Struct({ ...Path, change: Schema.Literal("changed"), attributes: Schema.Array(ChangeJson) }),
  /** Of one size, and only reading tells whether the contents are the same. */
  Schema.Struct({ ...Path, change: Schema.Literal("undecided") }),
  Schema.Struct({
    ...Path,
    change: Schema.Literal("unreadable"),
    side: Schema.Literals(["archive", "other"]),
    error: Schema.Union([ErrorJson, DiskErrorJson]),
  }),
])
/** A path that differs, as a type. */
export type DiffJson = typeof DiffJson.Type
