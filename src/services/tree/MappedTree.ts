/**
 * A tree that shows another one's nodes under other ids, or its entries differently.
 */
import type { Entry } from "../../domain/pxar/Entry.ts"
import type * as Node from "../../domain/pxar/Node.ts"
import type { ArchiveTree, Found, Listed } from "../archive/ArchiveTree.ts"
import * as AtOnce from "../AtOnce.ts"

export interface Mapping {
  /** A node of the mapped tree, as the one below knows it. */
  readonly inside: (node: Node.Node) => Node.Node
  /** The inverse. */
  readonly outside: (node: Node.Node) => Node.Node
  /** What is shown of an entry. */
  readonly entry: (entry: Entry) => Entry
}

/** The mapped tree, but for its root: that is the caller's. */
export const make = (tree: ArchiveTree, { entry, inside, outside }: Mapping): Omit<ArchiveTree, "root"> => {
  const found = (child: Found): Found => ({ ...child, node: outside(child.node), entry: entry(child.entry) })
  const listed = (child: Listed): Listed =>
    child._tag === "Found" ? found(child) : child._tag === "Unopened" ? { ...child, node: outside(child.node) } : child
  const { extent } = tree
  return {
    ...tree,
    entry: (node) => AtOnce.map(tree.entry(inside(node)), entry),
    lookup: (directory, name) =>
      AtOnce.map(tree.lookup(inside(directory), name), (child) => (child === undefined ? undefined : found(child))),
    count: (directory) => tree.count(inside(directory)),
    list: (directory, from, add) => tree.list(inside(directory), from, (child, next) => add(listed(child), next)),
    name: (node) => tree.name(inside(node)),
    content: (node, offset, target) => tree.content(inside(node), offset, target),
    ...(extent === undefined ? {} : { extent: (node, offset, size) => extent(inside(node), offset, size) }),
    release: (directory) => tree.release(inside(directory)),
  }
}

/** For a mapping that leaves nodes as they are. */
export const sameNode = (node: Node.Node): Node.Node => node

/** For a mapping that leaves entries as they are. */
export const sameEntry = (entry: Entry): Entry => entry
