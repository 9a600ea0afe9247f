/**
 * Where the bytes of an archive go: appended in the order they are written.
 *
 * A write takes everything or fails; it can suspend and be interrupted. Collecting small pieces into large writes is
 * the `SinkBuffer`'s, making the result appear under its name is the `ArchiveTarget`'s.
 */
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import type { ErrorId } from "../../domain/ErrorId.ts"

/** The sink could not take bytes. */
export class SinkError extends Schema.TaggedError<SinkError>()("SinkError", {
  /** Name of the sink. */
  sink: Schema.String,
  /** Position of the first byte of the write that failed. */
  offset: Schema.Finite,
  /** `ENOSPC`, `EIO`, … */
  code: Schema.String,
  detail: Schema.String,
}) {
  static readonly ids = {
    Full: "PXF-SINK-FULL",
    Failed: "PXF-SINK-FAILED",
  } as const satisfies Record<string, ErrorId>
  /** See docs/errors.md. */
  get id(): ErrorId {
    return this.code === "ENOSPC" || this.code === "EDQUOT" ? SinkError.ids.Full : SinkError.ids.Failed
  }
  override get message(): string {
    return `${this.sink}: ${this.detail} (writing at byte ${this.offset})`
  }
}

/** A sink of bytes. */
export interface Sink {
  /** For messages: a path or an address. */
  readonly name: string
  /** Bytes taken so far: the position of the next byte. */
  readonly position: () => number
  /**
   * Appends `bytes`, whose memory belongs to the sink until the effect ends, after an interruption for ever. One write
   * at a time.
   */
  readonly write: (bytes: Uint8Array) => Effect.Effect<void, SinkError>
}

/** A sink in memory. */
export interface MemorySink extends Sink {
  /** A copy of all bytes taken. */
  readonly bytes: () => Uint8Array
}

/** Makes an empty sink in memory. */
export const makeMemory = (name = "memory"): MemorySink => {
  let held = new Uint8Array(4096)
  let position = 0
  return {
    name,
    position: () => position,
    bytes: () => held.slice(0, position),
    write: (bytes) =>
      Effect.sync(() => {
        if (position + bytes.length > held.length) {
          const larger = new Uint8Array(Math.max(position + bytes.length, 2 * held.length))
          larger.set(held.subarray(0, position))
          held = larger
        }
        held.set(bytes, position)
        position += bytes.length
      }),
  }
}
