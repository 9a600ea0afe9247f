/**
 * Entries as a drawn tree. Each topmost entry is shown with its path, what is below it with its name.
 *
 * Drawn as the walk goes: a folder's number of children is known beforehand, so nothing is held back. Where patterns
 * leave out the last children of a folder, its branch ends without a corner.
 */
import * as Effect from "effect/Effect"
import * as PathText from "../../domain/PathText.ts"
import type { ArchiveTree } from "../../services/archive/ArchiveTree.ts"
import type * as TreeWalk from "../../services/tree/TreeWalk.ts"
import * as LongListing from "./LongListing.ts"

/** A folder that is being drawn. */
interface Branch {
  readonly depth: number
  /** What stands before the lines of its children. */
  readonly indent: string
  /** Children that are still to come. */
  left: number
}

/**
 * Lines of the items of one walk, which must come by in their order, but for the rests of folders that cannot be read.
 * The line of an item that is not selected (level -1) is empty. `columns` is what stands before the tree.
 */
export const make = (
  reader: ArchiveTree,
  columns: (found: TreeWalk.Found) => string,
): ((item: TreeWalk.Item, level: number) => Effect.Effect<string>) => {
  const branches: Array<Branch> = []

  return (item, level) =>
    Effect.suspend(() => {
      while ((branches.at(-1)?.depth ?? -1) >= item.depth) branches.pop()
      const above = branches.at(-1)
      const parent = above?.depth === item.depth - 1 ? above : undefined
      if (parent !== undefined) parent.left--
      if (level < 0) return Effect.succeed("")
      const last = parent?.left === 0
      const name = level === 0 ? item.path : item.name
      const corner = parent === undefined ? "" : `${parent.indent}${last ? "└── " : "├── "}`
      const before = item._tag === "Found" ? columns(item) : ""
      const line = `${before}${corner}${PathText.print(name)}${item._tag === "Found" ? LongListing.suffix(item) : ""}\n`
      if (item._tag === "Unreadable" || item.entry.body._tag !== "Directory") return Effect.succeed(line)
      // A folder whose table cannot be read has no children to draw; the walk says why.
      return Effect.map(
        Effect.orElseSucceed(reader.count(item.node), () => 0),
        (left) => {
          const indent = parent === undefined ? "" : `${parent.indent}${last ? "    " : "│   "}`
          branches.push({ depth: item.depth, indent, left })
          return line
        },
      )
    })
}
