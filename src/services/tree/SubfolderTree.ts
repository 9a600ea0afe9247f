/**
 * A tree that has a folder of another one as its root.
 *
 * What is outside the folder cannot be reached, but for the contents of files that are hard-linked into it.
 */
import * as Effect from "effect/Effect"
import * as Bytes from "../../domain/Bytes.ts"
import * as Node from "../../domain/pxar/Node.ts"
import * as NodeId from "../../domain/pxar/NodeId.ts"
import type { ArchiveTree } from "../archive/ArchiveTree.ts"
import * as MappedTree from "./MappedTree.ts"

/** The inode number of a root. */
const ROOT_INODE = 1

export const make = (tree: ArchiveTree, folder: Node.Node): ArchiveTree => {
  const isRoot = ({ archive, id }: Node.Key): boolean => id === NodeId.ROOT && archive === undefined
  const isInFolder = (node: Node.Node): boolean => {
    const { archive, id } = Node.parentOf(node)
    return id === folder.id && archive === folder.archive
  }
  return {
    ...MappedTree.make(tree, {
      inside: (node) => (isRoot(node) ? folder : node),
      outside: (node) =>
        isInFolder(node) ? { ...node, parent: node.archive === undefined ? NodeId.ROOT : Node.ABOVE } : node,
      entry: MappedTree.sameEntry,
    }),
    isLive: tree.isLive && ((node) => tree.isLive?.(isRoot(node) ? folder : node) === true),
    root: { ...folder, id: NodeId.ROOT, parent: NodeId.ROOT, archive: undefined },
    inode: (node) => (isRoot(node) ? ROOT_INODE : tree.inode(node)),
    name: (node) => (isRoot(node) ? Effect.succeed(Bytes.empty) : tree.name(node)),
  }
}
