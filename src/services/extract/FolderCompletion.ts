/**
 * The end of a folder of an extraction: what is not in the archive is deleted, if that was asked for, and the folder gets
 * its attributes.
 *
 * Guarantees: nothing is deleted in a folder of which something could not be read, and nothing that this run has
 * extracted, that was left out by a pattern, or that something is mounted on.
 */
import * as Effect from "effect/Effect"
import type { Entry } from "../../domain/pxar/Entry.ts"
import { S_IFDIR, S_IFMT } from "../../domain/pxar/Entry.ts"
import type { Node } from "../../domain/pxar/Node.ts"
import type { ArchiveTree } from "../archive/ArchiveTree.ts"
import * as NameSyscalls from "../posix/NameSyscalls.ts"
import * as ReadSyscalls from "../posix/ReadSyscalls.ts"
import { isName } from "../posix/WriteSyscalls.ts"
import * as ExtractAttributes from "./ExtractAttributes.ts"
import type { Counts } from "./Counts.ts"
import type { ExtractFolders } from "./ExtractFolders.ts"
import type { ExtractPath } from "./ExtractPath.ts"
import type { Problems } from "./ExtractProblem.ts"
import type { Folder } from "./Folder.ts"
import * as TreeRemoval from "./TreeRemoval.ts"

export interface Context {
  readonly reader: Pick<ArchiveTree, "lookup">
  readonly folders: ExtractFolders
  readonly path: ExtractPath
  readonly problems: Problems
  readonly counts: Counts
  readonly restore: ExtractAttributes.Restore
}

/** What is done with something on disk that the archive does not have. */
export interface Deletion {
  /** Whether a pattern leaves the entry at the current path out, so that it stays on disk too. */
  readonly isExcluded: (isFolder: boolean) => boolean
  readonly delete: (folder: Folder, name: Uint8Array, status: ReadSyscalls.Status) => void
}

/** Gives folders their attributes when everything is in them. */
export const complete =
  ({ counts, folders, problems, restore }: Context) =>
  (folder: Folder, entry: Entry): void => {
    if (folder.state !== "Made" || !folders.enter(folder)) return
    const isOurs = folder.created || folder.selected
    folders.leave(folder, {
      complete: (fd) => {
        if (!isOurs) return
        const status = ReadSyscalls.statusOf(fd)
        if (typeof status === "number") problems.add("Owner", "cannot look at the folder", status)
        else ExtractAttributes.apply(fd, entry, status, restore, problems)
        counts.folders++
      },
      seal: (fd) => {
        if (isOurs) ExtractAttributes.protect(fd, entry, problems)
      },
    })
  }

/** Deletes from a folder of the target what its folder in the archive, `node`, does not have. */
export const deleteOthers = Effect.fnUntraced(function* (
  { folders, path, problems, reader }: Context,
  deletion: Deletion,
  folder: Folder,
  node: Node,
): Effect.fn.Return<void> {
  const { written } = folder
  if (written === undefined || !folder.selected || folder.isPassed || folder.state !== "Made") return
  if (!folders.enter(folder)) return
  if (problems.unreadable > folder.unreadableBefore) {
    problems.add("NotDeleted", "nothing in it was deleted, because not all of it can be read in the archive")
    return
  }
  for (const name of namesIn(folder.fd)) {
    const status = NameSyscalls.status(folder.fd, name)
    if (typeof status === "number" || written.has(status)) continue
    path.enter(folder.pathLength, name)
    const found = yield* Effect.match(reader.lookup(node, name), {
      onFailure: (error) => error.message,
      onSuccess: (found) => found !== undefined,
    })
    if (typeof found === "string") problems.add("NotDeleted", `was not deleted: ${found}`)
    else if (!found && !deletion.isExcluded((status.mode & S_IFMT) === S_IFDIR)) deletion.delete(folder, name, status)
    path.leaveTo(folder.pathLength)
  }
})

/** Deletes, and counts. */
export const deleting =
  ({ counts, problems }: Context): Deletion["delete"] =>
  (folder, name) => {
    const result = TreeRemoval.remove(folder.fd, name)
    if (result === 0) counts.deleted++
    else problems.add("NotDeleted", "cannot be deleted", result)
  }

const namesIn = (fd: number): ReadonlyArray<Uint8Array> => {
  const names: Array<Uint8Array> = []
  for (let size = ReadSyscalls.rewind(fd); size >= 0;) {
    size = ReadSyscalls.readEntries(fd, (terminated) => names.push(terminated.slice(0, -1)))
    if (size === 0) break
  }
  return names.filter((name) => isName(name))
}
