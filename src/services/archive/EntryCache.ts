/**
 * The entries decoded last: what is read of a file, and what is asked about it, comes right after it was found.
 *
 * Bounded by the bytes that the entries take up in the archive: small ones have one place each in a table of fixed size,
 * and push each other out; of large ones, with thousands of attributes, the least recently used are dropped.
 */
import type { Entry } from "../../domain/pxar/Entry.ts"
import { noAttributes } from "../../domain/pxar/Entry.ts"

export interface EntryCache {
  /** The entry that starts at `start` and was read with this bound. */
  readonly get: (start: number, bound: number) => Entry | undefined
  readonly set: (start: number, bound: number, entry: Entry) => void
}

/** Places for small entries; a power of two. */
const PLACES = 512

/** An entry with more bytes of attributes than this is large. */
const SMALL = 1024

interface Large {
  readonly bound: number
  readonly entry: Entry
  readonly bytes: number
}

/** `capacity` is in bytes of large entries as they stand in the archive: one larger is kept too; none at all if it is 0. */
export const make = (capacity: number): EntryCache => {
  if (capacity === 0) return { get: () => undefined, set: () => undefined }
  const places: Array<Entry | undefined> = Array.from({ length: PLACES }, () => undefined)
  const bounds = new Float64Array(PLACES)
  const starts = new Float64Array(PLACES)
  // In order of use, the least recent first.
  const large = new Map<number, Large>()
  let largeBytes = 0

  const drop = (start: number): void => {
    largeBytes -= large.get(start)?.bytes ?? 0
    large.delete(start)
  }

  return {
    get: (start, bound) => {
      const place = placeOf(start)
      if (starts[place] === start && bounds[place] === bound) return places[place]
      if (large.size === 0) return undefined
      const held = large.get(start)
      if (held?.bound !== bound) return undefined
      large.delete(start)
      large.set(start, held)
      return held.entry
    },
    set: (start, bound, entry) => {
      const bytes = entry.attributes === noAttributes ? 0 : headSize(entry)
      if (bytes <= SMALL) {
        const place = placeOf(start)
        places[place] = entry
        starts[place] = start
        bounds[place] = bound
        return
      }
      drop(start)
      large.set(start, { bound, entry, bytes })
      largeBytes += bytes
      for (const oldest of large.keys()) {
        if (largeBytes <= capacity || large.size === 1) return
        drop(oldest)
      }
    },
  }
}

/** Bytes of an entry without a file's content. */
const headSize = ({ body, end, start }: Entry): number =>
  (body._tag === "File" && body.content.source === "archive" ? body.content.start : end) - start

/** Entries are at least 56 bytes apart. */
const placeOf = (start: number): number => (start >>> 4) & (PLACES - 1)
