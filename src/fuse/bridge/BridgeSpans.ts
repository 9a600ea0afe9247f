/**
 * The operations of a bridge, each in a span of the tracer in the context: what a source does for one is below it.
 *
 * For finding out where time goes. A span costs more than most operations, so nobody gets any who did not ask; for
 * what a session does from request to request there is `Observer`.
 */
import * as Effect from "effect/Effect"
import * as Errno from "../../domain/Errno.ts"
import * as NodeId from "../../domain/pxar/NodeId.ts"
import * as PathText from "../../domain/PathText.ts"
import * as Bridge from "./Bridge.ts"

/** The same bridge, with a span `pxar-fuse.OPERATION` around each operation on a node. */
export const make = (eager: Bridge.Bridge): Bridge.Bridge => {
  // What is done before a span begins would not be in it.
  const bridge = Bridge.lazily(eager)
  const span = <A>(
    operation: string,
    id: NodeId.NodeId,
    effect: Effect.Effect<A, Errno.Errno>,
    attributes: Readonly<Record<string, number | string>> = {},
  ): Effect.Effect<A, Errno.Errno> =>
    Effect.withSpan(effect, `pxar-fuse.${operation}`, {
      attributes: { inode: NodeId.toBigInt(id).toString(), ...attributes },
      captureStackTrace: false,
    })
  const { seek = () => Effect.fail(Errno.ENOSYS) } = bridge
  return {
    ...bridge,
    lookup: (id, name, lease) => span("lookup", id, bridge.lookup(id, name, lease), { name: PathText.print(name) }),
    getattr: (id) => span("getattr", id, bridge.getattr(id)),
    readlink: (id) => span("readlink", id, bridge.readlink(id)),
    open: (id, flags) => span("open", id, bridge.open(id, flags), { flags }),
    read: (id, offset, size, reserve) => span("read", id, bridge.read(id, offset, size, reserve), { offset, size }),
    seek: bridge.seek && ((id, offset, whence) => span("seek", id, seek(id, offset, whence), { offset, whence })),
    readdir: (id, offset, add) => span("readdir", id, bridge.readdir(id, offset, add), { offset }),
    getxattr: (id, name) => span("getxattr", id, bridge.getxattr(id, name), { name: PathText.print(name) }),
    listxattr: (id) => span("listxattr", id, bridge.listxattr(id)),
    fileAttributes: (id) => span("fileAttributes", id, bridge.fileAttributes(id)),
  }
}
