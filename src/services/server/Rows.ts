/**
 * Rows of a server's lists (server §5), checked: unknown keys are left alone, since any release may add some, and what
 * cannot be read costs the answer.
 */
import * as Result from "effect/Result"
import * as Namespace from "../../domain/datastore/Namespace.ts"
import { isSafeId } from "../../domain/datastore/SafeId.ts"
import * as SnapshotId from "../../domain/datastore/SnapshotId.ts"

export interface GroupRow {
  readonly type: SnapshotId.BackupType
  readonly id: string
  readonly owner: string | undefined
  /** The first line of the notes; `undefined` if there are none. */
  readonly comment: string | undefined
}

export interface SnapshotRow {
  /** As in `SnapshotId`. */
  readonly time: string
  /** Names of the files on disk. */
  readonly files: ReadonlyArray<string>
  readonly isProtected: boolean
}

type Row = Readonly<Record<string, unknown>>

/** Reads all rows of a list. The failure says what is wrong. */
export const all = <A>(data: unknown, read: (row: Row) => A | undefined): Result.Result<ReadonlyArray<A>, string> => {
  if (!Array.isArray(data)) return Result.fail("is no list")
  const rows: Array<A> = []
  for (const row of data) {
    const value = typeof row === "object" && row !== null ? read(row as Row) : undefined
    if (value === undefined) return Result.fail(`has a row that cannot be read, the one with number ${rows.length}`)
    rows.push(value)
  }
  return Result.succeed(rows)
}

const textOf = (value: unknown): string | undefined => (typeof value === "string" ? value : undefined)

/** A row of `namespace`. */
export const namespace = ({ ns }: Row): Namespace.Namespace | undefined => {
  const parsed = typeof ns === "string" ? Namespace.parse(ns) : undefined
  return parsed !== undefined && Result.isSuccess(parsed) ? parsed.success : undefined
}

/** A row of `groups`. */
export const group = (row: Row): GroupRow | undefined => {
  const [type, id] = [textOf(row["backup-type"]), textOf(row["backup-id"])]
  return type !== undefined && SnapshotId.isType(type) && id !== undefined && isSafeId(id)
    ? { type, id, owner: textOf(row["owner"]), comment: textOf(row["comment"]) }
    : undefined
}

/** A row of `snapshots`. */
export const snapshot = (row: Row): SnapshotRow | undefined => {
  const { "backup-time": seconds, files, protected: isProtected } = row
  const time = typeof seconds === "number" ? SnapshotId.fromEpoch(seconds) : ""
  if (time === "" || !Array.isArray(files)) return undefined
  const names = files.map((file: unknown) =>
    typeof file === "object" && file !== null ? textOf((file as Row)["filename"]) : undefined,
  )
  return names.every((name) => name !== undefined)
    ? { time, files: names, isProtected: isProtected === true }
    : undefined
}
