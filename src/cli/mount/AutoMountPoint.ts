/**
 * A mount point that is created if it is missing, and removed at the end: only what was created, and only if it is empty.
 */
import * as fs from "node:fs"
import * as path from "node:path"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import { codeOf, type MountError, refusal } from "../../fuse/mount/MountError.ts"
import * as MountTable from "../../fuse/mount/MountTable.ts"
import * as ErrorMessage from "../ErrorMessage.ts"
import * as HeldFolder from "./HeldFolder.ts"

/** Creates the folders that are missing; the scope removes them. */
export const make = Effect.fnUntraced(function* (mountPoint: string): Effect.fn.Return<void, MountError, Scope.Scope> {
  // A mount there is not to be touched, and needs no folder.
  if ((yield* MountTable.at(mountPoint)) !== undefined) return
  const folder = path.resolve(mountPoint)
  yield* Effect.acquireRelease(
    Effect.try({
      try: () => {
        const first = fs.mkdirSync(folder, { recursive: true })
        return first === undefined ? [] : created(folder, first)
      },
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

/** A folder and those above it, up to `first`. */
const created = (folder: string, first: string): ReadonlyArray<Created> => {
  const { dev, ino } = fs.lstatSync(folder)
  const self = { path: folder, device: dev, inode: ino }
  return folder === first ? [self] : [self, ...created(path.dirname(folder), first)]
}

/** Removes what was created, the lowest first, as far as it is still there and empty. */
const remove = (folder: string, folders: ReadonlyArray<Created>): Effect.Effect<void> =>
  Effect.forEach(folders, removeOne, { discard: true }).pipe(
    Effect.ignore({ log: "Warn", message: `${folder} is left behind` }),
  )

const removeOne = ({ device, inode, path }: Created): Effect.Effect<void, string> =>
  Effect.scoped(
    Effect.flatMap(HeldFolder.of(path), (held) =>
      Effect.tryPromise({
        try: async () => {
          const { dev, ino } = await fs.promises.lstat(held)
          if (dev !== device || ino !== inode) throw new Error(`${path} is another folder now`)
          await fs.promises.rmdir(held)
        },
        catch: ErrorMessage.of,
      }),
    ),
  )
