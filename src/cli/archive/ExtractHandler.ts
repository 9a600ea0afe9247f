/**
 * What `pxar-fuse extract` does (see `ExtractCommand`).
 *
 * What could not be restored is said at the end, in one line for each kind of problem, and with `--verbose` entry by
 * entry. The exit code says whether that is more than an ordinary user had to expect.
 */
import * as fs from "node:fs"
import * as Effect from "effect/Effect"
import * as PathText from "../../domain/PathText.ts"
import type { ArchiveTree } from "../../services/archive/ArchiveTree.ts"
import * as Archive from "../../services/tree/Archive.ts"
import * as DiskPath from "../../services/posix/DiskPath.ts"
import * as Extractor from "../../services/extract/Extractor.ts"
import * as ErrorMessage from "../ErrorMessage.ts"
import * as ExitCode from "../ExitCode.ts"
import type { Format } from "./ExportFormat.ts"
import * as ExtractSummary from "./ExtractSummary.ts"
import * as KindFlags from "./KindFlags.ts"
import * as OpenAddress from "../OpenAddress.ts"
import * as Operands from "../Operands.ts"
import * as Output from "../Output.ts"
import * as Progress from "../Progress.ts"
import type * as RepositoryFlags from "../repository/RepositoryFlags.ts"

export interface Input extends KindFlags.Given, RepositoryFlags.Given {
  readonly archive: string
  /** The first operand after the archive: where to, unless `directory` says so. */
  readonly target: string | undefined
  readonly directory: string | undefined
  readonly paths: ReadonlyArray<string>
  /** A stream in place of files. */
  readonly toStdout: Format | undefined
  /** By default the one beside the archive. */
  readonly payload: string | undefined
  readonly overwrite: "always" | "if-changed" | "if-newer" | "never" | undefined
  readonly allowExistingDirs: boolean
  readonly keepDirectorySymlink: boolean
  readonly exclude: ReadonlyArray<string>
  readonly stripComponents: number
  readonly delete: boolean
  readonly force: boolean
  readonly dryRun: boolean
  readonly json: boolean
  readonly verify: boolean
  readonly strict: boolean
  readonly noOwner: boolean
  readonly noPermissions: boolean
  readonly verbose: boolean
  readonly progress: Progress.Mode
}

export const handler = Effect.fn("extract")(function* ({ archive: file, progress: mode, verbose, ...flags }: Input) {
  const mistake = mistakeIn(flags)
  if (mistake !== undefined) return yield* new ExitCode.Usage({ detail: mistake })
  const output = Output.makeLive()
  // Schemas take time to load, which few runs have use for.
  const toLine = flags.json ? (yield* Effect.promise(() => import("./ExtractStepLine.ts"))).toJson : lineOf
  const opened = yield* OpenAddress.tree(file, { ...flags, once: true })
  const archive = Archive.fromReader(opened.tree)
  if (flags.toStdout !== undefined) return yield* toStdout(archive, opened.file, flags.toStdout, mode, flags)
  const { paths, target } = yield* operands(archive, flags)
  const progress = yield* Progress.make({ mode })
  let entries = 0
  const report = yield* Extractor.extract(archive, {
    target,
    paths: opened.file === undefined ? paths : [opened.file, ...paths],
    exclude: flags.exclude.map(PathText.parse),
    stripComponents: flags.stripComponents,
    overwrite: flags.overwrite,
    allowExistingDirs: flags.allowExistingDirs || flags.delete ? true : undefined,
    keepDirectorySymlink: flags.keepDirectorySymlink,
    delete: flags.delete,
    force: flags.force,
    dryRun: flags.dryRun,
    verify: flags.verify,
    onStep: (step) => output.text(toLine(step)),
    strict: flags.strict,
    owner: !flags.noOwner,
    permissions: !flags.noPermissions,
    ...KindFlags.kept(flags),
    onProgress: (state) => {
      entries = state.entries
      progress.update(state)
    },
    ...(verbose ? { onProblem: (problem) => progress.say(problem.message, "Info") } : {}),
  }).pipe(
    Effect.catchTag("ExtractError", (error) =>
      Effect.andThen(
        progress.say(ErrorMessage.withId(error), "Fatal"),
        Effect.fail(new ExitCode.Ended({ code: ExitCode.fromError(error) })),
      ),
    ),
    Effect.onInterrupt(() => progress.say(flags.dryRun ? "interrupted" : interrupted(entries, target))),
  )
  yield* output.flush
  for (const line of summary(report, verbose, flags.dryRun)) yield* progress.say(line)
  for (const { kind, path } of report.problems) {
    const likely = kind === "NoMatch" ? yield* Operands.likelyPath(archive, path) : undefined
    if (likely !== undefined) yield* progress.say(`${PathText.print(path)}: did you mean "${likely}"?`)
  }
  const code = ExtractSummary.exitCode(report)
  if (code !== ExitCode.SUCCESS) return yield* new ExitCode.Ended({ code })
}, Effect.scoped)

