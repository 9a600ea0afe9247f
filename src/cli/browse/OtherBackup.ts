/**
 * The same folder in the backup before or after, or the versions of an entry in all of them: for browsing a repository, where
 * backups of a group lie side by side, and the folder of versions beside them (see `VersionsFolder`).
 *
 * A backup is the first folder of a path that is called as a time. Of the path in it as much is entered as is there.
 */
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import * as Bytes from "../../domain/Bytes.ts"
import * as PathText from "../../domain/PathText.ts"
import * as VersionsFolder from "../../services/history/VersionsFolder.ts"
import type * as Archive from "../../services/tree/Archive.ts"
import type * as TreeWalk from "../../services/tree/TreeWalk.ts"

/** -1 for the backup before, 1 for the one after; or the path of an entry in a backup. */
export type Step = -1 | 1 | { readonly versionsOf: Uint8Array }

/** Where that is: the folders on the way, from the root's child on; none if one stays. */
export interface Found {
  readonly folders: ReadonlyArray<TreeWalk.Found>
  /** To be said, or empty. */
  readonly message: string
}

const TIME = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}Z$/

const stay = (message: string): Found => ({ folders: [], message })

/** Finds it. Nothing fails: what cannot be read is said. */
export const find = (archive: Archive.Archive, folder: TreeWalk.Found, step: Step): Effect.Effect<Found> =>
  Effect.gen(function* () {
    const path = typeof step === "number" ? folder.path : step.versionsOf
    const names = Bytes.toKey(path).split("/").slice(1)
    const at = names.findIndex((name) => TIME.test(name))
    if (at < 0) return stay("this is in no backup: choose one first; browse a datastore to go from backup to backup")
    if (typeof step !== "number") {
      if (names.length === at + 1) return stay("this is a whole backup: versions are those of what is in it")
      return yield* enter(archive, [...names.slice(0, at), VersionsFolder.NAME, ...names.slice(at + 1)], "no versions")
    }
    const group = yield* archive.find(pathOf(names.slice(0, at)))
    const times: Array<string> = []
    yield* Stream.runForEach(archive.list(group), (item) =>
      Effect.sync(() => {
        const name = Bytes.toKey(item.name)
        if (item._tag === "Found" && item.entry.body._tag === "Directory" && TIME.test(name)) times.push(name)
      }),
    )
    // Times sort as their texts.
    const other = times.sort()[times.indexOf(names[at] as string) + step]
    if (other === undefined) return stay(step < 0 ? "this is the oldest backup" : "this is the newest backup")
    return yield* enter(archive, names.with(at, other), other)
  }).pipe(Effect.catch((error) => Effect.succeed(stay(error.message))))

/** Enters as much of a path as is there; says what is not, after a word about where. */
const enter = Effect.fnUntraced(function* (
  archive: Archive.Archive,
  wanted: ReadonlyArray<string>,
  where: string,
): Effect.fn.Return<Found> {
  const folders: Array<TreeWalk.Found> = []
  for (let depth = 1; depth <= wanted.length; depth++) {
    const found = yield* Effect.result(archive.find(pathOf(wanted.slice(0, depth))))
    if (found._tag === "Failure") return { folders, message: `${where}: ${found.failure.message}` }
    if (found.success.entry.body._tag !== "Directory") {
      return { folders, message: `${PathText.print(found.success.path)} is no folder there` }
    }
    folders.push(found.success)
  }
  return { folders, message: "" }
})

const pathOf = (names: ReadonlyArray<string>): Uint8Array => Buffer.from(names.join("/"), "latin1")
