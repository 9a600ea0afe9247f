/**
 * When two entries of different backups are one version of a file: all that the archive says of them is the same, and so are
 * their contents as far as that is known.
 */
import type { Entry } from "../../domain/pxar/Entry.ts"
import * as EntryKind from "../../domain/pxar/EntryKind.ts"
import * as Stat from "../../domain/pxar/Stat.ts"
import * as XattrList from "../../domain/pxar/XattrList.ts"
import { createHash } from "node:crypto"
import * as ContentChunks from "./ContentChunks.ts"

/** An entry without its content, as a text. */
export const metadata = (entry: Entry): string => {
  const { body, flags, gid, mode, mtimeNanos, mtimeSeconds, uid } = entry
  const own = [EntryKind.of(entry), mode, uid, gid, Stat.sizeOf(entry), mtimeSeconds, mtimeNanos, flags]
  const hash = createHash("sha256")
  if (body._tag === "Symlink") hash.update(body.target)
  if (body._tag === "Device") hash.update(`${body.major}:${body.minor}`)
  hash.update(String(entry.attributes.quotaProjectId ?? ""))
  for (const { name, value } of XattrList.fromEntry(entry).xattrs) {
    hash.update(`${name.length}:${value.length}:`).update(name).update(value)
  }
  return `${own.join(" ")} ${hash.digest("base64")}`
}

/** What can be said of two contents without reading them. */
export type Sameness = "same" | "changed" | "undecided"

/** An entry with the archive that it is in. */
export interface Located {
  readonly entry: Entry
  readonly streams: ContentChunks.Streams
}

/** What sizes tell of the contents of two files; those of anything else are the same. */
export const sizes = (a: Entry, b: Entry): Sameness => {
  const [left, right] = [a.body, b.body]
  if (left._tag !== "File" || right._tag !== "File") return left._tag === right._tag ? "same" : "changed"
  if (left.content.length !== right.content.length) return "changed"
  return left.content.length === 0 ? "same" : "undecided"
}

/** The same, by sizes and chunks. */
export const contents = (a: Located, b: Located): Sameness => {
  const known = sizes(a.entry, b.entry)
  const [left, right] = [a.entry.body, b.entry.body]
  if (known !== "undecided" || left._tag !== "File" || right._tag !== "File") return known
  const identity = ContentChunks.identity(a.streams, left.content)
  return identity !== undefined && identity === ContentChunks.identity(b.streams, right.content) ? "same" : "undecided"
}
