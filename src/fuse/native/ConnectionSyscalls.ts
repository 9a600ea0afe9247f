/**
 * Seeing the end of a FUSE connection whose descriptor belongs to somebody else, a library for instance.
 *
 * The connection is watched through a duplicate of the descriptor and an epoll instance: watching the descriptor itself
 * through the event loop would make it non-blocking for its owner too. Nothing is read, and no thread is used.
 */
import * as fs from "node:fs"
import * as Libc from "../../services/posix/Libc.ts"
import * as DeviceSyscalls from "../session/DeviceSyscalls.ts"

const F_SETFD = 2
const FD_CLOEXEC = 1
const F_DUPFD_CLOEXEC = 1030
const EPOLL_CLOEXEC = 0o2000000
const EPOLL_CTL_ADD = 1
/** Bytes of a `struct epoll_event`, or more: it is packed on some architectures. */
const EPOLL_EVENT = 16
const O_NONBLOCK = 0o4000

/** The descriptors of this process on `/dev/fuse` that block: those of sessions of this library do not. */
export const blockingDevices = (): ReadonlySet<number> => {
  const found = new Set<number>()
  for (const name of fs.readdirSync("/proc/self/fd")) {
    if (isDevice(Number(name)) && (flagsOf(name) & O_NONBLOCK) === 0) found.add(Number(name))
  }
  return found
}

/** Whether a descriptor of this process is open on `/dev/fuse`. */
export const isDevice = (descriptor: number): boolean => {
  try {
    return fs.readlinkSync(`/proc/self/fd/${descriptor}`) === "/dev/fuse"
  } catch {
    // Closed, as that of the listing itself.
    return false
  }
}

/** As for `open(2)`, proc_pid_fdinfo(5). */
const flagsOf = (descriptor: string): number => {
  try {
    return Number.parseInt(
      /^flags:\s*(\d+)/m.exec(fs.readFileSync(`/proc/self/fdinfo/${descriptor}`, "latin1"))?.[1] ?? "0",
      8,
    )
  } catch {
    return 0
  }
}

/** Children that this process starts do not get the descriptor: they would keep the connection alive. */
export const closeOnExec = (descriptor: number): void => void Libc.fcntl(descriptor, F_SETFD, FD_CLOEXEC)

/** Watching a connection. */
export interface Watch {
  /** Ends watching; `done` is called when nothing of it is left. */
  readonly close: (done: () => void) => void
}

/** Calls `onEnd` once when the connection ends (unmounted, or aborted). A negative errno if it cannot be watched. */
export const watch = (descriptor: number, onEnd: () => void): Watch | number => {
  const duplicate = Libc.fcntl(descriptor, F_DUPFD_CLOEXEC, 0)
  if (duplicate < 0) return duplicate
  const epoll = Libc.epollCreate(EPOLL_CLOEXEC)
  // No events are asked for: those of an end are always told.
  const added = epoll < 0 ? epoll : Libc.epollControl(epoll, EPOLL_CTL_ADD, duplicate, new Uint8Array(EPOLL_EVENT))
  if (added < 0) {
    fs.closeSync(duplicate)
    if (epoll >= 0) fs.closeSync(epoll)
    return added
  }
  const readiness = DeviceSyscalls.watch(epoll)
  readiness.start(() => {
    readiness.stop()
    onEnd()
  })
  return {
    close: (done) =>
      readiness.close(() => {
        fs.closeSync(epoll)
        fs.closeSync(duplicate)
        done()
      }),
  }
}
