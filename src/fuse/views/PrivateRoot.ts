/**
 * A bridge whose root belongs to one user and is closed to all others: under a kernel that checks permissions nobody else
 * gets into the mount, but for root.
 */
import * as Effect from "effect/Effect"
import * as Bytes from "../../domain/Bytes.ts"
import { S_IFDIR } from "../../domain/Entry.ts"
import * as Errno from "../../domain/Errno.ts"
import * as NodeId from "../../domain/NodeId.ts"
import * as AtOnce from "../AtOnce.ts"
import type * as Bridge from "../Bridge.ts"

/** Whose the root is. */
export interface User {
  readonly uid: number
  readonly gid: number
}

/** The user of this process. */
export const thisUser = (): User => ({ uid: process.geteuid?.() ?? 0, gid: process.getegid?.() ?? 0 })

/** An access ACL could let others in; a default ACL means nothing here. */
const ACCESS_ACL = Bytes.fromText("system.posix_acl_access")

/** The same bridge with the root shown as that user's, mode 0700. */
export const make = (bridge: Bridge.Shape, { gid, uid }: User): Bridge.Shape => ({
  ...bridge,
  getattr: (id) =>
    id === NodeId.ROOT
      ? AtOnce.map(bridge.getattr(id), (stat) => ({ ...stat, uid, gid, mode: S_IFDIR | 0o700 }))
      : bridge.getattr(id),
  getxattr: (id, name) =>
    id === NodeId.ROOT && Bytes.equals(name, ACCESS_ACL) ? Effect.fail(Errno.ENODATA) : bridge.getxattr(id, name),
  listxattr: (id) => (id === NodeId.ROOT ? AtOnce.map(bridge.listxattr(id), withoutAccessAcl) : bridge.listxattr(id)),
})

/** Names, each with a NUL, but for the access ACL's. */
const withoutAccessAcl = (names: Uint8Array): Uint8Array => {
  const kept: Array<Uint8Array> = []
  for (let from = 0; from < names.length;) {
    const end = names.indexOf(0, from)
    if (!Bytes.equals(names.subarray(from, end), ACCESS_ACL)) kept.push(names.subarray(from, end + 1))
    from = end + 1
  }
  return Bytes.concat(kept)
}
