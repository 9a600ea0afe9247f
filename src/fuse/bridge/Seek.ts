/**
 * Where data and holes of a file begin, as `lseek(2)` asks for it.
 */
import * as Effect from "effect/Effect"
import * as Errno from "../../domain/Errno.ts"
import type { Extent } from "../../services/bytes/Extent.ts"
import * as AtOnce from "../../services/AtOnce.ts"
import { SEEK_DATA, SEEK_HOLE } from "../wire/Abi.ts"

/**
 * The first byte from `offset` on that is data (SEEK_DATA) or in a hole (SEEK_HOLE) of a file of `size` bytes, whose end
 * is a hole. `extent` is asked for bytes of the file only. ENXIO beyond the end and where no data follow, EINVAL for any
 * other `whence`.
 */
export const seek = (
  size: number,
  offset: number,
  whence: number,
  extent: (offset: number) => Effect.Effect<Extent, Errno.Errno>,
): Effect.Effect<number, Errno.Errno> => {
  if (whence !== SEEK_DATA && whence !== SEEK_HOLE) return Effect.fail(Errno.EINVAL)
  if (offset >= size) return Effect.fail(Errno.ENXIO)
  return AtOnce.flatMap(extent(offset), ({ end, isHole }) => {
    if (isHole === (whence === SEEK_HOLE)) return Effect.succeed(offset)
    // What follows is of the other kind.
    if (end < size) return Effect.succeed(end)
    return whence === SEEK_HOLE ? Effect.succeed(size) : Effect.fail(Errno.ENXIO)
  })
}
