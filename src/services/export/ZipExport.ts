/**
 * A selection of an archive as a zip stream: folders and files with permissions and times, for those who have nothing
 * that reads tar. It is written from front to back, in memory that does not depend on its size.
 *
 * zip, as every tool reads it, has no owners, no links, no devices and no extended attributes; the further names of a
 * file are files of their own. What cannot be read is reported; zeros take the place of the rest of a content.
 */
import * as Effect from "effect/Effect"
import * as Zip from "effect/encoding/Zip"
import * as Stream from "effect/Stream"
import * as Bytes from "../../domain/Bytes.ts"
import type { ArchiveError } from "../archive/ArchiveError.ts"
import type { ArchiveTree } from "../archive/ArchiveTree.ts"
import type * as Archive from "../tree/Archive.ts"
import type { SelectionError } from "../tree/Selection.ts"
import type { Options, Report } from "./Export.ts"
import * as ExportContent from "./ExportContent.ts"
import * as ExportWalk from "./ExportWalk.ts"

/** Writes entries that paths and patterns select (see `Selection`), everything by default. */
export const write = Effect.fnUntraced(function* <E>(
  archive: Archive.Archive<ArchiveTree>,
  options: Options<E>,
): Effect.fn.Return<Report, ArchiveError | SelectionError | E> {
  const walk = yield* ExportWalk.make(archive, options.paths ?? [])
  let entries = 0
  let bytes = 0
  let unreadable = 0
  const left = { symlinks: 0, others: 0, hardLinks: 0, names: 0, attributes: 0 }

  const told = (path: Uint8Array, message: string) => {
    unreadable++
    return options.onUnreadable(path, message)
  }

  const entryOf = (item: ExportWalk.Exported): Zip.Entry | Zip.ContentEntry | undefined => {
    const { body, ...entry } = item.found.entry
    if (body._tag === "Symlink") return void left.symlinks++
    if (body._tag !== "File" && body._tag !== "Directory") return void left.others++
    // The root has no name.
    if (item.found.path.length === 1) return undefined
    const name = nameOf(item.path)
    if (name.changed) left.names++
    if (item.found.link !== undefined) left.hardLinks++
    if (entry.attributes.xattrs.length > 0 || entry.attributes.aclUsers.length > 0 || entry.attributes.fcaps) {
      left.attributes++
    }
    entries++
    options.onProgress?.({ entries, bytes })
    const common = { mode: entry.mode & 0o7777, mtime: timeOf(entry.mtimeSeconds) }
    if (body._tag === "Directory") return Zip.directory(name.text, common)
    const { length } = body.content
    const content = ExportContent.make(archive, item, length, (message) => told(item.path, message)).pipe(
      Stream.tap((chunk) =>
        Effect.sync(() => {
          bytes += chunk.length
          options.onProgress?.({ entries, bytes })
        }),
      ),
    )
    return Zip.fileStream(name.text, content, { ...common, size: length })
  }

  yield* walk.items.pipe(
    Stream.mapEffect((item) => {
      if (item._tag === "Exported") return Effect.sync(() => entryOf(item))
      return Effect.as(item.error.check === "D9" ? Effect.void : told(item.path, item.error.message), undefined)
    }),
    Stream.filter((entry) => entry !== undefined),
    Stream.pipeThroughChannel(Zip.encode()),
    Stream.catchTag("ZipError", (error) => Stream.die(error)),
    Stream.runForEach(options.target.write),
  )
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
    ],
  }
})

/** A name of zip is UTF-8 text, without backslashes, and begins with no drive. */
const nameOf = (path: Uint8Array): { readonly text: string; readonly changed: boolean } => {
  const text = Bytes.toText(path)
  const encoded = text
    .replace(/[\\\udc80-\udcff]/gu, (character) =>
      Array.from(Bytes.fromText(character), (byte) => `%${byte.toString(16).toUpperCase().padStart(2, "0")}`).join(""),
    )
    .replace(/^([A-Za-z]):/, "$1%3A")
  return { text: encoded, changed: encoded !== text }
}

/** What the fields of zip can hold. */
const timeOf = (seconds: bigint): Date =>
  new Date(Number(seconds < 0n ? 0n : seconds > 0xffff_ffffn ? 0xffff_ffffn : seconds) * 1000)
