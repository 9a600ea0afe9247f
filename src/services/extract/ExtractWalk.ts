/**
 * The way of an extraction through the archive: depth first, in the order of the archive, so that this is read from
 * front to back and the target of a hard link comes before the link.
 *
 * What cannot be read is reported and does not end it. Folders that are not selected are entered only if something in
 * them can be, and made only if something is. Nothing recurses.
 */
import * as Effect from "effect/Effect"
import * as Bytes from "../../domain/Bytes.ts"
import type { Body, Entry } from "../../domain/pxar/Entry.ts"
import * as FormatError from "../../domain/pxar/FormatError.ts"
import type { Node } from "../../domain/pxar/Node.ts"
import * as ArchiveError from "../archive/ArchiveError.ts"
import type * as ArchiveReader from "../archive/ArchiveReader.ts"
import * as ExtractAttributes from "./ExtractAttributes.ts"
import type * as ExtractEntry from "./ExtractEntry.ts"
import type { ExtractFolders, Folder } from "./ExtractFolders.ts"
import type { ExtractPath } from "./ExtractPath.ts"
import type { Problems } from "./ExtractProblem.ts"
import type { ExtractSelection } from "./ExtractSelection.ts"
import * as ReadSyscalls from "../posix/ReadSyscalls.ts"

export interface Context<E> {
  readonly reader: ArchiveReader.Shape
  readonly root: Entry
  readonly selection: ExtractSelection
  readonly path: ExtractPath
  readonly problems: Problems
  readonly folders: ExtractFolders
  readonly entries: ExtractEntry.ExtractEntry
  readonly restore: ExtractAttributes.Restore
  readonly counts: ExtractEntry.Counts
  readonly maxDepth: number
  /** What the options leave out. */
  readonly omits: { readonly [K in Body["_tag"]]?: boolean }
  /** Called at each entry, with the position of its FILENAME header; `undefined` if it is nobody else's turn. */
  readonly turn: (position: number) => Effect.Effect<void> | undefined
  /** Tells of the problems that are pending. */
  readonly report: Effect.Effect<void, E>
}

/** A folder of the archive that the walk is in. */
interface Level {
  readonly folder: Folder
  readonly node: Node
  readonly entry: Entry
  readonly slots: Uint32Array
  next: number
}

const noSlots = new Uint32Array(0)
const UNKNOWN = Bytes.fromText("?")

export const walk = Effect.fnUntraced(function* <E>(
  context: Context<E>,
): Effect.fn.Return<void, ArchiveError.ArchiveError | E> {
  const { counts, entries, folders, path, problems, reader, selection } = context
  const { pending } = problems
  const levels: Array<Level> = [
    {
      folder: folders.root,
      node: reader.root,
      entry: context.root,
      slots: yield* reader.slotsInArchiveOrder(reader.root),
      next: 0,
    },
  ]

  /** The slots of a folder; none, and a problem, if its table cannot be read or it is too deep. */
  const slotsOf = (found: ArchiveReader.Found): Effect.Effect<Uint32Array> => {
    const unreadable = (error: ArchiveError.ArchiveError): Uint32Array => {
      problems.add("Unreadable", error.message)
      return noSlots
    }
    if (levels.length <= context.maxDepth) {
      return Effect.match(reader.slotsInArchiveOrder(found.node), {
        onFailure: unreadable,
        onSuccess: (slots) => slots,
      })
    }
    const error = FormatError.limit("D11", found.node.start, `folders nested more than ${context.maxDepth} deep`)
    return Effect.succeed(unreadable(ArchiveError.fromFormat(reader.archive, error)))
  }

  /** Makes the innermost folder, if it is not; if that fails, nothing more is done in it and those like it above. */
  const enter = (level: Level): boolean => {
    if (folders.enter(level.folder)) return true
    for (let depth = levels.length - 1; depth >= 0; depth--) {
      const at = levels[depth] as Level
      if (at.folder.state === "Made") break
      at.next = at.slots.length
    }
    return false
  }

  const leave = ({ entry, folder }: Level): void => {
    path.leaveTo(folder.pathLength)
    if (folder.state !== "Made" || !folders.enter(folder)) return
    folders.leave(folder, () => {
      if (!folder.created && !folder.selected) return
      const status = ReadSyscalls.statusOf(folder.fd)
      if (typeof status === "number") problems.add("Owner", "cannot look at the folder", status)
      else ExtractAttributes.apply(folder.fd, entry, status, context.restore, problems)
      counts.folders++
    })
  }

  for (let level = levels.at(-1); level !== undefined; level = levels.at(-1)) {
    if (level.next === level.slots.length) {
      leave(level)
      levels.pop()
    } else {
      const slot = level.slots[level.next++] as number
      const found = yield* readChild(reader, level.node, slot)
      if (found instanceof ArchiveError.ArchiveError) {
        const name = yield* Effect.orElseSucceed(reader.nameAt(level.node, slot), () => UNKNOWN)
        path.enter(level.folder.pathLength, name)
        if (selection.selects(path.buffer, path.length, false, level.folder.selected)) {
          problems.add("Unreadable", found.message)
        }
      } else {
        path.enter(level.folder.pathLength, found.name)
        const { body } = found.entry
        const isFolder = body._tag === "Directory"
        const selected = selection.selects(path.buffer, path.length, isFolder, level.folder.selected)
        if (!isFolder) {
          if (selected && context.omits[body._tag] === true) counts.omitted++
          else if (selected && enter(level)) yield* entries.extract(level.folder, found)
        } else if (selected || selection.mayMatchBelow(path.buffer, path.length)) {
          const slots = yield* slotsOf(found)
          const folder = folders.child(level.folder, found.name, selected, path.length)
          if (!selected || (enter(level) && folders.enter(folder))) {
            levels.push({ folder, node: found.node, entry: found.entry, slots, next: 0 })
          }
        }
        const turn = context.turn(found.nameStart)
        if (turn !== undefined) yield* turn
      }
    }
    if (pending.length > 0) yield* context.report
  }
})

/** The child in a slot, hard links followed, or why it cannot be read. */
const readChild = (
  reader: ArchiveReader.Shape,
  directory: Node,
  slot: number,
): Effect.Effect<ArchiveReader.Found | ArchiveError.ArchiveError> =>
  Effect.catch(
    Effect.flatMap(reader.child(directory, slot), (child) =>
      child === undefined
        ? Effect.fail(
            ArchiveError.fromFormat(
              reader.archive,
              FormatError.malformed("D9", directory.bound, "a second entry of one name, hidden by the first"),
            ),
          )
        : reader.resolve(directory, child),
    ),
    Effect.succeed,
  )
