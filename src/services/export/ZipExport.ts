/**
 * A selection of an archive as a zip stream: folders and files with permissions and times, for those who have nothing
 * that reads tar. It is written from front to back; of each entry its record of the central directory is kept, which is
 * its name and about 100 bytes.
 *
 * Contents are not compressed: that would cost more time than most ways to a reader. Small ones are stored, with size and
 * CRC in front of them, as every reader has it. Larger ones are stored blocks of deflate (see `StoredBlocks`).
 *
 * zip, as every tool reads it, has no owners, no links, no devices and no extended attributes; the further names of a
 * file are files of their own. What cannot be read is reported; zeros take the place of the rest of a content.
 */
import * as zlib from "node:zlib"
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import * as Bytes from "../../domain/Bytes.ts"
import * as ZipRecords from "../../domain/ZipRecords.ts"
import type { ArchiveError } from "../archive/ArchiveError.ts"
import type { ArchiveTree } from "../archive/ArchiveTree.ts"
import type * as Archive from "../tree/Archive.ts"
import type { SelectionError } from "../tree/Selection.ts"
import { type Options, PIECE, type Report } from "./Export.ts"
import * as ExportBuffer from "./ExportBuffer.ts"
import * as ExportContent from "./ExportContent.ts"
import * as ExportWalk from "./ExportWalk.ts"
import * as StoredBlocks from "./StoredBlocks.ts"

/** The longest content that is in memory before it is written. */
const SMALL = PIECE

/** Writes entries that paths and patterns select (see `Selection`), everything by default. */
export const write = Effect.fnUntraced(function* <E>(
  archive: Archive.Archive<ArchiveTree>,
  options: Options<E>,
): Effect.fn.Return<Report, ArchiveError | SelectionError | E> {
  const walk = yield* ExportWalk.make(archive, options.paths ?? [])
  const { flush, put, size } = ExportBuffer.make(options.target)
  /** For the headers of the blocks of a piece. */
  const room = StoredBlocks.roomFor(options.target.piece ?? PIECE)
  const directory: Array<Uint8Array> = []
  let entries = 0
  let bytes = 0
  let unreadable = 0
  const left = { symlinks: 0, others: 0, hardLinks: 0, names: 0, times: 0, attributes: 0 }

  const told = (path: Uint8Array, message: string) => {
    unreadable++
    return options.onUnreadable(path, message)
  }

  const content = (
    item: ExportWalk.Exported,
    length: number,
    room: number,
    use: (memory: Uint8Array) => Effect.Effect<void, E>,
  ) =>
    ExportContent.forEach(archive, item, {
      length,
      target: options.target,
      room,
      report: (message) => told(item.path, message),
      use: (memory) => {
        bytes += memory.length - room
        options.onProgress?.({ entries, bytes })
        return use(memory)
      },
    })

  /** An entry whose content, at most one piece, is in memory. */
  const whole = (entry: ZipRecords.ZipEntry, content: Uint8Array): Effect.Effect<void, E> =>
    Effect.suspend(() => {
      const crc = zlib.crc32(content)
      directory.push(ZipRecords.central({ ...entry, crc, start: size(), isDescribed: false }))
      return Effect.andThen(put(ZipRecords.local({ ...entry, crc })), put(content))
    })

  const streamed = Effect.fnUntraced(function* (entry: ZipRecords.ZipEntry, item: ExportWalk.Exported) {
    const start = size()
    yield* put(ZipRecords.local(entry))
    const blocks = StoredBlocks.make(entry.size, room)
    let crc = 0
    yield* content(item, entry.size, room, (memory) => {
      crc = zlib.crc32(memory.subarray(room), crc)
      return put(blocks(memory))
    })
    yield* put(ZipRecords.descriptor(entry, crc))
    directory.push(ZipRecords.central({ ...entry, crc, start, isDescribed: true }))
  })

  const write = Effect.fnUntraced(function* (item: ExportWalk.Exported) {
    const { body, ...entry } = item.found.entry
    if (body._tag === "Symlink") return void left.symlinks++
    if (body._tag !== "File" && body._tag !== "Directory") return void left.others++
    // The root has no name.
    if (item.found.path.length === 1) return
    const isFolder = body._tag === "Directory"
    const name = nameOf(item.path, isFolder)
    if (name.bytes.length > ZipRecords.MAX_NAME) return yield* told(item.path, "the path is too long for a zip")
    if (name.changed) left.names++
    if (item.found.link !== undefined) left.hardLinks++
    if (!ZipRecords.hasTime(entry)) left.times++
    if (entry.attributes.xattrs.length > 0 || entry.attributes.aclUsers.length > 0 || entry.attributes.fcaps) {
      left.attributes++
    }
    const length = isFolder ? 0 : body.content.length
    const isSmall = length <= SMALL
    const record: ZipRecords.ZipEntry = {
      name: name.bytes,
      isFolder,
      mode: entry.mode & 0o7777,
      mtimeSeconds: entry.mtimeSeconds,
      mtimeNanos: entry.mtimeNanos,
      method: isSmall ? ZipRecords.methods.Stored : ZipRecords.methods.Deflated,
      size: length,
      compressed: isSmall ? length : StoredBlocks.lengthOf(length),
      crc: undefined,
    }
    if (length === 0) yield* whole(record, Bytes.empty)
    else if (isSmall) yield* content(item, length, 0, (content) => whole(record, content))
    else yield* streamed(record, item)
    entries++
    options.onProgress?.({ entries, bytes })
  })

  yield* Stream.runForEach(walk.items, (item) => {
    if (item._tag === "Exported") return write(item)
    // A second entry of a name (D9) is hidden, and nothing else is wrong with it.
    return item.error.check === "D9" ? Effect.void : told(item.path, item.error.message)
  })
  const start = size()
  for (const record of directory) yield* put(record)
  yield* put(ZipRecords.end(directory.length, size() - start, start))
  yield* flush
  return {
    entries,
    bytes,
    unreadable,
    unmatched: walk.unmatched(),
    leftOut: [
      [entries, "not in the zip: owners and parts of seconds"],
      [left.symlinks, "not in the zip: symbolic links"],
      [left.others, "not in the zip: devices, FIFOs and sockets"],
      [left.hardLinks, "in the zip as files of their own: hard links"],
      [left.attributes, "not in the zip: extended attributes, ACLs and capabilities"],
      [left.names, "in the zip with %HH: names that it cannot hold"],
      [left.times, "in the zip with another time for some programs: times before 1970 or after 2037"],
    ],
  }
})

/** A name of zip is UTF-8 text, without backslashes, and begins with no drive. */
const nameOf = (path: Uint8Array, isFolder: boolean): { readonly bytes: Uint8Array; readonly changed: boolean } => {
  const text = Bytes.toText(path)
  const encoded = text
    .replace(/[\\\udc80-\udcff]/gu, (character) =>
      Array.from(Bytes.fromText(character), (byte) => `%${byte.toString(16).toUpperCase().padStart(2, "0")}`).join(""),
    )
    .replace(/^([A-Za-z]):/, "$1%3A")
  return { bytes: Bytes.fromText(isFolder ? `${encoded}/` : encoded), changed: encoded !== text }
}
