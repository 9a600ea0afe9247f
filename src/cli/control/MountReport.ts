/**
 * What a mount tells about itself, as it goes over its control socket and into `status --json`.
 */
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import type * as Mount from "../../fuse/Mount.ts"

const Count = Schema.Int.check(Schema.isGreaterThanOrEqualTo(0))

export const MountReport = Schema.Struct({
  pid: Count,
  /** When it began to serve, ISO 8601. */
  since: Schema.String,
  /** Absolute paths of what was to be mounted: archives, or a folder of them. */
  archives: Schema.Array(Schema.String),
  mount_point: Schema.String,
  /** `major:minor`, as in the mount table. Absent for a connection that was mounted by somebody else. */
  device: Schema.optionalKey(Schema.String),
  /** Requests by operation. */
  requests: Schema.Record(Schema.String, Count),
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
})

export type MountReport = typeof MountReport.Type

export const of = (mounted: Mount.Mounted, archives: ReadonlyArray<string>, since: Date): Effect.Effect<MountReport> =>
  Effect.gen(function* () {
    const { abandoned, delivered, errors, requests } = yield* mounted.counters
    return {
      pid: process.pid,
      since: since.toISOString(),
      archives,
      mount_point: mounted.mountPoint,
      ...(mounted.device === undefined ? {} : { device: mounted.device }),
      requests,
      delivered,
      abandoned,
      errors,
      in_flight: yield* mounted.inFlight,
      held: (yield* mounted.held).length,
      cache: yield* mounted.memory,
    }
  })

export const encode = (report: MountReport): string => `${JSON.stringify(report)}\n`

export const decode = Schema.decodeUnknownEffect(Schema.fromJsonString(MountReport))
