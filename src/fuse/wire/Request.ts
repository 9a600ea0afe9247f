/**
 * Requests of the kernel: bytes in, typed values out.
 *
 * What a request holds is its own: nothing refers to the message buffer, which the device uses again.
 */
import * as Data from "effect/Data"
import * as Result from "effect/Result"
import * as Bytes from "../../domain/Bytes.ts"
import * as NodeId from "../../domain/pxar/NodeId.ts"
import {
  BATCH_FORGET_IN,
  FORGET_ONE,
  GETXATTR_IN,
  IN_HEADER,
  INIT_IN,
  IOCTL_IN,
  OPCODE,
  OPEN_IN,
  READ_IN,
} from "./Abi.ts"
import * as Operation from "./Operation.ts"

/** Who asks what of whom. */
export interface Header {
  readonly opcode: number
  /** The request's number, echoed by its reply. The kernel counts from 0 in steps of 2; below 2^53. */
  readonly unique: number
  readonly nodeId: NodeId.NodeId
  readonly uid: number
  readonly gid: number
  readonly pid: number
}

/** References returned by the kernel. */
export interface Forget {
  readonly nodeId: NodeId.NodeId
  readonly count: number
}

/** What follows the header, by operation. */
export type Body =
  | { readonly _tag: "Lookup"; readonly name: Uint8Array }
  | { readonly _tag: "Forget"; readonly forgets: ReadonlyArray<Forget> }
  | { readonly _tag: "Getattr" | "Readlink" | "Statfs" | "Destroy" | "Release" }
  | { readonly _tag: "Open" | "Opendir"; readonly flags: number }
  | { readonly _tag: "Read" | "Readdir" | "Readdirplus"; readonly offset: number; readonly size: number }
  | { readonly _tag: "Getxattr"; readonly name: Uint8Array; readonly size: number }
  | { readonly _tag: "Listxattr"; readonly size: number }
  | { readonly _tag: "Ioctl"; readonly command: number; readonly size: number }
  | {
      readonly _tag: "Init"
      readonly major: number
      readonly minor: number
      readonly maxReadahead: number
      readonly flags: number
    }
  | { readonly _tag: "Interrupt"; readonly unique: number }
  /** An operation that is refused, or an opcode that is not known. */
  | { readonly _tag: "Refused"; readonly operation: Operation.Operation | undefined }

export interface Request {
  readonly header: Header
  readonly body: Body
}

/** A message that is no request: server and kernel disagree about the protocol. */
export class BadMessage extends Data.TaggedClass("BadMessage")<{
  /** The header, if there was one: then the request can still be answered. */
  readonly header: Header | undefined
  readonly detail: string
}> {}

/** Decodes one message from the device. */
export const decode = (message: Uint8Array): Result.Result<Request, BadMessage> => {
  if (message.length < IN_HEADER.size) {
    return Result.fail(new BadMessage({ header: undefined, detail: `message of ${message.length} bytes` }))
  }
  const view = Bytes.dataView(message)
  const header: Header = {
    opcode: view.getUint32(IN_HEADER.opcode, true),
    unique: Bytes.getU64(view, IN_HEADER.unique),
    nodeId: getNodeId(view, IN_HEADER.nodeid),
    uid: view.getUint32(IN_HEADER.uid, true),
    gid: view.getUint32(IN_HEADER.gid, true),
    pid: view.getUint32(IN_HEADER.pid, true),
  }
  const fail = (detail: string) => Result.fail(new BadMessage({ header, detail }))
  const length = view.getUint32(IN_HEADER.len, true)
  if (length !== message.length) return fail(`message of ${message.length} bytes that says it has ${length}`)
  const operation = Operation.fromOpcode(header.opcode)
  if (operation !== undefined && length < IN_HEADER.size + operation.minBody) {
    return fail(`${operation.name} request of ${length} bytes`)
  }
  const body = operation === undefined ? refused(undefined) : decodeBody(operation, message, view)
  return body === undefined ? fail(`${operation?.name} request with a bad body`) : Result.succeed({ header, body })
}

const BODY = IN_HEADER.size

const refused = (operation: Operation.Operation | undefined): Body => ({ _tag: "Refused", operation })

