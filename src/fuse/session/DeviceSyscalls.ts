/**
 * `read(2)`, `write(2)` and readiness of a non-blocking descriptor.
 *
 * The caller owns all memory; it is used during the call only. Functions return a count, or a negative errno.
 */
import koffi, { type node } from "koffi"

type ReadWrite = (fd: number, bytes: Uint8Array, length: number) => number

let calls: ReturnType<typeof load> | undefined

const load = () => {
  const libc = koffi.load(null)
  return {
    read: libc.func("long read(int, uint8_t *, size_t)") as unknown as ReadWrite,
    write: libc.func("long write(int, const uint8_t *, size_t)") as unknown as ReadWrite,
    poll: libc.func("int poll(uint8_t *, ulong, int)") as unknown as (
      fds: Uint8Array,
      count: number,
      ms: number,
    ) => number,
  }
}

/** Reads into `target`. */
export const read = (fd: number, target: Uint8Array): number => {
  calls ??= load()
  const count = calls.read(fd, target, target.length)
  return count < 0 ? -koffi.errno() : count
}

/** Writes all of `bytes` with one call. */
export const write = (fd: number, bytes: Uint8Array): number => {
  calls ??= load()
  const count = calls.write(fd, bytes, bytes.length)
  return count < 0 ? -koffi.errno() : count
}

const POLLERR = 8
const ENODEV = 19
/** No FUSE descriptor gives a message to a shorter one, nor tells why there is none. */
const LONGEST_HEADER = 64 * 1024

/**
 * Whether the file system of a FUSE descriptor may be gone: it was unmounted, or its connection was aborted by `umount -f`.
 * Takes no request: it reads only when the connection has ended, to learn how.
 */
export const mayBeGone = (fd: number): boolean => {
  calls ??= load()
  const polled = Buffer.alloc(8)
  polled.writeInt32LE(fd)
  if (calls.poll(polled, 1, 0) <= 0 || (polled.readInt16LE(6) & POLLERR) === 0) return false
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
      if (handle === undefined) handle = koffi.node.poll(fd, { readable: true, disconnect: true }, onReadable)
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
