/**
 * Where an archive's bytes come from: positional reads over a known size.
 *
 * A read can suspend, fail and be interrupted, so a source may be slow or remote. It fills its target or fails: it is
 * never short (H6). A source is immutable for as long as it is open.
 */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Schema from "effect/Schema"
import type { ErrorId } from "../../domain/ErrorId.ts"

/** The source could not deliver bytes that its size promises (class IO of §0). */
export class SourceError extends Schema.TaggedError<SourceError>()("SourceError", {
  /** Name of the source. */
  source: Schema.String,
  offset: Schema.Finite,
  detail: Schema.String,
  /** Where the bytes end that cannot be had, and which begin at `offset`: others can. Absent where that is not known. */
  end: Schema.optionalKey(Schema.Finite),
  /** Whether these bytes are lost for good: they were damaged where they are stored. That is no I/O error. */
  isLost: Schema.Boolean.pipe(Schema.withConstructorDefault(Effect.succeed(false))),
  /** Whether the same read may succeed when it is tried again: a connection was lost, a server is busy. */
  retryable: Schema.Boolean.pipe(Schema.withConstructorDefault(Effect.succeed(false))),
  /** Whether the source is not what was opened any more: nothing more can be read from it. */
  isChanged: Schema.Boolean.pipe(Schema.withConstructorDefault(Effect.succeed(false))),
}) {
  static readonly ids = { Any: "PXF-SOURCE-READ", Changed: "PXF-SOURCE-CHANGED" } as const satisfies Record<
    string,
    ErrorId
  >
  /** See docs/errors.md. */
  get id(): ErrorId {
    return this.isChanged ? SourceError.ids.Changed : SourceError.ids.Any
  }
  override get message(): string {
    return `${this.source}: ${this.detail} (reading at byte ${this.offset})`
  }
}

/** A source of bytes. */
export interface ByteSource {
  /** For messages: a path or an address. */
  readonly name: string
  /** Size in bytes, an integer from 0 to 2^53 - 1. */
  readonly size: number
  /**
   * Fills `target` with the bytes from `offset` on. `offset + target.length` must not exceed `size`.
   *
   * Bytes that need no waiting are there when the call returns, and the effect has ended: it is an `Exit` (see
   * `AtOnce`). Otherwise the effect reads when it is run, and `target` is its own until it has ended. After an
   * interruption the source may still write into `target`: do not use its memory again.
   */
  readonly read: (target: Uint8Array, offset: number) => Effect.Effect<void, SourceError>
  /** Says that ranges will be read soon, so that their bytes can be on their way. Absent where that would gain nothing. */
  readonly expect?: ((ranges: Iterable<Range>) => void) | undefined
}

/** Bytes of a source. */
export interface Range {
  /** The first. */
  readonly start: number
  /** After the last. */
  readonly end: number
}

/** The bytes of the archive; in a split archive those of the metadata archive. */
export const ByteSource: Context.Service<ByteSource, ByteSource> = Context.Service(
  "pxar-fuse/services/bytes/ByteSource",
)

/** A source over bytes in memory: all of them are at hand. */
export const fromBytes = (bytes: Uint8Array, name = "memory"): ByteSource => ({
  name,
  size: bytes.length,
  read: (target, offset) => {
    if (!isRange(offset, target.length, bytes.length)) {
      return Effect.fail(new SourceError({ source: name, offset: finite(offset), detail: "read past the end" }))
    }
    target.set(bytes.subarray(offset, offset + target.length))
    return Effect.void
  },
})

/** A source that holds `bytes`. */
export const layerMemory = (bytes: Uint8Array, name?: string): Layer.Layer<ByteSource> =>
  Layer.succeed(ByteSource, fromBytes(bytes, name))

/** Whether `length` bytes from `offset` on lie within `size` bytes: all of them integers, none negative. */
export const isRange = (offset: number, length: number, size: number): boolean =>
  Number.isSafeInteger(offset) && offset >= 0 && length >= 0 && offset + length <= size

/** An offset from outside, for a message. */
const finite = (offset: number): number => (Number.isFinite(offset) ? offset : -1)
