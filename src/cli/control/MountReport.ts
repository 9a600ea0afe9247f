/**
 * What a mount tells about itself, as it goes over its control socket and into `status --json`.
 */
import * as Effect from "effect/Effect"
import type * as Mount from "../../fuse/Mount.ts"

export interface MountReport {
  readonly pid: number
  /** When it began to serve, ISO 8601. */
  readonly since: string
  /** Absolute paths of what was to be mounted: archives, or a folder of them. */
  readonly archives: ReadonlyArray<string>
  readonly mount_point: string
  /** `major:minor`, as in the mount table. Absent for a connection that was mounted by somebody else. */
  readonly device?: string
  /** Requests by operation. */
  readonly requests: Readonly<Record<string, number>>
  /** Replies that the kernel took, those it no longer waited for, and those of either that carried an errno. */
  readonly delivered: number
  readonly abandoned: number
  readonly errors: number
  /** Requests under way. */
  readonly in_flight: number
  /** Nodes that the kernel holds, the root included. */
  readonly held: number
  /** Bytes that the caches hold. */
  readonly cache: { readonly blocks: number; readonly tables: number }
}

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
