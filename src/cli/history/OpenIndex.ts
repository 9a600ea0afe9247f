/**
 * Where the index of a repository is, and what is done if it cannot be used.
 */
import * as fs from "node:fs"
import * as path from "node:path"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Scope from "effect/Scope"
import * as Semaphore from "effect/Semaphore"
import * as DiskCache from "../../services/blobs/DiskCache.ts"
import * as HistoryIndex from "../../services/index/HistoryIndex.ts"
import * as IndexFile from "../../services/index/IndexFile.ts"
import type { InRepository } from "../../services/open/OpenRepository.ts"
import * as ExitCode from "../ExitCode.ts"
import type * as CacheOptions from "../repository/CacheOptions.ts"
import * as Terminal from "../Terminal.ts"

/** The file of a repository's index: in `--cache-dir`, or where caches are. */
export const fileOf = (
  { cacheDir }: Pick<CacheOptions.Given, "cacheDir">,
  { folder, repository }: Pick<InRepository, "folder" | "repository">,
): Effect.Effect<string, ExitCode.Usage> => {
  const caches = cacheDir === undefined ? DiskCache.defaultFolder(process.env) : path.resolve(cacheDir)
  if (caches === undefined) {
    return Effect.fail(new ExitCode.Usage({ detail: "there is no home: name the folder with --cache-dir" }))
  }
  return Effect.succeed(IndexFile.inFolder(caches, folder === undefined ? repository.name : fs.realpathSync(folder)))
}

/**
 * The same, opened when it is first asked for; if it was not there, or somebody's interrupted question has closed it, again the
 * next time. It is closed with the scope.
 */
export const whenAsked = Effect.fnUntraced(function* (
  given: Pick<CacheOptions.Given, "cacheDir">,
  opened: Pick<InRepository, "folder" | "repository">,
): Effect.fn.Return<Effect.Effect<HistoryIndex.HistoryIndex | undefined>, never, Scope.Scope> {
  const scope = yield* Effect.scope
  const turn = yield* Semaphore.make(1)
  let known: { readonly index: HistoryIndex.HistoryIndex; readonly scope: Scope.Closeable } | undefined
  const open = Effect.gen(function* () {
    if (known?.index.isOpen() === true) return known.index
    if (known !== undefined) yield* Scope.close(known.scope, Exit.void)
    known = undefined
    const own = yield* Scope.fork(scope)
    return yield* Scope.provide(forReading(given, opened), own).pipe(
      Effect.tap((index) => Effect.sync(() => void (known = index && { index, scope: own }))),
      Effect.onExit((exit) => (known === undefined ? Scope.close(own, exit) : Effect.void)),
    )
  })
  return turn.withPermit(open)
})

/** The index for those who can do without it: whatever is wrong with it is said. */
export const forReading = (
  given: Pick<CacheOptions.Given, "cacheDir">,
  opened: Pick<InRepository, "folder" | "repository">,
): Effect.Effect<HistoryIndex.HistoryIndex | undefined, never, Scope.Scope> =>
  Effect.catch(Effect.flatMap(fileOf(given, opened), HistoryIndex.open), (error) =>
    error._tag === "Usage"
      ? Effect.undefined
      : Effect.as(Terminal.say(`${error.message}: every archive is looked into`, "Warn"), undefined),
  )
