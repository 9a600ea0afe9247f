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

const user = process.geteuid?.() ?? 0

const runtime = user === 0 ? ["/run"] : [process.env["XDG_RUNTIME_DIR"] ?? "", `/run/user/${user}`]

/** This user's folders, the best first. */
const own: ReadonlyArray<string> = [
  ...runtime.filter((folder) => path.isAbsolute(folder)).map((folder) => path.join(folder, NAME)),
  path.join(os.tmpdir(), `${NAME}-${user}`),
]

/** The folder for this process's socket; created if it is missing. Fails with the reason. */
export const writable: Effect.Effect<string, string> = Effect.suspend(() => {
  let reason = ""
  for (const folder of own) {
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

/** Folders to look for sockets in: this user's, and for root those of all users who are logged in. */
export const readable: Effect.Effect<ReadonlyArray<string>> = Effect.sync(() => [
  ...new Set([...own.filter(isPrivate), ...(user === 0 ? foldersOfUsers() : [])]),
])

/** Whether what is in a folder can only have been put there by this user. */
export const isPrivate = (folder: string): boolean => {
  const status = fs.lstatSync(folder, { throwIfNoEntry: false })
  return status?.isDirectory() === true && status.uid === user && (status.mode & 0o077) === 0
}

const foldersOfUsers = (): ReadonlyArray<string> => {
  try {
    return fs
      .readdirSync("/run/user")
      .map((name) => path.join("/run/user", name, NAME))
      .filter((folder) => fs.existsSync(folder))
  } catch {
    return []
  }
}
