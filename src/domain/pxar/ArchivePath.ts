/**
 * Paths in an archive: names with slashes between them, and one in front. `/` is the root.
 *
 * Bytes, as names are; what they look like to people is `PathText`'s.
 */
import * as Bytes from "../Bytes.ts"

/** Path of the root. */
export const ROOT: Uint8Array = Bytes.fromText("/")

const SLASH = 0x2f

/** Path of `name` in the folder `path`. */
export const join = (path: Uint8Array, name: Uint8Array): Uint8Array =>
  Bytes.concat(path.length === 1 ? [path, name] : [path, ROOT, name])

/** The last name of a path; empty for the root. */
export const lastName = (path: Uint8Array): Uint8Array => path.subarray(path.lastIndexOf(SLASH) + 1)

/** The names in a path, with or without a slash before it; `.` and empty ones left out. */
export const names = (path: Uint8Array): ReadonlyArray<Uint8Array> => {
  const names: Array<Uint8Array> = []
  for (let from = 0; from < path.length;) {
    const slash = path.indexOf(SLASH, from)
    const to = slash < 0 ? path.length : slash
    if (to > from && !(to === from + 1 && path[from] === DOT)) names.push(path.subarray(from, to))
    from = to + 1
  }
  return names
}

const DOT = 0x2e
