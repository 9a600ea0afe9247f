/**
 * The system calls of mounting: `mount`, `umount2`, `statx` of a mount point, `socketpair`, `recvmsg` with a descriptor,
 * `fcntl`.
 *
 * Every function returns its value or a negative errno and throws nothing. Memory: strings and buffers belong to this
 * file and live for the one call; no pointer leaves it. Descriptors that are returned belong to the caller. The calls
 * that may need an answer from a file system (`mount`, `unmount`, `mountAt`) run on a thread of libuv's pool, so that
 * the event loop can serve that file system meanwhile; they cannot be interrupted.
 *
 * libc is loaded by the first call, not by the import.
 */
import * as fs from "node:fs"
import * as Effect from "effect/Effect"
import type { KoffiFunc } from "koffi"
import * as Bytes from "../../domain/Bytes.ts"
import * as Errno from "../../domain/Errno.ts"
import * as Libc from "../../services/posix/Libc.ts"
import { once } from "../../services/posix/Once.ts"

const AF_UNIX = 1
const SOCK_STREAM = 1
const SOCK_CLOEXEC = 0o2000000
const SOL_SOCKET = 1
const SCM_RIGHTS = 1
const MSG_DONTWAIT = 0x40
const MSG_CMSG_CLOEXEC = 0x40000000
const F_SETFD = 2
const F_GETFL = 3
const F_SETFL = 4
const FD_CLOEXEC = 1
const { ENOMSG } = Errno.code

/** `umount2`: abort what is under way in the file system first. */
export const MNT_FORCE = 1
/** `umount2`: take the mount out of the tree now, end it when its last user leaves. */
export const MNT_DETACH = 2
/** `umount2`: a mount point that was replaced by a symbolic link is not followed. */
export const UMOUNT_NOFOLLOW = 8

/** The arguments of mount(2), paths as `DiskPath` has them. `flags` are the `MS_*` bits, `data` is the file system's own option string. */
export interface MountCall {
  readonly source: string
  readonly target: string
  readonly type: string
  readonly flags: number
  readonly data: string
}

const libc = once(() => {
  const koffi = Libc.koffi()
  const library = Libc.libc()
  const iovec = koffi.struct({ iov_base: "void *", iov_len: "size_t" })
  const msghdr = koffi.struct({
    msg_name: "void *",
    msg_namelen: "uint",
    msg_iov: koffi.pointer(iovec),
    msg_iovlen: "size_t",
    msg_control: "void *",
    msg_controllen: "size_t",
    msg_flags: "int",
  })
  return {
    mount: library.func(
      "int mount(const uint8_t *, const uint8_t *, const uint8_t *, ulong, const uint8_t *)",
    ) as KoffiFunc<
      (source: Uint8Array, target: Uint8Array, type: Uint8Array, flags: number, data: Uint8Array) => number
    >,
    umount2: library.func("int umount2(const uint8_t *, int)") as KoffiFunc<
      (target: Uint8Array, flags: number) => number
    >,
    statx: library.func("int statx(int, const uint8_t *, int, uint, uint8_t *)") as KoffiFunc<
      (directory: number, path: Uint8Array, flags: number, mask: number, status: Uint8Array) => number
    >,
    recvmsg: library.func("recvmsg", "long", ["int", koffi.pointer(msghdr), "int"]),
    /** A `cmsghdr` with room for one descriptor, padded as CMSG_SPACE does. */
    rights: koffi.struct({ cmsg_len: "size_t", cmsg_level: "int", cmsg_type: "int", descriptor: "int" }),
  }
})

/** koffi keeps the errno of the call for its callback. The only errors it reports there are wrong argument types. */
const onThread = (call: (done: (error: unknown, result: number) => void) => void): Effect.Effect<number> =>
  Effect.uninterruptible(
    Effect.callback<number>((resume) =>
      call((error, result) => resume(error ? Effect.die(error) : Effect.succeed(Libc.orErrno(result)))),
    ),
  )

/** mount(2): 0 or a negative errno. */
export const mount = ({ source, target, type, flags, data }: MountCall): Effect.Effect<number> =>
  Effect.suspend(() => {
    const bytes = (text: string) => terminated(Bytes.fromText(text))
    const [from, to, fsType, options] = [bytes(source), bytes(target), bytes(type), bytes(data)]
    return onThread((done) => libc().mount.async(from, to, fsType, flags, options, done))
  })

