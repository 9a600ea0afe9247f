/**
 * Errno values that an operation can answer (§9.3): expected outcomes, so plain preallocated values and no `Error`. And
 * the numbers of all errnos that this project tells from one another, errno(3).
 */
import * as Data from "effect/Data"

/** Positive numbers, the same on all architectures that are supported. */
export const code = {
  EPERM: 1,
  ENOENT: 2,
  EINTR: 4,
  EIO: 5,
  ENXIO: 6,
  E2BIG: 7,
  EBADF: 9,
  EAGAIN: 11,
  ENOMEM: 12,
  EACCES: 13,
  EEXIST: 17,
  EXDEV: 18,
  ENODEV: 19,
  ENOTDIR: 20,
  EISDIR: 21,
  EINVAL: 22,
  EMFILE: 24,
  ENOTTY: 25,
  ENOSPC: 28,
  EROFS: 30,
  EPIPE: 32,
  ERANGE: 34,
  ENAMETOOLONG: 36,
  ENOSYS: 38,
  ENOTEMPTY: 39,
  ELOOP: 40,
  ENOMSG: 42,
  ENODATA: 61,
  EPROTO: 71,
  EILSEQ: 84,
  EOPNOTSUPP: 95,
  ECONNABORTED: 103,
  ENOTCONN: 107,
  EDQUOT: 122,
} as const

/** A positive Linux errno with its name. */
export class Errno extends Data.TaggedClass("Errno")<{ readonly code: number; readonly name: string }> {}

const define = (name: keyof typeof code): Errno => new Errno({ code: code[name], name })

/** Operation not permitted. */
export const EPERM = define("EPERM")
/** No such file or directory. */
export const ENOENT = define("ENOENT")
/** Interrupted. */
export const EINTR = define("EINTR")
/** Input/output error: something is wrong in the archive or with its source. */
export const EIO = define("EIO")
/** Too long, as a list of attribute names can be. */
export const E2BIG = define("E2BIG")
/** Not a file with contents. */
export const EBADF = define("EBADF")
/** Permission denied. */
export const EACCES = define("EACCES")
/** Not a directory. */
export const ENOTDIR = define("ENOTDIR")
/** Is a directory. */
export const EISDIR = define("EISDIR")
/** Invalid argument. */
export const EINVAL = define("EINVAL")
/** No data there, or behind the end. */
export const ENXIO = define("ENXIO")
/** No such ioctl. */
export const ENOTTY = define("ENOTTY")
/** Read-only file system. */
export const EROFS = define("EROFS")
/** The buffer is too small. */
export const ERANGE = define("ERANGE")
/** Not carried out; the kernel never asks again. */
export const ENOSYS = define("ENOSYS")
/** Too many links: a chain of hard links. */
export const ELOOP = define("ELOOP")
/** No such attribute. */
export const ENODATA = define("ENODATA")
/** A protocol that is too old. */
export const EPROTO = define("EPROTO")
/** A name whose bytes cannot be expressed. */
export const EILSEQ = define("EILSEQ")
/** Not supported. */
export const EOPNOTSUPP = define("EOPNOTSUPP")
