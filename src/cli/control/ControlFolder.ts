/**
 * Where mounts can be asked about themselves: a folder of sockets, one for each process that serves.
 *
 * Only its owner may enter it. Root's is in `/run`, a user's in `XDG_RUNTIME_DIR`; where there is neither it is in the
 * folder for temporary files, under a name that others may have taken, so it is looked at before it is trusted.
 */
import * as fs from "node:fs"
import * as os from "node:os"
import * as path from "node:path"
import * as Effect from "effect/Effect"
import * as ErrorMessage from "../ErrorMessage.ts"

const NAME = "pxar-fuse"

const thisUser = (): number => process.geteuid?.() ?? 0

/** This user's folders, the best first. */
const own = (): ReadonlyArray<string> => {
  const user = thisUser()
  const runtime = user === 0 ? ["/run"] : [process.env["XDG_RUNTIME_DIR"] ?? "", `${USERS}/${user}`]
  return [
    ...runtime.filter((folder) => path.isAbsolute(folder)).map((folder) => path.join(folder, NAME)),
    path.join(os.tmpdir(), `${NAME}-${user}`),
  ]
}

/** Where the folders of users who are logged in are. */
const USERS = "/run/user"

/** The folder for this process's socket; created if it is missing. Fails with the reason. */
export const writable: Effect.Effect<string, string> = Effect.suspend(() => {
  let reason = ""
  for (const folder of own()) {
    try {
      if (fs.existsSync(path.dirname(folder))) fs.mkdirSync(folder, { mode: 0o700, recursive: true })
      if (isPrivate(folder)) return Effect.succeed(folder)
      reason = `${folder} is not a folder of this user alone`
    } catch (error) {
      reason = ErrorMessage.of(error)
    }
  }
  return Effect.fail(reason)
})

/** This user's folders to look for sockets in. */
export const ownReadable: Effect.Effect<ReadonlyArray<string>> = Effect.sync(() => own().filter(isPrivate))

/** The folder of another user who is logged in, which only root may look into. What is in it is that user's. */
export const ofUser = (user: number): Effect.Effect<ReadonlyArray<string>> =>
  Effect.sync(() => (thisUser() === 0 && user !== 0 ? [path.join(USERS, String(user), NAME)].filter(isFolder) : []))

/** Those of all other users who are logged in. */
export const ofOthers: Effect.Effect<ReadonlyArray<string>> = Effect.sync(() => {
  if (thisUser() !== 0) return []
  try {
    return fs
      .readdirSync(USERS)
      .map((name) => path.join(USERS, name, NAME))
      .filter(isFolder)
  } catch {
    return []
  }
})

const isFolder = (folder: string): boolean => fs.lstatSync(folder, { throwIfNoEntry: false })?.isDirectory() === true

/** Whether what is in a folder can only have been put there by this user. */
export const isPrivate = (folder: string): boolean => {
  const status = fs.lstatSync(folder, { throwIfNoEntry: false })
  return status?.isDirectory() === true && status.uid === thisUser() && (status.mode & 0o077) === 0
}
