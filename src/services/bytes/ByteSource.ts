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
}) {
  static readonly ids = { Any: "PXF-SOURCE-READ" } as const satisfies Record<string, ErrorId>
  /** See docs/errors.md. */
  get id(): ErrorId {
    return SourceError.ids.Any
  }
  override get message(): string {
    return `${this.source}: ${this.detail} (reading at byte ${this.offset})`
  }
}

/** A source of bytes. */
export interface Source {
  /** For messages: a path or an address. */
  readonly name: string
  /** Size in bytes. */
  readonly size: number
  /**
   * Fills `target` with the bytes from `offset` on. `offset + target.length` must not exceed `size`. After an
   * interruption the source may still write into `target`: do not use its memory again.
   */
  readonly read: (target: Uint8Array, offset: number) => Effect.Effect<void, SourceError>
  /**
   * The same at once, for bytes that need no waiting. False, and `target` undefined, if they do or if anything else is
   * the matter: `read` tells then. A source that always waits leaves it out.
   */
  readonly readCached?: ((target: Uint8Array, offset: number) => boolean) | undefined
}

/** The bytes of the archive; in a split archive those of the metadata archive. */
export class ByteSource extends Context.Service<ByteSource, Source>()("pxar-fuse/services/ByteSource") {
  /** A source that holds `bytes`. */
  static readonly layerMemory = (bytes: Uint8Array, name?: string): Layer.Layer<ByteSource> =>
    Layer.succeed(ByteSource, fromBytes(bytes, name))
}

/** A source over bytes in memory. */
export const fromBytes = (bytes: Uint8Array, name = "memory"): Source => ({
  name,
  size: bytes.length,
  read: (target, offset) =>
    offset + target.length > bytes.length
      ? Effect.fail(new SourceError({ source: name, offset, detail: "read past the end" }))
      : Effect.sync(() => target.set(bytes.subarray(offset, offset + target.length))),
  readCached: (target, offset) => {
    if (offset + target.length > bytes.length) return false
    target.set(bytes.subarray(offset, offset + target.length))
    return true
  },
})
