/**
 * A mount point that is created if it is missing, and removed at the end: only what was created, and only if it is empty.
 */
import * as fs from "node:fs"
import * as path from "node:path"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import * as PathText from "../../domain/PathText.ts"
import * as DiskPath from "../../services/posix/DiskPath.ts"
import { codeOf, type MountError, refusal } from "../../fuse/mount/MountError.ts"
import * as MountTable from "../../fuse/mount/MountTable.ts"
import * as ErrorMessage from "../ErrorMessage.ts"
import * as HeldFolder from "./HeldFolder.ts"

/** Creates the folders that are missing; the scope removes them. */
export const make = Effect.fnUntraced(function* (mountPoint: string): Effect.fn.Return<void, MountError, Scope.Scope> {
  // A mount there is not to be touched, and needs no folder.
  if ((yield* MountTable.at(mountPoint)) !== undefined) return
  const folder = DiskPath.resolve(mountPoint)
  yield* Effect.acquireRelease(
    Effect.try({
      try: () => create(folder),
      catch: (error) => refusal(mountPoint, "mkdir", codeOf(error)),
    }),
    (folders) => remove(folder, folders),
  )
})

/** A folder that was created, and what tells it from one that somebody else puts in its place. */
interface Created {
  readonly path: string
  readonly device: number
  readonly inode: number
}

/** Creates a folder, and those above it that are missing: what was created, the lowest first. */
const create = (folder: string): ReadonlyArray<Created> => {
  const bytes = DiskPath.forNode(folder)
  if (fs.statSync(bytes, { throwIfNoEntry: false })?.isDirectory() === true) return []
  const above = path.dirname(folder) === folder ? [] : create(path.dirname(folder))
  try {
    fs.mkdirSync(bytes)
  } catch (error) {
    removeNow(above)
    throw error
  }
  const { dev, ino } = fs.lstatSync(bytes)
  return [{ path: folder, device: dev, inode: ino }, ...above]
}

/** Those above a folder that could not be created. */
const removeNow = (folders: ReadonlyArray<Created>): void => {
  for (const { path } of folders) {
    try {
      fs.rmdirSync(DiskPath.forNode(path))
    } catch {
      // Somebody has put something into it.
      return
    }
  }
}

/** Removes what was created, the lowest first, as far as it is still there and empty. */
const remove = (folder: string, folders: ReadonlyArray<Created>): Effect.Effect<void> =>
  Effect.forEach(folders, removeOne, { discard: true }).pipe(
    Effect.ignore({ log: "Warn", message: `${PathText.safe(folder)} is left behind` }),
  )

const removeOne = ({ device, inode, path }: Created): Effect.Effect<void, string> =>
  Effect.scoped(
    Effect.flatMap(HeldFolder.of(path), (held) =>
      Effect.tryPromise({
        try: async () => {
          const { dev, ino } = await fs.promises.lstat(DiskPath.forNode(held))
          if (dev !== device || ino !== inode) throw new Error(`${path} is another folder now`)
          await fs.promises.rmdir(DiskPath.forNode(held))
        },
        catch: ErrorMessage.of,
      }),
    ),
  )
