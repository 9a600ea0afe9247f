/**
 * Writing to a descriptor whose reader may pause, or never read: a pipe, a terminal, a socket. It is never waited for.
 *
 * What cannot be written now is kept, up to a limit, and written when there is room again; what is lost meanwhile is
 * counted, and said then. A regular file always has room. Nothing here keeps the process alive.
 */
import * as fs from "node:fs"
import * as Libc from "../../services/posix/Libc.ts"

export interface PatientWriter {
  /** One message, a whole line. */
  readonly write: (text: string) => void
  /** The same for what is worth nothing later: written if there is room now. */
  readonly writeNow: (text: string) => void
  /** Whether nothing is kept. */
  readonly isFlushed: () => boolean
}

/** Bytes that are kept. */
const MAX_KEPT = 256 * 1024

/** Bytes that fit at once wherever there is room at all: `PIPE_BUF`, pipe(7). */
const CHUNK = 4096

/** Milliseconds between two tries. */
const PAUSE = 100

const POLLOUT = 4
const POLLERR = 8
const POLLHUP = 16

/** Whether a write of `CHUNK` bytes comes back at once: with room, or with an error. */
export const hasRoom = (descriptor: number): boolean => {
  const polled = Buffer.alloc(8)
  polled.writeInt32LE(descriptor)
  polled.writeInt16LE(POLLOUT, 4)
  return Libc.poll(polled, 1, 0) > 0 && (polled.readInt16LE(6) & (POLLOUT | POLLERR | POLLHUP)) !== 0
}

/** `lost` is the line that tells of so many messages that were lost. */
export const make = (descriptor: number, lost: (count: number) => string): PatientWriter => {
  const kept: Array<Buffer> = []
  let size = 0
  let dropped = 0
  let timer: NodeJS.Timeout | undefined

  /** Writes what there is room for; the rest. */
  const put = (bytes: Buffer): Buffer => {
    let rest = bytes
    while (rest.length > 0 && hasRoom(descriptor)) {
      try {
        rest = rest.subarray(fs.writeSync(descriptor, rest, 0, Math.min(CHUNK, rest.length)))
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code === "EAGAIN") return rest
        // The reader is gone, or the disk is full: there is nobody who could be told.
        return Buffer.alloc(0)
      }
    }
    return rest
  }

  const keep = (bytes: Buffer): void => {
    if (bytes.length === 0) return
    kept.push(bytes)
    size += bytes.length
    timer ??= setInterval(flush, PAUSE).unref()
  }

  const flush = (): void => {
    while (kept.length > 0) {
      const [first = Buffer.alloc(0)] = kept
      const rest = put(first)
      size -= first.length - rest.length
      if (rest.length > 0) {
        kept[0] = rest
        return
      }
      kept.shift()
    }
    clearInterval(timer)
    timer = undefined
    const count = dropped
    dropped = 0
    if (count > 0) keep(put(Buffer.from(lost(count))))
  }

  return {
    write: (text) => {
      if (kept.length > 0) flush()
      const bytes = Buffer.from(text)
      if (kept.length === 0) return keep(put(bytes))
      if (size + bytes.length > MAX_KEPT) dropped++
      else keep(bytes)
    },
    writeNow: (text) => {
      if (kept.length === 0) put(Buffer.from(text))
    },
    isFlushed: () => kept.length === 0,
  }
}
