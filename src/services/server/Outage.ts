/**
 * A server that is gone for a while, because it is restarted or a cable was pulled: requests are tried again, ever less
 * often. A refusal never is (server §6.4). An outage is told once, whatever number of requests wait for its end.
 */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import type { ServerError } from "./ServerError.ts"

/** Milliseconds before the first further try, which is doubled, and before any. */
const FIRST = 200
const LONGEST = 5000

/** Milliseconds for which a request is tried again, unless told otherwise. */
export const DEFAULT = 120_000

/** Waits for a server. */
export interface Outage {
  /** Runs a request until it succeeds, is refused, or has been tried for too long. */
  readonly endure: <A>(request: Effect.Effect<A, ServerError>) => Effect.Effect<A, ServerError>
}

/** Waits for one server, each request for so many milliseconds. */
export const make = (milliseconds: number): Outage => {
  let isTold = false
  const tell = (error: ServerError) =>
    Effect.suspend(() => {
      if (isTold) return Effect.void
      isTold = true
      return Effect.logWarning(`${error.message}; it is waited for`)
    })
  const over = Effect.suspend(() => {
    if (!isTold) return Effect.void
    isTold = false
    return Effect.logInfo("the server answers again")
  })
  return {
    endure: (request) =>
      Clock.clockWith((clock) => {
        const now = (): number => Number(clock.monotonicTimeNanosUnsafe()) / 1e6
        const until = now() + milliseconds
        const attempt = (delay: number): typeof request =>
          Effect.catch(Effect.tap(request, over), (error) => {
            const wait = Math.max(delay, error.retryAfter ?? 0)
            if (!error.isTransient || now() + wait > until) return Effect.fail(error)
            // A connection that was kept may have been closed by the other side: that is no outage yet.
            return (delay > FIRST ? tell(error) : Effect.void).pipe(
              Effect.andThen(Effect.sleep(wait)),
              Effect.andThen(Effect.suspend(() => attempt(Math.min(2 * delay, LONGEST)))),
            )
          })
        return attempt(FIRST)
      }),
  }
}
