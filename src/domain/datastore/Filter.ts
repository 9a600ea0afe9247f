/**
 * Which backups of a repository are meant: the first names of a reference, from the root of the repository on, with `*` for
 * any characters within a name.
 *
 * Names are whole: `host/web` is one host, `host/web*` all whose name begins so, and `ns/a` all of that namespace and those in
 * it. The time is what it is in a reference: it may be cut anywhere (`vm/100/2026-03` is a month), or `latest`.
 */
import { LATEST } from "./Reference.ts"
import * as SnapshotId from "./SnapshotId.ts"

/** Names and patterns, from the root of the repository on. */
export interface Filter {
  readonly names: ReadonlyArray<string>
}

/** Reads a filter: any text is one. */
export const parse = (text: string): Filter => ({ names: text.split("/").filter((name) => name !== "") })

/** Whether a backup is one of those meant; `isLatest` if it is the newest finished one of its group. */
export const matches = (filter: Filter, snapshot: SnapshotId.SnapshotId, isLatest = false): boolean => {
  const names = SnapshotId.format(snapshot).split("/")
  return filter.names.every((pattern, i) => {
    const name = names[i]
    if (name === undefined) return false
    if (i < names.length - 1) return matchesName(pattern, name)
    return pattern === LATEST ? isLatest : matchesName(`${pattern}*`, name)
  })
}

/** Whether a backup is one of any of those meant; without filters all are. */
export const matchesAny = (
  filters: ReadonlyArray<Filter>,
  snapshot: SnapshotId.SnapshotId,
  isLatest?: boolean,
): boolean => filters.length === 0 || filters.some((filter) => matches(filter, snapshot, isLatest))

/** Whether it counts for a filter which backup is the newest. */
export const wantsLatest = ({ names }: Filter): boolean => names.at(-1) === LATEST

/** A pattern against a name; after a mismatch the last `*` takes one character more, which needs no going back further. */
const matchesName = (pattern: string, name: string): boolean => {
  let at = 0
  let token = 0
  let star = -1
  let starAt = 0
  while (at < name.length) {
    if (pattern[token] === "*") {
      star = ++token
      starAt = at
    } else if (pattern[token] === name[at]) {
      token++
      at++
    } else {
      if (star < 0) return false
      token = star
      at = ++starAt
    }
  }
  while (pattern[token] === "*") token++
  return token === pattern.length
}
