/**
 * What `pxar-fuse drill` does (see `DrillCommand`).
 */
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import * as SnapshotId from "../../domain/datastore/SnapshotId.ts"
import type { DrillJson } from "../../domain/json/HistoryJson.ts"
import * as JsonText from "../../domain/json/JsonText.ts"
import * as Drill from "../../services/history/Drill.ts"
import * as Edition from "../../services/history/Edition.ts"
import * as ResolveReference from "../../services/repository/ResolveReference.ts"
import * as ExitCode from "../ExitCode.ts"
import * as Output from "../Output.ts"
import * as Progress from "../Progress.ts"
import * as OpenHistory from "./OpenHistory.ts"

export interface Input extends OpenHistory.Given {
  readonly sample: number
  readonly all: boolean
  readonly json: boolean
  readonly progress: Progress.Mode
}

export const handler = Effect.fn("drill")(function* (input: Input) {
  const { reference, repository, which } = yield* OpenHistory.open(input)
  const output = Output.makeLive()
  const progress = yield* Progress.make({ mode: Progress.besidesResults(input.progress) })
  const done: Array<DrillJson> = []
  yield* Stream.runForEach(Edition.groups(repository, which), ({ series, unreadable }) =>
    Effect.gen(function* () {
      for (const { error, id } of unreadable) {
        const line = {
          ...nothing,
          snapshot: SnapshotId.format(id),
          archive: "",
          state: "unreadable" as const,
          problems: [error.message],
        }
        done.push(line)
        yield* output.text(input.json ? JsonText.line(line) : toText(line, 1))
      }
      for (const { archive, editions } of series) {
        for (const edition of editions) {
          const elapsed = yield* Progress.stopwatch
          const report = yield* Drill.run(edition, {
            sample: input.all ? Infinity : input.sample,
            onProgress: (state) => progress.update(state),
          })
          const line: DrillJson = {
            snapshot: SnapshotId.format(edition.snapshot.id),
            archive,
            ...report,
            seconds: Math.round(elapsed()) / 1000,
            size: sizeOf(edition),
          }
          done.push(line)
          yield* output.text(input.json ? JsonText.line(line) : toText(line, edition.snapshots.length))
        }
      }
    }),
  )
  if (!input.json && done.length > 0) yield* output.text(summary(done))
  yield* output.flush
  if (done.length === 0) return yield* ResolveReference.require(repository, reference)
  const states = new Set(done.map(({ state }) => state))
  if (states.has("damaged") || states.has("unreadable")) return yield* new ExitCode.Ended({ code: ExitCode.DAMAGED })
  if (states.has("locked")) return yield* new ExitCode.Ended({ code: ExitCode.KEY })
}, Effect.scoped)

const nothing = { entries: 0, files: 0, bytes: 0, seconds: 0, size: 0 }

const sizeOf = ({ file, snapshot }: Edition.Edition): number =>
  [file.name, file.payload].reduce((sum, name) => sum + (name === undefined ? 0 : (snapshot.file(name)?.size ?? 0)), 0)

const words: Readonly<Record<DrillJson["state"], string>> = {
  ok: "ok",
  damaged: "DAMAGED",
  locked: "locked",
  unreadable: "UNREADABLE",
}

const toText = ({ archive, bytes, entries, files, problems, snapshot, state }: DrillJson, backups: number): string => {
  const read =
    state === "ok" || state === "damaged"
      ? [
          `${Progress.formatCount(entries, "entry", "entries")}, ${Progress.formatCount(files, "file")} read (${Progress.formatBytes(bytes)})`,
        ]
      : []
  const shared = backups > 1 ? [`${backups} backups have it`] : []
  const head = `${words[state].padEnd(10)} ${snapshot} ${archive}  ${[...read, ...shared].join("; ")}`.trimEnd()
  return `${head}\n${problems.map((problem) => `    ${problem}\n`).join("")}`
}

/** What there was, and how long all of it would take at the rate of now. */
const summary = (done: ReadonlyArray<DrillJson>): string => {
  const count = (state: DrillJson["state"]) => done.filter((line) => line.state === state).length
  const sum = (of: (line: DrillJson) => number) => done.reduce((total, line) => total + of(line), 0)
  const [bytes, seconds, size] = [sum((line) => line.bytes), sum((line) => line.seconds), sum((line) => line.size)]
  const rate = bytes === 0 || seconds === 0 ? undefined : bytes / seconds
  const states = (["ok", "damaged", "locked", "unreadable"] as const)
    .filter((state) => count(state) > 0)
    .map((state) => `${count(state)} ${state}`)
  return [
    "",
    `${Progress.formatCount(done.length, "archive")}: ${states.join(", ")}`,
    ...(rate === undefined
      ? []
      : [
          `${Progress.formatBytes(size)} in all, about ${Progress.formatTime(size / rate)} at ${Progress.formatBytes(rate)}/s`,
        ]),
    "",
  ].join("\n")
}
