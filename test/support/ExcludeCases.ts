/**
 * `fixtures/exclude/exclude-cases.json`: what the reference client archived of a tree under some exclude patterns.
 */
import * as fs from "node:fs"
import { fileURLToPath } from "node:url"

export interface ExcludeCase {
  readonly name: string
  /** Patterns of the command line. */
  readonly cli: ReadonlyArray<string>
  /** Contents of `.pxarexclude` files, by path. */
  readonly files: Readonly<Record<string, string>>
  /** Paths that the archive holds, sorted. */
  readonly entries: ReadonlyArray<string>
  /** Content of `.pxarexclude-cli`. */
  readonly recorded: string | undefined
  readonly prelude: string | undefined
}

interface Recorded {
  readonly tree: ReadonlyArray<string>
  readonly cases: ReadonlyArray<{
    readonly name: string
    readonly cli: ReadonlyArray<string>
    readonly files: Readonly<Record<string, string>>
    readonly v1_entries: ReadonlyArray<string>
    readonly v1_pxarexclude_cli?: string
    readonly v2_prelude?: string
  }>
}

const recorded = JSON.parse(
  fs.readFileSync(fileURLToPath(new URL("../../fixtures/exclude/exclude-cases.json", import.meta.url)), "utf8"),
) as Recorded

/** Paths of the files of the tree; those with a slash at the end are folders. */
export const tree: ReadonlyArray<string> = recorded.tree

/** The one case in which the reference does not do what its documentation says: it took `[!x]` for `[x]`. */
const corrected = (name: string, entries: ReadonlyArray<string>): ReadonlyArray<string> =>
  name === "negated class" ? [...entries.filter((path) => path !== "/docs/y.md"), "/docs/x.md"] : entries

export const cases: ReadonlyArray<ExcludeCase> = recorded.cases.map((run) => ({
  name: run.name,
  cli: run.cli,
  files: run.files,
  entries: corrected(run.name, run.v1_entries).toSorted(),
  recorded: run.v1_pxarexclude_cli,
  prelude: run.v2_prelude,
}))
