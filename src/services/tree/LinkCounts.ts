/**
 * How many names each file has (§2.10): an archive does not say, so that one walk over its metadata counts them.
 *
 * Memory is two numbers for each file with several names, nothing for the others. What cannot be read is not counted.
 */
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import type { Inode } from "../../domain/pxar/Inode.ts"
import * as NodeId from "../../domain/pxar/NodeId.ts"
import * as Archive from "./Archive.ts"
import type { ArchiveError } from "../archive/ArchiveError.ts"
import type { ArchiveTree } from "../archive/ArchiveTree.ts"

/** What has been counted. */
export interface LinkCounts {
  /** Number of names of a file that has more than one, by its inode number; `undefined` for everything else. */
  readonly of: (ino: Inode) => number | undefined
  /** Entries and folders that could not be read. */
  readonly unreadable: number
}

/** How far a count is. */
export interface Progress {
  /** Names counted. */
  readonly entries: number
  /** Byte of the archive, of `size`; the payload archive is not read. */
  readonly position: number
  readonly size: number
}

/** How to count. */
export interface Options {
  /** Called often. */
  readonly onProgress?: ((progress: Progress) => void) | undefined
}

/** Walks over the whole archive and counts. */
export const collect = Effect.fnUntraced(function* (
  tree: ArchiveTree,
  { onProgress }: Options = {},
): Effect.fn.Return<LinkCounts, ArchiveError> {
  const archive = Archive.fromReader(tree)
  const counts = new Map<Inode, number>()
  let unreadable = 0
  let entries = 0
  let position = 0
  yield* Stream.runForEachArray(archive.walk(yield* archive.root), (items) =>
    Effect.sync(() => {
      for (const item of items) {
        if (item._tag === "Unreadable") {
          // What another entry of the same name hides (D9) is not a name.
          if (item.error.check !== "D9") unreadable++
          continue
        }
        const { id } = item.node
        if (item.link === undefined) {
          // The number of a folder is where it ends, of all else where it begins (§9.1).
          if (!NodeId.isDirectory(id)) position = -id
          continue
        }
        // Its own name, which comes first, is the other one.
        const ino = tree.inode(item.node)
        counts.set(ino, (counts.get(ino) ?? 1) + 1)
      }
      entries += items.length
      onProgress?.({ entries, position, size: tree.root.bound })
    }),
  )
  return { of: (ino) => counts.get(ino), unreadable }
})
