/**
 * Which backups of a repository are meant: the beginning of a reference, with `*` for any characters within a name.
 *
 * `host/web*` is all backups of the hosts whose name begins so, `ns/a` all of that namespace and those in it, and
 * `vm/100/2026-03` those of one month: the time may be cut anywhere.
 */
import * as SnapshotId from "./SnapshotId.ts"

/** Names and patterns, from the root of the repository on. */
export interface Filter {
  readonly names: ReadonlyArray<string>
}

/** Reads a filter: any text is one. */
export const parse = (text: string): Filter => ({ names: text.split("/").filter((name) => name !== "") })

/** Whether a backup is one of those meant. */
export const matches = (filter: Filter, snapshot: SnapshotId.SnapshotId): boolean => {
  const names = SnapshotId.format(snapshot).split("/")
  return filter.names.every((pattern, i) => {
    const name = names[i]
    if (name === undefined) return false
    return matchesName(i === names.length - 1 ? `${pattern}*` : pattern, name)
  })
}

/** Whether a backup is one of any of those meant; without filters all are. */
export const matchesAny = (filters: ReadonlyArray<Filter>, snapshot: SnapshotId.SnapshotId): boolean =>
  filters.length === 0 || filters.some((filter) => matches(filter, snapshot))

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
