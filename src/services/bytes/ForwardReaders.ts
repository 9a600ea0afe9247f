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
/** Requests of one reader may come in another order: so many chunks behind its position they are still its own. */
const BACK = 1
/** So many chunks ahead of what was asked for a read is a step of the same reader: it has skipped something. */
const SKIP = 1 / 4
/** What a reader must have done before anything is read ahead for it, in reads and chunks. */
const MIN_READS = 3
const MIN_COVERED = 1 / 64
/** What is asked for by what has been read. */
const FACTOR = 16

/** What there is room for, in bytes. */
export interface Options {
  /** Asked for ahead of all readers together. */
  readonly window: number
  /** A reader that has not been seen while the others have read so much is gone. */
  readonly capacity: number
}

/** Follows readers. */
export const make = ({ capacity, window }: Options): ForwardReaders => {
  // The one seen last is the last.
  const readers: Array<Reader> = []
  let total = 0

  const find = (stream: Stream, start: number): number =>
    readers.findLastIndex(
      (reader) =>
        reader.stream === stream &&
        start >= reader.position - BACK * stream.chunkSize &&
        start <= Math.max(reader.position, reader.asked) + SKIP * stream.chunkSize,
    )

  const step = (reader: Reader, start: number, end: number): void => {
    reader.reads++
    if (end <= reader.position) return
    const gap = start - reader.position
    if (gap > SKIP * reader.stream.chunkSize) {
      // What was skipped in one go was not wanted.
      reader.covered = Math.floor(reader.covered / 2) + end - start
    } else {
      reader.covered += end - reader.position
    }
    reader.position = end
  }

  const isForward = ({ covered, reads, stream }: Reader): boolean =>
    reads >= MIN_READS && covered >= MIN_COVERED * stream.chunkSize

  /** Readers that share the window. */
  const countActive = (): number => {
    let active = 0
    for (const reader of readers) if (isForward(reader) && total - reader.seen < capacity) active++
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
      step(reader, start, end)
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
