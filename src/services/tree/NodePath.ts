/**
 * The path of a node of one archive, from the node alone: all that is in a folder stands between its start and its end, and
 * the children of a folder are listed in the order of their places. So some children are looked at in each folder on the
 * way, few even if there are many.
 */
import * as Effect from "effect/Effect"
import * as Bytes from "../../domain/Bytes.ts"
import type * as Node from "../../domain/pxar/Node.ts"
import * as ArchiveError from "../archive/ArchiveError.ts"
import type { ArchiveTree, Found, Listed, Read } from "../archive/ArchiveTree.ts"

const SLASH = Bytes.fromText("/")

/** The path, with a leading slash; `/` for the root. Of a file with several names the first one. */
export const find = Effect.fnUntraced(function* (
  tree: ArchiveTree,
  node: Node.Node,
): Effect.fn.Return<Uint8Array, ArchiveError.ArchiveError> {
  const parts: Array<Uint8Array> = []
  let folder = tree.root
  while (folder.id !== node.id) {
    const child = yield* childAround(tree, folder, node.start)
    if (child === undefined) return yield* ArchiveError.unavailable(tree.archive, "no entry leads there")
    parts.push(SLASH, child.name)
    if (child.link !== undefined || child.node.start === node.start) break
    if (child.entry.body._tag !== "Directory") {
      return yield* ArchiveError.unavailable(tree.archive, "no entry leads there")
    }
    folder = child.node
  }
  return parts.length === 0 ? SLASH : Bytes.concat(parts)
})

/** The last child that begins before `position`. */
const childAround = Effect.fnUntraced(function* (
  tree: ArchiveTree,
  folder: Node.Node,
  position: number,
): Effect.fn.Return<Found | undefined, ArchiveError.ArchiveError> {
  let found: Found | undefined
  let from = 0
  let to = yield* tree.count(folder)
  while (from < to) {
    const middle = (from + to) >>> 1
    const child = yield* firstReadable(tree, folder, middle, to)
    if (child === undefined || child.nameStart > position) to = middle
    else {
      found = child
      from = child.next
    }
  }
  return found
})

/** The first of the children from number `from` to before `to` of which the place is known. */
const firstReadable = (
  tree: ArchiveTree,
  folder: Node.Node,
  from: number,
  to: number,
): Read<(Found & { readonly next: number }) | undefined> =>
  Effect.suspend(() => {
    let first: (Found & { readonly next: number }) | undefined
    const add = (child: Listed, next: number): boolean => {
      if (next > to) return false
      if (child._tag === "Found") first = { ...child, next }
      return first === undefined
    }
    return Effect.map(tree.list(folder, from, add), () => first)
  })
