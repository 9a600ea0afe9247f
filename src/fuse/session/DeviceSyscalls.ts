/**
 * `read(2)`, `write(2)` and readiness of a non-blocking descriptor.
 *
 * The caller owns all memory; it is used during the call only. Functions return a count, or a negative errno.
 */
import type { node } from "koffi"
import * as Errno from "../../domain/Errno.ts"
import * as Libc from "../../services/posix/Libc.ts"

/** Reads into `target`. */
export const read = (fd: number, target: Uint8Array): number => Libc.read(fd, target, target.length)

/** Writes all of `bytes` with one call. */
export const write = (fd: number, bytes: Uint8Array): number => Libc.write(fd, bytes, bytes.length)

const POLLERR = 8
const { ENODEV } = Errno.code
/** No FUSE descriptor gives a message to a shorter one, nor tells why there is none. */
const LONGEST_HEADER = 64 * 1024

/**
 * Whether the file system of a FUSE descriptor may be gone: it was unmounted, or its connection was aborted by `umount -f`.
 * Takes no request: it reads only when the connection has ended, to learn how.
 */
export const mayBeGone = (fd: number): boolean => {
  const polled = Buffer.alloc(8)
  polled.writeInt32LE(fd)
  if (Libc.poll(polled, 1, 0) <= 0 || (polled.readInt16LE(6) & POLLERR) === 0) return false
  return read(fd, new Uint8Array(LONGEST_HEADER)) === -ENODEV
}

/** Tells when a descriptor can be read. */
export interface Readiness {
  /** Begins watching; `onReadable` is called again and again while there is something to read. */
  readonly start: (onReadable: () => void) => void
  readonly stop: () => void
  /** Ends watching for good; the descriptor must not be closed before `done` is called. */
  readonly close: (done: () => void) => void
}

/** Watches through the event loop, without a thread. */
export const watch = (fd: number): Readiness => {
  let handle: node.PollHandle | undefined
  return {
    start: (onReadable) => {
      if (handle === undefined) handle = Libc.koffi().node.poll(fd, { readable: true, disconnect: true }, onReadable)
      else handle.start({ readable: true, disconnect: true }, onReadable)
    },
    stop: () => handle?.stop(),
    close: (done) => {
      const closing = handle
      handle = undefined
      if (closing === undefined) return done()
      closing.stop()
      // Closing a handle inside its own callback crashes the process.
      setImmediate(() => {
        closing.close()
        done()
      })
    },
  }
}
