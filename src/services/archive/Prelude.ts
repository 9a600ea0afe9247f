/**
 * The prelude of an archive (§2.1): what stands before its root, of any length up to a limit.
 */
import * as Effect from "effect/Effect"
import type * as ArchiveHead from "../../domain/pxar/ArchiveHead.ts"
import * as FormatError from "../../domain/pxar/FormatError.ts"
import type * as Limits from "../../domain/pxar/Limits.ts"
import type { ByteSource } from "../bytes/ByteSource.ts"
import * as ArchiveError from "./ArchiveError.ts"

/** Its bytes; `undefined` if there is none. Fails with R1 if it is longer than the limit. */
export const read = (
  source: ByteSource,
  prelude: ArchiveHead.ArchiveHead["prelude"],
  limits: Limits.Limits,
): Effect.Effect<Uint8Array | undefined, ArchiveError.ArchiveError> => {
  if (prelude === undefined) return Effect.undefined
  const length = prelude.end - prelude.start
  if (length > limits.preludeBytes) {
    return Effect.fail(
      ArchiveError.fromFormat(source.name, FormatError.limit("R1", prelude.start, `prelude of ${length} bytes`)),
    )
  }
  const bytes = new Uint8Array(length)
  return Effect.as(Effect.mapError(source.read(bytes, prelude.start), ArchiveError.fromSource), bytes)
}
