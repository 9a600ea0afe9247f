/**
 * The ways to go through an archive for a folder on disk: to extract it, to say what that would do, and to look whether
 * it was done. They share the walk and what is decided about names; each has its own folders and its own hands.
 */
import * as Effect from "effect/Effect"
import type { Entry } from "../../domain/pxar/Entry.ts"
import { S_IFBLK, S_IFCHR, S_IFDIR, S_IFIFO, S_IFLNK, S_IFMT, S_IFREG } from "../../domain/pxar/Entry.ts"
import type { Node } from "../../domain/pxar/Node.ts"
import type { ArchiveTree } from "../archive/ArchiveTree.ts"
import * as ReadSyscalls from "../posix/ReadSyscalls.ts"
import type { Counts } from "./Counts.ts"
import * as ExtractCheck from "./ExtractCheck.ts"
import * as ExtractEntry from "./ExtractEntry.ts"
import type { ExtractFilter } from "./ExtractFilter.ts"
import { ExtractFolders } from "./ExtractFolders.ts"
import { ExtractLinks } from "./ExtractLinks.ts"
import type { Resolved } from "./ExtractOptions.ts"
import type { ExtractPace } from "./ExtractPace.ts"
import type { ExtractPath } from "./ExtractPath.ts"
import * as ExtractPlan from "./ExtractPlan.ts"
import type { Problems } from "./ExtractProblem.ts"
import type { Folder } from "./Folder.ts"
import * as FolderCompletion from "./FolderCompletion.ts"
import * as FolderOpener from "./FolderOpener.ts"
import { Places } from "./Places.ts"

export interface Context {
  readonly reader: ArchiveTree
  readonly filter: ExtractFilter
  readonly path: ExtractPath
  readonly problems: Problems
  readonly counts: Counts
  readonly pace: ExtractPace
  readonly resolved: Resolved
  /** The target folder, made ready for `making` things in it if they are made. */
  readonly root: (making: boolean) => Folder
}

/** What one way does with folders and entries. */
export interface Pass {
  readonly folders: ExtractFolders
  readonly entries: ExtractEntry.ExtractEntry
  /** Called when everything in a folder was visited. */
  readonly leave: (folder: Folder, node: Node, entry: Entry) => Effect.Effect<void>
  /** Steps that nobody has been told of yet. */
  readonly steps: Array<ExtractPlan.Step>
}

const openerOptions = ({ resolved }: Context): FolderOpener.Options => ({
  ...resolved,
  mergesFolders: resolved.strip > 0,
  acls: resolved.restore.acls,
  permissions: resolved.restore.permissions,
})

const deletionOf = (
  { filter, path }: Context,
  deletes: FolderCompletion.Deletion["delete"],
): FolderCompletion.Deletion => ({
  isExcluded: (isFolder) => filter.excludes(path.buffer, path.length, isFolder),
  delete: deletes,
})

/** Extracts; and `deletes` what the archive does not have. */
export const extracting = (context: Context, deletes: boolean): Pass => {
  const { counts, pace, problems, reader, resolved } = context
  const folders = new ExtractFolders(
    context.root(true),
    FolderOpener.making(openerOptions(context), problems),
    problems,
  )
  const links = new ExtractLinks()
  const entries = ExtractEntry.make({
    reader,
    folders,
    links,
    places: new Places(resolved, links, problems, counts),
    problems,
    restore: resolved.restore,
    counts,
    onContent: (content, done) => pace.inContent(content, done),
  })
  const completion = { ...context, folders, restore: resolved.restore }
  const complete = FolderCompletion.complete(completion)
  const deletion = deletionOf(context, FolderCompletion.deleting(completion))
  return {
    folders,
    entries,
    steps: [],
    leave: (folder, node, entry) => {
      const end = Effect.sync(() => complete(folder, entry))
      if (!deletes || folder.written === undefined) return end
      return Effect.andThen(FolderCompletion.deleteOthers(completion, deletion, folder, node), end)
    },
  }
}

/** Says what `extracting` would do. */
export const planning = (context: Context, deletes: boolean): Pass => {
  const { counts, path, problems, resolved } = context
  const plan = new ExtractPlan.ExtractPlan(path)
  const opener = FolderOpener.looking(openerOptions(context), problems, {
    report: (folder, replaces) => {
      plan.add(replaces ? "replace" : "create", "directory", undefined, folder.pathLength)
      counts.folders++
    },
    kind: "NotCreated",
  })
  const folders = new ExtractFolders(context.root(false), opener, problems)
  const links = new ExtractLinks()
  const deletion = deletionOf(context, (_folder, _name, { mode }) => {
    plan.add("delete", kindOfMode(mode))
    counts.deleted++
  })
  const completion = { ...context, folders, restore: resolved.restore }
  return {
    folders,
    entries: ExtractPlan.entries(plan, new Places(resolved, links, problems, counts), links, counts),
    steps: plan.pending,
    leave: (folder, node) => {
      const end = Effect.sync(() => folders.leave(folder, NOTHING))
      return deletes ? Effect.andThen(FolderCompletion.deleteOthers(completion, deletion, folder, node), end) : end
    },
  }
}

/** Looks whether what was extracted is on disk as it is in the archive. */
export const checking = (context: Context): Pass => {
  const { pace, problems, resolved } = context
  const opener = FolderOpener.looking(
    { ...openerOptions(context), allowExistingDirs: true, force: true, overwrite: "always" },
    problems,
    {
      report: (folder) => problems.add("Differs", "is not there as a folder", undefined, folder.pathLength),
      kind: "Differs",
    },
  )
  const folders = new ExtractFolders(context.root(false), opener, problems)
  const check: ExtractCheck.Context = {
    ...context,
    ...resolved,
    allowsNewer: resolved.overwrite === "if-newer",
    onContent: (content, done) => pace.inContent(content, done),
  }
  return {
    folders,
    entries: ExtractCheck.entries(check),
    steps: [],
    leave: (folder, _node, entry) =>
      Effect.sync(() => {
        if (folder.state === "Made" && folder.selected && folders.enter(folder)) {
          const status = ReadSyscalls.statusOf(folder.fd)
          if (typeof status !== "number") ExtractCheck.attributes(check, folder.fd, entry, status)
        }
        folders.leave(folder, NOTHING)
      }),
  }
}

const NOTHING = { complete: () => undefined, seal: () => undefined }

const kindOfMode = (mode: number): ExtractPlan.Step["kind"] => {
  switch (mode & S_IFMT) {
    case S_IFREG:
      return "file"
    case S_IFDIR:
      return "directory"
    case S_IFLNK:
      return "symlink"
    case S_IFCHR:
      return "chardev"
    case S_IFBLK:
      return "blockdev"
    case S_IFIFO:
      return "fifo"
    default:
      return "socket"
  }
}
