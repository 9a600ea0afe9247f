/**
 * What is answered to each operation: the bridge's results as the bytes of replies.
 *
 * An answer that is at hand has ended already when it is returned (`AtOnce`). It says nothing of who carries it out, what
 * becomes of an error or whether a reply arrives: that is the session's.
 */
import * as Effect from "effect/Effect"
import * as Errno from "../../domain/Errno.ts"
import type * as NodeId from "../../domain/pxar/NodeId.ts"
import * as AtOnce from "../../services/AtOnce.ts"
import type * as LookupRegistry from "../../services/LookupRegistry.ts"
import type * as Bridge from "../bridge/Bridge.ts"
import { FOPEN_CACHE_DIR, FOPEN_KEEP_CACHE } from "../wire/Abi.ts"
import * as FileAttributes from "../wire/FileAttributes.ts"
import * as Init from "../wire/Init.ts"
import * as Reply from "../wire/Reply.ts"
import type * as ReplyMemory from "../wire/ReplyMemory.ts"
import type * as Request from "../wire/Request.ts"

/** A reply, header and all, or the errno to reply with. */
export type Answer = Effect.Effect<Uint8Array, Errno.Errno>

/** Those of one session. */
export interface Answers {
  /** Carries out a request that is answered; references to nodes that the answer names are added to the lease. */
  readonly of: (request: Request.Request, lease: LookupRegistry.Lease) => Answer
  /** Whether kernel and server have agreed on a protocol. */
  readonly isAgreed: () => boolean
}

/** How long the kernel keeps what it knows of a folder that can change. */
const LIVE_SECONDS = 1

