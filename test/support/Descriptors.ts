/** What this process, or another one, has open. */
import * as fs from "node:fs"

/** What its descriptors lead to: a path each, as often as it is open. */
export const targets = (process: number | "self" = "self"): ReadonlyArray<string> =>
  fs.readdirSync(`/proc/${process}/fd`).flatMap((descriptor) => {
    try {
      return [fs.readlinkSync(`/proc/${process}/fd/${descriptor}`)]
    } catch {
      return [] // the descriptor of the listing itself
    }
  })

/** How often `path` is open. */
export const on = (path: string): number => targets().filter((target) => target === path).length

/** What is open of a folder and of all below it. */
export const below = (folder: string): ReadonlyArray<string> => targets().filter((target) => target.startsWith(folder))
