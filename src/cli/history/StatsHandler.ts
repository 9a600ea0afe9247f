/**
 * What `pxar-fuse stats` does (see `StatsCommand`).
 */
import * as Effect from "effect/Effect"
import * as SnapshotId from "../../domain/datastore/SnapshotId.ts"
import type { StatsJson } from "../../domain/json/HistoryJson.ts"
import * as JsonText from "../../domain/json/JsonText.ts"
import * as Stats from "../../services/history/Stats.ts"
import * as ResolveReference from "../../services/repository/ResolveReference.ts"
import * as ExitCode from "../ExitCode.ts"
import * as Output from "../Output.ts"
import * as Progress from "../Progress.ts"
import * as OpenHistory from "./OpenHistory.ts"
import * as Sparkline from "./Sparkline.ts"

export interface Input extends OpenHistory.Given {
  readonly json: boolean
  readonly progress: Progress.Mode
}

export const handler = Effect.fn("stats")(function* (input: Input) {
  const { reference, repository, which } = yield* OpenHistory.open(input)
  const progress = yield* Progress.make({ mode: Progress.besidesResults(input.progress) })
  const stats = yield* Stats.collect(repository, which, (done, all) =>
    progress.update({ entries: done, position: done, size: all }),
  )
  const output = Output.make()
  for (const each of stats.snapshots) yield* output.text(input.json ? JsonText.line(toJson(each)) : toText(each))
  if (!input.json && stats.snapshots.length > 0) yield* output.text(summary(stats))
  yield* output.flush
  for (const { error, id } of stats.unreadable) {
    yield* progress.say(`${SnapshotId.format(id)}: ${error.message}`, "Warn")
  }
  if (stats.unreadable.length > 0) return yield* new ExitCode.Ended({ code: ExitCode.INCOMPLETE })
  if (stats.snapshots.length === 0) yield* ResolveReference.require(repository, reference)
}, Effect.scoped)

const bytes = (size: number): string => Progress.formatBytes(size).padStart(10)

const toText = ({ added, id, only, size }: Stats.SnapshotStats): string =>
  `${SnapshotId.format(id).padEnd(48)} ${bytes(size)}  new ${bytes(added)}  only here ${bytes(only)}\n`

const summary = ({ chunks, distinct, size, snapshots }: Stats.Stats): string => {
  const days = new Map<string, number>()
  for (const { added, id } of snapshots) {
    const day = id.time.slice(0, 10)
    days.set(day, (days.get(day) ?? 0) + added)
  }
  const [first = "", last = ""] = [[...days.keys()][0], [...days.keys()].at(-1)]
  const ratio = distinct === 0 ? "" : `, ${(size / distinct).toFixed(1)} times as much as is kept`
  return [
    "",
    `${snapshots.length} ${snapshots.length === 1 ? "backup" : "backups"} of ${Progress.formatBytes(size)}${ratio}`,
    `${chunks} different chunks, ${Progress.formatBytes(distinct)} before compression`,
    ...(days.size < 2 ? [] : [`new by day, ${first} to ${last}:`, Sparkline.make([...days.values()])]),
    "",
  ].join("\n")
}

const toJson = ({ added, id, only, size }: Stats.SnapshotStats): StatsJson => ({
  snapshot: SnapshotId.format(id),
  size,
  added,
  only,
})
