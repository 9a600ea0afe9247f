/**
 * Errno values that an operation can answer (§9.3): expected outcomes, so plain preallocated values and no `Error`.
 */
import * as Data from "effect/Data"

/** A positive Linux errno with its name. */
export class Errno extends Data.TaggedClass("Errno")<{ readonly code: number; readonly name: string }> {}

const define = (code: number, name: string): Errno => new Errno({ code, name })

export const EPERM = define(1, "EPERM")
export const ENOENT = define(2, "ENOENT")
export const EINTR = define(4, "EINTR")
export const EIO = define(5, "EIO")
export const E2BIG = define(7, "E2BIG")
export const EBADF = define(9, "EBADF")
export const EACCES = define(13, "EACCES")
export const ENOTDIR = define(20, "ENOTDIR")
export const EISDIR = define(21, "EISDIR")
export const EINVAL = define(22, "EINVAL")
export const EROFS = define(30, "EROFS")
export const ERANGE = define(34, "ERANGE")
export const ENOSYS = define(38, "ENOSYS")
export const ELOOP = define(40, "ELOOP")
export const ENODATA = define(61, "ENODATA")
export const EPROTO = define(71, "EPROTO")
export const EOPNOTSUPP = define(95, "EOPNOTSUPP")
