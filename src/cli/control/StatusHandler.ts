/**
 * What `pxar-fuse status` does (see `StatusCommand`).
 */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Bytes from "../../domain/Bytes.ts"
import * as PathText from "../../domain/PathText.ts"
import { shellWord } from "../../fuse/mount/MountError.ts"
import * as MountPoint from "./MountPoint.ts"
import * as Mounts from "./Mounts.ts"
import * as JsonText from "../../domain/json/JsonText.ts"
import type { MountReportJson, StatusJson } from "../../domain/json/StatusJson.ts"
import * as Output from "../Output.ts"
import * as Progress from "../Progress.ts"
import * as RequestCounts from "./RequestCounts.ts"
import * as Terminal from "../Terminal.ts"

export interface Input {
  /** All mounts without it. */
  readonly mountPoint: string | undefined
  readonly json: boolean
}

export const handler = Effect.fn("status")(function* ({ json, mountPoint }: Input) {
  if (mountPoint !== undefined) yield* MountPoint.check(mountPoint)
  const mounts = mountPoint === undefined ? yield* Mounts.all : [yield* Mounts.find(mountPoint)]
  const states = yield* Effect.forEach(mounts, Mounts.state, { concurrency: AT_ONCE })
  const now = yield* Clock.currentTimeMillis
  const output = Output.make()
  for (const [index, mount] of mounts.entries()) {
    const state = states[index] ?? "unknown"
    yield* output.text(json ? JsonText.line(asJson(mount, state)) : asText(mount, state, now))
  }
  yield* output.flush
  if (mounts.length === 0 && !json) yield* Terminal.note("no archive is mounted")
}, Effect.scoped)

const asJson = ({ entry, server }: Mounts.Mount, state: Mounts.State): StatusJson => {
  const { mount_point = "", ...report } = server?.report ?? {}
  return {
    ...JsonText.text("mount_point", entry?.mountPoint ?? Bytes.fromText(mount_point)),
    state,
    ...JsonText.optional("archive", entry?.source),
    ...JsonText.optional("device", entry?.device),
    ...JsonText.optional("owner", entry?.owner),
    ...report,
  } as StatusJson
}

const asText = ({ entry, server }: Mounts.Mount, state: Mounts.State, now: number): string => {
  const mountPoint = printed(entry?.mountPoint ?? server?.report.mount_point ?? "")
  const archive = (server?.report.archives ?? [entry?.source ?? ""]).map(printed).join(" ")
  const lines =
    server === undefined
      ? [remark(mountPoint, entry?.owner)[state]]
      : [...describe(server.report, now), ...(state === "detached" ? [DETACHED] : [])]
  return [`${mountPoint}: ${archive}`, ...lines.map((line) => `  ${line}`), ""].join("\n")
}

/** Mounts that are asked at a time whether anybody serves them: each by a process of its own. */
const AT_ONCE = 8

/** Other users have chosen these names, and whatever is in them. */
const printed = (name: Uint8Array | string): string =>
  shellWord(PathText.print(typeof name === "string" ? Bytes.fromText(name) : name))

const DETACHED = "unmounted, and ends with its last user"

const remark = (mountPoint: string, owner: number | undefined): Readonly<Record<Mounts.State, string>> => ({
  served: "served",
  detached: DETACHED,
  dead: `dead: its process is gone; pxar-fuse unmount ${mountPoint} removes it`,
  silent: "does not answer: its process is stopped or hangs",
  unknown: `of user ${owner ?? "unknown"}; more is not known here`,
})

/** How much of what was wanted had been fetched before. */
const trafficLine = (traffic: NonNullable<MountReportJson["traffic"]>): string => {
  const { fetched, from_disk: fromDisk, hits, in_flight: underWay, misses, read, requests, waits } = traffic
  const bytes = Progress.formatBytes
  const percent = (part: number): string => `${Math.round((100 * part) / Math.max(1, hits + waits + misses))} %`
  return [
    `fetched ${bytes(fetched)} by ${Progress.formatCount(requests, "request")}, ${underWay} under way`,
    `${bytes(fromDisk)} from the disk cache`,
    `${bytes(read)} read: ${percent(hits)} at hand, ${percent(waits)} on the way`,
  ].join("; ")
}

const describe = (report: MountReportJson, now: number): ReadonlyArray<string> => {
  const { cache, held, in_flight: underWay, pid, requests, since } = report
  const bytes = Progress.formatBytes
  return [
    `process ${pid}, since ${since}, for ${Progress.formatTime((now - Date.parse(since)) / 1000)}`,
    `${Progress.formatCount(RequestCounts.total(requests), "request")} (${RequestCounts.operations(requests)})`,
    `${RequestCounts.replies(report)}; ${Progress.formatCount(underWay, "request")} under way`,
    ...(report.traffic === undefined ? [] : [trafficLine(report.traffic)]),
    `${Progress.formatCount(held, "node")} held; caches: ${bytes(cache.blocks)} of metadata, ${bytes(cache.tables)} of folder tables`,
  ]
}
