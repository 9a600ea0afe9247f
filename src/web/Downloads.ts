/**
 * Contents and exports that go out: how many at the same time, and how much.
 */
import type * as Effect from "effect/Effect"
import * as Metric from "effect/Metric"
import * as Stream from "effect/Stream"
import type * as ApiError from "./api/ApiError.ts"
import * as AtATime from "./AtATime.ts"

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
  const { counted } = AtATime.make(max, "downloads")
  return {
    counted: (stream) => counted(Stream.tap(stream, (bytes) => Metric.update(sentBytes, bytes.length))),
  }
}
