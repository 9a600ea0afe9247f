/**
 * How long a server that is gone is waited for: a restart, a cable that was pulled. What may pass is tried again, ever less
 * often; a refusal never is (server §6.4).
 */
import * as Effect from "effect/Effect"
import type { ServerError } from "./ServerError.ts"

/** Milliseconds before the first further try, which is doubled, and before any. */
const FIRST = 200
const LONGEST = 5000

/** Milliseconds for which a request is tried again, unless told otherwise. */
export const DEFAULT = 180_000

/** Runs a request until it succeeds, is refused, or has been tried for too long. */
export const patiently = <A>(
  request: Effect.Effect<A, ServerError>,
  milliseconds: number,
): Effect.Effect<A, ServerError> =>
  Effect.suspend(() => {
    const until = performance.now() + milliseconds
    const attempt = (delay: number): Effect.Effect<A, ServerError> =>
      Effect.catch(request, (error) => {
        if (!error.isTransient || performance.now() + delay > until) return Effect.fail(error)
        // A connection that was kept may have been closed by the other side: that is no outage yet.
        const tell = delay === 2 * FIRST ? Effect.logWarning(`${error.message}; trying again`) : Effect.void
        return tell.pipe(
          Effect.andThen(Effect.sleep(delay)),
          Effect.andThen(Effect.suspend(() => attempt(Math.min(2 * delay, LONGEST)))),
        )
      })
    return attempt(FIRST)
  })
