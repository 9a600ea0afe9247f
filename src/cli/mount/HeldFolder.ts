/**
 * The folder of a file that this process is to write, held open.
 *
 * A user who owns a folder on the way can put a link in the place of anything in it, at any time. So each step is made from
 * the folder before, and a link is followed only if it is root's or this user's own. What is done with the file then is done
 * through the folder that was found. All of it happens on threads: the folder may be in a file system that this very process
 * serves.
 */
import * as fs from "node:fs"
import { promisify } from "node:util"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import * as DiskPath from "../../services/posix/DiskPath.ts"
import * as Libc from "../../services/posix/Libc.ts"
import * as ErrorMessage from "../ErrorMessage.ts"

const open = promisify(fs.open)
const fstat = promisify(fs.fstat)
const close = promisify(fs.close)

/** Links on the way; as many as the kernel follows. */
const MAX_LINKS = 40

/** Bytes of a link's target, and one more. */
const LINK_MAX = 4097

/**
 * The path by which a file can be opened, replaced or removed while the scope lives; with `followLink` the file may itself
 * be a link, as far as it is followed. Fails with what is wrong, for people.
 */
export const of = (
  file: string,
  { followLink = false }: { readonly followLink?: boolean } = {},
): Effect.Effect<string, string, Scope.Scope> => {
  const absolute = DiskPath.resolve(file)
  // What is there is the kernel's or root's, and links are not what they say.
  if (/^\/(?:dev|proc)\//.test(absolute)) return Effect.succeed(absolute)
  return Effect.map(
    Effect.acquireRelease(
      Effect.tryPromise({ try: () => walk(absolute, followLink), catch: (error) => ErrorMessage.of(error) }),
      ({ folder }) => Effect.promise(() => close(folder)),
    ),
    ({ folder, name }) => `/proc/self/fd/${folder}/${name}`,
  )
}

interface Found {
  readonly folder: number
  readonly name: string
}

const step = async (folder: number | undefined, name: string, flags: number): Promise<number> =>
  open(DiskPath.forNode(folder === undefined ? name : `/proc/self/fd/${folder}/${name}`), Libc.O_PATH | flags)

const walk = async (absolute: string, followLast: boolean): Promise<Found> => {
  const ahead = absolute.split("/").filter((part) => part !== "")
  let at = await step(undefined, "/", fs.constants.O_DIRECTORY)
  let links = 0
  try {
    for (;;) {
      const name = ahead.shift() ?? "."
      const isLast = ahead.length === 0
      if (isLast && !followLast) return { folder: at, name }
      let next: number
      try {
        next = await step(at, name, fs.constants.O_NOFOLLOW)
      } catch (error) {
        // A file that is to be created.
        if (isLast && (error as NodeJS.ErrnoException).code === "ENOENT") return { folder: at, name }
        throw new Error(ErrorMessage.of(error).replace(/, \w+ '.*'$/s, `: ${absolute}`), { cause: error })
      }
      const status = await fstat(next)
      if (!status.isSymbolicLink()) {
        if (isLast) {
          await close(next)
          return { folder: at, name }
        }
        await close(at)
        at = next
        continue
      }
      const target = linkTarget(next)
      await close(next)
      if (status.uid !== 0 && status.uid !== process.geteuid?.()) {
        throw new Error(`${absolute}: ${name} on the way is a link of user ${status.uid}, which is not followed`)
      }
      if (++links > MAX_LINKS) throw new Error(`${absolute}: too many links`)
      ahead.unshift(...target.split("/").filter((part) => part !== ""))
      if (target.startsWith("/")) {
        await close(at)
        at = await step(undefined, "/", fs.constants.O_DIRECTORY)
      }
    }
  } catch (error) {
    await close(at).catch(() => {})
    throw error
  }
}

/** Of the very link that was looked at. */
const linkTarget = (link: number): string => {
  const target = new Uint8Array(LINK_MAX)
  const length = Libc.readlinkat(link, Uint8Array.of(0), target, target.length)
  return DiskPath.fromNode(target.subarray(0, Math.max(0, length)))
}
