/**
 * Where a datastore is that somebody looked for one folder too high: at the top of a disk.
 */
import * as fs from "node:fs"
import * as path from "node:path"
import * as Effect from "effect/Effect"

/** So many folders are looked into. */
const LIMIT = 100

/** The path of a folder right below that has chunks in it, if there is one. Whatever cannot be read has none. */
export const datastoreBelow = (folder: string): Effect.Effect<string | undefined> =>
  Effect.promise(async () => {
    try {
      let left = LIMIT
      for await (const entry of await fs.promises.opendir(folder)) {
        if (left-- === 0) return undefined
        const below = path.join(folder, entry.name)
        const found = await fs.promises.stat(path.join(below, ".chunks")).catch(() => undefined)
        if (found?.isDirectory() === true) return below
      }
    } catch {
      // No folder, or none that may be read: there is nothing to hint at.
    }
    return undefined
  })
