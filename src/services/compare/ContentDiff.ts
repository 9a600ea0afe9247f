/**
 * Where two contents differ, byte by byte. What is known to be the same is not read.
 */
import * as Effect from "effect/Effect"
import * as AtOnce from "../AtOnce.ts"
import type { ContentChange, Range } from "./AttributeDiff.ts"

/** What is compared: two files. */
export interface Files<E> {
  /** Bytes of each. */
  readonly sizes: readonly [left: number, right: number]
  /** Fills the target with the left bytes from an offset on. */
  readonly readLeft: (offset: number, target: Uint8Array) => Effect.Effect<void, E>
  /** The same of the right ones. */
  readonly readRight: (offset: number, target: Uint8Array) => Effect.Effect<void, E>
  /** The first byte from an offset on that is not known to be the same in both: the offset itself if nothing is known. */
  readonly sameUntil: (offset: number) => number
  /** Is told how many bytes were compared. */
  readonly onCompared: (bytes: number) => void
}

/** Bytes compared at once. */
const CHUNK = 1024 * 1024

/** As many equal bytes between two ranges, or fewer, belong to one range with them. */
export const GAP = 15

/** Ranges of one file that are told. */
export const MAX_RANGES = 1000

/** Compares contents; each is read with memory of its own. */
export class ContentDiff {
  private buffers: readonly [Uint8Array, Uint8Array] | undefined

  /** The first difference of two contents of one size, or all of them as `ranges`; `undefined` if there is none. */
  compare<E>(files: Files<E>, { ranges }: { readonly ranges: boolean }): Effect.Effect<ContentChange | undefined, E> {
    const [a, b] = files.sizes
    const [common, size] = [Math.min(a, b), Math.max(a, b)]
    const [ours, theirs] = (this.buffers ??= [new Uint8Array(CHUNK), new Uint8Array(CHUNK)])
    const found: Growing = []
    const from = (start: number): Effect.Effect<ContentChange | undefined, E> => {
      let at = start
      // What is known may come in pieces.
      for (let known = at; at < common; at = known) {
        known = Math.min(files.sameUntil(at), common)
        if (known <= at) break
      }
      if (at >= common || found.length > MAX_RANGES) return Effect.succeed(ranges ? all() : undefined)
      const [left, right] = [ours.subarray(0, common - at), theirs.subarray(0, common - at)]
      return AtOnce.flatMap(files.readLeft(at, left), () =>
        AtOnce.flatMap(files.readRight(at, right), () => {
          files.onCompared(left.length)
          if (Buffer.compare(left, right) !== 0) {
            if (!ranges) {
              return Effect.succeed({
                attribute: "content",
                offset: at + left.findIndex((byte, i) => byte !== right[i]),
              })
            }
            addRanges(found, at, left, right)
          }
          // Others have a turn after each chunk.
          return at + left.length < common ? Effect.suspend(() => from(at + left.length)) : from(common)
        }),
      )
    }
    const all = (): ContentChange | undefined => {
      if (a !== b && found.length <= MAX_RANGES) add(found, common, size)
      const [first] = found
      if (first === undefined) return undefined
      const told: ReadonlyArray<Range> = found.slice(0, MAX_RANGES)
      return { attribute: "content", offset: first.start, ranges: told, isCut: found.length > MAX_RANGES }
    }
    return from(0)
  }
}

type Growing = Array<{ start: number; end: number }>

const add = (found: Growing, start: number, end: number): void => {
  const last = found.at(-1)
  if (last !== undefined && start - last.end <= GAP) last.end = end
  else found.push({ start, end })
}

const addRanges = (found: Growing, at: number, left: Uint8Array, right: Uint8Array): void => {
  for (let i = 0; i < left.length; i++) {
    if (left[i] === right[i]) continue
    add(found, at + i, at + i + 1)
    if (found.length > MAX_RANGES) return
  }
}
