/**
 * What `pxar-fuse cache` does (see `CacheCommand`). Programs that read meanwhile only become slower.
 */
import * as path from "node:path"
import * as Effect from "effect/Effect"
import type { CacheJson } from "../../domain/json/CacheJson.ts"
import * as JsonText from "../../domain/json/JsonText.ts"
import * as DiskCache from "../../services/blobs/DiskCache.ts"
import * as ExitCode from "../ExitCode.ts"
import * as Output from "../Output.ts"
import * as Progress from "../Progress.ts"
import type * as CacheOptions from "./CacheOptions.ts"

export interface Input extends Pick<CacheOptions.Given, "cacheDir" | "cacheLimit"> {
  readonly action: "info" | "prune" | "clear"
  readonly json: boolean
}

export const handler = Effect.fn("cache")(function* ({ action, cacheDir, cacheLimit, json }: Input) {
  const folder = cacheDir === undefined ? DiskCache.defaultFolder(process.env) : path.resolve(cacheDir)
  if (folder === undefined) {
    return yield* new ExitCode.Usage({ detail: "there is no home: name the folder with --cache-dir" })
  }
  const limit = action === "clear" ? 0 : (cacheLimit ?? DiskCache.DEFAULT_LIMIT)
  const deleted = action === "info" ? undefined : yield* DiskCache.prune(folder, limit)
  const kept = yield* DiskCache.info(folder)
  const line: CacheJson = {
    ...JsonText.text("folder", Buffer.from(folder)),
    ...kept,
    limit,
    ...(deleted === undefined ? {} : { deleted }),
  }
  const output = Output.make()
  yield* output.text(json ? JsonText.line(line) : toText(folder, kept, deleted))
  yield* output.flush
}, Effect.scoped)

const amount = ({ bytes, chunks }: DiskCache.Amount): string =>
  `${chunks} ${chunks === 1 ? "chunk" : "chunks"} with ${Progress.formatBytes(bytes)}`

const toText = (folder: string, kept: DiskCache.Amount, deleted: DiskCache.Amount | undefined): string =>
  `${folder}: ${deleted === undefined ? "" : `${amount(deleted)} deleted, `}${amount(kept)}\n`
