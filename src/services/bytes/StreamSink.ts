/**
 * A byte sink over a descriptor that takes bytes in order only: a pipe, a FIFO, stdout.
 *
 * Writes run on a thread of libuv's pool. A reader who pauses makes a write wait, and nobody else; one who is gone fails
 * it with `EPIPE`.
 */
import * as fs from "node:fs"
import * as Effect from "effect/Effect"
import { type Sink, SinkError } from "./ByteSink.ts"

/** Milliseconds between tries to write to a pipe that somebody has set not to wait. */
const RETRY = 2

/** A sink that appends to `fd`, which stays the caller's. */
export const fromDescriptor = (name: string, fd: number): Sink => {
  let position = 0
  return {
    name,
    position: () => position,
    write: (bytes) =>
      Effect.callback<void, SinkError>((resume) => {
        let done = 0
        let retry: NodeJS.Timeout | undefined
        let interrupted = false
        const step = (): void => {
          if (done === bytes.length) return resume(Effect.void)
          fs.write(fd, bytes, done, bytes.length - done, null, (error, count) => {
            if (interrupted) return
            if (error?.code === "EAGAIN") {
              retry = setTimeout(step, RETRY)
              return
            }
            if (error !== null) {
              const { code = "EIO", message } = error
              return resume(Effect.fail(new SinkError({ sink: name, offset: position, code, detail: message })))
            }
            done += count
            position += count
            step()
          })
        }
        step()
        return Effect.sync(() => {
          interrupted = true
          clearTimeout(retry)
        })
      }),
  }
}
