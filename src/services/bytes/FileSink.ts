/**
 * A byte sink over a file descriptor.
 *
 * Writes run on a thread of libuv's pool, so that the next block is filled meanwhile. The descriptor is closed by
 * `close`, which tells of errors that a file system reports only then, or else by the scope; in both cases after the
 * last write in flight has come back. Blocks of zeros become holes. Nothing is forced to disk.
 */
import * as fs from "node:fs"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import { UsedDescriptor } from "../posix/UsedDescriptor.ts"
import { type Sink, SinkError } from "./ByteSink.ts"

export interface FileSink extends Sink {
  /** Closes the file; the sink takes no more bytes. */
  readonly close: Effect.Effect<void, SinkError>
}

/** A sink that appends to `fd`, a file that is open for writing and empty. Takes the descriptor over. */
export const fromDescriptor = (name: string, fd: number): Effect.Effect<FileSink, never, Scope.Scope> =>
  Effect.map(
    Effect.acquireRelease(
      Effect.sync((): OpenFile => ({ name, descriptor: new UsedDescriptor(fd), position: 0, written: 0 })),
      // Whoever did not close it has no use for the file any more, so for its errors neither.
      (file) => Effect.ignore(close(file)),
    ),
    (file): FileSink => ({
      name,
      position: () => file.position,
      write: (bytes) => write(file, bytes),
      close: close(file),
    }),
  )

interface OpenFile {
  readonly name: string
  readonly descriptor: UsedDescriptor
  position: number
  /** End of the last bytes that are on disk and no hole. */
  written: number
}

const failure = (file: OpenFile, offset: number, error: NodeJS.ErrnoException): SinkError =>
  new SinkError({ sink: file.name, offset, code: error.code ?? "EIO", detail: error.message })

const close = (file: OpenFile): Effect.Effect<void, SinkError> =>
  Effect.try({
    try: () => {
      try {
        // What was not written at the end is a hole too.
        if (!file.descriptor.isClosed && file.written < file.position) {
          fs.ftruncateSync(file.descriptor.number, file.position)
        }
      } finally {
        file.descriptor.close()
      }
    },
    catch: (error) => failure(file, file.position, error as NodeJS.ErrnoException),
  })

const write = (file: OpenFile, bytes: Uint8Array): Effect.Effect<void, SinkError> =>
  Effect.callback<void, SinkError>((resume) => {
    const offset = file.position
    const { descriptor } = file
    if (descriptor.isClosed) {
      return resume(Effect.fail(new SinkError({ sink: file.name, offset, code: "EBADF", detail: "is closed" })))
    }
    let done = 0
    const step = (): void => {
      done = endOfHole(bytes, done, offset)
      if (done === bytes.length) {
        file.position = offset + done
        return resume(Effect.void)
      }
      descriptor.begin()
      fs.write(
        descriptor.number,
        bytes,
        done,
        startOfHole(bytes, done, offset) - done,
        offset + done,
        (error, count) => {
          descriptor.end()
          // The scope is gone, and with it whoever waits.
          if (descriptor.isClosed) return
          if (error !== null) return resume(Effect.fail(failure(file, offset + done, error)))
          done += count
          file.written = offset + done
          step()
        },
      )
    }
    step()
  })

/** Bytes of a hole: at least so many, at a multiple of themselves in the file. */
const HOLE = 64 * 1024
const zeros = Buffer.alloc(HOLE)

/** Whether a block that becomes a hole begins at `from`. */
const isHole = (bytes: Uint8Array, from: number): boolean =>
  bytes[from] === 0 &&
  from + HOLE <= bytes.length &&
  bytes[from + HOLE - 1] === 0 &&
  zeros.compare(bytes, from, from + HOLE) === 0

/** Where the holes end that begin at `from`, if any do. */
const endOfHole = (bytes: Uint8Array, from: number, offset: number): number => {
  if ((offset + from) % HOLE !== 0) return from
  let end = from
  while (end < bytes.length && isHole(bytes, end)) end += HOLE
  return end
}

/** Where the next hole begins behind `from`, or the bytes end. */
const startOfHole = (bytes: Uint8Array, from: number, offset: number): number => {
  let at = from + HOLE - ((offset + from) % HOLE)
  while (at < bytes.length && !isHole(bytes, at)) at += HOLE
  return Math.min(at, bytes.length)
}
