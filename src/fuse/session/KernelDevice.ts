/**
 * The device over an open, non-blocking `/dev/fuse` descriptor.
 *
 * Reading costs no thread and never blocks the event loop: the descriptor is read until it is empty, then watched.
 * The descriptor belongs to the caller, who closes it after this device's scope.
 */
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type * as Scope from "effect/Scope"
import * as Errno from "../../domain/Errno.ts"
import { type Delivery, DeviceLost, FuseDevice } from "./FuseDevice.ts"
import * as Syscalls from "./DeviceSyscalls.ts"

const { EINTR, ENOENT, EAGAIN, ENODEV, EINVAL, ECONNABORTED } = Errno.code

/** Room for one message. The kernel wants 8 KiB at least; more takes more forgets at once. */
const BUFFER_SIZE = 64 * 1024

/** The device over `descriptor`. */
export const layer = (descriptor: number): Layer.Layer<FuseDevice> => Layer.effect(FuseDevice, make(descriptor))

/** The same as a value; the scope ends the watching. */
export const make = Effect.fnUntraced(function* (descriptor: number): Effect.fn.Return<FuseDevice, never, Scope.Scope> {
  const buffer = new Uint8Array(BUFFER_SIZE)
  let waiting: (() => void) | undefined
  let watching = false
  const readiness = yield* Effect.acquireRelease(
    Effect.sync(() => Syscalls.watch(descriptor)),
    (readiness) => Effect.callback<void>((resume) => readiness.close(() => resume(Effect.void))),
  )

  const onReadable = (): void => {
    const resume = waiting
    if (resume === undefined) {
      // Readiness is told again and again; whoever receives next watches again if it finds nothing.
      readiness.stop()
      watching = false
      return
    }
    waiting = undefined
    resume()
  }

  const untilReadable = Effect.callback<void>((resume) => {
    waiting = () => resume(Effect.void)
    if (!watching) {
      readiness.start(onReadable)
      watching = true
    }
    return Effect.sync(() => {
      waiting = undefined
    })
  })

  const receive: FuseDevice["receive"] = Effect.suspend(() => {
    for (;;) {
      const count = Syscalls.read(descriptor, buffer)
      if (count >= 0) return Effect.succeed(buffer.subarray(0, count))
      switch (-count) {
        case EINTR:
        // The request was interrupted before it could be read.
        case ENOENT:
          continue
        case EAGAIN:
          return Effect.flatMap(untilReadable, () => receive)
        case ENODEV:
        case ECONNABORTED:
          return Effect.fail(Cause.Done())
        default:
          return Effect.fail(new DeviceLost({ operation: "read", errno: -count, detail: "cannot read /dev/fuse" }))
      }
    }
  })

  const write = (message: Uint8Array): Effect.Effect<Delivery, DeviceLost> => {
    for (;;) {
      const count = Syscalls.write(descriptor, message)
      if (count === message.length) return delivered
      switch (-count) {
        case EINTR:
          continue
        case ENOENT:
        case ENODEV:
        case ECONNABORTED:
          return abandoned
        case EINVAL:
          return refused
        default:
          return Effect.fail(
            new DeviceLost({
              operation: "write",
              errno: Math.max(0, -count),
              detail: count >= 0 ? `only ${count} of ${message.length} bytes were taken` : "cannot write to /dev/fuse",
            }),
          )
      }
    }
  }

  return { receive, reply: write }
})

const delivered = Effect.succeed<Delivery>("delivered")
const abandoned = Effect.succeed<Delivery>("abandoned")
const refused = Effect.succeed<Delivery>("refused")
