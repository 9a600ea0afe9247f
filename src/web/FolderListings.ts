/**
 * The listings of folders that were looked at last, so that paging, sorting, filtering and comparing read nothing again.
 *
 * A folder is read once for all who want it, also if the first of them goes away. What can change is read each time.
 */
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import type * as Scope from "effect/Scope"
import type { ArchiveError } from "../services/archive/ArchiveError.ts"
import type * as TreeWalk from "../services/tree/TreeWalk.ts"
import * as FolderListing from "./FolderListing.ts"
import type { Served } from "./Served.ts"

export interface FolderListings {
  readonly get: (served: Served, folder: TreeWalk.Found) => Effect.Effect<FolderListing.FolderListing, ArchiveError>
  /** Forgets them: trees have been opened anew. */
  readonly clear: () => void
}

/** Entries of all listings that are kept. */
const MAX_ENTRIES = 1_000_000

export const make: Effect.Effect<FolderListings, never, Scope.Scope> = Effect.map(Effect.scope, (scope) => {
  interface Kept {
    readonly fiber: Fiber.Fiber<FolderListing.FolderListing, ArchiveError>
    count: number
  }
  const kept = new Map<string, Kept>()

  const evict = (): void => {
    let sum = 0
    for (const { count } of kept.values()) sum += count
    for (const [key, { count }] of kept) {
      if (sum <= MAX_ENTRIES) return
      kept.delete(key)
      sum -= count
    }
  }

  return {
    clear: () => kept.clear(),
    get: (served, folder) =>
      Effect.suspend(() => {
        const { reader } = served.archive
        const read = FolderListing.read(reader, folder)
        if (reader.isLive?.(folder.node) === true) return read
        const key = `${served.id}/${folder.node.archive ?? ""}:${folder.node.id}`
        const known = kept.get(key)
        if (known !== undefined) {
          kept.delete(key)
          kept.set(key, known)
          return Fiber.join(known.fiber)
        }
        return Effect.flatMap(Effect.forkIn(read, scope, { startImmediately: true }), (fiber) => {
          const made: Kept = { fiber, count: 1 }
          kept.set(key, made)
          return Fiber.join(fiber).pipe(
            Effect.tap(({ count }) =>
              Effect.sync(() => {
                made.count = 1 + count
                evict()
              }),
            ),
            // What has failed may be repaired, or get its key.
            Effect.tapError(() => Effect.sync(() => void (kept.get(key) === made && kept.delete(key)))),
          )
        })
      }),
  }
})
