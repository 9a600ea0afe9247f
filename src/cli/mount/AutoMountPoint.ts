/**
 * A mount point that is created if it is missing, and removed at the end: only what was created, and only if it is empty.
 */
import * as fs from "node:fs"
import * as path from "node:path"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import { codeOf, type MountError, refusal } from "../../fuse/mount/MountError.ts"
import * as MountTable from "../../fuse/mount/MountTable.ts"

/** Creates the folders that are missing; the scope removes them. */
export const make = Effect.fnUntraced(function* (mountPoint: string): Effect.fn.Return<void, MountError, Scope.Scope> {
  // A mount there is not to be touched, and needs no folder.
  if ((yield* MountTable.at(mountPoint)) !== undefined) return
  const folder = path.resolve(mountPoint)
  yield* Effect.acquireRelease(
    Effect.try({
      try: () => fs.mkdirSync(folder, { recursive: true }),
      catch: (error) => refusal(mountPoint, "mkdir", codeOf(error)),
    }),
    (first) => (first === undefined ? Effect.void : remove(folder, first)),
  )
})

/** Removes a folder and those above it, up to `first`. */
const remove = (folder: string, first: string): Effect.Effect<void> =>
  Effect.ignore(
    Effect.try({
      try: () => {
        for (let at = folder; at.startsWith(first); at = path.dirname(at)) fs.rmdirSync(at)
      },
      catch: String,
    }),
    { log: "Warn", message: `${folder} is left behind` },
  )
