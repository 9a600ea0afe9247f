/**
 * Unmounts when nobody has used a mount for some time.
 *
 * What counts is what the kernel asks. What it has cached it does not ask again, so a mount may end between two looks at
 * the same; one that is in use (an open file, somebody's current folder) never does.
 */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import type * as Mount from "../../fuse/Mount.ts"
import * as RequestCounts from "../control/RequestCounts.ts"

/** How exactly the time is kept: parts of it, and at most so many milliseconds. */
const PARTS = 10
const LONGEST_STEP = 30_000

/** Ends when it has unmounted, `timeout` milliseconds after the last request or later. */
export const unmountWhenIdle = (
  mounted: Pick<Mount.Mounted, "counters" | "inFlight" | "unmountIfFree">,
  timeout: number,
): Effect.Effect<void> => {
  const step = Math.min(timeout / PARTS, LONGEST_STEP)
  const count = Effect.map(mounted.counters, ({ requests }) => RequestCounts.total(requests))
  /** Trying to unmount asks the file system something too: the time begins anew. */
  const unmount = Effect.flatMap(mounted.unmountIfFree, (gone) =>
    gone
      ? Effect.void
      : Effect.andThen(Effect.logDebug("nobody asks anything, but the mount is in use: it stays"), begin),
  )
  const wait = (seen: number, since: number): Effect.Effect<void> =>
    Effect.gen(function* () {
      yield* Effect.sleep(step)
      const now = yield* Clock.currentTimeMillis
      const requests = yield* count
      if (requests !== seen || (yield* mounted.inFlight) > 0) return yield* wait(requests, now)
      return yield* now - since < timeout ? wait(seen, since) : unmount
    })
  const begin: Effect.Effect<void> = Effect.flatMap(Effect.all([count, Clock.currentTimeMillis]), ([seen, now]) =>
    wait(seen, now),
  )
  return begin
}
