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
