/**
 * Waiting for what may never end: a file system that hangs, a helper that does not come back.
 *
 * Whoever waits is told after a moment for what, and does not wait for ever. What is waited for cannot always be ended:
 * a call to the kernel then goes on by itself.
 */
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Option from "effect/Option"

export interface Options<E> {
  /** After so long `say` says what is waited for. */
  readonly silence: Duration.Input
  readonly say: Effect.Effect<void>
  /** After so long it is given up. */
  readonly deadline: Duration.Input
  readonly giveUp: Effect.Effect<never, E>
}

/** Runs an effect, as patiently as that. */
export const wait = <A, E, R, E2>(
  effect: Effect.Effect<A, E, R>,
  { deadline, giveUp, say, silence }: Options<E2>,
): Effect.Effect<A, E | E2, R> =>
  Effect.uninterruptibleMask((restore) =>
    Effect.gen(function* () {
      const fiber = yield* Effect.forkDetach(restore(effect))
      const within = (time: Duration.Input) => Effect.timeoutOption(Fiber.join(fiber), time)
      const ended = yield* restore(
        Effect.flatMap(within(silence), (early) =>
          Option.isSome(early)
            ? Effect.succeed(early)
            : Effect.andThen(
                say,
                within(Duration.subtract(Duration.fromInputUnsafe(deadline), Duration.fromInputUnsafe(silence))),
              ),
        ),
      ).pipe(Effect.onInterrupt(() => Effect.sync(() => fiber.interruptUnsafe())))
      if (Option.isSome(ended)) return ended.value
      fiber.interruptUnsafe()
      return yield* giveUp
    }),
  )
