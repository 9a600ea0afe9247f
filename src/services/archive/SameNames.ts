/**
 * Children of one directory that have the same name (D9): the one that is found first is the entry, the others are hidden.
 */
import * as Effect from "effect/Effect"
import * as Bytes from "../../domain/Bytes.ts"
import * as GoodbyeEncoder from "../../domain/pxar/GoodbyeEncoder.ts"
import type { Hash } from "../../domain/pxar/SipHash.ts"
import * as Work from "../../domain/Work.ts"
import type { ArchiveError } from "./ArchiveError.ts"
import { TURN } from "./Turns.ts"
import * as Turns from "./Turns.ts"

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
  const groups = yield* Turns.run(() => GoodbyeEncoder.equalHashes(children))
  if (groups.length === 0) return children
  const without = new Set<number>()
  let seen = 0
  for (const group of groups) {
    const slots = new Map<number, number>()
    for (const index of group) {
      if (++seen % TURN === 0) yield* Effect.yieldNow
      slots.set(index, slotOf(GoodbyeEncoder.startOf(children, index), GoodbyeEncoder.hashOf(children, index)))
    }
    const placeOf = (index: number): number => slots.get(index) ?? Infinity
    const inOrder = (a: number, b: number): number => comparePlaces(placeOf(a), placeOf(b)) || a - b
    const twins = yield* Turns.run(() => Work.sort(group.slice(), inOrder))
    const names = new Set<string>()
    for (const index of twins) {
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
  return without.size === 0 ? children : yield* Turns.run(() => GoodbyeEncoder.without(children, without))
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
