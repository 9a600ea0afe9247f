/**
 * A mount point that is held: by the folder above it, which stays the same whatever becomes of the path to it.
 *
 * Whoever owns a folder on the way can put a link in its place at any time. So a path is resolved once, what is mounted
 * there is looked at through the folder that was found, and is unmounted through the same folder. A mount point itself
 * cannot be renamed or replaced while something is mounted on it. It is not entered: looking asks no file system for
 * anything, and works for a mount that nobody serves.
 */
import * as fs from "node:fs"
import * as path from "node:path"
import { promisify } from "node:util"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import * as Libc from "../../services/posix/Libc.ts"
import { codeOf } from "./MountError.ts"
import * as MountSyscalls from "./MountSyscalls.ts"
import type * as MountTable from "./MountTable.ts"

export interface MountPlace {
  /** The folder above, open. */
  readonly folder: number
  /** Name in that folder. */
  readonly name: Buffer
}

/** Holds the mount point with this path (absolute, without symbolic links); the scope lets go. Fails with an errno name. */
export const hold = (mountPoint: Buffer): Effect.Effect<MountPlace, string, Scope.Scope> => {
  const text = mountPoint.toString("latin1")
  const above = Buffer.from(path.posix.dirname(text), "latin1")
  return Effect.map(
    Effect.acquireRelease(
      Effect.tryPromise({
        try: () => promisify(fs.open)(above, Libc.O_PATH | fs.constants.O_DIRECTORY),
        catch: codeOf,
      }),
      (folder) => Effect.sync(() => fs.closeSync(folder)),
    ),
    (folder) => ({ folder, name: Buffer.from(path.posix.basename(text), "latin1") }),
  )
}

/** Whether what is mounted there is this entry of the mount table, and nothing on top of it. */
export const isStill = (place: MountPlace, entry: MountTable.Entry): Effect.Effect<boolean> =>
  Effect.map(MountSyscalls.mountAt(place.folder, place.name), (found) => {
    if (typeof found === "number" || !found.isRoot) return false
    return found.device === entry.device && (found.id === undefined || found.id === entry.id)
  })

/** A path that leads there whatever becomes of the folders above. */
export const pathOf = ({ folder, name }: MountPlace): Buffer =>
  Buffer.concat([Buffer.from(`/proc/self/fd/${folder}/`), name])

/** umount2(2) of what is mounted there: 0 or a negative errno. `flags` are the `MNT_*` bits. */
export const unmount = (place: MountPlace, flags: number): Effect.Effect<number> =>
  MountSyscalls.unmount(pathOf(place), flags | MountSyscalls.UMOUNT_NOFOLLOW)
