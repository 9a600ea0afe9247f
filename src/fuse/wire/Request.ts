/**
 * Requests of the kernel: bytes in, typed values out.
 *
 * What a request holds is its own: nothing refers to the message buffer, which the device uses again. What the fields of
 * an operation are is said in its row of `Operation`.
 */
import * as Data from "effect/Data"
import * as Result from "effect/Result"
import * as Bytes from "../../domain/Bytes.ts"
import * as NodeId from "../../domain/pxar/NodeId.ts"
import { IN_HEADER } from "./Abi.ts"
import * as Operation from "./Operation.ts"

/** Who asks what of whom. */
export interface Header {
  readonly opcode: number
  /** The request's number, echoed by its reply. The kernel counts from 0 in steps of 2; below 2^53. */
  readonly unique: number
  /** `NodeId.UNKNOWN` through fuse-native, which names files by path. */
  readonly nodeId: NodeId.NodeId
  /** Who asks; 0 where the kernel does not say. */
  readonly uid: number
  readonly gid: number
  readonly pid: number
}

/** What follows the header, by operation. */
export type Body = Operation.Body

export interface Request {
  readonly header: Header
  /** `undefined` for an opcode that the table does not know. */
  readonly operation: Operation.Operation | undefined
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
    nodeId: NodeId.fromHalves(view.getUint32(IN_HEADER.nodeid, true), view.getUint32(IN_HEADER.nodeid + 4, true)),
    uid: view.getUint32(IN_HEADER.uid, true),
    gid: view.getUint32(IN_HEADER.gid, true),
    pid: view.getUint32(IN_HEADER.pid, true),
  }
  const fail = (detail: string) => Result.fail(new BadMessage({ header, detail }))
  const length = view.getUint32(IN_HEADER.len, true)
  if (length !== message.length) return fail(`message of ${message.length} bytes that says it has ${length}`)
  const operation = Operation.fromOpcode(header.opcode)
  if (operation === undefined) return Result.succeed({ header, operation, body: unknown })
  if (length < IN_HEADER.size + operation.minBody) return fail(`${operation.name} request of ${length} bytes`)
  const body = operation.decode(message, view)
  return body === undefined
    ? fail(`${operation.name} request with a bad body`)
    : Result.succeed({ header, operation, body })
}

const unknown: Operation.Refused = { _tag: "Refused", operation: undefined }

/** The opcode of a message that has a header. */
export const opcodeOf = (message: Uint8Array): number => {
  const at = IN_HEADER.opcode
  return (message[at] as number) | ((message[at + 1] as number) << 8)
}

/** The number of a message that has a header. */
export const uniqueOf = (message: Uint8Array): number => Bytes.getU64(Bytes.dataView(message), IN_HEADER.unique)
