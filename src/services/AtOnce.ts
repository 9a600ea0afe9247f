/**
 * Steps of an operation that has already ended.
 *
 * An effect that has its result is an `Exit`. These functions go on with it at once, without a turn of the fiber's
 * loop, and are Effect's own for any other: most requests are answered from memory, in one turn.
 */
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"

/** Whether the effect has ended. */
export const hasEnded = <A, E, R>(self: Effect.Effect<A, E, R>): self is Exit.Exit<A, E> => Exit.isExit(self)

/** `Effect.map`. */
export const map = <A, E, R, B>(self: Effect.Effect<A, E, R>, f: (a: A) => B): Effect.Effect<B, E, R> =>
  hasEnded(self)
    ? Exit.isSuccess(self)
      ? Effect.succeed(f(self.value))
      : Exit.failCause(self.cause)
    : Effect.map(self, f)

/** `Effect.flatMap`. */
export const flatMap = <A, E, R, B, E2, R2>(
  self: Effect.Effect<A, E, R>,
  f: (a: A) => Effect.Effect<B, E2, R2>,
): Effect.Effect<B, E | E2, R | R2> =>
  hasEnded(self) ? (Exit.isSuccess(self) ? f(self.value) : Exit.failCause(self.cause)) : Effect.flatMap(self, f)

/** Calls what may throw; that is a defect. */
export const call = <A, E, R>(operation: () => Effect.Effect<A, E, R>): Effect.Effect<A, E, R> => {
  try {
    return operation()
  } catch (defect) {
    return Effect.die(defect)
  }
}
