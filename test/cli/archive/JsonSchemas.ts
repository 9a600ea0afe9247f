/**
 * What docs/json.md says, as schemas. Members that are not in them are errors: whoever adds one documents it.
 */
import { assert } from "@effect/vitest"
import { Schema } from "effect"

const Path = {
  path: Schema.String,
  path_hex: Schema.optionalKey(Schema.String.check(Schema.isPattern(/^([0-9a-f]{2})+$/))),
}
const Hex = Schema.String.check(Schema.isPattern(/^([0-9a-f]{2})*$/))
const Decimal = Schema.String.check(Schema.isPattern(/^-?\d+$/))
const Count = Schema.Int.check(Schema.isGreaterThanOrEqualTo(0))
const Kind = Schema.Literals(["directory", "file", "symlink", "fifo", "socket", "chardev", "blockdev"])
const Check = Schema.String.check(
  Schema.isPattern(/^(H[1-6]|A[1-6]|P[1-5]|D([1-9]|1[01])|N[1-4]|E[1-8]|L[1-3]|R1|V[1-3])$/),
)

const ArchiveError = Schema.Struct({
  kind: Schema.Literals(["Malformed", "Unsupported", "Limit", "IO"]),
  check: Check,
  archive: Schema.String,
  offset: Count,
  detail: Schema.String,
})

const Xattr = Schema.Struct({ name: Schema.String, name_hex: Schema.optionalKey(Hex), value_hex: Hex })

const EntryMembers = {
  ...Path,
  kind: Kind,
  mode: Count,
  uid: Count,
  gid: Count,
  size: Count,
  mtime_seconds: Decimal,
  mtime_nanos: Count.check(Schema.isLessThanOrEqualTo(999_999_999)),
  target: Schema.optionalKey(Schema.String),
  target_hex: Schema.optionalKey(Hex),
  device: Schema.optionalKey(Schema.Struct({ major: Decimal, minor: Decimal })),
  flags: Schema.optionalKey(Decimal),
  quota_project_id: Schema.optionalKey(Decimal),
  xattrs: Schema.optionalKey(Schema.Array(Xattr)),
}

const Entry = Schema.Struct({
  ...EntryMembers,
  ino: Decimal,
  hardlink: Schema.optionalKey(Schema.String),
  hardlink_hex: Schema.optionalKey(Hex),
})

const List = Schema.Union([Entry, Schema.Struct({ ...Path, error: ArchiveError })])

const Info = Schema.Struct({
  archive: Schema.String,
  version: Schema.Literals([1, 2]),
  size: Count,
  payload: Schema.optionalKey(
    Schema.Struct({
      archive: Schema.String,
      size: Count,
      complete: Schema.Boolean,
      unreferenced: Schema.optionalKey(Count),
    }),
  ),
  payload_missing: Schema.Boolean,
  prelude: Schema.optionalKey(
    Schema.Union([
      Schema.Struct({ size: Count, json: Schema.Unknown }),
      Schema.Struct({ size: Count, hex: Hex }),
      Schema.Struct({ error: ArchiveError }),
    ]),
  ),
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

const Verify = Schema.Union([
  Schema.Struct({
    ...Path,
    severity: Schema.Literals(["error", "note"]),
    kind: Schema.Literals(["Malformed", "Unsupported", "Limit", "IO", "Note"]),
    check: Check,
    archive: Schema.String,
    offset: Count,
    detail: Schema.String,
  }),
  Schema.Struct({
    verdict: Schema.Literals(["sound", "notes", "damaged"]),
    opened: Schema.Boolean,
    errors: Count,
    notes: Count,
    entries: Count,
    content_bytes: Count,
  }),
])

const Value = Schema.NullOr(Schema.String)

const Diff = Schema.Union([
  Schema.Struct({ ...EntryMembers, change: Schema.Literals(["added", "removed"]) }),
  Schema.Struct({
    ...Path,
    change: Schema.Literal("changed"),
    attributes: Schema.Array(
      Schema.Union([
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
        Schema.Struct({ attribute: Schema.Literal("content"), offset: Count }),
      ]),
    ),
  }),
  Schema.Struct({
    ...Path,
    change: Schema.Literal("unreadable"),
    side: Schema.Literals(["archive", "other"]),
    error: Schema.Union([
      ArchiveError,
      Schema.Struct({
        kind: Schema.Literal("IO"),
        operation: Schema.String,
        code: Schema.String,
        detail: Schema.String,
      }),
    ]),
  }),
])

const MountMembers = {
  mount_point: Schema.String,
  mount_point_hex: Schema.optionalKey(Hex),
  archive: Schema.optionalKey(Schema.String),
  device: Schema.optionalKey(Schema.String.check(Schema.isPattern(/^\d+:\d+$/))),
  owner: Schema.optionalKey(Count),
}

const Status = Schema.Union([
  Schema.Struct({ ...MountMembers, state: Schema.Literals(["dead", "silent", "unknown"]) }),
  Schema.Struct({
    ...MountMembers,
    state: Schema.Literals(["served", "detached"]),
    archives: Schema.Array(Schema.String),
    pid: Count,
    since: Schema.String.check(Schema.isPattern(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/)),
    requests: Schema.Record(Schema.String, Count),
    delivered: Count,
    abandoned: Count,
    errors: Count,
    in_flight: Count,
    held: Count,
    cache: Schema.Struct({ blocks: Count, tables: Count }),
  }),
])

const parsers = {
  list: Schema.decodeUnknownSync(Schema.fromJsonString(List), { onExcessProperty: "error" }),
  info: Schema.decodeUnknownSync(Schema.fromJsonString(Info), { onExcessProperty: "error" }),
  verify: Schema.decodeUnknownSync(Schema.fromJsonString(Verify), { onExcessProperty: "error" }),
  diff: Schema.decodeUnknownSync(Schema.fromJsonString(Diff), { onExcessProperty: "error" }),
  status: Schema.decodeUnknownSync(Schema.fromJsonString(Status), { onExcessProperty: "error" }),
}

export type Output = keyof typeof parsers

export const outputs = Object.keys(parsers) as ReadonlyArray<Output>

/** The lines of a command's output; fails the test if one is not as documented. */
export const parse = <O extends Output>(
  output: O,
  text: string | Uint8Array,
): ReadonlyArray<ReturnType<(typeof parsers)[O]>> => {
  const lines = Buffer.from(text).toString().split("\n")
  assert.strictEqual(lines.pop(), "", "the output ends with a line's end")
  return lines.map((line) => parsers[output](line) as ReturnType<(typeof parsers)[O]>)
}
