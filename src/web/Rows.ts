/**
 * Entries in short, as listings have them.
 */
import * as EntryKind from "../domain/pxar/EntryKind.ts"
import * as Stat from "../domain/pxar/Stat.ts"
import * as JsonText from "../domain/json/JsonText.ts"
import type { RowJson } from "../domain/json/WebJson.ts"
import * as PathText from "../domain/PathText.ts"
import type * as TreeWalk from "../services/tree/TreeWalk.ts"

/** The row of an entry that was found. */
export const fromFound = ({ entry, name }: Pick<TreeWalk.Found, "entry" | "name">): RowJson => ({
  ...JsonText.text("name", name),
  kind: EntryKind.of(entry),
  size: Stat.sizeOf(entry),
  mtime_seconds: entry.mtimeSeconds.toString(),
  mode: entry.mode,
  uid: entry.uid,
  gid: entry.gid,
  ...(entry.body._tag === "Symlink" && { target: PathText.print(entry.body.target) }),
  ...JsonText.optional("problem", entry.findings[0]?.detail),
})

/** Whether two rows tell the same, whatever their names. */
export const isSame = (a: RowJson, b: RowJson): boolean =>
  a.kind === b.kind &&
  a.size === b.size &&
  a.mtime_seconds === b.mtime_seconds &&
  a.mode === b.mode &&
  a.uid === b.uid &&
  a.gid === b.gid &&
  a.target === b.target
