/**
 * Where something is in a tree: its name, and the place of the folder it is in.
 *
 * A path is kept as this chain, which shares what is above with all its siblings, and is composed only when somebody
 * wants to see it: a path of each folder of a deep tree would take memory with the square of the depth.
 */
import * as ArchivePath from "../../domain/pxar/ArchivePath.ts"
import * as Bytes from "../../domain/Bytes.ts"

/** A place in a tree. */
export interface Place {
  /** `undefined` for the root. */
  readonly parent: Place | undefined
  /** Empty for the root. */
  readonly name: Uint8Array
}

/** The root of a tree. */
export const ROOT: Place = { parent: undefined, name: Bytes.empty }

/** The path below the root, with a leading slash; `/` for the root itself. */
export const path = (place: Place): Uint8Array => {
  let length = 0
  for (let at = place; at.parent !== undefined; at = at.parent) length += 1 + at.name.length
  if (length === 0) return ArchivePath.ROOT
  const bytes = new Uint8Array(length)
  let end = length
  for (let at = place; at.parent !== undefined; at = at.parent) {
    end -= at.name.length
    bytes.set(at.name, end)
    bytes[--end] = SLASH
  }
  return bytes
}

const SLASH = 0x2f
