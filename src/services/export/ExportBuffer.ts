/**
 * Gathers small pieces of an export into larger ones, in order; large pieces go through as they are.
 *
 * What the target is given is its own, and nothing is written over, unless it has done with it at once.
 */
import * as Effect from "effect/Effect"
import type { Target } from "./Export.ts"

/** Bytes that are gathered; half as many go through. */
const SIZE = 256 * 1024

export interface ExportBuffer<E> {
  /** Takes bytes that nobody changes any more. */
  readonly put: (piece: Uint8Array) => Effect.Effect<void, E>
  /** Gives the target all that is held. */
  readonly flush: Effect.Effect<void, E>
  /** Bytes taken so far. */
  readonly size: () => number
}

export const make = <E>(target: Target<E>): ExportBuffer<E> => {
  let buffer = new Uint8Array(SIZE)
  let held = 0
  let size = 0

  const flush = Effect.suspend(() => {
    if (held === 0) return Effect.void
    const piece = buffer.subarray(0, held)
    if (target.isDone !== true) buffer = new Uint8Array(SIZE)
    held = 0
    return target.write(piece)
  })

  const keep = (piece: Uint8Array): void => {
    buffer.set(piece, held)
    held += piece.length
  }

  return {
    put: (piece) =>
      Effect.suspend(() => {
        size += piece.length
        if (held + piece.length <= SIZE) {
          keep(piece)
          return Effect.void
        }
        const large = piece.length > SIZE / 2
        return Effect.andThen(
          flush,
          Effect.suspend(() => {
            if (large) return target.write(piece)
            keep(piece)
            return Effect.void
          }),
        )
      }),
    flush,
    size: () => size,
  }
}