/** Flags that say how to extract say nothing about a stream. */
const toStdout = Effect.fnUntraced(function* (
  archive: Archive.Archive<ArchiveTree>,
  file: Uint8Array | undefined,
  format: Format,
  mode: Progress.Mode,
  { directory, paths, target, ...flags }: Pick<Input, "directory" | "paths" | "target">,
) {
  const given = Object.entries(flags).find(([name, value]) => ofFiles.has(name) && isGiven(value))?.[0]
  if (directory !== undefined || given !== undefined) {
    const name = given?.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`) ?? "directory"
    return yield* new ExitCode.Usage({ detail: `--to-stdout writes no files, so --${name} does not go with it` })
  }
  const operands = [
    ...(file === undefined ? [] : [PathText.print(file)]),
    ...(target === undefined ? [] : [target]),
    ...paths,
  ]
  const ExportOutput = yield* Effect.promise(() => import("./ExportOutput.ts"))
  yield* ExportOutput.write(archive, operands, { format, mode })
})

/** Flags that say how files are written. */
const ofFiles: ReadonlySet<string> = new Set([
  "overwrite",
  "allowExistingDirs",
  "keepDirectorySymlink",
  "exclude",
  "stripComponents",
  "delete",
  "force",
  "dryRun",
  "json",
  "verify",
  "strict",
  "noOwner",
  "noPermissions",
  "noXattrs",
  "noAcls",
  "noFcaps",
  "noDeviceNodes",
  "noFifos",
  "noSockets",
])

const isGiven = (value: unknown): boolean =>
  Array.isArray(value) ? value.length > 0 : value !== undefined && value !== false && value !== 0

/** Where to extract what. One that is a path in the archive, and not here, was not meant as a folder to make. */
const operands = Effect.fnUntraced(function* (
  archive: Archive.Archive,
  { directory, paths, target = "." }: Pick<Input, "directory" | "paths" | "target">,
) {
  const given = directory !== undefined && target !== "." ? [target, ...paths] : paths
  const selected = yield* Effect.forEach(given, (path) => Operands.bytesOf(archive, path))
  if (directory !== undefined) return { target: directory, paths: selected }
  if (!/^\.\.?(\/|$)/.test(target) && !fs.existsSync(DiskPath.forNode(target))) {
    const inArchive = yield* Effect.isSuccess(archive.find(yield* Operands.bytesOf(archive, target)))
    if (inArchive) {
      const words = ["-C .", target, ...paths].join(" ")
      return yield* new ExitCode.Usage({
        detail: `${target} is a path in the archive, and no folder here. Did you mean "${words}"? (-C ${target} makes it)`,
      })
    }
  }
  return { target, paths: selected }
})

const interrupted = (entries: number, target: string): string =>
  `interrupted; ${entries} entries are in ${target}, no file is half written, and what was to be replaced is as it was; ` +
  "folders that were not complete are open to their owner only; --overwrite=if-changed goes on"

/** What of the flags does not go together. */
const mistakeIn = ({
  delete: deletes,
  dryRun,
  force,
  json,
  stripComponents,
  verify,
}: Pick<Input, "delete" | "dryRun" | "force" | "json" | "stripComponents" | "verify">): string | undefined => {
  if (deletes && !force && !dryRun) {
    return "--delete deletes what the archive does not have: it takes --force, and --dry-run shows what would go"
  }
  if (deletes && stripComponents > 0) return "--delete and --strip-components do not go together"
  if (stripComponents < 0) return "--strip-components takes a number of names, 0 or more"
  if (json && !dryRun) return "--json goes with --dry-run"
  return verify && dryRun ? "--verify and --dry-run do not go together" : undefined
}

const lineOf = ({ action, path }: Extractor.Step): string =>
  `${action} ${path.length === 0 ? "." : PathText.print(path)}\n`

const summary = (report: Extractor.Report, verbose: boolean, dryRun: boolean): ReadonlyArray<string> => [
  ...ExtractSummary.lines(report, verbose),
  ...(!verbose && ExtractSummary.isShortened(report) ? ["--verbose names all entries with problems"] : []),
  ...ExtractSummary.hints(report),
  ...ExtractSummary.flagHints(report),
  ...(verbose ? [ExtractSummary.extracted(report, dryRun)] : []),
]
