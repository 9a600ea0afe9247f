/**
 * The way of an extraction through the archive: depth first, in the order of the archive, so that this is read from
 * front to back and the target of a hard link comes before the link.
 *
 * What cannot be read is reported and does not end it. Folders that are not selected are entered only if something in
 * them can be, and made only if something is. Nothing recurses.
 */
import * as Effect from "effect/Effect"
import type { Body, Entry } from "../../domain/pxar/Entry.ts"
import type { Node } from "../../domain/pxar/Node.ts"
import type { ArchiveError } from "../archive/ArchiveError.ts"
import type { ArchiveTree } from "../archive/ArchiveTree.ts"
import * as Place from "../tree/Place.ts"
import * as TreeWalk from "../tree/TreeWalk.ts"
import type { Counts } from "./Counts.ts"
import type * as ExtractEntry from "./ExtractEntry.ts"
import type { ExtractFolders } from "./ExtractFolders.ts"
import type { ExtractPath } from "./ExtractPath.ts"
import type { Problems } from "./ExtractProblem.ts"
import type { ExtractFilter } from "./ExtractFilter.ts"
import * as Folders from "./Folder.ts"
import type { Folder } from "./Folder.ts"

export interface Context<E> {
  readonly reader: ArchiveTree
  readonly root: Entry
  readonly selection: Pick<ExtractFilter, "selects" | "children">
  /** How many names at the beginning of each path are left out. */
  readonly strip: number
  readonly path: ExtractPath
  readonly problems: Problems
  readonly folders: ExtractFolders
  readonly entries: ExtractEntry.ExtractEntry
  readonly counts: Counts
  readonly maxDepth: number
  /** What the options leave out. */
  readonly omits: { readonly [K in Body["_tag"]]?: boolean }
  /** Called at each entry, with the position of its FILENAME header; `undefined` if it is nobody else's turn. */
  readonly turn: (position: number) => Effect.Effect<void> | undefined
  /** Called when everything in a folder was extracted; the folder above is the innermost one then. */
  readonly leave: (folder: Folder, node: Node, entry: Entry) => Effect.Effect<void>
  /** Whether there is something to tell. */
  readonly hasNews: () => boolean
  /** Tells of the problems that are pending, and of what else is new. */
  readonly report: Effect.Effect<void, E>
}

/** A folder of the archive that the walk is in. */
interface Level {
  readonly folder: Folder
  readonly node: Node
  readonly entry: Entry
  /** Whether there are children to go on to. */
  open: boolean
  /** Whether the cursor is in the folder: not if its children cannot be read. */
  readonly entered: boolean
}

export const walk = Effect.fnUntraced(function* <E>(context: Context<E>): Effect.fn.Return<void, ArchiveError | E> {
  const { counts, entries, folders, path, problems, reader, selection } = context
  const start = { place: Place.ROOT, node: reader.root }
  const wanted = folders.root.selected ? undefined : selection.children(path.buffer, 0)
  const cursor = yield* TreeWalk.make(reader, start, context.maxDepth, wanted)
  const levels: Array<Level> = [
    { folder: folders.root, node: reader.root, entry: context.root, open: true, entered: true },
  ]

  /** Makes the innermost folder, if it is not; if that fails, nothing more is done in it and those like it above. */
  const enter = (level: Level): boolean => {
    if (folders.enter(level.folder)) return true
    for (let depth = levels.length - 1; depth >= 0; depth--) {
      const at = levels[depth] as Level
      if (at.folder.state === "Made" || at.folder.state === "Absent") break
      at.open = false
    }
    return false
  }

  /** Goes into a folder, if it is to be extracted, or something below it can be. */
  const enterFolder = Effect.fnUntraced(function* (
    level: Level,
    found: TreeWalk.Found,
    selected: boolean,
    wanted: TreeWalk.Children,
  ): Effect.fn.Return<void> {
    // A folder whose children cannot be read is made all the same.
    const unreadableBefore = problems.unreadable
    const entered = yield* Effect.match(cursor.enter(wanted), {
      onFailure: (error) => {
        problems.add("Unreadable", error.message)
        return false
      },
      onSuccess: () => true,
    })
    const isPassed = levels.length <= context.strip
    const folder = isPassed
      ? Folders.passed(folders.root, found.name, selected, path.length)
      : Folders.child(level.folder, found.name, selected, path.length)
    folder.unreadableBefore = unreadableBefore
    if (!selected || isPassed || (enter(level) && folders.enter(folder))) {
      levels.push({ folder, node: found.node, entry: found.entry, open: entered, entered })
    } else if (entered) cursor.leave()
  })

  const visit = (level: Level, found: TreeWalk.Found): Effect.Effect<void> | undefined => {
    path.enter(level.folder.pathLength, found.name)
    const { body } = found.entry
    const isFolder = body._tag === "Directory"
    const selected = selection.selects(path.buffer, path.length, isFolder, level.folder.selected)
    if (isFolder) {
      const wanted = selected ? undefined : selection.children(path.buffer, path.length)
      return wanted?.length === 0 ? undefined : enterFolder(level, found, selected, wanted)
    }
    // With so many names left out it has none.
    if (!selected || levels.length <= context.strip) return undefined
    if (context.omits[body._tag] === true) {
      counts.omitted++
      return undefined
    }
    return enter(level) ? entries.extract(level.folder, found) : undefined
  }

  for (let level = levels.at(-1); level !== undefined; level = levels.at(-1)) {
    const item = level.open ? yield* cursor.next() : undefined
    if (item === undefined) {
      if (level.entered) cursor.leave()
      path.leaveTo(level.folder.pathLength)
      if (!level.folder.isPassed) yield* context.leave(level.folder, level.node, level.entry)
      levels.pop()
    } else if (item._tag === "Unreadable") {
      path.enter(level.folder.pathLength, item.name)
      if (selection.selects(path.buffer, path.length, false, level.folder.selected)) {
        problems.add("Unreadable", item.error.message)
      }
    } else {
      const visited = visit(level, item)
      if (visited !== undefined) yield* visited
      const turn = context.turn(item.nameStart)
      if (turn !== undefined) yield* turn
    }
    if (context.hasNews()) yield* context.report
  }
})
