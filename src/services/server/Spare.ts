/**
 * Connections that are made before they are needed: getting one ready takes several round trips, which others can use.
 *
 * Whoever wants a connection gets one that is ready or being made, and otherwise one of its own. One that nobody has
 * wanted for a while is closed.
 */
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as FiberSet from "effect/FiberSet"
import type * as Scope from "effect/Scope"
import type { Connected, Connector } from "./Connection.ts"
import type { ServerError } from "./ServerError.ts"

/** Makes connections, some of them ahead. */
export interface Spare extends Connector {
  /** Begins with a connection that will be wanted; ends when it is ready or cannot be made. */
  readonly prepare: Effect.Effect<void, ServerError>
  /** Begins with so many, those that are there already counted, and does not wait for them. What cannot be made is tried again by whoever wants one. */
  readonly begin: (count: number) => void
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
    const ready = new Set<Made>()
    const one = (): Made => {
      const made: Made = { connected: Deferred.makeUnsafe(), isTaken: false }
      ready.add(made)
      const keep = (connected: Connected) =>
        Effect.andThen(
          Deferred.succeed(made.connected, connected),
          Effect.ensuring(
            Effect.sleep(KEPT),
            Effect.sync(() => {
              if (!made.isTaken) connected.socket.destroy()
              ready.delete(made)
            }),
          ),
        )
      void run(
        Effect.matchEffect(connector.connect, {
          onSuccess: keep,
          onFailure: (error) => {
            ready.delete(made)
            return Deferred.fail(made.connected, error)
          },
        }),
      )
      return made
    }
    return {
      server: connector.server,
      begin: (count) => {
        while (ready.size < count) one()
      },
      prepare: Effect.suspend(() => {
        const [made = one()] = ready
        return Effect.asVoid(Deferred.await(made.connected))
      }),
      connect: Effect.suspend(() => {
        const [made] = ready
        if (made === undefined) return connector.connect
        ready.delete(made)
        made.isTaken = true
        const giveBack = Effect.sync(() => {
          made.isTaken = false
          ready.add(made)
        })
        return Effect.flatMap(
          Effect.onInterrupt(Deferred.await(made.connected), () => giveBack),
          (connected) => (connected.socket.destroyed ? connector.connect : Effect.succeed(connected)),
        )
      }),
    }
  })
