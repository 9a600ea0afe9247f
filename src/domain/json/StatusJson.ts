/**
 * A line of `status --json`: a mount. And what a process that serves one tells of it over its control socket.
 */
import * as Schema from "effect/Schema"
import { Count, Hex, Time } from "./JsonText.ts"

/** `MAJOR:MINOR`, as in the mount table. */
const Device = Schema.String.check(Schema.isPattern(/^\d+:\d+$/))

/** What only the process that serves can tell. */
const served = {
  pid: Count,
  /** When it began to serve. */
  since: Time,
  /** Absolute paths of what was to be mounted: archives, or a folder of them. */
  archives: Schema.Array(Schema.String),
  /** Requests by operation. */
  requests: Schema.Record(Schema.String.check(Schema.isPattern(/^[A-Z_]+$/)), Count),
  /** Replies that the kernel took, those it no longer waited for, and those of either that carried an errno. */
  delivered: Count,
  abandoned: Count,
  errors: Count,
  /** Requests under way. */
  in_flight: Count,
  /** Nodes that the kernel holds, the root included. */
  held: Count,
  /** Bytes that the caches hold. */
  cache: Schema.Struct({ blocks: Count, tables: Count }),
  /** Of a datastore: see `Traffic`. */
  traffic: Schema.optionalKey(
    Schema.Struct({
      requests: Count,
      in_flight: Count,
      failures: Count,
      fetched: Count,
      from_disk: Count,
      read: Count,
      hits: Count,
      waits: Count,
      misses: Count,
      ahead: Count,
    }),
  ),
}

/** What a mount tells of itself. `device` is absent for a connection that was mounted by somebody else. */
export const MountReportJson = Schema.Struct({
  ...served,
  mount_point: Schema.String,
  device: Schema.optionalKey(Device),
})
/** What a mount tells of itself, as a type. */
export type MountReportJson = typeof MountReportJson.Type

const mount = {
  mount_point: Schema.String,
  mount_point_hex: Schema.optionalKey(Hex),
  archive: Schema.optionalKey(Schema.String),
  device: Schema.optionalKey(Device),
  owner: Schema.optionalKey(Count),
}

/** A mount. */
export const StatusJson = Schema.Union([
  Schema.Struct({ ...mount, state: Schema.Literals(["dead", "silent", "unknown"]) }),
  Schema.Struct({ ...mount, ...served, state: Schema.Literals(["served", "detached"]) }),
])
/** A mount, as a type. */
export type StatusJson = typeof StatusJson.Type
