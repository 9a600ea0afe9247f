/**
 * Errno values that an operation can answer (§9.3): expected outcomes, so plain preallocated values and no `Error`.
 */
import * as Data from "effect/Data"

/** A positive Linux errno with its name. */
export class Errno extends Data.TaggedClass("Errno")<{ readonly code: number; readonly name: string }> {}

const define = (code: number, name: string): Errno => new Errno({ code, name })

/** Operation not permitted. */
export const EPERM = define(1, "EPERM")
/** No such file or directory. */
export const ENOENT = define(2, "ENOENT")
/** Interrupted. */
export const EINTR = define(4, "EINTR")
/** Input/output error: something is wrong in the archive or with its source. */
export const EIO = define(5, "EIO")
/** Too long, as a list of attribute names can be. */
export const E2BIG = define(7, "E2BIG")
/** Not a file with contents. */
export const EBADF = define(9, "EBADF")
/** Permission denied. */
export const EACCES = define(13, "EACCES")
/** Not a directory. */
export const ENOTDIR = define(20, "ENOTDIR")
/** Is a directory. */
export const EISDIR = define(21, "EISDIR")
/** Invalid argument. */
export const EINVAL = define(22, "EINVAL")
/** No such ioctl. */
export const ENOTTY = define(25, "ENOTTY")
/** Read-only file system. */
export const EROFS = define(30, "EROFS")
/** The buffer is too small. */
export const ERANGE = define(34, "ERANGE")
/** Not carried out; the kernel never asks again. */
export const ENOSYS = define(38, "ENOSYS")
/** Too many links: a chain of hard links. */
export const ELOOP = define(40, "ELOOP")
/** No such attribute. */
export const ENODATA = define(61, "ENODATA")
/** A protocol that is too old. */
export const EPROTO = define(71, "EPROTO")
/** A name whose bytes cannot be expressed. */
export const EILSEQ = define(84, "EILSEQ")
/** Not supported. */
export const EOPNOTSUPP = define(95, "EOPNOTSUPP")
