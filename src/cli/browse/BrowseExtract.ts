/**
 * The browser's extractions: `extract` with the paths that are marked, into folders that may be there already. What is
 * there and is no folder stays as it is.
 */
import * as os from "node:os"
import * as path from "node:path"
import * as Effect from "effect/Effect"
import type * as Archive from "../../services/tree/Archive.ts"
import * as Extractor from "../../services/extract/Extractor.ts"
import * as ExitCode from "../ExitCode.ts"
import * as ExtractSummary from "../archive/ExtractSummary.ts"
import * as Progress from "../Progress.ts"
import type { Job } from "./BrowseState.ts"

/** How an extraction ended. */
export interface Outcome {
  /** One line. */
  readonly message: string
  /** A line for each kind of problem; empty if everything was restored. */
  readonly summary: ReadonlyArray<string>
  /** The first of the problems themselves. */
  readonly problems: ReadonlyArray<string>
  readonly code: number
}

/** Runs an extraction. `onProgress` gets a line, now and then. */
export const run = (
  archive: Archive.Archive,
  { paths, target }: Job,
  onProgress: (text: string) => void,
): Effect.Effect<Outcome> =>
  Effect.flatMap(Progress.stopwatch, (elapsed) =>
    Extractor.extract(archive, {
      target: expandHome(target),
      paths,
      allowExistingDirs: true,
      onProgress: (state) => onProgress(`extracting: ${Progress.line(state, elapsed() / 1000)}`),
    }),
  ).pipe(
    Effect.match({
      onFailure: (error) => ({
        message: error.message,
        summary: [error.message],
        problems: [],
        code: ExitCode.fromError(error),
      }),
      onSuccess: (report) => ({
        message: `${target}: ${ExtractSummary.extracted(report)}`,
        summary: [...ExtractSummary.lines(report, false), ...ExtractSummary.hints(report)],
        problems: ExtractSummary.isShortened(report) ? report.problems.map(({ message }) => message) : [],
        code: ExtractSummary.exitCode(report),
      }),
    }),
  )

/** `~` as a shell would understand it, who is not there to do so. */
const expandHome = (target: string): string =>
  target === "~" || target.startsWith("~/") ? path.join(os.homedir(), target.slice(1)) : target
