/**
 * Tells readers that go forward through a stream from those that jump about, and how far ahead of the former to read.
 *
 * One for a whole process: all readers together have so much asked for ahead as there is room for. Who reads a folder in
 * the order of the archive goes forward through its stream, across files. A reader that has only been seen in a place or
 * two is not read ahead for; once it goes forward, what is asked for grows with what it has read, sixteenfold, so that
 * there is no slow start and nobody who reads a little has a lot fetched.
 */

export interface ForwardReaders {
  /** Says that bytes of a stream are read; tells of the reader that they are read by. */
  readonly visit: (stream: Stream, start: number, end: number) => Reader
  /** Says that it was interrupted: nothing more is read ahead for it until it has gone on. */
  readonly drop: (reader: Reader) => void
}

/** What is read. */
export interface Stream {
  /** Bytes of a chunk, on average. */
  readonly chunkSize: number
}

/** A reader of a stream, as it was last seen. */
export interface Reader {
  readonly stream: Stream
  /** After the last byte that it has read. */
  position: number
  /** Bytes that it has gone forward. */
  covered: number
  reads: number
  /** Where reading ahead for it should end. */
  until: number
  /** To where it has been asked for; its user says so. */
  asked: number
  /** What all readers had read when it was last seen. */
  seen: number
}

/** Readers that are followed. */
const MAX_READERS = 32
/**
 * Requests of one reader may come in another order, and who lists a folder of an archive in one file passes what it reads
 * afterwards: so many chunks behind its position, or as far as it came, a read is still its own.
 */
const BACK = 1
/** So many chunks ahead of its position a read is a step of the same reader: it has skipped something. */
const SKIP = 1 / 4
/** What a reader must have done before anything is read ahead for it, in reads and chunks. */
const MIN_READS = 3
const MIN_COVERED = 1 / 64
/** What is asked for by what has been read. */
const FACTOR = 16

/** What there is room for, in bytes. */
export interface Options {
  /** Asked for ahead of all readers together. A reader that is not seen while the others read so much is gone. */
  readonly window: number
}

/** Follows readers. */
export const make = ({ window }: Options): ForwardReaders => {
  // The one seen last is the last.
  const readers: Array<Reader> = []
  let total = 0

  const isBy = ({ covered, position, stream: of }: Reader, stream: Stream, start: number): boolean =>
    of === stream &&
    start >= position - Math.max(BACK * stream.chunkSize, Math.min(covered, window)) &&
    start <= position + SKIP * stream.chunkSize

  /** Who goes forward there already; otherwise who was there last. */
  const find = (stream: Stream, start: number): number => {
    const forward = readers.findLastIndex((reader) => isForward(reader) && isBy(reader, stream, start))
    return forward >= 0 ? forward : readers.findLastIndex((reader) => isBy(reader, stream, start))
  }

  const step = (reader: Reader, end: number): void => {
    reader.reads++
    if (end <= reader.position) return
    reader.covered += end - reader.position
    reader.position = end
  }

  const isForward = ({ covered, reads, stream }: Reader): boolean =>
    reads >= MIN_READS && covered >= MIN_COVERED * stream.chunkSize

  /** Readers that share the window. */
  const countActive = (): number => {
    let active = 0
    for (const reader of readers) if (isForward(reader) && total - reader.seen < window) active++
    return active
  }

  return {
    visit: (stream, start, end) => {
      total += end - start
      const found = find(stream, start)
      let reader = readers[found]
      if (reader === undefined) {
        if (readers.length === MAX_READERS) readers.shift()
        reader = { stream, position: end, covered: end - start, reads: 1, until: 0, asked: 0, seen: total }
        readers.push(reader)
        return reader
      }
      reader.seen = total
      step(reader, end)
      if (found !== readers.length - 1) {
        readers.splice(found, 1)
        readers.push(reader)
      }
      if (isForward(reader)) {
        reader.until = reader.position + Math.min(FACTOR * reader.covered, window / countActive())
      }
      return reader
    },
    drop: (reader) => {
      const found = readers.indexOf(reader)
      if (found >= 0) readers.splice(found, 1)
    },
  }
}
