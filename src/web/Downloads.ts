/**
 * How many contents go out at the same time. Each holds a connection, and chunks in memory; more are told to come again.
 */
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import * as Metric from "effect/Metric"
import * as ApiError from "./api/ApiError.ts"
import { WebRefusal } from "./WebRefusal.ts"

export interface Downloads {
  /** The stream, counted while it runs; or that there are too many. */
  readonly counted: <E>(
    stream: Stream.Stream<Uint8Array, E>,
  ) => Effect.Effect<Stream.Stream<Uint8Array, E>, ApiError.Busy>
}

/** Contents at the same time. */
const MAX = 64

/** Bytes of contents and exports that were sent. */
export const sentBytes: Metric.Counter<number> = Metric.counter("pxar_fuse_web_sent_bytes", {
  description: "Bytes of contents and exports sent over HTTP",
  incremental: true,
})

export const make = (max = MAX): Downloads => {
  let running = 0
  return {
    counted: (stream) =>
      Effect.suspend(() =>
        running >= max
          ? Effect.fail(
              new ApiError.Busy({ id: WebRefusal.ids.Busy, message: `${max} downloads are running: try again later` }),
            )
          : Effect.succeed(
              Stream.unwrap(
                Effect.sync(() => {
                  running++
                  return stream.pipe(
                    Stream.tap((bytes) => Metric.update(sentBytes, bytes.length)),
                    Stream.ensuring(Effect.sync(() => running--)),
                  )
                }),
              ),
            ),
      ),
  }
}
