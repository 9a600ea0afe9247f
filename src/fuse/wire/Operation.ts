/**
 * The operations of the kernel protocol: one table, one row an opcode.
 *
 * A row says what there is to know of a request's bytes: its number, how large it must be at least, what its fields mean,
 * whether the kernel waits for an answer and whether that answer names nodes; of an operation that this file system does
 * not carry out, which errno it gets at once. What is answered is in `session/Answers.ts`, the bytes of that in `Reply.ts`.
 */
import * as Bytes from "../../domain/Bytes.ts"
import * as Errno from "../../domain/Errno.ts"
import * as NodeId from "../../domain/pxar/NodeId.ts"
import {
  ACCESS_IN,
  BATCH_FORGET_IN,
  FORGET_IN,
  FORGET_ONE,
  GETATTR_IN,
  GETXATTR_IN,
  IN_HEADER,
  INIT_IN,
  INTERRUPT_IN,
  LSEEK_IN,
  IOCTL_IN,
  OPCODE,
  OPEN_IN,
  READ_IN,
} from "./Abi.ts"

export interface Operation<B = unknown> {
  readonly opcode: number
  /** Name as in `enum fuse_opcode`, without its prefix. */
  readonly name: keyof typeof OPCODE
  /** Bytes that must follow the request header, not counting names. */
  readonly minBody: number
  /**
   * What follows the header of a whole message, which has `minBody` bytes of it at least; `undefined` if that is not well
   * formed. What it returns is its own: nothing refers to the message.
   */
  readonly decode: (message: Uint8Array, view: DataView) => B | undefined
  /** Whether the kernel waits for an answer. */
  readonly answered: boolean
  /** Whether the kernel counts references to the nodes that the answer names. */
  readonly namesNodes: boolean
  /** The answer to an operation that is not carried out; `undefined` for the others. */
  readonly refusal: Errno.Errno | undefined
}

/** References returned by the kernel. */
export interface Forget {
  readonly nodeId: NodeId.NodeId
  readonly count: number
}

/** A row for an operation that is carried out. */
const row = <B>(
  name: keyof typeof OPCODE,
  minBody: number,
  decode: Operation<B>["decode"],
  options: { readonly answered?: boolean; readonly namesNodes?: boolean } = {},
): Operation<B> => ({
  opcode: OPCODE[name],
  name,
  minBody,
  decode,
  answered: options.answered ?? true,
  namesNodes: options.namesNodes ?? false,
  refusal: undefined,
})

/** A row for an operation that is not. */
const refused = (
  refusal: Errno.Errno,
  name: keyof typeof OPCODE,
  { answered = true, minBody = 0 }: { readonly answered?: boolean; readonly minBody?: number } = {},
): Operation<Refused> => {
  const operation: Operation<Refused> = {
    opcode: OPCODE[name],
    name,
    minBody,
    decode: () => body,
    answered,
    namesNodes: false,
    refusal,
  }
  const body: Refused = { _tag: "Refused", operation }
  return operation
}

/** An operation that is refused, or an opcode that is not known. */
export interface Refused {
  readonly _tag: "Refused"
  readonly operation: Operation<Refused> | undefined
}

const BODY = IN_HEADER.size

const u32 = (view: DataView, at: number): number => view.getUint32(BODY + at, true)

/** Larger numbers than are exact become ones that no file has; see `Bytes.getU64`. */
const u64 = (view: DataView, at: number): number => Bytes.getU64(view, BODY + at)

const nodeId = (view: DataView, at: number): NodeId.NodeId => NodeId.fromHalves(u32(view, at), u32(view, at + 4))

/** The bytes from `at` up to the first NUL, which must be there. */
const name = (message: Uint8Array, at: number): Uint8Array | undefined => {
  const end = message.indexOf(0, BODY + at)
  // Not `slice`, which of a `Buffer` is a view.
  return end < 0 ? undefined : new Uint8Array(message.subarray(BODY + at, end))
}

