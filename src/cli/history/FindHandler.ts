/**
 * What `pxar-fuse find` does (see `FindCommand`).
 */
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import * as Stream from "effect/Stream"
import * as SnapshotId from "../../domain/datastore/SnapshotId.ts"
import * as EntryJson from "../../domain/json/EntryJson.ts"
import type { FoundJson } from "../../domain/json/HistoryJson.ts"
import * as JsonText from "../../domain/json/JsonText.ts"
import * as PathText from "../../domain/PathText.ts"
import type * as EntryKind from "../../domain/pxar/EntryKind.ts"
import * as Stat from "../../domain/pxar/Stat.ts"
import * as Find from "../../services/history/Find.ts"
import * as Query from "../../services/tree/Query.ts"
import * as LongListing from "../archive/LongListing.ts"
import * as ExitCode from "../ExitCode.ts"
import * as Output from "../Output.ts"
import * as Progress from "../Progress.ts"
import * as Users from "../Users.ts"
import type { Bounds } from "./HistoryFlags.ts"
import * as OpenHistory from "./OpenHistory.ts"
import * as OpenIndex from "./OpenIndex.ts"

export interface Input extends OpenHistory.Given {
  readonly patterns: ReadonlyArray<string>
  readonly path: boolean
  readonly regex: boolean
  readonly fuzzy: boolean
  readonly ignoreCase: boolean
  readonly size: Bounds | undefined
  readonly newer: number | undefined
  readonly older: number | undefined
  readonly type: ReadonlyArray<EntryKind.EntryKind>
  readonly owner: string | undefined
  readonly deleted: boolean
  readonly noIndex: boolean
  readonly jobs: number
  readonly json: boolean
  readonly progress: Progress.Mode
}

export const handler = Effect.fn("find")(function* (input: Input) {
  const { deleted, jobs, json } = input
  const query = yield* queryOf(input)
  const { folder, repository, which } = yield* OpenHistory.open(input)
  const index = input.noIndex ? undefined : yield* OpenIndex.forReading(input, { folder, repository })
  const output = Output.makeLive()
  const progress = yield* Progress.make({ mode: Progress.besidesResults(input.progress) })
  const onProgress = (entries: number): void => progress.update({ entries })
  let hits = 0
  let unreadable = 0
  yield* Stream.runForEach(Find.find(repository, { ...which, query, index, jobs, onProgress }), (found) => {
    if (found._tag === "Unreadable") {
      unreadable++
      const where = found.snapshots[0] === undefined ? "" : `${SnapshotId.format(found.snapshots[0])}: `
      return progress.say(`${where}${found.error.message}`, "Warn")
    }
    if (deleted && !found.isGone) return Effect.void
    hits++
    return output.text(json ? JsonText.line(toJson(found)) : toText(found))
  })
  yield* output.flush
  if (unreadable > 0) return yield* new ExitCode.Ended({ code: ExitCode.INCOMPLETE })
  if (hits === 0) {
    yield* progress.note("nothing found")
    return yield* new ExitCode.Ended({ code: ExitCode.NO_ENTRY })
  }
}, Effect.scoped)

const queryOf = Effect.fnUntraced(function* (input: Input) {
  const manners = (["path", "regex", "fuzzy"] as const).filter((manner) => input[manner])
  if (manners.length > 1) return yield* new ExitCode.Usage({ detail: `give --${manners.join(" or --")}, not both` })
  const uid = input.owner === undefined ? undefined : userId(input.owner)
  if (uid !== undefined && Number.isNaN(uid)) {
    return yield* new ExitCode.Usage({ detail: `--owner: no user ${input.owner} is known here; give a number` })
  }
  const { ignoreCase, newer, older, patterns, size, type } = input
  const query: Query.Query = {
    patterns,
    manner: manners[0] ?? (patterns.some((pattern) => pattern.includes("/")) ? "path" : "name"),
    ignoreCase,
    minSize: size?.min,
    maxSize: size?.max,
    newer,
    older,
    kinds: type,
    uid,
  }
  const test = Query.compile(query)
  return Result.isSuccess(test) ? query : yield* new ExitCode.Usage({ detail: test.failure })
})

const userId = (user: string): number => (/^\d+$/.test(user) ? Number(user) : (Users.id("passwd", user) ?? Number.NaN))

const toText = ({ entry, isGone, path, series, snapshots }: Find.Hit): string => {
  const size = String(Stat.sizeOf(entry)).padStart(11)
  const where = `${SnapshotId.groupPath(series.group)} ${series.archive}`
  const gone = isGone ? "  (gone)" : ""
  return `${LongListing.mode(entry)} ${size} ${LongListing.time(entry)} ${where} ${PathText.print(path)}${gone}\n    ${OpenHistory.span(snapshots)}\n`
}

const toJson = ({ entry, isGone, path, series, snapshots }: Find.Hit): FoundJson => ({
  group: SnapshotId.groupPath(series.group),
  archive: series.archive,
  backups: snapshots.map(({ time }) => time),
  ...EntryJson.make(path, { entry }),
  gone: isGone,
})
