/**
 * What an extraction could not restore, for people, and the exit code that follows from it.
 */
import * as PathText from "../../domain/PathText.ts"
import type { Kind } from "../../services/extract/ExtractProblem.ts"
import type * as Extractor from "../../services/extract/Extractor.ts"
import * as ExitCode from "../ExitCode.ts"
import * as Progress from "../Progress.ts"

/** What problems of a kind mean for the entries concerned, and what can be done. */
const meanings: Readonly<Record<Kind, string>> = {
  Unreadable: "cannot be read from the archive and were left out (see pxar-fuse verify)",
  Exists: "were there already and were left out (see --overwrite and --allow-existing-dirs)",
  DirectoryLink: "are symbolic links to folders where the archive has folders, which were left out",
  NotDeleted: "are not in the archive and could not be deleted",
  Differs: "are not on disk as they are in the archive",
  Leftover: "hold something that a killed run has left",
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

/**
 * One line for each kind of problem: the problem itself where there is one of a kind. Those are left out if all
 * problems have been `named` before.
 */
export const lines = ({ problemCounts, problems }: Extractor.Report, named: boolean): ReadonlyArray<string> =>
  [...problemCounts].flatMap(([kind, count]) => {
    const first = problems.find((problem) => problem.kind === kind)
    if (count === 1 && first !== undefined) return named ? [] : first.message
    // Often all have one cause, and it can be mended.
    const cause = kind === "Unreadable" && first !== undefined && !named ? `; the first: ${first.message}` : ""
    return `${count} entries ${meanings[kind]}${cause}`
  })

/** What an ordinary user is to know. */
export const hints = ({ problemCounts, unexpected }: Extractor.Report): ReadonlyArray<string> => {
  const total = [...problemCounts].reduce((sum, [kind, count]) => (kind === "Leftover" ? sum : sum + count), 0)
  return total > unexpected && process.geteuid?.() !== 0
    ? ["only root can restore other owners, devices, capabilities and some attributes"]
    : []
}

/** Which flags would have made a difference, and which made none. */
export const flagHints = ({ problemCounts, unusedExcludes }: Extractor.Report): ReadonlyArray<string> => [
  ...(problemCounts.get("Exists") === 1
    ? ["--allow-existing-dirs extracts into folders that are there already, --overwrite replaces everything else"]
    : []),
  ...(problemCounts.has("DirectoryLink")
    ? ["--keep-directory-symlink extracts into folders that links lead to, --overwrite --force replaces the links"]
    : []),
  ...unusedExcludes.map((pattern) => `--exclude ${PathText.print(pattern)} has left out nothing`),
]

/** Whether a line stands for several problems. */
export const isShortened = ({ problemCounts }: Extractor.Report): boolean =>
  [...problemCounts.values()].some((count) => count > 1)

/** What was extracted, in a few words. */
export const extracted = (report: Extractor.Report, dryRun = false): string => {
  const { bytes, deleted, entries, kept, newer } = report
  const would = dryRun ? " would be" : ""
  return [
    `${Progress.formatCount(entries, "entry", "entries")}${would} extracted, ${Progress.formatBytes(bytes)} of contents`,
    ...(kept > 0 ? [`${kept} were there already`] : []),
    ...(newer > 0 ? [`${newer} were newer and were kept`] : []),
    ...(deleted > 0 ? [`${deleted}${would} deleted`] : []),
  ].join("; ")
}

/** What only root could have restored is no failure of an ordinary user's. */
export const exitCode = ({ problemCounts, unexpected }: Extractor.Report): number => {
  if (unexpected === 0) return ExitCode.SUCCESS
  return unexpected === problemCounts.get("NoMatch") ? ExitCode.NO_ENTRY : ExitCode.INCOMPLETE
}
