/**
 * Restores into the folder of this machine that is allowed, or one below it. The extraction itself leaves nothing outside
 * its target (see `Extractor`).
 */
import * as fs from "node:fs"
import * as path from "node:path"
import * as Effect from "effect/Effect"
import type { RestoreRequest } from "../domain/json/WebJson.ts"
import * as PathText from "../domain/PathText.ts"
import * as Extractor from "../services/extract/Extractor.ts"
import * as DiskPath from "../services/posix/DiskPath.ts"
import type * as Archive from "../services/tree/Archive.ts"
import * as ApiError from "./api/ApiError.ts"
import * as Jobs from "./Jobs.ts"
import { WebRefusal } from "./WebRefusal.ts"

/** The folder that is meant; a name of it must not lead out, nor a link that is there. */
export const target = (allowed: string, wanted: string): Effect.Effect<string, ApiError.ApiError> =>
  Effect.suspend(() => {
    const refused = Effect.fail(
      new ApiError.Forbidden({
        id: WebRefusal.ids.RestoreTarget,
        message: `${wanted}: a folder below ${allowed} is needed`,
      }),
    )
    const names = wanted.split("/").filter((name) => name !== "" && name !== ".")
    if (wanted.includes("\0") || names.includes("..")) return refused
    let at = allowed
    for (const name of names) {
      at = path.join(at, name)
      const found = fs.lstatSync(DiskPath.forNode(at), { throwIfNoEntry: false })
      if (found !== undefined && !found.isDirectory()) return refused
    }
    return Effect.succeed(at)
  })

/** What a restore does. */
export const run = (
  archive: Archive.Archive,
  paths: ReadonlyArray<Uint8Array>,
  folder: string,
  { conflict, dry_run: dryRun }: RestoreRequest,
  state: Jobs.State,
): Effect.Effect<void, { readonly message: string }> =>
  Extractor.extract(archive, {
    target: folder,
    paths,
    overwrite: conflict,
    allowExistingDirs: true,
    dryRun,
    onProgress: (progress) => {
      state.bytes = progress.bytes
      state.entries = progress.entries
    },
    onProblem: (problem) =>
      Effect.sync(() => {
        state.problems++
        Jobs.note(state, problem.message)
      }),
    onStep: (step) => Effect.sync(() => Jobs.note(state, `${step.action} ${PathText.print(step.path)}`)),
  }).pipe(
    Effect.map((report) => {
      state.entries = report.entries
    }),
  )
