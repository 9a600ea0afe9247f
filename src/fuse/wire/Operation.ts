/**
 * The operations of the kernel protocol: one table, one row an opcode.
 *
 * The row says how large a request must be, whether the kernel waits for an answer, and for operations that this file
 * system does not carry out, which errno they get at once.
 */
import * as Errno from "../../domain/Errno.ts"
import {
  ACCESS_IN,
  BATCH_FORGET_IN,
  FORGET_IN,
  GETATTR_IN,
  GETXATTR_IN,
  INIT_IN,
  INTERRUPT_IN,
  IOCTL_IN,
  OPCODE,
  OPEN_IN,
  READ_IN,
} from "./Abi.ts"

export interface Operation {
  readonly opcode: number
  /** Name as in `enum fuse_opcode`, without its prefix. */
  readonly name: keyof typeof OPCODE
  /** Bytes that must follow the request header, not counting names. */
  readonly minBody: number
  /** Whether the kernel waits for an answer. */
  readonly answered: boolean
  /** The answer to an operation that is not carried out; `undefined` for the others. */
  readonly refusal: Errno.Errno | undefined
}

const operations = new Map<number, Operation>()

const define = (
  name: keyof typeof OPCODE,
  minBody: number,
  options: { readonly answered?: boolean; readonly refusal?: Errno.Errno } = {},
): Operation => {
  const operation: Operation = {
    opcode: OPCODE[name],
    name,
    minBody,
    answered: options.answered ?? true,
    refusal: options.refusal,
  }
  operations.set(operation.opcode, operation)
  return operation
}

export const LOOKUP = define("LOOKUP", 2)
export const FORGET = define("FORGET", FORGET_IN.size, { answered: false })
export const GETATTR = define("GETATTR", GETATTR_IN.size)
export const READLINK = define("READLINK", 0)
export const OPEN = define("OPEN", OPEN_IN.size)
export const READ = define("READ", READ_IN.size)
export const STATFS = define("STATFS", 0)
export const RELEASE = define("RELEASE", 0)
export const GETXATTR = define("GETXATTR", GETXATTR_IN.size + 2)
export const LISTXATTR = define("LISTXATTR", GETXATTR_IN.size)
export const INIT = define("INIT", INIT_IN.size)
export const OPENDIR = define("OPENDIR", OPEN_IN.size)
export const READDIR = define("READDIR", READ_IN.size)
export const RELEASEDIR = define("RELEASEDIR", 0)
export const INTERRUPT = define("INTERRUPT", INTERRUPT_IN.size, { answered: false })
export const DESTROY = define("DESTROY", 0)
export const IOCTL = define("IOCTL", IOCTL_IN.size)
export const BATCH_FORGET = define("BATCH_FORGET", BATCH_FORGET_IN.size, { answered: false })
export const READDIRPLUS = define("READDIRPLUS", READ_IN.size)

// The kernel never sends these again after ENOSYS, and does by itself what is needed (fuse-protocol §4).
for (const name of ["FLUSH", "FSYNC", "FSYNCDIR", "LSEEK", "STATX", "POLL", "BMAP", "SYNCFS"] as const) {
  define(name, 0, { refusal: Errno.ENOSYS })
}
export const ACCESS = define("ACCESS", ACCESS_IN.size, { refusal: Errno.ENOSYS })
for (const name of ["GETLK", "SETLK", "SETLKW", "SETUPMAPPING", "REMOVEMAPPING"] as const) {
  define(name, 0, { refusal: Errno.ENOSYS })
}
define("NOTIFY_REPLY", 0, { answered: false, refusal: Errno.ENOSYS })

// An archive cannot be changed. A read-only mount answers most of these itself.
for (const name of [
  "SETATTR",
  "SYMLINK",
  "MKNOD",
  "MKDIR",
  "UNLINK",
  "RMDIR",
  "RENAME",
  "LINK",
  "WRITE",
  "SETXATTR",
  "REMOVEXATTR",
  "CREATE",
  "FALLOCATE",
  "RENAME2",
  "COPY_FILE_RANGE",
  "COPY_FILE_RANGE_64",
  "TMPFILE",
] as const) {
  define(name, 0, { refusal: Errno.EROFS })
}

/** The operation of an opcode; `undefined` for one that this table does not know, which is answered with ENOSYS. */
export const fromOpcode = (opcode: number): Operation | undefined => operations.get(opcode)

/** Whether the kernel waits for an answer to a request with this opcode. */
export const isAnswered = (opcode: number): boolean => operations.get(opcode)?.answered ?? true

/** Every operation of the table. */
export const all: ReadonlyArray<Operation> = [...operations.values()]
