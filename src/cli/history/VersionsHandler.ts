/**
 * What `pxar-fuse versions` does (see `VersionsCommand`).
 */
import * as fs from "node:fs"
import * as path from "node:path"
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import * as SnapshotId from "../../domain/datastore/SnapshotId.ts"
import * as EntryJson from "../../domain/json/EntryJson.ts"
import type { VersionJson } from "../../domain/json/HistoryJson.ts"
import * as JsonText from "../../domain/json/JsonText.ts"
import * as PathText from "../../domain/PathText.ts"
import * as Stat from "../../domain/pxar/Stat.ts"
import * as Extractor from "../../services/extract/Extractor.ts"
import * as Edition from "../../services/history/Edition.ts"
import type * as Moves from "../../services/history/Moves.ts"
import * as Versions from "../../services/history/Versions.ts"
import * as DiskPath from "../../services/posix/DiskPath.ts"
import * as Archive from "../../services/tree/Archive.ts"
import * as ExtractSummary from "../archive/ExtractSummary.ts"
import * as LongListing from "../archive/LongListing.ts"
import * as ErrorMessage from "../ErrorMessage.ts"
import * as ExitCode from "../ExitCode.ts"
import * as Output from "../Output.ts"
import * as Progress from "../Progress.ts"
import * as OpenHistory from "./OpenHistory.ts"
import * as OpenIndex from "./OpenIndex.ts"
import * as VersionsDiff from "./VersionsDiff.ts"

export interface Input extends OpenHistory.Given {
  readonly path: string
  readonly extract: string | undefined
  readonly diff: boolean
  readonly between: string | undefined
  readonly moved: boolean
  readonly data: boolean
  readonly noIndex: boolean
  readonly json: boolean
  readonly progress: Progress.Mode
}

export const handler = Effect.fn("versions")(function* (input: Input) {
  const between = yield* VersionsDiff.parse(input)
  const { folder, repository, which } = yield* OpenHistory.open(input)
  const index = input.noIndex ? undefined : yield* OpenIndex.forReading(input, { folder, repository })
  const wanted = PathText.parse(input.path)
  const output = Output.makeLive()
  const progress = yield* Progress.make({ mode: Progress.besidesResults(input.progress) })
  let code: number = ExitCode.SUCCESS
  let count = 0
  const say = (what: string, message: string) => {
    code = ExitCode.INCOMPLETE
    return progress.say(`${what}: ${message}`, "Warn")
  }
  yield* Stream.runForEach(Edition.groups(repository, which), ({ series, unreadable }) =>
    Effect.gen(function* () {
      for (const { error, id } of unreadable) yield* say(SnapshotId.format(id), error.message)
      for (const each of series) {
        const found = yield* Versions.of(each, wanted, { data: input.data, moves: input.moved, index })
        for (const { edition, error } of found.unreadable) {
          yield* say(`${SnapshotId.format(edition.snapshot.id)}/${each.archive}`, error.message)
        }
        if (between !== undefined) {
          count += found.versions.length
          const { code: ended, text } = yield* VersionsDiff.print(found, between)
          yield* ended === ExitCode.SUCCESS ? output.text(text) : progress.say(text, "Warn")
          if (ended !== ExitCode.SUCCESS) code = ended
          continue
        }
        for (const [at, version] of found.versions.entries()) {
          count++
          yield* output.text(
            input.json ? JsonText.line(toJson(each, version, at + 1)) : toText(each, version, input.data),
          )
          if (input.extract === undefined) continue
          const ended = yield* extract(version, wanted, targetOf(input.extract, each, version))
          for (const line of ended.lines) yield* progress.note(line)
          if (ended.code !== ExitCode.SUCCESS) code = ended.code
        }
      }
    }),
  )
  yield* output.flush
  if (count === 0) {
    yield* progress.note(`${input.path}: in no backup`)
    return yield* new ExitCode.Ended({ code: code === ExitCode.SUCCESS ? ExitCode.NO_ENTRY : code })
  }
  if (code !== ExitCode.SUCCESS) return yield* new ExitCode.Ended({ code })
}, Effect.scoped)

/** One folder a version: below it the path is as in the archive. */
const targetOf = (folder: string, { archive, group }: Edition.Series, { snapshots }: Versions.Version): string =>
  path.join(folder, SnapshotId.groupPath(group), archive, snapshots[0]?.time ?? "")

const extract = ({ edition }: Versions.Version, wanted: Uint8Array, target: string) =>
  Effect.scoped(
    Effect.flatMap(Effect.andThen(makeFolder(target), Edition.open(edition)), ({ reader }) =>
      Extractor.extract(Archive.fromReader(reader), {
        target,
        paths: [wanted],
        allowExistingDirs: true,
      }),
    ),
  ).pipe(
    Effect.match({
      onFailure: (error) => ({ lines: [error.message], code: ExitCode.fromError(error) }),
      onSuccess: (report) => ({
        lines: [`${target}: ${ExtractSummary.extracted(report)}`, ...ExtractSummary.lines(report, false)],
        code: ExtractSummary.exitCode(report),
      }),
    }),
  )

const makeFolder = (folder: string) =>
  Effect.try({
    try: () => fs.mkdirSync(DiskPath.forNode(folder), { recursive: true }),
    catch: (error) => new ExitCode.Usage({ detail: `${folder}: ${ErrorMessage.of(error)}` }),
  })

const changes = ({ content, isMetadataChanged }: Versions.Version): string => {
  const what = {
    first: "",
    same: isMetadataChanged ? "metadata changed, content the same" : "",
    changed: "content changed",
    undecided: "changed, perhaps only its times",
  }
  return what[content]
}

const movesOf = ({ movedFrom, movedTo }: Versions.Version): ReadonlyArray<string> => [
  ...(movedFrom === undefined ? [] : [moved("from", movedFrom)]),
  ...(movedTo === undefined ? [] : [moved("to", movedTo)]),
]

const moved = (direction: string, { isProven, path }: Moves.Move): string =>
  `${isProven ? "" : "by size and times "}moved ${direction} ${PathText.print(path)}`

const moveJson = (move: Moves.Move | undefined) =>
  move === undefined ? undefined : { ...JsonText.path(move.path), proven: move.isProven }

const toText = (series: Edition.Series, version: Versions.Version, data: boolean): string => {
  const { entry, isProven, snapshots } = version
  const size = String(Stat.sizeOf(entry)).padStart(11)
  const where = `${SnapshotId.groupPath(series.group)} ${series.archive}`
  const notes = [
    changes(version),
    ...movesOf(version),
    isProven || !data ? "" : "the same by size and times alone",
  ].filter((note) => note !== "")
  const more = notes.length === 0 ? "" : `  (${notes.join("; ")})`
  return `${LongListing.mode(entry)} ${size} ${LongListing.time(entry)} ${where}\n    ${OpenHistory.span(snapshots)}${more}\n`
}

const toJson = (series: Edition.Series, version: Versions.Version, number: number): VersionJson => ({
  group: SnapshotId.groupPath(series.group),
  archive: series.archive,
  backups: version.snapshots.map(({ time }) => time),
  ...EntryJson.make(version.path, { entry: version.entry }),
  version: number,
  content: version.content,
  metadata_changed: version.isMetadataChanged,
  proven: version.isProven,
  ...JsonText.optional("moved_from", moveJson(version.movedFrom)),
  ...JsonText.optional("moved_to", moveJson(version.movedTo)),
})