const carriedOut = [
  row(
    "LOOKUP",
    2,
    (message) => {
      const found = name(message, 0)
      return found && { _tag: "Lookup" as const, name: found }
    },
    { namesNodes: true },
  ),
  row(
    "FORGET",
    FORGET_IN.size,
    (_, view) => forgets([{ nodeId: nodeId(view, IN_HEADER.nodeid - BODY), count: u64(view, FORGET_IN.nlookup) }]),
    { answered: false },
  ),
  row(
    "BATCH_FORGET",
    BATCH_FORGET_IN.size,
    (message, view) => {
      const count = u32(view, BATCH_FORGET_IN.count)
      if (message.length < BODY + BATCH_FORGET_IN.size + count * FORGET_ONE.size) return undefined
      return forgets(
        Array.from({ length: count }, (_, index) => {
          const at = BATCH_FORGET_IN.size + index * FORGET_ONE.size
          return { nodeId: nodeId(view, at + FORGET_ONE.nodeid), count: u64(view, at + FORGET_ONE.nlookup) }
        }),
      )
    },
    { answered: false },
  ),
  row("GETATTR", GETATTR_IN.size, () => ({ _tag: "Getattr" as const })),
  row("READLINK", 0, () => ({ _tag: "Readlink" as const })),
  row("OPEN", OPEN_IN.size, (_, view) => ({ _tag: "Open" as const, flags: u32(view, OPEN_IN.flags) })),
  row("OPENDIR", OPEN_IN.size, (_, view) => ({ _tag: "Opendir" as const, flags: u32(view, OPEN_IN.flags) })),
  row("READ", READ_IN.size, (_, view) => range("Read", view)),
  row("LSEEK", LSEEK_IN.size, (_, view) => ({
    _tag: "Lseek" as const,
    offset: u64(view, LSEEK_IN.offset),
    whence: u32(view, LSEEK_IN.whence),
  })),
  row("READDIR", READ_IN.size, (_, view) => range("Readdir", view)),
  row("READDIRPLUS", READ_IN.size, (_, view) => range("Readdirplus", view), { namesNodes: true }),
  row("RELEASE", 0, () => ({ _tag: "Release" as const })),
  row("RELEASEDIR", 0, () => ({ _tag: "Release" as const })),
  row("STATFS", 0, () => ({ _tag: "Statfs" as const })),
  row("GETXATTR", GETXATTR_IN.size + 2, (message, view) => {
    const found = name(message, GETXATTR_IN.size)
    return found && { _tag: "Getxattr" as const, name: found, size: u32(view, GETXATTR_IN.size_) }
  }),
  row("LISTXATTR", GETXATTR_IN.size, (_, view) => ({
    _tag: "Listxattr" as const,
    size: u32(view, GETXATTR_IN.size_),
  })),
  row("IOCTL", IOCTL_IN.size, (_, view) => ({
    _tag: "Ioctl" as const,
    command: u32(view, IOCTL_IN.cmd),
    size: u32(view, IOCTL_IN.out_size),
  })),
  row("INIT", INIT_IN.size, (message, view) => ({
    _tag: "Init" as const,
    major: u32(view, INIT_IN.major),
    minor: u32(view, INIT_IN.minor),
    maxReadahead: u32(view, INIT_IN.max_readahead),
    flags: u32(view, INIT_IN.flags),
    ...(message.length >= BODY + INIT_IN.flags2 + 4 && { flags2: u32(view, INIT_IN.flags2) }),
  })),
  row(
    "INTERRUPT",
    INTERRUPT_IN.size,
    (_, view) => ({ _tag: "Interrupt" as const, unique: u64(view, INTERRUPT_IN.unique) }),
    { answered: false },
  ),
  row("DESTROY", 0, () => ({ _tag: "Destroy" as const })),
] as const

const forgets = (forgets: ReadonlyArray<Forget>) => ({ _tag: "Forget" as const, forgets })

const range = <T extends "Read" | "Readdir" | "Readdirplus">(_tag: T, view: DataView) => ({
  _tag,
  offset: u64(view, READ_IN.offset),
  size: u32(view, READ_IN.size_),
})

/** The kernel never sends these again after ENOSYS, and does by itself what is needed (fuse-protocol §4). */
const neverAgain = [
  refused(Errno.ENOSYS, "FLUSH"),
  refused(Errno.ENOSYS, "FSYNC"),
  refused(Errno.ENOSYS, "FSYNCDIR"),
  refused(Errno.ENOSYS, "STATX"),
  refused(Errno.ENOSYS, "POLL"),
  refused(Errno.ENOSYS, "BMAP"),
  refused(Errno.ENOSYS, "SYNCFS"),
  refused(Errno.ENOSYS, "ACCESS", { minBody: ACCESS_IN.size }),
  refused(Errno.ENOSYS, "GETLK"),
  refused(Errno.ENOSYS, "SETLK"),
  refused(Errno.ENOSYS, "SETLKW"),
  refused(Errno.ENOSYS, "SETUPMAPPING"),
  refused(Errno.ENOSYS, "REMOVEMAPPING"),
  refused(Errno.ENOSYS, "NOTIFY_REPLY", { answered: false }),
]

/** An archive cannot be changed. A read-only mount answers most of these itself. */
const changing = [
  refused(Errno.EROFS, "SETATTR"),
  refused(Errno.EROFS, "SYMLINK"),
  refused(Errno.EROFS, "MKNOD"),
  refused(Errno.EROFS, "MKDIR"),
  refused(Errno.EROFS, "UNLINK"),
  refused(Errno.EROFS, "RMDIR"),
  refused(Errno.EROFS, "RENAME"),
  refused(Errno.EROFS, "LINK"),
  refused(Errno.EROFS, "WRITE"),
  refused(Errno.EROFS, "SETXATTR"),
  refused(Errno.EROFS, "REMOVEXATTR"),
  refused(Errno.EROFS, "CREATE"),
  refused(Errno.EROFS, "FALLOCATE"),
  refused(Errno.EROFS, "RENAME2"),
  refused(Errno.EROFS, "COPY_FILE_RANGE"),
  refused(Errno.EROFS, "COPY_FILE_RANGE_64"),
  refused(Errno.EROFS, "TMPFILE"),
]

/** What follows the header, by operation. */
export type Body = NonNullable<ReturnType<(typeof carriedOut)[number]["decode"]>> | Refused

/** Every operation of the table. */
export const all: ReadonlyArray<Operation<Body>> = [...carriedOut, ...neverAgain, ...changing]

const byOpcode: ReadonlyArray<Operation<Body> | undefined> = all.reduce<Array<Operation<Body> | undefined>>(
  (table, operation) => {
    table[operation.opcode] = operation
    return table
  },
  Array.from({ length: 1 + Math.max(...all.map(({ opcode }) => opcode)) }, () => undefined),
)

/** The operation of an opcode; `undefined` for one that this table does not know, which is answered with ENOSYS. */
export const fromOpcode = (opcode: number): Operation<Body> | undefined => byOpcode[opcode]

/** Whether the kernel waits for an answer to a request with this opcode. */
export const isAnswered = (opcode: number): boolean => byOpcode[opcode]?.answered ?? true
