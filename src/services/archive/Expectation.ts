/**
 * What will be read of an archive next, told to its sources before: what is far away then comes at once, and not one after
 * the other. Sources that gain nothing by it are told nothing.
 */
import * as ArchiveHead from "../../domain/pxar/ArchiveHead.ts"
import * as GoodbyeTable from "../../domain/pxar/GoodbyeTable.ts"
import type { Payload } from "../bytes/ArchiveBytes.ts"
import type { ByteSource } from "../bytes/ByteSource.ts"
import type { FolderTable } from "./FolderTable.ts"
import * as PayloadArchive from "./PayloadArchive.ts"

export interface Expectation {
  /** An archive is opened: its ends are read. */
  readonly opening: () => void
  /** A folder is listed from the child number `from` on, and children are not at hand. Cheap when it is said again. */
  readonly children: (folder: FolderTable, from: number) => void
}

/** Bytes at the end that are read first: the table of most roots. */
const END = 16 * 1024
/** Children of a listing that are told of at once, and bytes of each: enough for most. */
const CHILDREN = 256
const CHILD_BYTES = 512

/** Tells the sources of an archive. */
export const make = (source: ByteSource, payload: Payload): Expectation => {
  const { expect, size } = source
  let told: { readonly folder: FolderTable; readonly again: number } | undefined
  return {
    opening: () => {
      expect?.([
        { start: 0, end: Math.min(size, ArchiveHead.HEAD_SIZE) },
        { start: Math.max(0, size - END), end: size },
      ])
      if (payload._tag === "Present") PayloadArchive.expect(payload.source)
    },
    children: (folder, from) => {
      if (expect === undefined || (told?.folder === folder && from < told.again)) return
      const end = Math.min(folder.table.count, from + CHILDREN)
      let child = from
      const ranges = function* () {
        for (; child < end; child++) {
          const start = GoodbyeTable.startAt(folder.table, folder.slotAt(child))
          yield { start, end: Math.min(size, start + CHILD_BYTES) }
        }
      }
      expect(ranges())
      // The source has taken as many as it has room for; the next are told before it has none left.
      told = { folder, again: from + Math.ceil((child - from) / 2) }
    },
  }
}
