/**
 * Children of one directory that have the same name (D9): the one that is found first is the entry, the others are hidden.
 */
import * as Effect from "effect/Effect"
import * as Bytes from "../../domain/Bytes.ts"
import * as GoodbyeEncoder from "../../domain/pxar/GoodbyeEncoder.ts"
import type { Hash } from "../../domain/pxar/SipHash.ts"
import type { ArchiveError } from "./ArchiveError.ts"
import { TURN } from "./Turn.ts"

/** A child with the place that it has in the order of §3.6: its slot, or behind all others. */
interface Twin {
  readonly index: number
  readonly slot: number
}

/**
 * Takes out of `children` all but the first of each name. `slotOf` says in which slot of the directory's own table a child
 * is, `nameOf` reads a name, and `hide` is told of those that are taken out.
 */
export const hide = Effect.fnUntraced(function* (
  children: GoodbyeEncoder.Children,
  slotOf: (start: number, hash: Hash) => number,
  nameOf: (start: number) => Effect.Effect<Uint8Array | undefined, ArchiveError>,
  hidden: (name: Uint8Array, start: number) => void,
): Effect.fn.Return<GoodbyeEncoder.Children, ArchiveError> {
  const groups = GoodbyeEncoder.equalHashes(children)
  if (groups.length === 0) return children
  const without = new Set<number>()
  let seen = 0
  for (const group of groups) {
    const twins = group
      .map((index): Twin => {
        const start = GoodbyeEncoder.startOf(children, index)
        return { index, slot: slotOf(start, GoodbyeEncoder.hashOf(children, index)) }
      })
      .sort((a, b) => comparePlaces(a.slot, b.slot) || a.index - b.index)
    const names = new Set<string>()
    for (const { index } of twins) {
      if (++seen % TURN === 0) yield* Effect.yieldNow
      const start = GoodbyeEncoder.startOf(children, index)
      const name = yield* nameOf(start)
      if (name === undefined) continue
      const key = Bytes.toKey(name)
      if (names.has(key)) {
        without.add(index)
        hidden(name, start)
      }
      names.add(key)
    }
  }
  return without.size === 0 ? children : GoodbyeEncoder.without(children, without)
})

/** The order of two slots with one hash in §3.6: a node comes before its subtrees, the left one before the right one. */
const comparePlaces = (a: number, b: number): number => {
  if (a === Infinity || b === Infinity) return a === b ? 0 : a - b
  let [left, right] = [a + 1, b + 1]
  const depth = Math.clz32(right) - Math.clz32(left)
  if (depth > 0) left >>>= depth
  else right >>>= -depth
  return left === right ? a - b : left - right
}