/** umount2(2): 0 or a negative errno. `target` is a path without a NUL. */
export const unmount = (target: Uint8Array, flags: number): Effect.Effect<number> =>
  Effect.suspend(() => {
    const path = terminated(target)
    return onThread((done) => libc().umount2.async(path, flags, done))
  })

/** What a path lookup ends in, as a mount. */
export interface MountAt {
  /** As in the mount table; `undefined` before Linux 5.8. */
  readonly id: number | undefined
  /** `major:minor` of the file system. */
  readonly device: string
  /** Whether it is the root of its mount; before Linux 5.8 always true. */
  readonly isRoot: boolean
}

const AT_STATX_DONT_SYNC = 0x4000
const STATX_MNT_ID = 0x1000
const STATX_ATTR_MOUNT_ROOT = 0x2000n
/** `struct statx` */
const STATX = { mask: 0, attributes: 8, attributes_mask: 56, dev_major: 136, dev_minor: 140, mnt_id: 144, size: 256 }

/**
 * What is mounted on `name` in a folder, or a negative errno. It asks for no attribute, so the file system is not asked,
 * and one that does not let this user in is seen too. statx(2)
 */
export const mountAt = (folder: number, name: Uint8Array): Effect.Effect<MountAt | number> =>
  Effect.suspend(() => {
    const status = new Uint8Array(STATX.size)
    const path = terminated(name)
    const flags = Libc.AT_SYMLINK_NOFOLLOW | Libc.AT_NO_AUTOMOUNT | AT_STATX_DONT_SYNC
    return Effect.map(
      onThread((done) => libc().statx.async(folder, path, flags, 0, status, done)),
      (result) => {
        if (result < 0) return result
        const view = new DataView(status.buffer)
        const knowsRoot = (view.getBigUint64(STATX.attributes_mask, true) & STATX_ATTR_MOUNT_ROOT) !== 0n
        return {
          id: (view.getUint32(STATX.mask, true) & STATX_MNT_ID) === 0 ? undefined : view.getUint32(STATX.mnt_id, true),
          device: `${view.getUint32(STATX.dev_major, true)}:${view.getUint32(STATX.dev_minor, true)}`,
          isRoot: !knowsRoot || (view.getBigUint64(STATX.attributes, true) & STATX_ATTR_MOUNT_ROOT) !== 0n,
        }
      },
    )
  })

const terminated = (path: Uint8Array): Uint8Array => {
  const bytes = new Uint8Array(path.length + 1)
  bytes.set(path)
  return bytes
}

/** socketpair(2), stream, close-on-exec: both ends, or a negative errno. */
export const socketPair = (): readonly [number, number] | number => {
  const pair = new Int32Array(2)
  const result = Libc.socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, new Uint8Array(pair.buffer))
  return result < 0 ? result : [pair[0] as number, pair[1] as number]
}

/**
 * The descriptor that waits on a socket (close-on-exec), or a negative errno: EAGAIN if nothing was sent, ENOMSG if
 * what was sent came without a descriptor. Does not wait. unix(7), SCM_RIGHTS.
 */
export const receiveDescriptor = (socket: number): number => {
  const koffi = Libc.koffi()
  const { recvmsg, rights } = libc()
  const control = Buffer.alloc(koffi.sizeof(rights))
  const message = {
    msg_name: null,
    msg_namelen: 0,
    msg_iov: [{ iov_base: Buffer.alloc(1), iov_len: 1 }],
    msg_iovlen: 1,
    msg_control: control,
    msg_controllen: control.length,
    msg_flags: 0,
  }
  const received = Libc.orErrno(recvmsg(socket, message, MSG_DONTWAIT | MSG_CMSG_CLOEXEC))
  if (received < 0) return received
  const { cmsg_level: level, cmsg_type: type, descriptor } = koffi.decode(control, rights)
  return level === SOL_SOCKET && type === SCM_RIGHTS ? descriptor : -ENOMSG
}

/** Makes a descriptor non-blocking and close-on-exec: 0, or a negative errno. */
export const setNonBlocking = (descriptor: number): number => {
  const flags = Libc.fcntl(descriptor, F_GETFL, 0)
  if (flags < 0) return flags
  const result = Libc.fcntl(descriptor, F_SETFL, flags | fs.constants.O_NONBLOCK)
  return result < 0 ? result : Libc.fcntl(descriptor, F_SETFD, FD_CLOEXEC)
}
