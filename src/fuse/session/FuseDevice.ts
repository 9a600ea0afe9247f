/**
 * The channel to the kernel: messages in, replies out.
 *
 * `KernelDevice` speaks over an open `/dev/fuse` descriptor, `MemoryDevice` is its double. A device does not know what
 * the messages mean.
 */
import * as Context from "effect/Context"
import type * as Cause from "effect/Cause"
import type * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import type { ErrorId } from "../../domain/ErrorId.ts"

/** The channel broke in a way that no unmounting explains. Fatal to the session. */
export class DeviceLost extends Schema.TaggedError<DeviceLost>()("DeviceLost", {
  operation: Schema.Literals(["read", "write"]),
  /** errno, or 0 where there is none. */
  errno: Schema.Finite,
  detail: Schema.String,
}) {
  static readonly ids = { Any: "PXF-SESSION-LOST" } as const satisfies Record<string, ErrorId>
  /** See docs/errors.md. */
  get id(): ErrorId {
    return DeviceLost.ids.Any
  }
  override get message(): string {
    return `the connection to the kernel broke: ${this.detail} (${this.operation}, errno ${this.errno})`
  }
}

/**
 * What became of a reply: the kernel took it; it no longer waited for it (interrupted or unmounted), so that nothing
 * the reply would have counted counts; or it refused it as malformed, and still waits.
 */
export type Delivery = "delivered" | "abandoned" | "refused"

/** The connection of a session. */
export interface FuseDevice {
  /**
   * The next message. Its bytes are valid until the next `receive`. Ends with `Cause.Done` when the file system was
   * unmounted or the connection aborted (ENODEV, ECONNABORTED).
   */
  readonly receive: Effect.Effect<Uint8Array, DeviceLost | Cause.Done>
  /**
   * Writes one reply, header and all; at once where it can, when it is called (`AtOnce`). The message is not used after
   * the effect has ended.
   */
  readonly reply: (message: Uint8Array) => Effect.Effect<Delivery, DeviceLost>
}

/** The connection of a session, as a service. */
export const FuseDevice: Context.Service<FuseDevice, FuseDevice> = Context.Service("pxar-fuse/fuse/FuseDevice")
