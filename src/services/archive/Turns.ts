/**
 * Long work between which others have a turn (see `Work`).
 */
import * as Effect from "effect/Effect"
import type * as Work from "../../domain/Work.ts"

/** Children, names or events of a folder after which others have a turn. */
export const TURN = 1024

/** Does the work, the first piece at once: the effect has ended where that is all. */
export const run = <A>(work: () => Work.Work<A>): Effect.Effect<A> => {
  const begun = work()
  const first = begun.next()
  if (first.done === true) return Effect.succeed(first.value)
  let isRun = false
  return Effect.suspend(() => {
    const rest = isRun ? work() : begun
    isRun = true
    return Effect.andThen(Effect.yieldNow, goOn(rest))
  })
}

const goOn = <A>(work: Work.Work<A>): Effect.Effect<A> =>
  Effect.suspend(() => {
    const step = work.next()
    return step.done === true ? Effect.succeed(step.value) : Effect.andThen(Effect.yieldNow, goOn(work))
  })
