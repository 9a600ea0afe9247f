/**
 * What a payload archive says of itself (§1.7): its header (P1) and its end marker (P2).
 *
 * All other bytes in it are told apart by references from the archive only: those are `PayloadReader`'s.
 */
import * as Effect from "effect/Effect"
import * as ArchiveHead from "../../domain/pxar/ArchiveHead.ts"
import * as FormatError from "../../domain/pxar/FormatError.ts"
import * as Item from "../../domain/pxar/Item.ts"
import * as AtOnce from "../AtOnce.ts"
import type { ByteSource } from "../bytes/ByteSource.ts"
import * as ArchiveError from "./ArchiveError.ts"

/** Where the end marker must be; negative in an archive that is too small for one. */
export const endOf = (source: ByteSource): number => source.size - Item.HEADER_SIZE

/** Checks P1: without that header it is no payload archive. */
export const checkStart = (source: ByteSource): Effect.Effect<void, ArchiveError.ArchiveError> =>
  source.size < ArchiveHead.MIN_PAYLOAD_SIZE
    ? Effect.fail(
        ArchiveError.fromFormat(
          source.name,
          FormatError.malformed("P1", 0, `${source.size} bytes are too few for a payload archive`),
        ),
      )
    : checkHeader(source, 0, (window) => ArchiveHead.checkPayloadStart(window, source.size))

/** Checks P2: without an end marker the archive may have been cut short. */
export const checkEnd = (source: ByteSource): Effect.Effect<void, ArchiveError.ArchiveError> =>
  checkHeader(source, endOf(source), (window) => ArchiveHead.checkPayloadTail(window, endOf(source)))

/** Says that both ends will be read. */
export const expect = (source: ByteSource): void => {
  if (source.size < ArchiveHead.MIN_PAYLOAD_SIZE) return
  source.expect?.([
    { start: 0, end: Item.HEADER_SIZE },
    { start: endOf(source), end: source.size },
  ])
}

/** Reads the item header at `offset` and tests it. */
const checkHeader = (
  source: ByteSource,
  offset: number,
  test: (header: Item.Window) => void,
): Effect.Effect<void, ArchiveError.ArchiveError> =>
  Effect.suspend(() => {
    const bytes = new Uint8Array(Item.HEADER_SIZE)
    return AtOnce.flatMap(AtOnce.mapError(source.read(bytes, offset), ArchiveError.fromSource), () => {
      try {
        test(Item.makeWindow(bytes, offset))
        return Effect.void
      } catch (thrown) {
        return thrown instanceof FormatError.FormatError
          ? Effect.fail(ArchiveError.fromFormat(source.name, thrown))
          : Effect.die(thrown)
      }
    })
  })
