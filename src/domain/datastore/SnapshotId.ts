/**
 * Which backup: its namespace, its group (type and id) and the time at which it was begun (datastore §1.3).
 */
import * as Result from "effect/Result"
import * as Namespace from "./Namespace.ts"
import { isSafeId } from "./SafeId.ts"

/** What kind of machine was saved. */
export type BackupType = "vm" | "ct" | "host"

/** A group of backups: those of one machine. */
export interface GroupId {
  readonly namespace: Namespace.Namespace
  readonly type: BackupType
  readonly id: string
}

/** A backup. */
export interface SnapshotId extends GroupId {
  /** `YYYY-MM-DDTHH:MM:SSZ`: texts are in the order of the times. */
  readonly time: string
}

/** All types, in the order of listings. */
export const TYPES: ReadonlyArray<BackupType> = ["host", "ct", "vm"]

/** Whether a text is a type of backup. */
export const isType = (text: string): text is BackupType => text === "vm" || text === "ct" || text === "host"

/** Whether a text is a time that exists, as folders of snapshots are called. */
export const isTime = (text: string): boolean =>
  /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}Z$/.test(text) && fromEpoch(toEpoch(text)) === text

/** Seconds since the epoch of a time's text; `NaN` if it is none. */
export const toEpoch = (time: string): number => Date.parse(time) / 1000

/** The text of a time, in whole seconds since the epoch; empty outside the years 0 to 9999. */
export const fromEpoch = (seconds: number): string => {
  const milliseconds = Math.floor(seconds) * 1000
  if (!(Math.abs(milliseconds) <= 8.64e15)) return ""
  const text = new Date(milliseconds).toISOString()
  return text.length === 24 ? `${text.slice(0, 19)}Z` : ""
}

/** The path of a group below its datastore: `ns/a/host/elsa`. */
export const groupPath = ({ id, namespace, type }: GroupId): string =>
  [...(namespace.length === 0 ? [] : [Namespace.toPath(namespace)]), type, id].join("/")

/** The path of a backup below its datastore: `ns/a/host/elsa/2020-06-26T13:56:05Z`. */
export const format = (snapshot: SnapshotId): string => `${groupPath(snapshot)}/${snapshot.time}`

/** Reads a path as `format` gives it. The failure says what is wrong. */
export const parse = (text: string): Result.Result<SnapshotId, string> => {
  const names = text.split("/")
  const levels = (names.length - 3) / 2
  if (!Number.isInteger(levels) || levels < 0) return Result.fail(`"${text}" is not [ns/NAME/...]TYPE/ID/TIME`)
  for (let level = 0; level < levels; level++) {
    if (names[2 * level] !== "ns") return Result.fail(`"${names[2 * level]}" stands where "ns" should`)
  }
  const namespace = Namespace.parse(
    names
      .slice(0, 2 * levels)
      .filter((_, i) => i % 2 === 1)
      .join("/"),
  )
  if (Result.isFailure(namespace)) return Result.fail(namespace.failure)
  const [type, id, time] = names.slice(2 * levels) as [string, string, string]
  if (!isType(type)) return Result.fail(`"${type}" is no type of backup: vm, ct or host`)
  if (!isSafeId(id)) return Result.fail(`"${id}" is no id of a backup`)
  if (!isTime(time)) return Result.fail(`"${time}" is no time like 2026-03-01T12:00:00Z`)
  return Result.succeed({ namespace: namespace.success, type, id, time })
}

/** Orders backups by namespace, type and id, then by time, the oldest first. */
export const compare = (a: SnapshotId, b: SnapshotId): number => {
  const x = format(a)
  const y = format(b)
  return x < y ? -1 : x > y ? 1 : 0
}
