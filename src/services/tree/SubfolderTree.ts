/**
 * A tree that has a folder of another one as its root.
 *
 * What is outside the folder cannot be reached, but for the contents of files that are hard-linked into it.
 */
import * as Effect from "effect/Effect"
import * as Bytes from "../../domain/Bytes.ts"
import type * as Node from "../../domain/pxar/Node.ts"
import * as NodeId from "../../domain/pxar/NodeId.ts"
import type { ArchiveTree } from "../archive/ArchiveTree.ts"
import * as MappedTree from "./MappedTree.ts"

export const make = (tree: ArchiveTree, folder: Node.Node): ArchiveTree => ({
  ...MappedTree.make(tree, {
    inside: (node) => (node.id === NodeId.ROOT ? folder : node),
    outside: (node) => (node.parent === folder.id ? { ...node, parent: NodeId.ROOT } : node),
    entry: MappedTree.sameEntry,
  }),
  root: { ...folder, id: NodeId.ROOT, parent: NodeId.ROOT },
  name: (node) => (node.id === NodeId.ROOT ? Effect.succeed(Bytes.empty) : tree.name(node)),
})
