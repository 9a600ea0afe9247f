/**
 * The kinds of entries, by name: the same words in listings, counts and JSON.
 */
import type { Entry } from "./Entry.ts"
import { S_IFBLK, S_IFMT } from "./Entry.ts"

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
