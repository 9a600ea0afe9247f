/**
 * A bridge without extended attributes: the kernel is told so once, and does not ask again.
 */
import * as Effect from "effect/Effect"
import * as Errno from "../../domain/Errno.ts"
import type * as Bridge from "./Bridge.ts"

export const make = (bridge: Bridge.Bridge): Bridge.Bridge => ({
  ...bridge,
  getxattr: () => Effect.fail(Errno.ENOSYS),
  listxattr: () => Effect.fail(Errno.ENOSYS),
})
