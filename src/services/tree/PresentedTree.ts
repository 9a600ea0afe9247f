/**
 * A reader whose entries are shown differently (see `EntryView`).
 */
import type { EntryView } from "../../domain/pxar/EntryView.ts"
import type * as ArchiveReader from "../archive/ArchiveReader.ts"
import * as MappedTree from "./MappedTree.ts"

/** Shows every entry through `view`. */
export const make = (reader: ArchiveReader.Tree, view: EntryView): ArchiveReader.Tree => ({
  ...MappedTree.make(reader, { inside: MappedTree.sameNode, outside: MappedTree.sameNode, entry: view }),
  root: reader.root,
})
