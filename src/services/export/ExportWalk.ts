/**
 * The entries of a selection, each once and in the order of the archive, with what an archive format without inodes has to
 * know of hard links.
 *
 * The first name of a file that is exported is the file, the others are links to it, whichever of them the archive has the
 * contents at. Memory: 8 bytes a file, and a path for each file whose first name is not selected.
 */
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import * as ArchivePath from "../../domain/pxar/ArchivePath.ts"
import * as Bytes from "../../domain/Bytes.ts"
import { partitionPoint } from "../../domain/PartitionPoint.ts"
import * as PathText from "../../domain/PathText.ts"
import type { ArchiveError } from "../archive/ArchiveError.ts"
import type { ArchiveTree } from "../archive/ArchiveTree.ts"
import type * as Archive from "../tree/Archive.ts"
import * as Selection from "../tree/Selection.ts"
import type * as TreeWalk from "../tree/TreeWalk.ts"

/** An entry to export. */
export interface Exported {
  readonly _tag: "Exported"
  readonly found: TreeWalk.Found
  /** Path without a slash before it; `.` for the root. */
  readonly path: Uint8Array
  /** The path, as above, of the entry that this is another name of, if that has been exported. */
  readonly linkTo: Uint8Array | undefined
}

export interface ExportWalk {
  readonly items: Stream.Stream<Exported | TreeWalk.Unreadable>
  /** Patterns that have selected nothing, as text; to be asked at the end. */
  readonly unmatched: () => ReadonlyArray<string>
}

/** Most files whose first name is not selected that are kept as links; further ones are files of their own. */
const MAX_OUTSIDE = 100_000

/** The entries that paths and patterns select (see `Selection`); all of them if there are none. */
export const make = Effect.fnUntraced(function* (
  archive: Archive.Archive<ArchiveTree>,
  args: ReadonlyArray<Uint8Array>,
): Effect.fn.Return<ExportWalk, ArchiveError | Selection.SelectionError> {
  const selection = yield* Selection.make(archive, args)
  const written = new Positions()
  const outside = new Map<number, Uint8Array>()
  /** Number of the archive whose files these are, in a tree of many. */
  let current: number | undefined

  /** The entry that a hard link can be a link to. */
  const linkTarget = Effect.fnUntraced(function* ({ entry, link, path }: TreeWalk.Found) {
    if (link === undefined) return undefined
    const first = outside.get(link.target)
    if (first !== undefined) return first
    // The path in a link is for people; what it links to is told by positions.
    for (const candidate of written.has(link.target) ? targetPaths(path, link.path) : []) {
      const target = yield* Effect.option(archive.find(candidate))
      if (target._tag === "None" || target.value.nameStart !== link.target) continue
      if (target.value.entry.start === entry.start) return relative(target.value.path)
    }
    if (outside.size < MAX_OUTSIDE) outside.set(link.target, relative(path))
    return undefined
  })

  const exported = ({ item, level }: Selection.Met): Effect.Effect<ReadonlyArray<Exported | TreeWalk.Unreadable>> => {
    if (level < 0) return NOTHING
    if (item._tag === "Unreadable") return Effect.succeed([item])
    if (item.node.archive !== current) {
      current = item.node.archive
      written.clear()
      outside.clear()
    }
    // Of several archives in one place: positions that begin again are those of the next.
    if (item.entry.body._tag !== "Directory" && item.link === undefined && !written.add(item.nameStart)) outside.clear()
    const path = relative(item.path)
    if (item.link === undefined) return Effect.succeed([{ _tag: "Exported", found: item, path, linkTo: undefined }])
    return Effect.map(linkTarget(item), (linkTo) => [{ _tag: "Exported", found: item, path, linkTo }])
  }

  return {
    items: Selection.walk(archive, selection).pipe(Stream.mapEffect(exported), Stream.flattenIterable),
    unmatched: () => selection.unmatched().map(PathText.print),
  }
})

const NOTHING: Effect.Effect<ReadonlyArray<never>> = Effect.succeed([])

const relative = (path: Uint8Array): Uint8Array =>
  path.length === 1 ? ROOT : path[0] === ArchivePath.ROOT[0] ? path.subarray(1) : path

const ROOT = Bytes.fromText(".")

/**
 * Where the target of a link can be whose path is that in its archive: in a tree of many archives that is below the folder
 * of the archive, in a tree of one folder without what leads to that.
 */
const targetPaths = (path: Uint8Array, target: Uint8Array): ReadonlyArray<Uint8Array> => {
  const folders = ArchivePath.names(path).slice(0, -1)
  const names = ArchivePath.names(target)
  const join = (names: ReadonlyArray<Uint8Array>): Uint8Array => names.reduce(ArchivePath.join, ArchivePath.ROOT)
  return [
    join(names),
    ...folders.map((_, i) => join([...folders.slice(0, i + 1), ...names])),
    ...names.slice(1).map((_, i) => join(names.slice(i + 1))),
  ]
}

/** Positions of one archive, in ascending order. */
class Positions {
  private held = new Float64Array(1024)
  private count = 0

  /** Adds one; those before are forgotten, and the answer is false, if it does not come after them. */
  add(position: number): boolean {
    const ascends = this.count === 0 || position > (this.held[this.count - 1] as number)
    if (!ascends) this.count = 0
    if (this.count === this.held.length) {
      const larger = new Float64Array(2 * this.held.length)
      larger.set(this.held)
      this.held = larger
    }
    this.held[this.count++] = position
    return ascends
  }

  clear(): void {
    this.count = 0
  }

  has(position: number): boolean {
    const at = partitionPoint(this.count, (at) => (this.held[at] as number) < position)
    return at < this.count && this.held[at] === position
  }
}
