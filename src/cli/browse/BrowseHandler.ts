/**
 * What `pxar-fuse browse` does (see `BrowseCommand`).
 */
import * as path from "node:path"
import * as Effect from "effect/Effect"
import * as VersionsFolder from "../../services/history/VersionsFolder.ts"
import * as Archive from "../../services/tree/Archive.ts"
import * as OpenIndex from "../history/OpenIndex.ts"
import * as BrowseSession from "./BrowseSession.ts"
import * as ExitCode from "../ExitCode.ts"
import * as OpenAddress from "../OpenAddress.ts"
import type * as RepositoryFlags from "../repository/RepositoryFlags.ts"
import * as Terminal from "../Terminal.ts"

export interface Input extends RepositoryFlags.Given {
  readonly archive: string
  /** By default the one beside the archive. */
  readonly payload: string | undefined
}

export const handler = Effect.fn("browse")(function* ({ archive: file, ...flags }: Input) {
  if (process.stdin.isTTY !== true || process.stdout.isTTY !== true || process.env["TERM"] === "dumb") {
    return yield* new ExitCode.Usage({
      detail: `browse needs a terminal; \`pxar-fuse list ${file}\` shows what is in an archive without one`,
    })
  }
  const opened = yield* OpenAddress.open(file, flags)
  const besideBackups =
    opened._tag === "InRepository"
      ? yield* VersionsFolder.make(opened.repository, { index: yield* OpenIndex.whenAsked(flags, opened) })
      : undefined
  const { tree } = yield* OpenAddress.treeOf(opened, { ...flags, besideBackups })
  const archive = Archive.fromReader(tree)
  const { code, extractions } = yield* BrowseSession.run(archive, path.basename(file))
  // The screen is gone by now: what was done is said where it stays.
  for (const { message, summary } of extractions) {
    for (const line of new Set([message, ...summary])) yield* Terminal.say(line)
  }
  const worst = extractions.find((extraction) => extraction.code !== ExitCode.SUCCESS)?.code ?? code
  if (worst !== ExitCode.SUCCESS) return yield* new ExitCode.Ended({ code: worst })
}, Effect.scoped)
