/**
 * The system calls of a process that lives in the background: what Node does not have of descriptors, and datagrams
 * to a unix socket.
 *
 * Functions return 0 or a negative errno and throw nothing. Memory lives for the one call. libc is loaded by the first
 * call, not by the import.
 */
import koffi, { type KoffiFunc } from "koffi"

const AF_UNIX = 1
const SOCK_DGRAM = 2
const SOCK_CLOEXEC = 0o2000000
const MSG_DONTWAIT = 0x40
const MSG_NOSIGNAL = 0x4000
/** The same on all architectures. */
const SYS_CLOSE_RANGE = 436
const CLOSE_RANGE_CLOEXEC = 4
const ENAMETOOLONG = 36

/** Bytes of `sun_path`, unix(7). */
const PATH_MAX = 108

const bind = () => {
  const libc = koffi.load(null)
  return {
    dup2: libc.func("int dup2(int, int)") as KoffiFunc<(from: number, to: number) => number>,
    closeRange: libc.func("long syscall(long, uint, uint, uint)") as KoffiFunc<
      (number: number, first: number, last: number, flags: number) => number
    >,
    socket: libc.func("int socket(int, int, int)") as KoffiFunc<(...args: ReadonlyArray<number>) => number>,
    sendto: libc.func("long sendto(int, const uint8_t *, size_t, int, const uint8_t *, uint)") as KoffiFunc<
      (fd: number, bytes: Uint8Array, length: number, flags: number, address: Uint8Array, size: number) => number
    >,
    close: libc.func("int close(int)") as KoffiFunc<(fd: number) => number>,
  }
}

let bound: ReturnType<typeof bind> | undefined
const libc = () => (bound ??= bind())

const orErrno = (result: number): number => (result < 0 ? -koffi.errno() : 0)

/** Makes descriptor `to` another name of `from`; what `to` was is closed. */
export const dup2 = (from: number, to: number): number => orErrno(libc().dup2(from, to))

/**
 * Keeps all descriptors from `first` on from programs that are started later, apart from those that are passed on
 * explicitly: close_range(2). An older kernel (before 5.11) says ENOSYS or EINVAL.
 */
export const closeOnExec = (first: number): number =>
  orErrno(libc().closeRange(SYS_CLOSE_RANGE, first, 0xffffffff, CLOSE_RANGE_CLOEXEC))

export interface DatagramOptions {
  /** Wait while the receiver's queue is full; otherwise that is EAGAIN. */
  readonly wait: boolean
}

/** Sends one datagram to the unix socket at `path`; `@name` is one in the abstract namespace, unix(7). */
export const sendDatagram = (path: string, bytes: Uint8Array, { wait }: DatagramOptions): number => {
  const name = Buffer.from(path)
  if (name.length >= PATH_MAX) return -ENAMETOOLONG
  if (name[0] === 0x40) name[0] = 0
  const address = Buffer.alloc(2 + name.length)
  new Uint16Array(address.buffer, address.byteOffset, 1)[0] = AF_UNIX
  address.set(name, 2)
  const { close, sendto, socket } = libc()
  const descriptor = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0)
  if (descriptor < 0) return -koffi.errno()
  const flags = MSG_NOSIGNAL | (wait ? 0 : MSG_DONTWAIT)
  const result = orErrno(sendto(descriptor, bytes, bytes.length, flags, address, address.length))
  close(descriptor)
  return result
}
