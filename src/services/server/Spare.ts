/**
 * A connection that is made before it is needed: getting one ready takes several round trips, which others can use.
 *
 * Whoever wants a connection gets that which is ready or being made, and otherwise one of its own. One that nobody has
 * wanted for a while is closed.
 */
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as FiberSet from "effect/FiberSet"
import type * as Scope from "effect/Scope"
import type { Connected, Connector } from "./Connection.ts"
import type { ServerError } from "./ServerError.ts"

/** Makes connections, one of them ahead. */
export interface Spare extends Connector {
  /** Begins with a connection that will be wanted; ends when it is ready or cannot be made. */
  readonly prepare: Effect.Effect<void, ServerError>
  /** Begins with one and does not wait for it. What is wrong is told to whoever wants it. */
  readonly begin: () => void
}

/** A connection that is ready or being made. */
interface Made {
  readonly connected: Deferred.Deferred<Connected, ServerError>
  isTaken: boolean
}

/** Milliseconds for which a connection that nobody wants is kept. */
const KEPT = 20_000

/** Makes connections to one server. What nobody has taken ends with the scope. */
export const make = (connector: Connector): Effect.Effect<Spare, never, Scope.Scope> =>
  Effect.map(FiberSet.makeRuntime<never>(), (run): Spare => {
    let ready: Made | undefined
    const begin = (): Made => {
      if (ready !== undefined) return ready
      const made: Made = { connected: Deferred.makeUnsafe(), isTaken: false }
      ready = made
      const keep = (connected: Connected) =>
        Effect.andThen(
          Deferred.succeed(made.connected, connected),
          Effect.ensuring(
            Effect.sleep(KEPT),
            Effect.sync(() => {
              if (made.isTaken) return
              if (ready === made) ready = undefined
              connected.socket.destroy()
            }),
          ),
        )
      void run(
        Effect.matchEffect(connector.connect, {
          onSuccess: keep,
          onFailure: (error) => Deferred.fail(made.connected, error),
        }),
      )
      return made
    }
    return {
      server: connector.server,
      begin: () => void begin(),
      prepare: Effect.suspend(() => Effect.asVoid(Deferred.await(begin().connected))),
      connect: Effect.suspend(() => {
        const made = ready
        if (made === undefined) return connector.connect
        ready = undefined
        made.isTaken = true
        const giveBack = Effect.sync(() => {
          made.isTaken = false
          ready ??= made
        })
        return Effect.flatMap(
          Effect.onInterrupt(Deferred.await(made.connected), () => giveBack),
          (connected) => (connected.socket.destroyed ? connector.connect : Effect.succeed(connected)),
        )
      }),
    }
  })
