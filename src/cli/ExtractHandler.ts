/**
 * What `pxar-fuse extract` does (see `ExtractCommand`).
 *
 * What could not be restored is said at the end, in one line for each kind of problem, and with `--verbose` entry by
 * entry. The exit code says whether that is more than an ordinary user had to expect.
 
 */
import * as Effect from "effect/Effect"
import * as PathText from "../domain/PathText.ts"
import * as Archive from "../services/Archive.ts"
import type { Kind } from "../services/extract/ExtractProblem.ts"
import * as Extractor from "../services/extract/Extractor.ts"
import * as ExitCode from "./ExitCode.ts"
import type { Input } from "./ExtractCommand.ts"
import * as Progress from "./Progress.ts"

export const handler = Effect.fn("extract")(function* ({ archive: file, target, verbose, ...flags }: Input) {
  const archive = yield* Archive.open(file, { payload: flags.payload })
  const progress = yield* Progress.make()
  let entries = 0
  const report = yield* Extractor.extract(archive, {
    target,
    paths: flags.paths.map(PathText.parse),
    overwrite: flags.overwrite,
    allowExistingDirs: flags.allowExistingDirs,
    strict: flags.strict,
    owner: !flags.noOwner,
    permissions: !flags.noPermissions,
    xattrs: !flags.noXattrs,
    acls: !flags.noAcls,
    fcaps: !flags.noFcaps,
    deviceNodes: !flags.noDeviceNodes,
    fifos: !flags.noFifos,
    sockets: !flags.noSockets,
    onProgress: (state) => {
      entries = state.entries
      progress.update(state)
    },
    ...(verbose ? { onProblem: (problem) => progress.say(problem.message) } : {}),
  }).pipe(
    Effect.catchTag("ExtractError", (error) =>
      Effect.andThen(
        progress.say(error.message),
        Effect.fail(new ExitCode.Ended({ code: error.reason === "Target" ? ExitCode.TARGET : ExitCode.INCOMPLETE })),
      ),
    ),
    Effect.onInterrupt(() =>
      progress.say(
        `interrupted; ${entries} entries are in ${target}, no file is half written; folders that were not complete ` +
          "are open to their owner only",
      ),
    ),
  )
  for (const line of summary(report, verbose)) yield* progress.say(line)
  const code = exitCode(report)
  if (code !== ExitCode.SUCCESS) return yield* new ExitCode.Ended({ code })
}, Effect.scoped)

/** What problems of a kind mean for the entries concerned, and what can be done. */
const meanings: Readonly<Record<Kind, string>> = {
  Unreadable: "cannot be read from the archive and were left out (see pxar-fuse verify)",
  Exists: "were there already and were left out (see --overwrite and --allow-existing-dirs)",
  NotCreated: "could not be created and were left out",
  Replaced: "were moved or replaced by somebody while they were extracted",
  NoMatch: "were asked for and are not in the archive",
  Copied: "are hard links that became files of their own",
  Anomaly: "have contradictory attributes in the archive",
  Owner: "did not get their owner",
  Mode: "did not get their full mode",
  Xattr: "did not get all extended attributes",
  Acl: "did not get their ACL",
  Capability: "did not get their capabilities",
  Time: "did not get their time",
  Flags: "did not get their chattr flags",
  ProjectId: "did not get their project id",
}

const summary = (report: Extractor.Report, verbose: boolean): ReadonlyArray<string> => {
  const { problemCounts, problems, unexpected } = report
  const lines: Array<string> = []
  let total = 0
  for (const [kind, count] of problemCounts) {
    total += count
    const only = count === 1 ? problems.find((problem) => problem.kind === kind) : undefined
    if (only === undefined) lines.push(`${count} entries ${meanings[kind]}`)
    else if (!verbose) lines.push(only.message)
  }
  if (total > problemCounts.size && !verbose) lines.push("--verbose names all entries with problems")
  if (total > unexpected && process.geteuid?.() !== 0) {
    lines.push("only root can restore other owners, devices, capabilities and some attributes")
  }
  if (verbose) lines.push(`${report.entries} entries extracted, ${Progress.formatBytes(report.bytes)} of contents`)
  return lines
}

/** What only root could have restored is no failure of an ordinary user's. */
const exitCode = ({ problemCounts, unexpected }: Extractor.Report): number => {
  if (unexpected === 0) return ExitCode.SUCCESS
  return unexpected === problemCounts.get("NoMatch") ? ExitCode.NO_ENTRY : ExitCode.INCOMPLETE
}
