/**
 * A tree whose entries are shown differently (see `EntryView`).
 */
import type { EntryView } from "../../domain/pxar/EntryView.ts"
import type { ArchiveTree } from "../archive/ArchiveTree.ts"
import * as MappedTree from "./MappedTree.ts"

/** Shows every entry through `view`. */
export const make = (tree: ArchiveTree, view: EntryView): ArchiveTree => ({
  ...MappedTree.make(tree, { inside: MappedTree.sameNode, outside: MappedTree.sameNode, entry: view }),
  root: tree.root,
})
