/**
 * How much the kernel reads ahead on a mount (fuse-protocol §4).
 *
 * By default 128 KiB, and a file's first READ asks for a quarter of that, so that most small files take two. Only root
 * may raise it. Not being able to is not a failure: reads are then slower.
 */
import * as fs from "node:fs"
import * as Effect from "effect/Effect"

/** Sets the read-ahead of the file system with this device number (`major:minor`) to `bytes`, after INIT. */
export const set = (device: string, bytes: number): Effect.Effect<void> =>
  Effect.callback<void>((resume) => {
    fs.writeFile(`/sys/class/bdi/${device}/read_ahead_kb`, String(Math.floor(bytes / 1024)), (error) => {
      resume(error === null ? Effect.void : Effect.logDebug(`read-ahead stays as it is: ${error.message}`))
    })
  })
