/**
 * Steps of an operation that has already ended.
 *
 * An effect that has its result is an `Exit`. These functions go on with it at once, without a turn of the fiber's
 * loop, and are Effect's own for any other: most of what is asked of an archive is answered from memory, in one turn.
 * That is the only fast path there is: an operation is written once, and waits where something has to be waited for.
 */
import * as Cause from "effect/Cause"
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

/** `Effect.catch`: a defect or an interruption stays what it is. */
export const catch_ = <A, E, R, B, E2, R2>(
  self: Effect.Effect<A, E, R>,
  f: (error: E) => Effect.Effect<B, E2, R2>,
): Effect.Effect<A | B, E2, R | R2> => {
  if (!hasEnded(self)) return Effect.catch(self, f)
  if (Exit.isSuccess(self)) return self as Exit.Exit<A, never>
  const error = Cause.findErrorOption(self.cause)
  return error._tag === "Some" ? f(error.value) : Exit.failCause(self.cause as Cause.Cause<never>)
}

/** `Effect.matchEffect`. */
export const matchEffect = <A, E, R, B, E2, R2>(
  self: Effect.Effect<A, E, R>,
  cases: {
    readonly onFailure: (error: E) => Effect.Effect<B, E2, R2>
    readonly onSuccess: (a: A) => Effect.Effect<B, E2, R2>
  },
): Effect.Effect<B, E2, R | R2> =>
  hasEnded(self) && Exit.isSuccess(self) ? cases.onSuccess(self.value) : Effect.matchEffect(self, cases)

/** `Effect.mapError`. */
export const mapError = <A, E, R, E2>(self: Effect.Effect<A, E, R>, f: (error: E) => E2): Effect.Effect<A, E2, R> =>
  hasEnded(self) && Exit.isSuccess(self)
    ? (self as Exit.Exit<A, never>)
    : catch_(self, (error) => Effect.fail(f(error)))

/** Calls what may throw; that is a defect. */
export const call = <A, E, R>(operation: () => Effect.Effect<A, E, R>): Effect.Effect<A, E, R> => {
  try {
    return operation()
  } catch (defect) {
    return Effect.die(defect)
  }
}
