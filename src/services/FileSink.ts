/**
 * A byte sink over a file descriptor.
 *
 * Writes run on a thread of libuv's pool, so that the next block is filled meanwhile. The descriptor is closed by the
 * scope, after the last write in flight has come back. Nothing is forced to disk.
 */
import * as fs from "node:fs"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import { type Sink, SinkError } from "./ByteSink.ts"

/** A sink that appends to `fd`, a file that is open for writing and empty. Takes the descriptor over. */
export const fromDescriptor = (name: string, fd: number): Effect.Effect<Sink, never, Scope.Scope> =>
  Effect.map(
    Effect.acquireRelease(
      Effect.sync((): OpenFile => ({ name, fd, position: 0, inFlight: 0, closing: false })),
      (file) => Effect.sync(() => close(file)),
    ),
    (file): Sink => ({ name, position: () => file.position, write: (bytes) => write(file, bytes) }),
  )

interface OpenFile {
  readonly name: string
  readonly fd: number
  position: number
  inFlight: number
  closing: boolean
}

const close = (file: OpenFile): void => {
  file.closing = true
  if (file.inFlight === 0) fs.closeSync(file.fd)
}

const write = (file: OpenFile, bytes: Uint8Array): Effect.Effect<void, SinkError> =>
  Effect.callback<void, SinkError>((resume) => {
    const offset = file.position
    let done = 0
    const step = (): void => {
      if (done === bytes.length) {
        file.position = offset + done
        return resume(Effect.void)
      }
      file.inFlight++
      fs.write(file.fd, bytes, done, bytes.length - done, offset + done, (error, count) => {
        file.inFlight--
        // The scope is gone, and with it whoever waits.
        if (file.closing) return close(file)
        if (error !== null) {
          const code = error.code ?? "EIO"
          return resume(Effect.fail(new SinkError({ sink: file.name, offset, code, detail: error.message })))
        }
        done += count
        step()
      })
    }
    step()
  })
