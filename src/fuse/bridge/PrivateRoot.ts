/**
 * A bridge whose root belongs to one user and is closed to all others: under a kernel that checks permissions nobody else
 * gets into the mount, but for root.
 */
import * as Effect from "effect/Effect"
import * as Bytes from "../../domain/Bytes.ts"
import { S_IFDIR } from "../../domain/pxar/Entry.ts"
import * as Errno from "../../domain/Errno.ts"
import * as NodeId from "../../domain/pxar/NodeId.ts"
import * as XattrList from "../../domain/pxar/XattrList.ts"
import * as AtOnce from "../../services/AtOnce.ts"
import type * as Bridge from "./Bridge.ts"

/** Whose the root is. */
export interface User {
  readonly uid: number
  readonly gid: number
}

/** The same bridge with the root shown as that user's, mode 0700. */
export const make = (bridge: Bridge.Bridge, { gid, uid }: User): Bridge.Bridge => ({
  ...bridge,
  getattr: (id) =>
    id === NodeId.ROOT
      ? AtOnce.map(bridge.getattr(id), (stat) => ({ ...stat, uid, gid, mode: S_IFDIR | 0o700 }))
      : bridge.getattr(id),
  getxattr: (id, name) =>
    id === NodeId.ROOT && isAccessAcl(name) ? Effect.fail(Errno.ENODATA) : bridge.getxattr(id, name),
  listxattr: (id) => (id === NodeId.ROOT ? AtOnce.map(bridge.listxattr(id), withoutAccessAcl) : bridge.listxattr(id)),
})

/** An access ACL could let others in; a default ACL means nothing here. */
const isAccessAcl = (name: Uint8Array): boolean => Bytes.equals(name, XattrList.ACL_ACCESS)

const withoutAccessAcl = (names: Uint8Array): Uint8Array =>
  XattrList.join(XattrList.split(names).filter((name) => !isAccessAcl(name)))