/** The answers of a bridge, in a session's memory. */
export const make = (bridge: Bridge.Bridge, memory: ReplyMemory.ReplyMemory, options: Init.Options): Answers => {
  const { allocate } = memory
  let agreement: Init.Agreement | undefined

  const isLive = (id: NodeId.NodeId): boolean => bridge.isLive?.(id) === true

  const lookup = (unique: number, parent: NodeId.NodeId, name: Uint8Array, lease: LookupRegistry.Lease): Answer =>
    AtOnce.flatMap(bridge.lookup(parent, name, lease), (stat) => {
      const live = isLive(parent)
      if (stat !== undefined)
        return Effect.succeed(Reply.entry(unique, stat, allocate, live ? LIVE_SECONDS : undefined))
      // As an error the kernel does not keep it: the name may appear.
      return live ? Effect.fail(Errno.ENOENT) : Effect.succeed(Reply.noEntry(unique, allocate))
    })

  const readdirplus = (
    id: NodeId.NodeId,
    unique: number,
    { offset, size }: { readonly offset: number; readonly size: number },
    lease: LookupRegistry.Lease,
  ): Answer => {
    const listing = new Reply.Listing(memory.take(unique, size))
    const live = isLive(id)
    const listed = bridge.readdir(id, offset, ({ child: found, ino, mode, name, next }) => {
      // What may go is looked up when it is used.
      const child = live ? undefined : found
      const fits = listing.addPlus(name, ino, mode, child?.stat, next)
      if (fits && child !== undefined) listing.setNode(lease.add(child.node))
      return fits
    })
    return AtOnce.map(listed, () => listing.finish())
  }

  const readdir = (id: NodeId.NodeId, unique: number, offset: number, size: number): Answer => {
    const listing = new Reply.Listing(memory.take(unique, size))
    const listed = bridge.readdir(id, offset, ({ ino, mode, name, next }) => listing.add(name, ino, mode, next))
    return AtOnce.map(listed, () => listing.finish())
  }

  const read = (id: NodeId.NodeId, unique: number, offset: number, size: number): Answer => {
    let message: Uint8Array | undefined
    const reserve = (length: number): Uint8Array => {
      message = memory.take(unique, length)
      return message.subarray(Reply.bodyOffset)
    }
    return AtOnce.map(bridge.read(id, offset, size, reserve), () => message ?? Reply.ok(unique, allocate))
  }

  /** A value for a caller with room for `size` bytes; 0 asks how long it is. */
  const sized = (unique: number, size: number, value: Uint8Array): Answer => {
    if (size === 0) return Effect.succeed(Reply.xattrSize(unique, value.length, allocate))
    return value.length > size ? Effect.fail(Errno.ERANGE) : Effect.succeed(Reply.bytes(unique, value, allocate))
  }

  const ioctl = (id: NodeId.NodeId, unique: number, command: number, size: number): Answer =>
    AtOnce.flatMap(bridge.fileAttributes(id), (attributes) => {
      const value = FileAttributes.answer(command, size, attributes)
      return value === undefined ? Effect.fail(Errno.ENOTTY) : Effect.succeed(Reply.ioctl(unique, value, allocate))
    })

  const init = (unique: number, offer: Init.Offer): Answer =>
    Effect.map(Effect.fromResult(Init.negotiate(offer, options)), (agreed) => {
      if (agreed !== "ask again") agreement = agreed
      return Init.reply(unique, offer, agreed, options)
    })

  /** Opening a file or folder: where the kernel can do without, it is told so (fuse-protocol §4). */
  const open = (
    id: NodeId.NodeId,
    unique: number,
    flags: number,
    withoutServer: boolean | undefined,
    reply: number,
  ): Answer =>
    withoutServer === true
      ? Effect.fail(Errno.ENOSYS)
      : AtOnce.map(bridge.open(id, flags), () => Reply.open(unique, reply, allocate))

  return {
    isAgreed: () => agreement !== undefined,
    of: ({ body, header }, lease) => {
      const { nodeId: id, unique } = header
      switch (body._tag) {
        case "Lookup":
          return lookup(unique, id, body.name, lease)
        case "Readdirplus":
          return readdirplus(id, unique, body, lease)
        case "Readdir":
          return readdir(id, unique, body.offset, body.size)
        case "Read":
          return read(id, unique, body.offset, body.size)
        case "Lseek":
          // The kernel then never asks again, and takes every file for data.
          return bridge.seek === undefined
            ? Effect.fail(Errno.ENOSYS)
            : AtOnce.map(bridge.seek(id, body.offset, body.whence), (offset) => Reply.seek(unique, offset, allocate))
        case "Getattr":
          return AtOnce.map(bridge.getattr(id), (stat) =>
            Reply.attr(unique, stat, allocate, isLive(id) ? LIVE_SECONDS : undefined),
          )
        case "Readlink":
          return AtOnce.map(bridge.readlink(id), (target) => Reply.bytes(unique, target, allocate))
        case "Getxattr":
          return AtOnce.flatMap(bridge.getxattr(id, body.name), (value) => sized(unique, body.size, value))
        case "Listxattr":
          return AtOnce.flatMap(bridge.listxattr(id), (names) => sized(unique, body.size, names))
        case "Ioctl":
          return ioctl(id, unique, body.command, body.size)
        case "Open":
          return open(id, unique, body.flags, agreement?.noOpen, FOPEN_KEEP_CACHE)
        case "Opendir":
          // Where folders can change the kernel must ask for each which of them it may keep.
          return bridge.isLive === undefined
            ? open(id, unique, body.flags, agreement?.noOpendir, FOPEN_KEEP_CACHE | FOPEN_CACHE_DIR)
            : open(id, unique, body.flags, false, isLive(id) ? 0 : FOPEN_KEEP_CACHE | FOPEN_CACHE_DIR)
        case "Statfs":
          return Effect.succeed(Reply.statfs(unique, bridge.size, allocate))
        case "Init":
          return init(unique, body)
        case "Release":
        case "Destroy":
          return Effect.succeed(Reply.ok(unique, allocate))
        case "Refused":
          return Effect.fail(body.operation?.refusal ?? Errno.ENOSYS)
        // They are not answered.
        case "Forget":
        case "Interrupt":
          return Effect.fail(Errno.ENOSYS)
      }
    },
  }
}
