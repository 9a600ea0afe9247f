/**
 * What a mount tells about itself, as it goes over its control socket and into `status --json`.
 */
import * as Effect from "effect/Effect"
import * as JsonText from "../../domain/json/JsonText.ts"
import type { MountReportJson } from "../../domain/json/StatusJson.ts"
import type { Traffic } from "../../services/bytes/Traffic.ts"
import type * as Mount from "../../fuse/Mount.ts"

export const of = (
  mounted: Mount.Mounted,
  archives: ReadonlyArray<string>,
  since: Date,
  traffic: Traffic | undefined,
): Effect.Effect<MountReportJson> =>
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
      ...(traffic === undefined ? {} : { traffic: toJson(traffic) }),
    }
  })

const toJson = ({ ahead, failures, fetched, fromDisk, hits, inFlight, misses, read, requests, waits }: Traffic) => ({
  requests,
  in_flight: inFlight,
  failures,
  fetched,
  from_disk: fromDisk,
  read,
  hits,
  waits,
  misses,
  ahead,
})

export const encode = (report: MountReportJson): string => JsonText.line(report)
