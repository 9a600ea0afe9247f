/**
 * A selection of an archive as a tar stream that loses nothing tar can hold: names as bytes, nanoseconds, extended
 * attributes, capabilities, ACLs, hard links, devices (see `TarHeader`).
 *
 * It is written from front to back, in memory that does not depend on its size. What cannot be read is reported and left
 * out; where that is the rest of a content whose size stands before it already, zeros take its place. tar has no sockets,
 * and no place for chattr flags and project ids.
 */
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import type { Entry } from "../../domain/pxar/Entry.ts"
import * as AclText from "../../domain/pxar/AclText.ts"
import * as TarHeader from "../../domain/TarHeader.ts"
import * as XattrList from "../../domain/pxar/XattrList.ts"
import * as Bytes from "../../domain/Bytes.ts"
import type { ArchiveError } from "../archive/ArchiveError.ts"
import type { ArchiveTree } from "../archive/ArchiveTree.ts"
import type * as Archive from "../tree/Archive.ts"
import type { SelectionError } from "../tree/Selection.ts"
import type { Options, Report } from "./Export.ts"
import * as ExportBuffer from "./ExportBuffer.ts"
import * as ExportContent from "./ExportContent.ts"
import * as ExportWalk from "./ExportWalk.ts"

/** Writes entries that paths and patterns select (see `Selection`), everything by default. */
export const write = Effect.fnUntraced(function* <E>(
  archive: Archive.Archive<ArchiveTree>,
  options: Options<E>,
): Effect.fn.Return<Report, ArchiveError | SelectionError | E> {
  const walk = yield* ExportWalk.make(archive, options.paths ?? [])
  const { flush, put, size } = ExportBuffer.make(options.target)
  let entries = 0
  let bytes = 0
  let unreadable = 0
  const left = { sockets: 0, flags: 0, projectIds: 0 }

  const told = (path: Uint8Array, message: string) => {
    unreadable++
    return options.onUnreadable(path, message)
  }

  const content = Effect.fnUntraced(function* (item: ExportWalk.Exported, length: number) {
    const report = (message: string) => told(item.path, message)
    const use = (piece: Uint8Array) => {
      bytes += piece.length
      options.onProgress?.({ entries, bytes })
      return put(piece)
    }
    yield* ExportContent.forEach(archive, item, { length, target: options.target, report, use })
    yield* put(TarHeader.padding(length))
  })

  const entry = Effect.fnUntraced(function* (item: ExportWalk.Exported) {
    const header = headerOf(item)
    if (header === undefined) return void left.sockets++
    const { attributes, flags } = item.found.entry
    if (flags !== 0n) left.flags++
    if (attributes.quotaProjectId !== undefined) left.projectIds++
    yield* put(TarHeader.encode(header))
    if (header.kind === "File") yield* content(item, header.size)
    entries++
    options.onProgress?.({ entries, bytes })
  })

  yield* Stream.runForEach(walk.items, (item) =>
    item._tag === "Exported" ? entry(item) : isHidden(item.error) ? Effect.void : told(item.path, item.error.message),
  )
  yield* put(TarHeader.end(size()))
  yield* flush
  return {
    entries,
    bytes,
    unreadable,
    unmatched: walk.unmatched(),
    leftOut: [
      [left.sockets, "not in the tar: sockets"],
      [left.flags, "not in the tar: chattr flags"],
      [left.projectIds, "not in the tar: project ids"],
    ],
  }
})

/** A second entry of a name (D9) is hidden, and nothing else is wrong with it. */
const isHidden = (error: ArchiveError): boolean => error.check === "D9"

const ACL = new Set(["system.posix_acl_access", "system.posix_acl_default"])

const headerOf = ({ found, linkTo, path }: ExportWalk.Exported): TarHeader.TarHeader | undefined => {
  const { entry } = found
  const kind = linkTo === undefined ? kindOf(entry) : "HardLink"
  if (kind === undefined) return undefined
  const { xattrs } = XattrList.fromEntry(entry)
  const acl = (name: string): string | undefined => {
    const found = xattrs.find((xattr) => Bytes.toText(xattr.name) === name)
    return found && AclText.print(found.value)
  }
  const { body } = entry
  return {
    path,
    kind,
    mode: entry.mode & 0o7777,
    uid: entry.uid,
    gid: entry.gid,
    size: kind === "File" && body._tag === "File" ? body.content.length : 0,
    mtimeSeconds: entry.mtimeSeconds,
    mtimeNanos: entry.mtimeNanos,
    target: linkTo ?? (body._tag === "Symlink" ? body.target : undefined),
    device: body._tag === "Device" ? body : undefined,
    // A link is its target, with all that this has.
    ...(linkTo === undefined && {
      xattrs: xattrs.filter(({ name }) => !ACL.has(Bytes.toText(name))),
      accessAcl: acl("system.posix_acl_access"),
      defaultAcl: acl("system.posix_acl_default"),
    }),
  }
}

const S_IFMT = 0o170000
const S_IFBLK = 0o060000

const kindOf = ({ body, mode }: Entry): TarHeader.Kind | undefined => {
  switch (body._tag) {
    case "File":
    case "Directory":
    case "Symlink":
    case "Fifo":
      return body._tag
    case "Device":
      return (mode & S_IFMT) === S_IFBLK ? "BlockDevice" : "CharacterDevice"
    case "Socket":
      return undefined
  }
}
