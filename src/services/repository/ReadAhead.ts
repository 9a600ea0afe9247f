/**
 * Tells readers that go forward through a stream from those that jump about, and how far ahead of the former to read.
 *
 * Several readers at once are followed, each from where it was last. A reader that has only been seen in one place is not
 * read ahead for; each further step forward adds a chunk, up to the depth of the store.
 */

export interface ReadAhead {
  /** Says that a chunk is read; returns how many after it to ask for: none where that has been said before. */
  readonly visit: (chunk: number) => number
}

interface Reader {
  chunk: number
  depth: number
}

/** Readers that are followed. */
const MAX_READERS = 16

/** Follows the readers of one stream. */
export const make = (maxDepth: number): ReadAhead => {
  // The one seen last is the last.
  const readers: Array<Reader> = []
  return {
    visit: (chunk) => {
      const found = readers.findLastIndex((reader) => chunk >= reader.chunk && chunk <= reader.chunk + 1 + reader.depth)
      const reader = readers[found]
      if (reader === undefined) {
        if (readers.length === MAX_READERS) readers.shift()
        readers.push({ chunk, depth: 0 })
        return 0
      }
      const isStep = chunk > reader.chunk
      if (isStep) reader.depth = Math.min(maxDepth, reader.depth + 1)
      reader.chunk = chunk
      if (found !== readers.length - 1) {
        readers.splice(found, 1)
        readers.push(reader)
      }
      return isStep ? reader.depth : 0
    },
  }
}
