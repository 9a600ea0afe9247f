/**
 * The system calls of a process that lives in the background: what Node does not have of descriptors, and datagrams
 * to a unix socket.
 *
 * Functions return 0 or a negative errno and throw nothing. Memory lives for the one call.
 */
import * as Errno from "../../domain/Errno.ts"
import * as Libc from "../../services/posix/Libc.ts"

const AF_UNIX = 1
const SOCK_DGRAM = 2
const SOCK_CLOEXEC = 0o2000000
const MSG_DONTWAIT = 0x40
const MSG_NOSIGNAL = 0x4000
const CLOSE_RANGE_CLOEXEC = 4
const { ENAMETOOLONG } = Errno.code

/** Bytes of `sun_path`, unix(7). */
const PATH_MAX = 108

/** Makes descriptor `to` another name of `from`; what `to` was is closed. */
export const dup2 = (from: number, to: number): number => Math.min(Libc.dup2(from, to), 0)

/**
 * Keeps all descriptors from `first` on from programs that are started later, apart from those that are passed on
 * explicitly: close_range(2). An older kernel (before 5.11) says ENOSYS or EINVAL.
 */
export const closeOnExec = (first: number): number => Libc.closeRange(first, 0xffffffff, CLOSE_RANGE_CLOEXEC)

/**
 * Sends one datagram to the unix socket at `path`; `@name` is one in the abstract namespace, unix(7). While the receiver's
 * queue is full that is EAGAIN.
 */
export const sendDatagram = (path: string, bytes: Uint8Array): number => {
  const name = Buffer.from(path)
  if (name.length >= PATH_MAX) return -ENAMETOOLONG
  if (name[0] === 0x40) name[0] = 0
  const address = Buffer.alloc(2 + name.length)
  new Uint16Array(address.buffer, address.byteOffset, 1)[0] = AF_UNIX
  address.set(name, 2)
  const descriptor = Libc.socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0)
  if (descriptor < 0) return descriptor
  const flags = MSG_NOSIGNAL | MSG_DONTWAIT
  const result = Libc.sendto(descriptor, bytes, bytes.length, flags, address, address.length)
  Libc.close(descriptor)
  return Math.min(result, 0)
}
