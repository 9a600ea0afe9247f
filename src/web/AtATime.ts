/**
 * How many of a kind go on at the same time: streams that go out, walks through all there is. Each holds a connection and
 * memory; more are told to come again.
 */
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import * as ApiError from "./api/ApiError.ts"
import { WebRefusal } from "./WebRefusal.ts"

export interface AtATime {
  /** The stream, counted while it runs; or that there are too many. */
  readonly counted: <A, E>(stream: Stream.Stream<A, E>) => Effect.Effect<Stream.Stream<A, E>, ApiError.Busy>
  /** The same of what is no stream. */
  readonly held: <A, E>(work: Effect.Effect<A, E>) => Effect.Effect<A, E | ApiError.Busy>
}

/** `what`: those of that kind, for messages. */
export const make = (max: number, what: string): AtATime => {
  let running = 0
  const tooMany = Effect.suspend(() =>
    running < max
      ? Effect.void
      : Effect.fail(
          new ApiError.Busy({ id: WebRefusal.ids.Busy, message: `${max} ${what} are running: try again later` }),
        ),
  )
  const begin = Effect.sync(() => void running++)
  const end = Effect.sync(() => void running--)
  return {
    counted: (stream) => Effect.as(tooMany, Stream.unwrap(Effect.as(begin, Stream.ensuring(stream, end)))),
    held: (work) =>
      Effect.andThen(
        tooMany,
        Effect.acquireUseRelease(
          begin,
          () => work,
          () => end,
        ),
      ),
  }
}
