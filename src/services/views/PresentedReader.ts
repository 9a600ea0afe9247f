/**
 * A reader whose entries are shown differently (see `EntryView`).
 */
import type { EntryView } from "../../domain/EntryView.ts"
import type * as ArchiveReader from "../ArchiveReader.ts"
import * as MappedReader from "./MappedReader.ts"

/** Shows every entry through `view`. */
export const make = (reader: ArchiveReader.Tree, view: EntryView): ArchiveReader.Tree => ({
  ...MappedReader.make(reader, { inside: MappedReader.sameNode, outside: MappedReader.sameNode, entry: view }),
  root: reader.root,
})
