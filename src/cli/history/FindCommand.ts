/**
 * `pxar-fuse find DATASTORE PATTERN…`: which backup has it?
 */
import * as Argument from "effect/cli/Argument"
import * as Command from "effect/cli/Command"
import * as Flag from "effect/cli/Flag"
import * as Option from "effect/Option"
import type * as EntryKind from "../../domain/pxar/EntryKind.ts"
import * as Lazy from "../Lazy.ts"
import * as PerformanceFlags from "../mount/PerformanceFlags.ts"
import * as Parameters from "../Parameters.ts"
import * as HistoryFlags from "./HistoryFlags.ts"

const bounds = (text: string): Option.Option<HistoryFlags.Bounds> =>
  Option.map(PerformanceFlags.parseSize(text.replace(/^[+-]/, "")), (bytes) =>
    text.startsWith("+") ? { min: bytes } : text.startsWith("-") ? { max: bytes } : { min: bytes, max: bytes },
  )

const letters: Readonly<Record<string, EntryKind.EntryKind>> = {
  f: "file",
  d: "directory",
  l: "symlink",
  p: "fifo",
  s: "socket",
  c: "chardev",
  b: "blockdev",
}

const parameters = {
  address: HistoryFlags.address,
  patterns: Argument.String("pattern").pipe(
    Argument.withDescription("A part of a name, or a pattern with *, ? and [ for the whole of it; any of several"),
    Argument.variadic(),
  ),
  path: Parameters.flag("path", "Compare with the whole path, not the name alone"),
  regex: Parameters.flag("regex", "Patterns are regular expressions for the path"),
  fuzzy: Parameters.flag("fuzzy", "The letters of the pattern in this order, with anything between them"),
  ignoreCase: Flag.withAlias(Parameters.flag("ignore-case", "Large and small letters are the same"), "i"),
  size: Flag.String("size").pipe(
    Flag.withDescription("Files of a size: +10M at least, -10M at most"),
    Flag.withMetavar("[+-]SIZE"),
    Flag.filterMap(bounds, () => "a size such as +10M or -64K"),
    Parameters.optional,
  ),
  newer: HistoryFlags.time("newer", "Changed since then: 2026-03-01, or 7d for a week ago"),
  older: HistoryFlags.time("older", "Not changed since then"),
  type: Flag.Literals("type", ["f", "d", "l", "p", "s", "c", "b"]).pipe(
    Flag.withDescription("Only files, folders (d), links (l), FIFOs (p), sockets or devices (c, b); may be repeated"),
    Flag.withMetavar("f|d|l|p|s|c|b"),
    Flag.atLeast(0),
    Flag.map((kinds) => kinds.map((letter) => letters[letter] as EntryKind.EntryKind)),
  ),
  owner: Flag.String("owner").pipe(
    Flag.withDescription("Only what belongs to this user, by name or number"),
    Flag.withMetavar("USER"),
    Parameters.optional,
  ),
  deleted: Parameters.flag("deleted", "Only what the newest backup does not have"),
  noIndex: HistoryFlags.noIndex,
  jobs: HistoryFlags.jobs,
  ...HistoryFlags.flags,
}

export const command = Command.make(
  "find",
  parameters,
  Lazy.handler(() => import("./FindHandler.ts")),
).pipe(
  Command.withDescription("Look for files in all backups of a datastore"),
  Command.withExamples([
    { command: "pxar-fuse find /mnt/datastore letter.txt", description: "Which backup has it?" },
    {
      command: "pxar-fuse find --deleted --newer 30d /mnt/datastore::host/elsa '*.odt'",
      description: "What was lost this month?",
    },
  ]),
)
