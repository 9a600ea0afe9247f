/**
 * The double of the device: a script plays the kernel, byte for byte, without a mount.
 */
import type * as Cause from "effect/Cause"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Queue from "effect/Queue"
import * as FuseDevice from "./FuseDevice.ts"

/** Both ends of the channel: the script's, and the session's, which is a `FuseDevice`. */
export interface MemoryDevice extends FuseDevice.FuseDevice {
  /** The kernel sends a message. */
  readonly send: (message: Uint8Array) => Effect.Effect<void>
  /** The next reply. */
  readonly nextReply: Effect.Effect<Uint8Array>
  /** The file system is unmounted. */
  readonly unmount: Effect.Effect<void>
  /** Reading fails. */
  readonly lose: (error: FuseDevice.DeviceLost) => Effect.Effect<void>
  /** What becomes of the next replies, in order; when there is nothing left they are delivered. */
  readonly outcomes: Array<FuseDevice.Delivery | FuseDevice.DeviceLost>
}

/** The script's end, as a service. */
export const MemoryDevice: Context.Service<MemoryDevice, MemoryDevice> = Context.Service("pxar-fuse/fuse/MemoryDevice")

/** Makes a device on which nothing has been sent. */
export const make: Effect.Effect<MemoryDevice> = Effect.gen(function* () {
  const messages = yield* Queue.unbounded<Uint8Array, FuseDevice.DeviceLost | Cause.Done>()
  const replies = yield* Queue.unbounded<Uint8Array>()
  const outcomes: Array<FuseDevice.Delivery | FuseDevice.DeviceLost> = []
  return {
    receive: Queue.take(messages),
    reply: (message) =>
      Effect.suspend(() => {
        const outcome = outcomes.shift() ?? "delivered"
        if (typeof outcome !== "string") return Effect.fail(outcome)
        return outcome === "delivered"
          ? Effect.as(Queue.offer(replies, new Uint8Array(message)), outcome)
          : Effect.succeed(outcome)
      }),
    send: (message) => Effect.asVoid(Queue.offer(messages, message)),
    nextReply: Queue.take(replies),
    unmount: Effect.asVoid(Queue.end(messages)),
    lose: (error) => Effect.asVoid(Queue.fail(messages, error)),
    outcomes,
  }
})

/** A device in memory, with the script's end of it. */
export const layer: Layer.Layer<MemoryDevice | FuseDevice.FuseDevice> = Layer.effectContext(
  Effect.map(make, (device) => Context.make(MemoryDevice, device).pipe(Context.add(FuseDevice.FuseDevice, device))),
)
