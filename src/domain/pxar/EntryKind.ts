/**
 * The kinds of entries, by name: the same words in listings, counts and JSON.
 */
import type { Entry } from "./Entry.ts"
import { S_IFBLK, S_IFCHR, S_IFDIR, S_IFIFO, S_IFLNK, S_IFMT, S_IFREG } from "./Entry.ts"

/** What an entry is. */
export type EntryKind = "directory" | "file" | "symlink" | "fifo" | "socket" | "chardev" | "blockdev"

/** Every kind. */
export const all: ReadonlyArray<EntryKind> = ["directory", "file", "symlink", "fifo", "socket", "chardev", "blockdev"]

/** The kind of an entry. A hard link has none of its own: it is what its target is. */
export const of = (entry: Pick<Entry, "body" | "mode">): EntryKind => {
  switch (entry.body._tag) {
    case "Directory":
      return "directory"
    case "File":
      return "file"
    case "Symlink":
      return "symlink"
    case "Fifo":
      return "fifo"
    case "Socket":
      return "socket"
    case "Device":
      return (entry.mode & S_IFMT) === S_IFBLK ? "blockdev" : "chardev"
  }
}

/** The kind that a mode tells; an entry's own body says it where there is one. */
export const ofMode = (mode: number): EntryKind => {
  switch (mode & S_IFMT) {
    case S_IFDIR:
      return "directory"
    case S_IFREG:
      return "file"
    case S_IFLNK:
      return "symlink"
    case S_IFIFO:
      return "fifo"
    case S_IFBLK:
      return "blockdev"
    case S_IFCHR:
      return "chardev"
    default:
      return "socket"
  }
}

/** A counter for each kind, at zero. */
export const counts = (): Record<EntryKind, number> => ({
  directory: 0,
  file: 0,
  symlink: 0,
  fifo: 0,
  socket: 0,
  chardev: 0,
  blockdev: 0,
})
