/**
 * What all handlers of a server share.
 */
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import type { Access } from "./Access.ts"
import * as ApiError from "./api/ApiError.ts"
import * as AtATime from "./AtATime.ts"
import * as Downloads from "./Downloads.ts"
import * as FolderListings from "./FolderListings.ts"
import * as Jobs from "./Jobs.ts"
import type { Locked, Served } from "./Served.ts"
import type { WebKeys } from "./WebKeys.ts"
import { WebRefusal } from "./WebRefusal.ts"

/** What is served, and how. */
export interface Options {
  readonly version: string
  readonly served: ReadonlyArray<Served | Locked>
  readonly keys: WebKeys
  /** Absolute path of the folder that may be restored into. */
  readonly restore: string | undefined
}

export interface WebContext extends Options {
  readonly access: Access
  readonly isSecure: boolean
  readonly listings: FolderListings.FolderListings
  readonly jobs: Jobs.Jobs
  readonly downloads: Downloads.Downloads
  /** Walks through whole trees. */
  readonly searches: AtATime.AtATime
  /** Opens all again that keys make a difference for. */
  readonly reopen: Effect.Effect<void>
  /** What is served under an id. Fails with `Unreadable` while it is locked. */
  readonly repository: (id: string) => Effect.Effect<Served, ApiError.NotFound | ApiError.Unreadable>
}

/** Searches at the same time: each reads all that is below a folder. */
const MAX_SEARCHES = 8

export const make = Effect.fnUntraced(function* (
  options: Options,
  access: Access,
  isSecure: boolean,
): Effect.fn.Return<WebContext, never, Scope.Scope> {
  const byId = new Map<string, Served | Locked>(options.served.map((served) => [served.id, served]))
  const listings = yield* FolderListings.make
  return {
    ...options,
    access,
    isSecure,
    listings,
    jobs: yield* Jobs.make,
    downloads: Downloads.make(),
    searches: AtATime.make(MAX_SEARCHES, "searches"),
    reopen: Effect.gen(function* () {
      for (const served of byId.values()) {
        if (served.reopen === undefined) continue
        const archive = yield* Effect.result(served.reopen)
        if (archive._tag === "Success") byId.set(served.id, { ...served, archive: archive.success })
        else yield* Effect.logWarning(archive.failure.message)
      }
      listings.clear()
    }),
    repository: (id) => {
      const served = byId.get(id)
      if (served === undefined) {
        const message = `${id}: nothing of that name is served`
        return Effect.fail(new ApiError.NotFound({ id: WebRefusal.ids.Repository, message }))
      }
      return served.archive === undefined
        ? Effect.fail(new ApiError.Unreadable({ id: served.reason.id, message: served.reason.message }))
        : Effect.succeed(served)
    },
  }
})