const decodeBody = (operation: Operation.Operation, message: Uint8Array, view: DataView): Body | undefined => {
  if (operation.refusal !== undefined) return refused(operation)
  switch (operation.opcode) {
    case OPCODE.LOOKUP: {
      const name = getName(message, BODY)
      return name && { _tag: "Lookup", name }
    }
    case OPCODE.FORGET:
      return {
        _tag: "Forget",
        forgets: [{ nodeId: getNodeId(view, IN_HEADER.nodeid), count: Bytes.getU64(view, BODY) }],
      }
    case OPCODE.BATCH_FORGET:
      return decodeBatchForget(message, view)
    case OPCODE.GETATTR:
      return { _tag: "Getattr" }
    case OPCODE.READLINK:
      return { _tag: "Readlink" }
    case OPCODE.OPEN:
      return { _tag: "Open", flags: view.getUint32(BODY + OPEN_IN.flags, true) }
    case OPCODE.OPENDIR:
      return { _tag: "Opendir", flags: view.getUint32(BODY + OPEN_IN.flags, true) }
    case OPCODE.READ:
      return decodeRead("Read", view)
    case OPCODE.READDIR:
      return decodeRead("Readdir", view)
    case OPCODE.READDIRPLUS:
      return decodeRead("Readdirplus", view)
    case OPCODE.STATFS:
      return { _tag: "Statfs" }
    case OPCODE.RELEASE:
    case OPCODE.RELEASEDIR:
      return { _tag: "Release" }
    case OPCODE.GETXATTR: {
      const name = getName(message, BODY + GETXATTR_IN.size)
      return name && { _tag: "Getxattr", name, size: view.getUint32(BODY + GETXATTR_IN.size_, true) }
    }
    case OPCODE.LISTXATTR:
      return { _tag: "Listxattr", size: view.getUint32(BODY + GETXATTR_IN.size_, true) }
    case OPCODE.IOCTL:
      return {
        _tag: "Ioctl",
        command: view.getUint32(BODY + IOCTL_IN.cmd, true),
        size: view.getUint32(BODY + IOCTL_IN.out_size, true),
      }
    case OPCODE.INIT:
      return {
        _tag: "Init",
        major: view.getUint32(BODY + INIT_IN.major, true),
        minor: view.getUint32(BODY + INIT_IN.minor, true),
        maxReadahead: view.getUint32(BODY + INIT_IN.max_readahead, true),
        flags: view.getUint32(BODY + INIT_IN.flags, true),
      }
    case OPCODE.INTERRUPT:
      return { _tag: "Interrupt", unique: Bytes.getU64(view, BODY) }
    case OPCODE.DESTROY:
      return { _tag: "Destroy" }
    default:
      return refused(operation)
  }
}

const decodeRead = (_tag: "Read" | "Readdir" | "Readdirplus", view: DataView): Body => ({
  _tag,
  offset: Bytes.getU64(view, BODY + READ_IN.offset),
  size: view.getUint32(BODY + READ_IN.size_, true),
})

const decodeBatchForget = (message: Uint8Array, view: DataView): Body | undefined => {
  const count = view.getUint32(BODY + BATCH_FORGET_IN.count, true)
  if (message.length < BODY + BATCH_FORGET_IN.size + count * FORGET_ONE.size) return undefined
  const forgets: Array<Forget> = []
  for (let i = 0; i < count; i++) {
    const at = BODY + BATCH_FORGET_IN.size + i * FORGET_ONE.size
    forgets.push({
      nodeId: getNodeId(view, at + FORGET_ONE.nodeid),
      count: Bytes.getU64(view, at + FORGET_ONE.nlookup),
    })
  }
  return { _tag: "Forget", forgets }
}

const getNodeId = (view: DataView, at: number): NodeId.NodeId =>
  NodeId.fromHalves(view.getUint32(at, true), view.getUint32(at + 4, true))

/** The bytes from `at` up to the first NUL, which must be there. */
const getName = (message: Uint8Array, at: number): Uint8Array | undefined => {
  const end = message.indexOf(0, at)
  // Not `slice`, which of a `Buffer` is a view.
  return end < 0 ? undefined : new Uint8Array(message.subarray(at, end))
}
