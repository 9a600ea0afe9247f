/**
 * What `pxar-fuse bisect` does (see `BisectCommand`).
 */
import { spawn } from "node:child_process"
import * as fs from "node:fs"
import * as os from "node:os"
import * as path from "node:path"
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import * as SnapshotId from "../../domain/datastore/SnapshotId.ts"
import * as PathText from "../../domain/PathText.ts"
import type { BisectJson } from "../../domain/json/HistoryJson.ts"
import * as JsonText from "../../domain/json/JsonText.ts"
import * as Extractor from "../../services/extract/Extractor.ts"
import * as Bisect from "../../services/history/Bisect.ts"
import * as Edition from "../../services/history/Edition.ts"
import * as Versions from "../../services/history/Versions.ts"
import * as DiskPath from "../../services/posix/DiskPath.ts"
import * as Archive from "../../services/tree/Archive.ts"
import * as ErrorMessage from "../ErrorMessage.ts"
import * as ExitCode from "../ExitCode.ts"
import * as Output from "../Output.ts"
import * as Progress from "../Progress.ts"
import * as OpenHistory from "./OpenHistory.ts"
import * as OpenIndex from "./OpenIndex.ts"

export interface Input extends OpenHistory.Given {
  readonly path: string
  readonly test: ReadonlyArray<string>
  readonly noIndex: boolean
  readonly json: boolean
  readonly progress: Progress.Mode
}

export const handler = Effect.fn("bisect")(function* (input: Input) {
  const { folder: datastore, repository, which } = yield* OpenHistory.open(input)
  const index = input.noIndex ? undefined : yield* OpenIndex.forReading(input, { folder: datastore, repository })
  const wanted = PathText.parse(input.path)
  const output = Output.make()
  const progress = yield* Progress.make({ mode: "none" })
  const folder = yield* temporaryFolder
  let count = 0
  let isFound = false
  yield* Stream.runForEach(Edition.groups(repository, which), ({ series }) =>
    Effect.forEach(series, (each) =>
      Effect.gen(function* () {
        const { versions } = yield* Versions.of(each, wanted, { index })
        if (versions.length === 0) return
        count++
        const result = yield* Bisect.run(versions, (version) =>
          Effect.tap(judge(version, wanted, input.test, folder), (verdict) =>
            progress.note(`${SnapshotId.format(version.snapshots[0] ?? version.edition.snapshot.id)}: ${verdict}`),
          ),
        )
        if (result._tag === "Found") isFound = true
        yield* output.text(input.json ? JsonText.line(toJson(each, versions, result)) : toText(each, versions, result))
      }),
    ),
  )
  yield* output.flush
  if (count === 0) {
    yield* progress.note(`${input.path}: in no backup`)
    return yield* new ExitCode.Ended({ code: ExitCode.NO_ENTRY })
  }
  if (isFound) return yield* new ExitCode.Ended({ code: ExitCode.DIFFERENT })
}, Effect.scoped)

const temporaryFolder = Effect.acquireRelease(
  Effect.sync(() => fs.mkdtempSync(path.join(os.tmpdir(), "pxar-fuse-bisect-"))),
  (folder) => Effect.sync(() => fs.rmSync(folder, { recursive: true, force: true })),
)

/** What a command says that cannot tell, as for git bisect. */
const CANNOT_TELL = 125

/** Restores a version and asks the command. */
const judge = Effect.fnUntraced(function* (
  { edition }: Versions.Version,
  wanted: Uint8Array,
  test: ReadonlyArray<string>,
  folder: string,
) {
  const target = fs.mkdtempSync(path.join(folder, "version-"))
  const { reader } = yield* Edition.open(edition)
  yield* Extractor.extract(Archive.fromReader(reader), { target, paths: [wanted], allowExistingDirs: true })
  const file = path.join(target, DiskPath.fromNode(wanted))
  const [command = "", ...args] = test.map((word) => word.replaceAll("{}", file))
  const code = yield* Effect.callback<number, ExitCode.Usage>((resume) => {
    const child = spawn(command, args, { stdio: ["ignore", "ignore", "inherit"] })
    child.on("error", (error) =>
      resume(Effect.fail(new ExitCode.Usage({ detail: `${command}: ${ErrorMessage.of(error)}` }))),
    )
    child.on("close", (status) => resume(Effect.succeed(status ?? 1)))
    return Effect.sync(() => void child.kill("SIGTERM"))
  })
  fs.rmSync(target, { recursive: true, force: true })
  return code === 0 ? ("good" as const) : code === CANNOT_TELL ? ("skip" as const) : ("bad" as const)
}, Effect.scoped)

const timeOf = (versions: ReadonlyArray<Versions.Version>, at: number): string => versions[at]?.snapshots[0]?.time ?? ""

const toText = (
  { archive, group }: Edition.Series,
  versions: ReadonlyArray<Versions.Version>,
  result: Bisect.Result,
): string => {
  const where = `${SnapshotId.groupPath(group)} ${archive}: `
  if (result._tag === "AllBad") return `${where}wrong in every backup, from ${timeOf(versions, 0)} on\n`
  if (result._tag === "AllGood") return `${where}right in the newest backup that has it\n`
  const untold = result.between.map((at) => timeOf(versions, at))
  const maybe = untold.length === 0 ? "" : ` (of ${untold.join(", ")} nothing can be told)`
  const lastGood = versions[result.bad - result.between.length - 1]?.snapshots.at(-1)?.time ?? ""
  return `${where}wrong since ${timeOf(versions, result.bad)}, right until ${lastGood}${maybe}\n`
}

const toJson = (
  { archive, group }: Edition.Series,
  versions: ReadonlyArray<Versions.Version>,
  result: Bisect.Result,
): BisectJson => ({
  group: SnapshotId.groupPath(group),
  archive,
  result: ({ Found: "found", AllBad: "all_bad", AllGood: "all_good" } as const)[result._tag],
  ...(result._tag === "Found" && {
    first_bad: timeOf(versions, result.bad),
    untold: result.between.map((at) => timeOf(versions, at)),
  }),
})
