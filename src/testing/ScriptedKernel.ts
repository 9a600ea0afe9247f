/**
 * A kernel that a test plays: it sends the requests of `KernelRequest` to a session over a `MemoryDevice`, and gives
 * each the reply that the session sends to it, in whatever order those come.
 *
 * It holds no references and knows no tree: what to ask and what to expect is the test's. Replies are delivered, unless
 * `outcomes` of the device says otherwise; a reply that is not delivered is one that nobody gets.
 */
import type * as Cause from "effect/Cause"
import * as Context from "effect/Context"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type * as Scope from "effect/Scope"
import * as MemoryDevice from "../fuse/session/MemoryDevice.ts"
import * as KernelReply from "./KernelReply.ts"
import * as KernelRequest from "./KernelRequest.ts"

/** A request, whose number it is given. */
export type Ask = (unique: number) => Uint8Array

/** A request that has been sent. */
export interface Asked {
  readonly unique: number
  /** Waits for the reply. */
  readonly reply: Effect.Effect<KernelReply.Reply>
}

/** The test's end of a session. */
export interface ScriptedKernel {
  /** Sends a request and waits for its reply. */
  readonly ask: (request: Ask) => Effect.Effect<KernelReply.Reply>
  /** Sends a request, and goes on. */
  readonly start: (request: Ask) => Effect.Effect<Asked>
  /** Sends what has no reply: FORGET and BATCH_FORGET. */
  readonly tell: (request: Ask) => Effect.Effect<void>
  /** Interrupts a request. The session then replies to it, with EINTR if it comes in time. */
  readonly interrupt: (asked: Asked) => Effect.Effect<void>
  /** The file system is unmounted: the session ends. */
  readonly unmount: Effect.Effect<void>
}

/** The scripted kernel of a test, as a service. */
export const ScriptedKernel: Context.Service<ScriptedKernel, ScriptedKernel> = Context.Service(
  "pxar-fuse/testing/ScriptedKernel",
)

/** Plays the kernel on a device, until the scope closes. Nobody else may take replies from it. */
export const make = (device: MemoryDevice.MemoryDevice): Effect.Effect<ScriptedKernel, never, Scope.Scope> =>
  Effect.gen(function* () {
    const waiting = new Map<bigint, Deferred.Deferred<KernelReply.Reply>>()
    let last = 0
    const next = (): number => (last += 2)

    const receive = Effect.flatMap(device.nextReply, (bytes) => {
      const reply = KernelReply.parseReply(bytes)
      const asked = waiting.get(reply.unique)
      waiting.delete(reply.unique)
      return asked === undefined
        ? Effect.die(new Error(`a reply to request ${reply.unique}, for which nobody waits`))
        : Deferred.succeed(asked, reply)
    })
    // Whoever waits, or asks from then on, is told of a reply that should not have come.
    const failed = yield* Deferred.make<never>()
    const fail = (cause: Cause.Cause<never>) => Deferred.failCause(failed, cause)
    yield* Effect.forkScoped(Effect.catchCause(Effect.forever(receive), fail), { startImmediately: true })

    const start: ScriptedKernel["start"] = (request) =>
      Effect.suspend(() => {
        const unique = next()
        const reply = Deferred.makeUnsafe<KernelReply.Reply>()
        waiting.set(BigInt(unique), reply)
        return Effect.as(device.send(request(unique)), {
          unique,
          reply: Effect.raceFirst(Deferred.await(reply), Deferred.await(failed)),
        })
      })

    return {
      start,
      ask: (request) => Effect.flatMap(start(request), ({ reply }) => reply),
      tell: (request) => Effect.suspend(() => device.send(request(next()))),
      interrupt: ({ unique }) => device.send(KernelRequest.interrupt(unique)),
      unmount: device.unmount,
    }
  })

/** Plays the kernel on the `MemoryDevice`. */
export const layer: Layer.Layer<ScriptedKernel, never, MemoryDevice.MemoryDevice> = Layer.effect(
  ScriptedKernel,
  Effect.flatMap(MemoryDevice.MemoryDevice, make),
)
