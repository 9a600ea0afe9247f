/**
 * Nodes by number, for handles of files that outlive the kernel's memory of them (NFS re-export, fuse-protocol §3): LOOKUP
 * of `.` gives the node itself and `..` its parent, whether the kernel holds it or not.
 *
 * A number from outside may be made up. It is never decoded: from the root down, the child whose range holds the position is
 * looked for among the children that the folders' own tables name, and only one that is found with exactly this number is
 * a node. So nothing can be reached but what a path reaches. For one archive: numbers of a tree of many are not lasting.
 */
import * as Effect from "effect/Effect"
import * as Bytes from "../../domain/Bytes.ts"
import type * as Errno from "../../domain/Errno.ts"
import type * as Node from "../../domain/pxar/Node.ts"
import * as NodeId from "../../domain/pxar/NodeId.ts"
import type * as Stat from "../../domain/pxar/Stat.ts"
import type { ArchiveError } from "../../services/archive/ArchiveError.ts"
import type { ArchiveTree, Listed } from "../../services/archive/ArchiveTree.ts"
import type * as LookupRegistry from "../../services/LookupRegistry.ts"
import type * as Bridge from "./Bridge.ts"

const DOT = Bytes.fromText(".")
const DOT_DOT = Bytes.fromText("..")

/** Children that are looked at for one number; `log2` of a folder's size at each level is enough where all can be read. */
const MAX_STEPS = 10_000

/** The same bridge with these two names, over the tree and registry of the bridge. */
export const make = (
  bridge: Bridge.Bridge,
  tree: ArchiveTree,
  registry: Pick<LookupRegistry.LookupRegistry, "find">,
): Bridge.Bridge => {
  const node = (id: NodeId.NodeId): Effect.Effect<Node.Node | undefined> => {
    const held = registry.find(id)
    if (held !== undefined) return Effect.succeed(held)
    return Effect.catch(find(tree, id), (error) =>
      Effect.as(Effect.logDebug(`no node has number ${NodeId.toBigInt(id)}: ${error.message}`), undefined),
    )
  }

  const hold = Effect.fnUntraced(function* (
    found: Node.Node | undefined,
    lease: LookupRegistry.Lease,
  ): Effect.fn.Return<Stat.Stat | undefined, Errno.Errno> {
    if (found === undefined) return undefined
    lease.add(found)
    return yield* bridge.getattr(found.id)
  })

  return {
    ...bridge,
    lookup: (id, name, lease) => {
      if (name[0] !== DOT[0] || name.length > 2) return bridge.lookup(id, name, lease)
      if (Bytes.equals(name, DOT)) return Effect.flatMap(node(id), (found) => hold(found, lease))
      if (!Bytes.equals(name, DOT_DOT)) return bridge.lookup(id, name, lease)
      const parent = Effect.flatMap(node(id), (found) => (found === undefined ? Effect.undefined : node(found.parent)))
      return Effect.flatMap(parent, (found) => hold(found, lease))
    },
  }
}

/** The node with this number, if there is one. */
export const find = Effect.fnUntraced(function* (
  tree: ArchiveTree,
  id: NodeId.NodeId,
): Effect.fn.Return<Node.Node | undefined, ArchiveError> {
  const position = Math.abs(id)
  // Where a folder ends its next sibling begins.
  const last = NodeId.isDirectory(id) ? position - 1 : position
  let steps = 0
  let directory = tree.root

  /** The first child from `from` on, before `end`, that can be read, with its number. */
  const readable = Effect.fnUntraced(function* (from: number, end: number) {
    for (let at = from; at < end && steps < MAX_STEPS; at++) {
      steps++
      const listed: Array<Listed> = []
      yield* tree.list(directory, at, (child) => {
        listed.push(child)
        return false
      })
      const [child] = listed
      if (child?._tag === "Found") return { child, at }
    }
    return undefined
  })

  while (id !== directory.id) {
    // The last child whose own name does not stand behind the position: if any holds it, this one does.
    let low = 0
    let high = yield* tree.count(directory)
    let candidate: Extract<Listed, { _tag: "Found" }> | undefined
    while (low < high) {
      const middle = (low + high) >>> 1
      const found = yield* readable(middle, high)
      if (found !== undefined && found.child.nameStart <= last) {
        candidate = found.child
        low = found.at + 1
      } else high = middle
    }
    if (candidate === undefined) return undefined
    const { link, nameStart, node } = candidate
    // A hard link that is a file of its own has the number of its name.
    if (link !== undefined) return id === NodeId.ofEntry(nameStart) ? { ...node, id } : undefined
    if (node.id === id) return node
    if (!NodeId.isDirectory(node.id) || node.bound < position) return undefined
    directory = node
  }
  return directory
})
