/**
 * How many streams of a kind go out at the same time. Each holds a connection and memory; more are told to come again.
 */
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import * as ApiError from "./api/ApiError.ts"
import { WebRefusal } from "./WebRefusal.ts"

export interface AtATime {
  /** The stream, counted while it runs; or that there are too many. */
  readonly counted: <A, E>(stream: Stream.Stream<A, E>) => Effect.Effect<Stream.Stream<A, E>, ApiError.Busy>
}

/** `what`: streams of that kind, for messages. */
export const make = (max: number, what: string): AtATime => {
  let running = 0
  return {
    counted: (stream) =>
      Effect.suspend(() =>
        running >= max
          ? Effect.fail(
              new ApiError.Busy({ id: WebRefusal.ids.Busy, message: `${max} ${what} are running: try again later` }),
            )
          : Effect.succeed(
              Stream.unwrap(
                Effect.sync(() => {
                  running++
                  return Stream.ensuring(
                    stream,
                    Effect.sync(() => running--),
                  )
                }),
              ),
            ),
      ),
  }
}
